#!/usr/bin/env python3
"""Checks the output of `sam build`: three programs that Lambda's provided.al2023 can start.

    scripts/check-build.py [.aws-sam/build]

A bootstrap that needs a newer glibc than the runtime has does not start, and only Lambda reports that.
Prints the size of each program and of its zip.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

# Amazon Linux 2023 has glibc 2.34.
NEWEST_GLIBC = (2, 34)
FUNCTIONS = ("PreauthcodeFunction", "CallbackFunction", "KeeperFunction")
# e_machine of the ELF header.
MACHINES = {62: "x86_64", 183: "arm64"}


def glibc_needed(program: bytes) -> tuple[int, ...]:
    """The newest glibc version that a symbol of the program requires."""
    versions = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", program)
    return max((tuple(map(int, v.split(b"."))) for v in versions), default=(0,))


def zipped(directory: Path) -> int:
    """The size of the package to upload, in bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for file in sorted(p for p in directory.rglob("*") if p.is_file()):
            package.write(file, file.relative_to(directory))
    return buffer.tell()


def main(argv: list[str]) -> int:
    build = Path(argv[0] if argv else ".aws-sam/build")
    bad = 0
    print(f"{'function':22} {'machine':8} {'glibc':6} {'program':>10} {'zip':>10}")
    for function in FUNCTIONS:
        bootstrap = build / function / "bootstrap"
        if not bootstrap.is_file():
            print(f"{function:22} missing: {bootstrap}")
            bad += 1
            continue
        program = bootstrap.read_bytes()
        if program[:4] != b"\x7fELF":
            print(f"{function:22} is not a Linux program")
            bad += 1
            continue
        needed = glibc_needed(program)
        machine = MACHINES.get(int.from_bytes(program[18:20], "little"), "unknown")
        print(
            f"{function:22} {machine:8} {'.'.join(map(str, needed)):6} "
            f"{len(program) / 1e6:7.2f} MB {zipped(bootstrap.parent) / 1e6:7.2f} MB"
        )
        if needed > NEWEST_GLIBC:
            print(f"  needs glibc {'.'.join(map(str, needed))}; provided.al2023 has {'.'.join(map(str, NEWEST_GLIBC))}")
            bad += 1
        if machine == "unknown":
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
