#!/usr/bin/env python3
"""Writes what a deployment needs into dist/: a zip of each program, both templates, and SHA256SUMS.

    scripts/package.py [--architecture x86_64] [--build .aws-sam/build] [--dist dist]

The zips of the other architecture stay, so that two runs make a package for both. The same programs give the same
bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

from bootstrap import ARCHITECTURES, FUNCTIONS, built, machine, zipped
from stop import Stop

ROOT = Path(__file__).parents[1]
TEMPLATES = ("template.yaml", "network.yaml")
SUMS = "SHA256SUMS"


def contents() -> list[str]:
    """The names of the files that a package may hold."""
    zips = [f"{program}-{architecture}.zip" for program in FUNCTIONS.values() for architecture in ARCHITECTURES]
    return sorted([*zips, *TEMPLATES])


def write_sums(dist: Path) -> None:
    """In the form that `sha256sum --check` reads."""
    files = [dist / name for name in contents() if (dist / name).is_file()]
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (dist / SUMS).write_text("".join(lines), encoding="ascii")


def package(build: Path, dist: Path, architecture: str, templates: Path = ROOT) -> None:
    programs = {}
    for function, program in FUNCTIONS.items():
        bootstrap = built(build, function)
        if not bootstrap.is_file():
            raise Stop(f"{bootstrap} is missing: run `make build`.")
        programs[program] = bootstrap.read_bytes()
        if (found := machine(programs[program])) != architecture:
            raise Stop(f"{bootstrap} is for {found}, not for {architecture}: build with ARCHITECTURE={architecture}.")
    dist.mkdir(parents=True, exist_ok=True)
    for program, data in programs.items():
        (dist / f"{program}-{architecture}.zip").write_bytes(zipped(data))
    for template in TEMPLATES:
        shutil.copyfile(templates / template, dist / template)
    write_sums(dist)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write the package of a release.")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--build", type=Path, default=Path(".aws-sam/build"))
    parser.add_argument("--dist", type=Path, default=Path("dist"))
    options = parser.parse_args(argv)
    try:
        package(options.build, options.dist, options.architecture)
    except (Stop, OSError) as error:
        sys.exit(f"{error}")
    print((options.dist / SUMS).read_text(encoding="ascii"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
