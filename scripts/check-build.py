#!/usr/bin/env python3
"""Checks the output of `sam build`: four programs that Lambda's provided.al2023 can start.

    scripts/check-build.py [--architecture x86_64] [.aws-sam/build]

A bootstrap that needs a newer glibc than the runtime has does not start, and neither does one for another
architecture. Only Lambda reports that. Prints the size of each program and of its zip.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from bootstrap import ARCHITECTURES, FUNCTIONS, built, machine, zipped

# Amazon Linux 2023 has glibc 2.34.
NEWEST_GLIBC = (2, 34)


def glibc_needed(program: bytes) -> tuple[int, ...]:
    """The newest glibc version that a symbol of the program requires."""
    versions = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", program)
    return max((tuple(map(int, v.split(b"."))) for v in versions), default=(0,))


def version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def problems(program: bytes, architecture: str) -> list[str]:
    """Why Lambda could not start the program."""
    found = []
    if (built_for := machine(program)) != architecture:
        found.append(f"is for {built_for}, not for {architecture}: build with ARCHITECTURE={architecture}")
    if (needed := glibc_needed(program)) > NEWEST_GLIBC:
        found.append(f"needs glibc {version(needed)}; provided.al2023 has {version(NEWEST_GLIBC)}")
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check the built programs.")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("build", nargs="?", type=Path, default=Path(".aws-sam/build"))
    options = parser.parse_args(argv)
    bad = 0
    print(f"{'function':22} {'machine':8} {'glibc':6} {'program':>10} {'zip':>10}")
    for function in FUNCTIONS:
        bootstrap = built(options.build, function)
        if not bootstrap.is_file():
            print(f"{function:22} missing: {bootstrap}")
            bad += 1
            continue
        program = bootstrap.read_bytes()
        if machine(program) is None:
            print(f"{function:22} is not a Linux program")
            bad += 1
            continue
        print(
            f"{function:22} {machine(program):8} {version(glibc_needed(program)):6} "
            f"{len(program) / 1e6:7.2f} MB {len(zipped(program)) / 1e6:7.2f} MB"
        )
        for problem in problems(program, options.architecture):
            print(f"  {problem}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
