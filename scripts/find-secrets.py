#!/usr/bin/env python3
"""Searches what the tests and the tested programs printed for secrets, tickets, tokens and codes.

Usage: find-secrets.py FILE_OR_FOLDER...
"""

import re
import sys
from pathlib import Path

# The secrets that the tests use, and the forms of those that the simulator issues.
PATTERNS = [re.compile(pattern) for pattern in (
    rb"sim-secret-for-tests-only-\w+",
    rb"wrong-secret-0+",
    rb"(ticket|preauthcode|queryauthcode|refreshtoken)(@|%40){3}[A-Za-z0-9_-]{8,}",
    rb"\b\d{2}_[A-Za-z0-9_-]{100,}",
    rb"(component_)?access_token=[A-Za-z0-9_-]{8,}",
    rb"s3cret",
    rb"0123456789abcdef0123456789abcdef",
    # The push keys. The simulator's help and its first output may show the default keys.
    rb"(?<!\[default: )(?<!  push token {11})simpushtoken",
    rb"(?<!  EncodingAESKey {7})abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    rb"0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    rb"\bA{43}\b",
)]
SAMPLES = [
    b"sim-secret-for-tests-only-000000", b"wrong-secret-00000", b"ticket@@@abcdefgh-", b"preauthcode%40%40%40abcdefgh",
    b"45_" + b"a" * 140, b"?access_token=abcdefgh", b"s3cret", b"0123456789abcdef" * 2, b"token: simpushtoken",
    b"[default:simpushtoken", b"key: abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", b'"' + b"A" * 43 + b'"',
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
]
HARMLESS = [
    b"[default: simpushtoken]", b"  push token           simpushtoken", b"Root=1-66473661-0123456789abcdef01234567",
    b"  EncodingAESKey       abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG (the default)",
]


def found(data: bytes) -> list[bytes]:
    return [match[0] for pattern in PATTERNS for match in pattern.finditer(data)]


def main(arguments: list[str]) -> int:
    files = [file for name in arguments for file in ([Path(name)] if Path(name).is_file() else Path(name).rglob("*"))]
    files = [file for file in files if file.is_file()]
    size, leaks = 0, 0
    for file in files:
        data = file.read_bytes()
        size += len(data)
        for secret in found(data)[:3]:
            leaks += 1
            line = data[: data.find(secret)].count(b"\n") + 1
            print(f"{file}:{line}: holds {secret[:14].decode()}…", file=sys.stderr)
    if not size:
        print("nothing to search", file=sys.stderr)
        return 1
    print(f"searched {len(files)} files, {size // 1024} KiB: " + (f"{leaks} leaks" if leaks else "no secret"))
    return bool(leaks)


if __name__ == "__main__":
    for sample in SAMPLES:
        assert found(sample), f"the patterns miss {sample!r}"
    for sample in HARMLESS:
        assert not found(sample), f"the patterns take {sample!r} for a secret"
    sys.exit(main(sys.argv[1:]))
