#!/usr/bin/env python3
"""Checks the dependency graph without network access: one TLS stack, one HTTP stack, known licences.

Advisories need a database from the network: `cargo deny` checks them in the hosted workflow.
"""

import json
import re
import subprocess
import sys

# Each of these must be linked, in exactly one version.
SINGLE = {"rustls", "hyper", "http", "tokio", "reqwest", "ring"}
# None of these may be linked: other TLS stacks, and packages that slow down the start.
FORBIDDEN = {"aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "aws-sdk-sso", "aws-sdk-ssooidc"}
LICENCES = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CDLA-Permissive-2.0", "ISC", "MIT",
    "Unicode-3.0", "Unlicense", "Zlib",
}


def accepted(expression: str) -> bool:
    """Whether the licences above satisfy an SPDX expression."""
    expression = expression.replace("/", " OR ")
    tokens = re.findall(r"\(|\)|[^\s()]+", expression)
    python = []
    for token in tokens:
        if token in ("(", ")"):
            python.append(token)
        elif token in ("AND", "OR"):
            python.append(token.lower())
        elif token == "WITH":
            python.append("or")  # an exception only ever permits more
        else:
            python.append(str(token in LICENCES))
    return bool(eval(" ".join(python), {"__builtins__": {}}))


def run(*arguments: str) -> str:
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True).stdout


def main() -> int:
    problems = []
    tree = run("tree", "--workspace", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}")
    versions: dict[str, set[str]] = {}
    for line in tree.splitlines():
        match = re.match(r"(\S+) v(\S+)", line)
        if match:
            versions.setdefault(match[1], set()).add(match[2])
    for name in sorted(SINGLE):
        if len(versions.get(name, ())) != 1:
            problems.append(f"{name}: expected one version, found {sorted(versions.get(name, ())) or 'none'}")
    problems += [f"{name}: must not be linked" for name in sorted(FORBIDDEN & versions.keys())]

    metadata = json.loads(run("metadata", "--locked", "--format-version", "1"))
    linked = {(name, version) for name, all_of in versions.items() for version in all_of}
    checked = 0
    for package in metadata["packages"]:
        if (package["name"], package["version"]) not in linked:
            continue
        checked += 1
        licence = package["license"] or ""
        if not licence or not accepted(licence):
            problems.append(f"{package['name']} {package['version']}: licence {licence or 'not stated'}")
    if checked < 50:
        problems.append(f"only {checked} packages were checked")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{checked} packages: one TLS stack, one HTTP stack, licences known" if not problems else "failed")
    return bool(problems)


if __name__ == "__main__":
    assert accepted("MIT OR GPL-3.0") and not accepted("MIT AND GPL-3.0") and accepted("(MIT OR X) AND ISC")
    sys.exit(main())
