#!/usr/bin/env python3
"""Checks, without network access, the dependencies of both workspaces by deny.toml, and the locks of other tools.

Advisories and withdrawn versions need the network: `cargo deny` checks them in the hosted workflow.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKSPACES = {"the service": ROOT, "the fuzz targets": ROOT / "fuzz"}
# Each of these must be linked into the functions, in exactly one version.
SINGLE = {"rustls", "hyper", "http", "tokio", "reqwest", "ring"}
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
LOCKED_PYTHON = ("tests", "tests/template")
LOCKED_NODE = "tests/pages"


def accepted(expression: str, licences: set[str]) -> bool:
    """Whether these licences satisfy an SPDX expression."""
    words = {"AND": "and", "OR": "or", "WITH": "or", "(": "(", ")": ")"}  # an exception (WITH) only ever permits more
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    return bool(tokens) and bool(eval(" ".join(words.get(t, str(t in licences)) for t in tokens), {"__builtins__": {}}))


def lock_problems(lock: str, rules: dict) -> list[str]:
    """What a Cargo.lock may not hold, whether it is linked or not."""
    problems = []
    banned = {entry["crate"]: entry["reason"] for entry in rules["bans"]["deny"]}
    for package in tomllib.loads(lock)["package"]:
        name, source = package["name"], package.get("source")
        if name in banned:
            problems.append(f"{name}: banned ({banned[name]})")
        # Packages of this repository have no source.
        if source is not None and (source != CRATES_IO or "checksum" not in package):
            problems.append(f"{name}: comes from {source}, or has no checksum")
    return problems


def manifest_problems(manifest: str) -> list[str]:
    """Direct dependencies without a version to start from."""
    parsed = tomllib.loads(manifest)
    tables = [parsed.get(kind, {}) for kind in ("dependencies", "dev-dependencies", "build-dependencies")]
    tables.append(parsed.get("workspace", {}).get("dependencies", {}))
    versions = {
        name: value if isinstance(value, str) else value.get("version", "")
        for table in tables
        for name, value in table.items()
    }
    return [f"{name}: the version {version} is a wildcard" for name, version in versions.items() if "*" in version]


def packages(workspace: Path, *edges: str) -> dict[str, dict[str, str]]:
    """The packages of a graph: name, then version, then licence."""
    manifest = ("--manifest-path", str(workspace / "Cargo.toml"))
    command = ["cargo", "tree", "--locked", "--prefix", "none", "--format", "{p}|{l}", *manifest, *edges]
    tree = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if tree.returncode != 0:
        sys.exit("cargo could not read the graph")
    found: dict[str, dict[str, str]] = {}
    for line in tree.stdout.splitlines():
        if match := re.match(r"(\S+) v(\S+).*\|(.*?)(?: \(\*\))?$", line):
            found.setdefault(match[1], {})[match[2]] = match[3]
    return found


def graph_problems(graph: dict[str, dict[str, str]], rules: dict) -> list[str]:
    """Licences and second versions of what is built for the functions' two architectures."""
    licences = set(rules["licenses"]["allow"])
    more = {entry["crate"]: set(entry["allow"]) for entry in rules["licenses"]["exceptions"]}
    twice = {entry["crate"].split("@")[0] for entry in rules["bans"]["skip"]}
    problems = [
        f"{name} {version}: licence {licence or 'not stated'}"
        for name, versions in graph.items()
        for version, licence in versions.items()
        if not accepted(licence, licences | more.get(name, set()))
    ]
    problems += [f"{n}: in versions {sorted(v)}" for n, v in graph.items() if len(v) > (2 if n in twice else 1)]
    return problems + [f"{n}: needs no skip in deny.toml" for n in sorted(twice) if len(graph.get(n, ())) < 2]


def python_lock_problems(direct: str, lock: str) -> list[str]:
    """A lock holds each direct version, and nothing but versions with hashes."""
    problems, locked = [], set()
    for line in lock.replace("\\\n", "").splitlines():
        if match := re.fullmatch(r"(\S+==\S+)( ; .*?)?( +--hash=sha256:[0-9a-f]{64})+", line):
            locked.add(match[1])
        elif not re.match(r"\s*(#|$)", line):
            problems.append(f"{line}: no version with hashes")
    wanted = {re.sub(r"\[.*?\]", "", pin).strip() for pin in re.findall(r"^[^#\s].*", direct, re.M)}
    problems += [f"{pin}: not in the lock (make lock)" for pin in sorted(wanted - locked)]
    return problems + (["the lock names a place to download from"] if "://" in lock else [])


def node_lock_problems(manifest: str, lock: str) -> list[str]:
    """A lock holds each direct version of package.json, and every package by its hash."""
    packages = json.loads(lock)["packages"]
    locked = {path.removeprefix("node_modules/"): package for path, package in packages.items() if path}
    problems = [f"{name}: no hash" for name, package in locked.items() if "integrity" not in package]
    problems += [
        f"{name}: {version} is not in the lock (npm install)"
        for name, version in json.loads(manifest)["devDependencies"].items()
        if locked.get(name, {}).get("version") != version
    ]
    return problems + (["the lock names a place to download from"] if "://" in lock else [])


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def main() -> int:
    problems, crates = 0, 0

    def report(where: str, found: list[str]) -> None:
        nonlocal problems
        problems += len(found)
        for problem in found:
            print(f"{where}: {problem}", file=sys.stderr, flush=True)

    rules = tomllib.loads(read(ROOT / "deny.toml"))
    # All of these first: cargo refuses a lock file that was written by hand.
    for workspace, folder in WORKSPACES.items():
        report(workspace, lock_problems(read(folder / "Cargo.lock"), rules))
    for manifest in [ROOT / "Cargo.toml", *ROOT.glob("*/Cargo.toml")]:
        report(str(manifest.relative_to(ROOT)), manifest_problems(read(manifest)))
    locks = [file for folder in LOCKED_PYTHON for file in sorted((ROOT / folder).glob("requirements*.in"))]
    for file in locks:
        report(file.name, python_lock_problems(read(file), read(file.with_suffix(".txt"))))
    node = ROOT / LOCKED_NODE
    report(LOCKED_NODE, node_lock_problems(read(node / "package.json"), read(node / "package-lock.json")))

    targets = [argument for target in rules["graph"]["targets"] for argument in ("--target", target)]
    for workspace, folder in WORKSPACES.items():
        graph = packages(folder, "--workspace", "--all-features", "-e", "all", *targets)
        crates += len(graph)
        report(workspace, graph_problems(graph, rules))
    linked = packages(ROOT, "-e", "normal")
    for name in sorted(SINGLE):
        versions = sorted(linked.get(name, ()))
        if len(versions) != 1:
            report("the service", [f"{name}: one version expected, not {versions or 'none'}"])

    if crates < 300 or len(locks) < 6:
        report("this check", [f"only {crates} crates and {len(locks)} Python locks were found"])
    print("failed" if problems else f"{crates} crates and {len(locks)} Python locks keep the rules")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
