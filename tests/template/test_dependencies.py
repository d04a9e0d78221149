"""scripts/check-dependencies.py names each kind of dependency that the rules do not allow."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("check_dependencies", ROOT / "scripts/check-dependencies.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

RULES = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
LOCKS = ["Cargo.lock", "fuzz/Cargo.lock"]
CHECKSUM = f'checksum = "{"0" * 64}"'
# What each exception of deny.toml needs, so that a graph breaks no rule but the one under test.
GRAPH = {
    "base64": {"0.22.1": "MIT", "0.23.1": "MIT"},
    "getrandom": {"0.2.17": "MIT", "0.4.3": "MIT"},
    "syn": {"2.0.119": "MIT", "3.0.10": "MIT"},
}
PIN = f"moto==5.2.5 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n    # via -r requirements.in\n"


def package(name: str, source: str = check.CRATES_IO, checksum: str = CHECKSUM) -> str:
    return f'\n[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = "{source}"\n{checksum}\n'


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize(("added", "expected"), [
    ("", []),
    (package("openssl"), ["openssl: banned (rustls is the one TLS stack)"]),
    (package("aws-sdk-sso"), ["aws-sdk-sso: banned (Lambda has no SSO log-in, and loading it costs start-up time)"]),
    (package("made-up", "registry+https://crates.example/index"),
     ["made-up: comes from registry+https://crates.example/index, or has no checksum"]),
    (package("made-up", "git+https://git.example/made-up#0123456"),
     ["made-up: comes from git+https://git.example/made-up#0123456, or has no checksum"]),
    (package("made-up", checksum=""), [f"made-up: comes from {check.CRATES_IO}, or has no checksum"]),
])
def test_a_lock_holds_only_allowed_crates_of_crates_io(lock, added, expected):
    assert check.lock_problems((ROOT / lock).read_text(encoding="utf-8") + added, RULES) == expected


@pytest.mark.parametrize("workspace", check.WORKSPACES)
def test_a_banned_crate_in_either_lock_fails_the_check(workspace, monkeypatch, tmp_path, capsys):
    folder = check.WORKSPACES[workspace]
    (tmp_path / "Cargo.lock").write_text((folder / "Cargo.lock").read_text(encoding="utf-8") + package("native-tls"))
    monkeypatch.setitem(check.WORKSPACES, workspace, tmp_path)
    linked = {name: {"1.0.0": "MIT"} for name in check.SINGLE} | {f"crate{n}": {"1.0.0": "MIT"} for n in range(300)}
    monkeypatch.setattr(check, "packages", lambda *_: GRAPH | linked)
    assert check.main() == 1
    assert capsys.readouterr().err == f"{workspace}: native-tls: banned (rustls is the one TLS stack)\n"


def test_a_wildcard_is_no_version():
    manifest = '[dependencies]\na = "1"\nb = "*"\nc = { path = "c" }\n[workspace.dependencies.d]\nversion = "1.*"\n'
    assert check.manifest_problems(manifest) == ["b: the version * is a wildcard", "d: the version 1.* is a wildcard"]


@pytest.mark.parametrize(("added", "expected"), [
    ({}, []),
    ({"made-up": {"1.0.0": "GPL-3.0"}}, ["made-up 1.0.0: licence GPL-3.0"]),
    ({"made-up": {"1.0.0": ""}}, ["made-up 1.0.0: licence not stated"]),
    ({"libfuzzer-sys": {"0.4.13": "(MIT OR Apache-2.0) AND NCSA"}}, []),
    ({"made-up": {"1.0.0": "NCSA"}}, ["made-up 1.0.0: licence NCSA"]),
    ({"made-up": {"1.0.0": "MIT", "2.0.0": "MIT"}}, ["made-up: in versions ['1.0.0', '2.0.0']"]),
    ({"syn": {"1.0.0": "MIT", "2.0.0": "MIT", "3.0.0": "MIT"}}, ["syn: in versions ['1.0.0', '2.0.0', '3.0.0']"]),
    ({"syn": {"3.0.10": "MIT"}}, ["syn: needs no skip in deny.toml"]),
])
def test_licences_and_second_versions_are_those_of_deny_toml(added, expected):
    assert check.graph_problems(GRAPH | added, RULES) == expected


@pytest.mark.parametrize(("expression", "expected"), [
    ("MIT OR GPL-3.0", True),
    ("MIT AND GPL-3.0", False),
    ("(MIT OR GPL-3.0) AND ISC", True),
    ("MIT/GPL-3.0", True),
    ("MIT WITH LLVM-exception", True),
    ("", False),
])
def test_an_spdx_expression_is_read_as_a_whole(expression, expected):
    assert check.accepted(expression, {"MIT", "ISC"}) is expected


@pytest.mark.parametrize(("direct", "lock", "expected"), [
    ("# Why.\nmoto[server]==5.2.5\n", PIN, []),
    ("moto==5.2.6\n", PIN, ["moto==5.2.6: not in the lock (make lock)"]),
    ("", "moto==5.2.5\n", ["moto==5.2.5: no version with hashes"]),
    ("", "moto>=5\n", ["moto>=5: no version with hashes"]),
    ("", f"{PIN}werkzeug==3.1.9\n", ["werkzeug==3.1.9: no version with hashes"]),
    ("", f"# --index-url https://pypi.example\n{PIN}", ["the lock names a place to download from"]),
    ("", f"--no-binary :all:\n{PIN}", ["--no-binary :all:: no version with hashes"]),
])
def test_a_python_lock_pins_everything_by_hash(direct, lock, expected):
    assert check.python_lock_problems(direct, lock) == expected


@pytest.mark.parametrize(("wanted", "package", "expected"), [
    ("1.2.3", {"version": "1.2.3", "integrity": "sha512-0"}, []),
    ("^1.2.3", {"version": "1.2.3", "integrity": "sha512-0"}, ["axe-core: ^1.2.3 is not in the lock (npm install)"]),
    ("1.2.3", {"version": "1.2.3"}, ["axe-core: no hash"]),
    ("1.2.3", {"version": "1.2.3", "integrity": "sha512-0", "resolved": "https://registry.example/axe-core.tgz"},
     ["the lock names a place to download from"]),
])
def test_a_node_lock_pins_everything_by_hash(wanted, package, expected):
    manifest = json.dumps({"devDependencies": {"axe-core": wanted}})
    lock = json.dumps({"packages": {"": {"devDependencies": {"axe-core": wanted}}, "node_modules/axe-core": package}})
    assert check.node_lock_problems(manifest, lock) == expected
