"""`make package`, the check of a build, and the use of a package."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import package
import pytest
import small
import templates
from bootstrap import FUNCTIONS
from conftest import script
from small import build, elf
from stop import Stop


def check(directory: Path, *words: str) -> int:
    return script("check-build").main([*words, str(directory)])


@pytest.mark.parametrize("versions, result", [(["2.2.5", "2.34"], 0), (["2.4", "2.35"], 1), (["2.9"], 0)])
def test_a_bootstrap_may_need_no_newer_glibc_than_the_runtime_has(tmp_path, capsys, versions, result):
    assert check(build(tmp_path, elf(*versions))) == result
    assert ("needs glibc 2.35" in capsys.readouterr().out) is bool(result)


def test_a_missing_bootstrap_is_noticed(tmp_path, capsys):
    directory = build(tmp_path, elf("2.34"))
    (directory / "KeeperFunction" / "bootstrap").unlink()
    assert check(directory) == 1
    assert "KeeperFunction         missing" in capsys.readouterr().out


@pytest.mark.parametrize("machine, wanted, result", [
    (62, "x86_64", 0), (183, "arm64", 0), (62, "arm64", 1), (183, "x86_64", 1), (40, "x86_64", 1),
])
def test_a_build_is_for_the_architecture_that_is_asked_for(tmp_path, capsys, machine, wanted, result):
    assert check(build(tmp_path, elf("2.34", machine=machine)), "--architecture", wanted) == result
    assert (f"not for {wanted}" in capsys.readouterr().out) is bool(result)


def test_a_text_is_no_program(tmp_path):
    assert check(build(tmp_path, b"#!/bin/sh\n")) == 1


def files(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_a_package_is_the_same_whenever_it_is_made(tmp_path, monkeypatch):
    first = files(Path(small.dist(tmp_path)))
    monkeypatch.setattr("time.time", lambda: 2_000_000_000)
    for file in (tmp_path / "build").rglob("bootstrap"):
        file.touch()
        file.chmod(0o600)
    second = files(Path(small.dist(tmp_path)))
    assert first == second


def test_each_zip_holds_a_program_that_may_be_executed(tmp_path):
    found = files(Path(small.dist(tmp_path)))
    assert sorted(found) == sorted([f"{p}-x86_64.zip" for p in FUNCTIONS.values()] + ["template.yaml", "network.yaml", "SHA256SUMS"])
    (entry,) = zipfile.ZipFile(io.BytesIO(found["keeper-x86_64.zip"])).infolist()
    assert (entry.filename, entry.external_attr >> 16) == ("bootstrap", 0o100755)


def test_the_other_architecture_stays_and_the_sums_cover_both(tmp_path):
    directory = Path(small.dist(tmp_path, None, None, "x86_64", "arm64"))
    lines = (directory / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert len(sums) == 10 and "keeper-x86_64.zip" in sums and "keeper-arm64.zip" in sums
    for name, digest in sums.items():
        assert hashlib.sha256((directory / name).read_bytes()).hexdigest() == digest


def test_a_build_for_another_architecture_makes_no_package(tmp_path):
    with pytest.raises(Stop, match="ARCHITECTURE=arm64"):
        package.package(build(tmp_path / "build", elf("2.34")), tmp_path / "dist", "arm64")
    assert not (tmp_path / "dist").exists()


def spoil(directory: Path, how: str) -> None:
    file = directory / "keeper-x86_64.zip"
    if how == "changed":
        file.write_bytes(file.read_bytes() + b" ")
    elif how == "added":
        (directory / "keeper-arm64.zip").write_bytes(file.read_bytes())
    elif how == "template":
        (directory / "template.yaml").write_text("{}")
    elif how == "no template":
        (directory / "network.yaml").unlink()
    else:
        (directory / "SHA256SUMS").unlink()


@pytest.mark.parametrize("how, says", [
    ("changed", "is not the file that SHA256SUMS lists"), ("added", "keeper-arm64.zip is missing in"),
    ("template", "is not the file"), ("no template", "network.yaml is missing"), ("no sums", "SHA256SUMS is missing"),
])
def test_a_package_that_was_changed_is_not_deployed(tmp_path, how, says):
    directory = Path(small.dist(tmp_path))
    templates.Source.find(str(directory))
    spoil(directory, how)
    with pytest.raises(Stop, match=says):
        templates.Source.find(str(directory))


def test_without_a_package_the_build_is_deployed(tmp_path):
    source = templates.Source(tmp_path, build=build(tmp_path / "build", elf("2.34")))
    assert set(source.zips("x86_64")) == set(FUNCTIONS)
    with pytest.raises(Stop, match="make build"):
        templates.Source(tmp_path, build=tmp_path / "none").zips("x86_64")


def test_short_forms_of_the_templates_language_are_read(tmp_path):
    (tmp_path / "template.yaml").write_text("A: !Ref B\nC: !GetAtt D.Arn\n")
    assert templates.Source(tmp_path).template("template.yaml") == {"A": {"Ref": "B"}, "C": {"Fn::GetAtt": ["D", "Arn"]}}
