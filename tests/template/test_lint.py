"""cfn-lint on the translated templates reports a dependency on a conditional resource, as `make lint-template` runs it.

On template.yaml itself it passes over the name of a resource that begins with the name of a SAM resource.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cfn
import pytest
import render


def lint(template, directory) -> tuple[int, str]:
    """cfn-lint's status and report, with the rules of .cfnlintrc."""
    file = directory / "template.json"
    render.write(file, cfn.transform(template, "us-east-1", cfn.MINIMAL[cfn.file_of(template)]))
    program = Path(sys.executable).with_name("cfn-lint")
    command = [program, "--regions", "us-east-1", "--", file]
    run = subprocess.run(command, cwd=cfn.ROOT, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize(
    "file, needy, conditional",
    [(cfn.SERVICE, "Api", "ApiDomain"), (cfn.SERVICE, "KeeperSchedule", "HandoverAlias"), (cfn.NETWORK, "Nat1", "Nat2")],
)
def test_a_dependency_on_a_conditional_resource_is_reported(file, needy, conditional, tmp_path):
    template = cfn.load(file)
    template["Resources"][needy]["DependsOn"] = conditional
    status, report = lint(template, tmp_path)
    assert status and "E3005" in report and conditional in report, report


@pytest.mark.parametrize("file", [cfn.SERVICE, cfn.NETWORK], ids=lambda file: file.name)
def test_the_templates_as_they_are_have_no_finding(file, tmp_path):
    assert lint(cfn.load(file), tmp_path) == (0, "")
