"""The template fits the programs that it deploys: the variables they read and the AWS calls they make."""

from __future__ import annotations

import re
from pathlib import Path

import cfn
import checks
import pytest

ROOT = Path(__file__).parents[2]

# An additional CA is for tests and for networks with a TLS proxy. The template builds no such network.
NOT_SET = {"TLS_EXTRA_CA_FILE"}


def source(*paths: str) -> str:
    """Rust source without its unit tests and comments."""
    texts = []
    for path in paths:
        files = sorted((ROOT / path).rglob("*.rs")) if (ROOT / path).is_dir() else [ROOT / path]
        texts += [file.read_text(encoding="utf-8").split("#[cfg(test)]")[0] for file in files]
    return re.sub(r"^\s*//.*$", "", "\n".join(texts), flags=re.M)


def test_every_variable_is_one_that_the_programs_read():
    read = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"', source("src/config.rs")))
    given = set().union(*checks.functions.VARIABLES.values())
    assert read - NOT_SET == given, f"only in the source: {read - NOT_SET - given}; only in the template: {given - read}"


def test_each_function_has_its_program():
    binaries = {p.stem for p in (ROOT / "src/bin").glob("*.rs")}
    if missing := set(checks.BINARIES.values()) - binaries:
        pytest.fail(f"no src/bin for {missing}")
    built = {
        r["Metadata"]["BuildProperties"]["Binary"]: r["Properties"]["FunctionName"]
        for r in cfn.load()["Resources"].values()
        if r["Type"] == "AWS::Serverless::Function"
    }
    assert built == {b: {"Fn::Sub": f"${{AWS::StackName}}-{b}"} for b in checks.BINARIES.values()}


# The SDK's operations as the source calls them, and the permission that each needs.
OPERATIONS = {
    r"\.get_secret_value\(\)": "secretsmanager:GetSecretValue",
    r"\.get_item\(\)": "dynamodb:GetItem",
    r"\.put_item\(\)": "dynamodb:PutItem",
    r"\.update_item\(\)": "dynamodb:UpdateItem",
    r"\.delete_item\(\)": "dynamodb:DeleteItem",
    r"\.query\(\)\s*\.table_name": "dynamodb:Query",
    r"\.transact_write_items\(\)": "dynamodb:TransactWriteItems",
    r"\.put_events\(\)": "events:PutEvents",
}


def test_the_roles_grant_what_the_source_calls_and_no_more():
    text = source("src/aws", "src/start")
    called = {permission for pattern, permission in OPERATIONS.items() if re.search(pattern, text)}
    stack = cfn.deployed()
    granted = {
        action
        for function in checks.FUNCTIONS
        for effect, actions, _, _ in checks.permissions.expected_role(stack, function)
        for action in actions
        if effect == "Allow" and action.split(":")[0] in ("secretsmanager", "dynamodb", "events")
    }
    assert granted == called


def test_every_metric_of_the_source_is_on_the_dashboard():
    names = re.findall(r'^    [A-Z_]+ = "([A-Z][A-Za-z]+)";', source("src/telemetry/metric.rs"), flags=re.M)
    assert len(names) > 10
    body = cfn.deployed().properties("Dashboard")["DashboardBody"]
    missing = [n for n in names if not re.search(rf'"{n}(\.|")', body)]
    assert not missing, f"not on the dashboard: {missing}"


def test_every_failure_code_is_on_the_dashboard():
    codes = re.findall(r'^\s+\w+ = "([A-Z][A-Za-z.]+)", \d{3}, ', source("src/platform/problem/texts.rs"), flags=re.M)
    assert len(codes) > 15
    body = cfn.deployed().properties("Dashboard")["DashboardBody"]
    # A request with an unknown path or method never reaches the function: API Gateway answers it.
    missing = [c for c in codes if f'"Failure.{c}"' not in body and c not in ("Request.NotFound", "Request.MethodNotAllowed")]
    assert not missing, f"not on the dashboard: {missing}"


def test_the_fixed_timeouts_are_the_programs():
    """The callback answers WeChat within 4 s. Neither Lambda nor API Gateway (29 s) may end it before."""
    stack = cfn.deployed()
    assert stack.properties("CallbackFunction")["Timeout"] > 5
    assert all(f["Timeout"] < 29 for n, f in stack.of_type("AWS::Lambda::Function").items() if n != "KeeperFunction")
