"""The template fits the programs that it deploys: the variables they read and the AWS calls they make."""

from __future__ import annotations

import re
from pathlib import Path

import cfn
import checks

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


def test_each_function_has_its_program_and_each_program_its_function():
    assert {p.stem for p in (ROOT / "src/bin").glob("*.rs")} == set(checks.BINARIES.values())
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
    r"\.invoke\(\)": "lambda:InvokeFunction",
}
PAGES = {"PagesOrigin": "https://auth.example.com"}


def test_the_roles_grant_what_the_source_calls_and_no_more():
    text = source("src/aws", "src/start")
    called = {permission for pattern, permission in OPERATIONS.items() if re.search(pattern, text)}
    stack = cfn.deployed(**PAGES)
    granted = {
        action
        for function in checks.BINARIES
        for effect, actions, _, _ in checks.permissions.expected_role(stack, function)
        for action in actions
        if effect == "Allow" and action.split(":")[0] in ("secretsmanager", "dynamodb", "events", "lambda")
    }
    assert granted == called


def test_authorize_starts_without_credentials_and_without_a_way_to_wechat():
    """What its role leaves out its source does not ask for. The others' sources do, so the words below are right."""
    words = re.compile(r"\b(credentials|WechatClient|tickets|tokens|egress)\b")
    assert not words.search(source("src/start/authorize.rs", "src/bin/authorize.rs"))
    assert words.search(source("src/start/callback.rs"))


def test_what_preauthcode_answers_to_authorize_is_a_code_and_no_token():
    """Authorize may invoke it. So its answer, in all its fields, is what a stranger could at most get at."""
    text = source("src/platform/issue.rs")
    fields = re.findall(r"pub (\w+):", text.split("pub struct IssuedCode")[1].split("\n}")[0])
    assert "pre_auth_code" in fields and "authorization_urls" in fields
    assert not [field for field in fields if re.search("token|ticket|secret|key", field)], fields


def test_dynamodb_deletes_links_and_codes_and_nothing_else():
    """The table's TTL attribute is one that only they have."""
    ((attribute, enabled),) = [cfn.deployed().properties("StateTable")["TimeToLiveSpecification"].values()]
    assert enabled is True
    files = {file.name: source(f"src/aws/{file.name}") for file in (ROOT / "src/aws").glob("*.rs")}
    assert f'DELETE_AT: &str = "{attribute}"' in files["links.rs"]
    assert {name for name, text in files.items() if re.search(rf"\b({attribute}|DELETE_AT)\b", text)} == {"links.rs"}
    assert re.findall(r"fn (\w+)", files["links.rs"].split("item.insert(DELETE_AT")[0])[-1] == "put"
    keys = re.findall(r"self\.put\(.*?(\w+)\(\w+\), delete_at\)", files["links.rs"])
    assert keys == ["link_key", "code_key"]


def test_the_default_pages_of_wechat_are_the_programs():
    (default,) = re.findall(r'DEFAULT: &str = "([^"]+)"', source("src/platform/authorization_urls.rs"))
    assert cfn.load()["Parameters"]["AuthorizationPageOrigins"]["Default"] == default


def test_the_keeper_may_write_exactly_the_attributes_that_note_its_request():
    """The statement NoteStartPush names them. The ticket itself stands in the same item."""
    text = source("src/aws/dynamodb.rs").split("fn claim_start_push")[1].split("fn ")[0]
    (expression,) = re.findall(r'update_expression\("SET ([^"]+)"\)', text)
    written = re.findall(r"(\w+) = :", expression)
    read = re.findall(r"attribute_not_exists\((\w+)\)", text)
    stack = cfn.deployed()
    statements = [s for d in checks.permissions.documents(stack, "KeeperRole") for s in d["Statement"]]
    (noted,) = [s for s in statements if s["Sid"] == "NoteStartPush"]
    allowed = noted["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert written and {"pk", *written, *read} == set(allowed)


def test_events_have_the_source_that_the_role_may_put():
    (said,) = re.findall(r'SOURCE: &str = "([^"]+)"', source("src/platform/bus.rs"))
    stack = cfn.deployed()
    statements = [s for d in checks.permissions.documents(stack, "CallbackRole") for s in d["Statement"]]
    (events,) = [s for s in statements if s["Sid"] == "Events"]
    assert events["Condition"] == {"StringEquals": {"events:source": said}}
    assert stack.properties("EventArchive")["EventPattern"] == {"source": [said]}


def test_every_metric_of_the_source_is_on_the_dashboard():
    names = re.findall(r'^    [A-Z_]+ = "([A-Z][A-Za-z]+)";', source("src/telemetry/metric.rs"), flags=re.M)
    assert len(names) > 10
    shown, searched, _ = checks.alarms.metrics_of_dashboard(cfn.deployed())
    missing = set(names) - shown - searched
    assert not missing, f"not on the dashboard: {missing}"
    assert not (shown | searched) - set(names), f"no such metric: {(shown | searched) - set(names)}"


def test_the_alarm_on_failures_leaves_out_a_code_that_exists():
    codes = re.findall(r'^\s+\w+ = "([A-Z][A-Za-z.]+)", \d{3}, ', source("src/platform/problem/codes.rs"), flags=re.M)
    assert len(codes) > 15
    watched = [m["MetricStat"]["Metric"]["MetricName"] for m in cfn.deployed().properties("FailuresAlarm")["Metrics"][1:]]
    assert {name.removeprefix("Failure.") for name in watched if "." in name} <= set(codes)


def test_the_default_hosts_are_the_programs():
    (default,) = re.findall(r'DEFAULT: &str = "([^"]+)"', source("src/wechat/hosts.rs"))
    assert cfn.load()["Parameters"]["WechatApiHosts"]["Default"] == default


def test_the_fixed_timeouts_are_the_programs():
    """The callback answers WeChat within 4 s. Neither Lambda nor API Gateway (29 s) may end it before. Authorize waits
    for preauthcode, which answers within its own time."""
    stack = cfn.deployed(**PAGES)
    (waits,) = re.findall(r"INVOCATION_TIMEOUT: Duration = Duration::from_secs\((\d+)\)", source("src/aws/functions.rs"))
    authorize, preauthcode = (stack.properties(f"{name}Function")["Timeout"] for name in ("Authorize", "Preauthcode"))
    assert authorize > int(waits) > preauthcode
    assert stack.properties("CallbackFunction")["Timeout"] > 5
    assert all(f["Timeout"] < 29 for n, f in stack.of_type("AWS::Lambda::Function").items() if n != "KeeperFunction")
