"""What a release needs: notes that belong to its tag, workflows that name what they run, and an example that is limited."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("release_notes", ROOT / "scripts/release-notes.py")
release = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release)

MANIFEST = '[workspace.package]\nversion = "0.2.0"\n'
CHANGELOG = "# Changelog\n\n## [0.2.0] - 2026-01-31\n\n### Added\n\n- This.\n\n## [0.1.0] - 2025-12-31\n\n- That.\n"
DEPLOY = ROOT / "examples/github-actions/deploy.yml"
WORKFLOWS = [*sorted((ROOT / ".github/workflows").glob("*.yml")), DEPLOY]


def test_the_notes_are_the_section_of_the_version():
    assert release.notes("v0.2.0", MANIFEST, CHANGELOG) == "### Added\n\n- This."


@pytest.mark.parametrize(("tag", "changelog", "problem"), [
    ("v0.2.1", CHANGELOG, "the tag is v0.2.1, but Cargo.toml has version 0.2.0"),
    ("0.2.0", CHANGELOG, "the tag is 0.2.0, but Cargo.toml has version 0.2.0"),
    ("v0.2.0", CHANGELOG.replace("[0.2.0]", "[0.3.0]"), "CHANGELOG.md has 0 sections [0.2.0], not one"),
    ("v0.2.0", CHANGELOG + CHANGELOG, "CHANGELOG.md has 2 sections [0.2.0], not one"),
    ("v0.2.0", CHANGELOG.replace("2026-01-31", "unreleased"),
     "CHANGELOG.md: the date of [0.2.0] is 'unreleased', not like 2026-01-31"),
    ("v0.2.0", CHANGELOG.replace("### Added\n\n- This.\n", ""), "CHANGELOG.md: nothing is written about [0.2.0]"),
])
def test_a_tag_that_disagrees_is_not_released(tag, changelog, problem):
    with pytest.raises(ValueError, match=re.escape(problem)):
        release.notes(tag, MANIFEST, changelog)


def test_the_changelog_has_a_section_for_the_present_version():
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_actions_are_pinned_by_commit_and_each_has_one_version():
    used = {}
    for file in WORKFLOWS:
        for action, commit, version in re.findall(r"uses: ([\w./-]+)@(\S+)(.*)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40}", commit) and re.fullmatch(r" # v\d+\.\d+\.\d+", version), (file.name, action)
            used.setdefault(action, set()).add((commit, version))
    assert len(used) > 4
    assert all(len(pins) == 1 for pins in used.values()), used


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_job_has_only_the_permissions_that_it_names(file):
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    written = {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"]["contents"] in ("read", "write")
        if more := {scope for scope, level in job["permissions"].items() if level == "write"}:
            written[name] = more
    assert written == {
        "release.yml": {"publish": {"contents", "id-token", "attestations"}},
        "deploy.yml": {"deploy": {"id-token"}},
    }.get(file.name, {})


def test_the_examples_role_is_for_one_repository_and_the_workflows_environment():
    policy = json.loads((ROOT / "examples/github-actions/trust-policy.json").read_text(encoding="utf-8"))
    environment = yaml.safe_load(DEPLOY.read_text(encoding="utf-8"))["jobs"]["deploy"]["environment"]
    [statement] = policy["Statement"]
    assert list(statement["Condition"]) == ["StringEquals"]
    conditions = {key.split(":")[1]: value for key, value in statement["Condition"]["StringEquals"].items()}
    assert conditions["aud"] == "sts.amazonaws.com"
    assert re.fullmatch(rf"repo:[\w.@-]+/[\w.@-]+:environment:{environment}", conditions["sub"])
