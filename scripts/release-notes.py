#!/usr/bin/env python3
"""Prints the notes of a release: its section of CHANGELOG.md. Fails if the tag, Cargo.toml and CHANGELOG.md disagree.

    scripts/release-notes.py v0.2.0
"""

import datetime
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, manifest: str, changelog: str) -> str:
    """The section's text. A tag that may not be released is a ValueError."""
    version = tomllib.loads(manifest)["workspace"]["package"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but Cargo.toml has version {version}")
    sections = re.split(r"^## ", changelog, flags=re.M)[1:]
    found = [section for section in sections if section.startswith(f"[{version}]")]
    if len(found) != 1:
        raise ValueError(f"CHANGELOG.md has {len(found)} sections [{version}], not one")
    title, _, text = found[0].partition("\n")
    date = title.removeprefix(f"[{version}] - ").strip()
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        raise ValueError(f"CHANGELOG.md: the date of [{version}] is {date!r}, not like 2026-01-31") from None
    if not text.strip():
        raise ValueError(f"CHANGELOG.md: nothing is written about [{version}]")
    return text.strip()


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1], *((ROOT / name).read_text(encoding="utf-8") for name in ("Cargo.toml", "CHANGELOG.md"))))
    except ValueError as problem:
        sys.exit(f"not released: {problem}")
