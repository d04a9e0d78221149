#!/usr/bin/env python3
"""Prints the lines of code of Rust files, and their sum: no blank lines, no comments, no test code.

    scripts/count-lines.py [FILE_OR_FOLDER...]      (default: src)

Test code is what follows an unindented `#[cfg(test)]`, in the same file or in a file of its own.
tests/house reads this output.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TEST_MODULE = re.compile(r"^#\[cfg\(test\)\]\n(?:#.*\n)*(?:pub )?mod (\w+)( \{\n(?:.*\n)*?\}$|;)", re.M)


def test_files(file: Path, text: str) -> set[Path]:
    """The files that hold test code only, as this file declares them."""
    folder = file.parent if file.stem in ("mod", "lib", "main") else file.with_suffix("")
    names = [module[1] for module in TEST_MODULE.finditer(text) if module[2] == ";"]
    return {path for name in names for path in (folder / f"{name}.rs", *(folder / name).rglob("*.rs"))}


def lines_of_code(text: str) -> int:
    code = TEST_MODULE.sub("", text)
    return sum(1 for line in code.splitlines() if line.strip() and not line.lstrip().startswith("//"))


def main(names: list[str]) -> int:
    places = [Path(name) for name in names or ["src"]]
    files = sorted(file for place in places for file in (place.rglob("*.rs") if place.is_dir() else [place]))
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    tests = {path for file, text in texts.items() for path in test_files(file, text)}
    counts = {file: lines_of_code(text) for file, text in texts.items() if file not in tests}
    for file, count in counts.items():
        print(f"{count:6} {file}")
    print(f"{sum(counts.values()):6} in {len(counts)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
