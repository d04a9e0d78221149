"""The four programs as `sam build` leaves them and as packages carry them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

# The functions of template.yaml and their programs.
FUNCTIONS = {
    "PreauthcodeFunction": "preauthcode", "CallbackFunction": "callback", "KeeperFunction": "keeper",
    "AuthorizeFunction": "authorize",
}
ARCHITECTURES = ("x86_64", "arm64")
# e_machine of the ELF header.
MACHINES = {62: "x86_64", 183: "arm64"}
# The oldest date that a zip can hold. With the files' own dates, two packages of one program would differ.
DATE = (1980, 1, 1, 0, 0, 0)


def machine(program: bytes) -> str | None:
    """The architecture of a Linux program: ``unknown`` for a foreign one, ``None`` when it is no program at all."""
    if program[:4] != b"\x7fELF":
        return None
    return MACHINES.get(int.from_bytes(program[18:20], "little"), "unknown")


def zipped(program: bytes) -> bytes:
    """The package that Lambda takes. The same program gives the same bytes."""
    entry = zipfile.ZipInfo("bootstrap", DATE)
    entry.create_system = 3  # Unix: only then the mode counts
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        package.writestr(entry, program, compresslevel=9)
    return buffer.getvalue()


def unzipped(package: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return opened.read("bootstrap")


def built(directory: Path, function: str) -> Path:
    """Where `sam build` puts a function's program."""
    return directory / function / "bootstrap"
