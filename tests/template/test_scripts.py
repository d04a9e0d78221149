"""The operators' scripts, with moto as AWS and a fake keeper."""

from __future__ import annotations

import importlib.util
import io
import json
import struct
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

SCRIPTS = Path(__file__).parents[2] / "scripts"
REGION = "ap-southeast-1"
TEMPLATE = {
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.73.0.0/24"}},
        "EgressIp1": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "StateTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
    },
}
APPID, SECRET, TOKEN, KEY = "wx1234567890abcdef", "0123456789abcdef" * 2, "pushtoken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ENTRY = {"token": TOKEN, "encoding_aes_key": KEY}


def script(name: str):
    """A script as a module. `import` cannot load it, because its name has a hyphen."""
    sys.path.insert(0, str(SCRIPTS))
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def account(monkeypatch):
    """An account with a deployed stack, whose secret has no value yet."""
    with mock_aws():
        arn = boto3.client("secretsmanager", region_name=REGION).create_secret(Name="credentials")["ARN"]
        boto3.client("cloudformation", region_name=REGION).create_stack(
            StackName="preauth",
            TemplateBody=json.dumps(TEMPLATE | {"Outputs": {
                "CredentialsSecretArn": {"Value": arn},
                "KeeperFunctionArn": {"Value": f"arn:aws:lambda:{REGION}:111122223333:function:preauth-keeper:live"},
                "EgressIps": {"Value": "203.0.113.7"},
            }}),
        )
        yield arn


def stored(arn: str):
    return json.loads(boto3.client("secretsmanager", region_name=REGION).get_secret_value(SecretId=arn)["SecretString"])


class Person:
    """Answers prompts, and records which of them show the answer and which hide it."""

    def __init__(self, monkeypatch, module, *answers: str):
        self.answers, self.open, self.hidden = list(answers), [], []
        monkeypatch.setattr("builtins.input", self._input)
        monkeypatch.setattr(module.getpass, "getpass", self._getpass)
        monkeypatch.setattr(module.sys.stdin, "isatty", lambda: True, raising=False)

    def _input(self, prompt=""):
        self.open.append(prompt)
        return self.answers.pop(0)

    def _getpass(self, prompt=""):
        self.hidden.append(prompt)
        return self.answers.pop(0)


AT = ["--stack", "preauth", "--region", REGION]


def test_credentials_are_prompted_for_and_written(account, monkeypatch, capsys):
    module = script("put-credentials")
    person = Person(monkeypatch, module, APPID, SECRET, TOKEN, KEY, "n")
    assert module.main(AT) == 0
    assert stored(account) == {"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY]}
    assert len(person.hidden) == 3, "appsecret, token and key are not shown"
    printed = "".join(capsys.readouterr())
    assert not any(secret in printed for secret in (SECRET, TOKEN, KEY))


def test_enter_keeps_a_value_and_a_new_key_comes_first(account, monkeypatch):
    module = script("put-credentials")
    before = {"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY], "note": "ours"}
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=account, SecretString=json.dumps(before))
    new = {"token": "newtoken", "encoding_aes_key": KEY[::-1]}
    Person(monkeypatch, module, "", "", "y", new["token"], new["encoding_aes_key"], "y", "n")
    assert module.main(AT) == 0
    assert stored(account) == before | {"push_keys": [new, ENTRY]}


def test_a_value_in_a_wrong_form_is_asked_for_again(account, monkeypatch, capsys):
    module = script("put-credentials")
    Person(monkeypatch, module, "my appid", APPID, SECRET + "0", SECRET, TOKEN, KEY + "=", KEY, "n")
    assert module.main(AT) == 0
    assert stored(account)["push_keys"] == [ENTRY]
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize("text, says", [
    ("{", "not a JSON document"),
    ("[]", "not a JSON object"),
    (json.dumps({"component_appid": APPID}), "component_appsecret must be"),
    (json.dumps({"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [{"token": TOKEN}]}), "encoding_aes_key must be"),
])
def test_a_document_from_a_pipe_is_checked_before_it_is_written(account, monkeypatch, text, says):
    module = script("put-credentials")
    monkeypatch.setattr(module.sys, "stdin", io.StringIO(text))
    with pytest.raises(module.Stop, match=says) as stopped:
        module.main(AT)
    assert SECRET not in str(stopped.value)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        stored(account)


def test_no_script_takes_a_secret_as_an_argument():
    with pytest.raises(SystemExit):
        script("put-credentials").main([*AT, "--component-appsecret", SECRET])


def test_a_missing_stack_is_named(account):
    module = script("diagnose")
    with pytest.raises(module.Stop, match="no stack other in ap-southeast-1"):
        module.main(["--stack", "other", "--region", REGION])


REPORT = {
    "ok": False, "failed": ["egress_ip"], "checked_at": "2026-11-22T10:00:00Z", "component_appid": APPID, "minting": "on",
    "links": [
        {"link": "credentials", "status": "ok", "detail": "complete"},
        {"link": "egress_ip", "status": "failed", "detail": "WeChat sees 203.0.113.7", "remedy": "append it"},
        {"link": "code", "status": "skipped", "detail": "needs egress_ip"},
    ],
    "text": "",
}


class Keeper:
    """Replaces Lambda and answers one invocation."""

    def __init__(self, module, monkeypatch, payload, error=False):
        self.calls = []
        real = module.Stack.client
        monkeypatch.setattr(module.Stack, "client", lambda stack, service: self if service == "lambda" else real(stack, service))
        self.payload, self.error = payload, error

    def invoke(self, FunctionName, Payload):
        self.calls.append((FunctionName, json.loads(Payload)))
        answer = {"Payload": io.BytesIO(json.dumps(self.payload).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.error else {})


def test_diagnose_invokes_the_alias_and_prints_a_table(account, monkeypatch, capsys):
    module = script("diagnose")
    keeper = Keeper(module, monkeypatch, REPORT)
    assert module.main(AT) == 1, "a failed check gives a status that scripts can use"
    ((function, event),) = keeper.calls
    assert function.endswith(":function:preauth-keeper:live") and event == {"action": "diagnose"}
    lines = capsys.readouterr().out.splitlines()
    assert "addresses  203.0.113.7" in lines
    assert "egress_ip    FAILED    WeChat sees 203.0.113.7" in lines
    assert "                       → append it" in lines
    assert lines[-1] == "Failed: egress_ip."


def test_diagnose_reports_why_the_keeper_failed(account, monkeypatch):
    module = script("diagnose")
    Keeper(module, monkeypatch, {"errorType": "Request.Invalid", "errorMessage": "{}"}, error=True)
    with pytest.raises(module.Stop, match="Request.Invalid"):
        module.main(AT)


def test_teardown_says_what_stays_and_needs_the_stacks_name(account, monkeypatch, capsys):
    module = script("teardown")
    monkeypatch.setattr("builtins.input", lambda prompt="": "prod")
    with pytest.raises(module.Stop, match="Not deleted"):
        module.main(AT)
    said = capsys.readouterr().out
    assert "EgressIp1: " in said and "eipalloc-" in said and "StateTable: " in said and "Topic" not in said

    monkeypatch.setattr("builtins.input", lambda prompt="": "preauth")
    assert module.main(AT) == 0
    said = capsys.readouterr().out
    assert "release-address --allocation-id eipalloc-" in said and "delete-table" in said
    stacks = boto3.client("cloudformation", region_name=REGION).list_stacks()["StackSummaries"]
    assert [s["StackStatus"] for s in stacks] == ["DELETE_COMPLETE"]


def test_teardown_stops_while_another_stack_uses_the_network(account, monkeypatch):
    module = script("teardown")
    ec2 = boto3.client("ec2", region_name=REGION)
    found = boto3.client("cloudformation", region_name=REGION).list_stack_resources(StackName="preauth")
    vpc = next(r["PhysicalResourceId"] for r in found["StackResourceSummaries"] if r["LogicalResourceId"] == "Vpc")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.73.0.0/27")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Description="AWS Lambda VPC ENI-second-preauthcode-0a1b")
    with pytest.raises(module.Stop, match="second-preauthcode"):
        module.main(AT)


def elf(*versions: str) -> bytes:
    header = b"\x7fELF" + bytes(14) + struct.pack("<H", 62)
    return header + b"\0" + b"\0".join(b"GLIBC_" + v.encode() for v in versions) + b"\0"


def build(directory: Path, program: bytes) -> str:
    for function in script("check-build").FUNCTIONS:
        (directory / function).mkdir(parents=True)
        (directory / function / "bootstrap").write_bytes(program)
    return str(directory)


@pytest.mark.parametrize("versions, result", [(["2.2.5", "2.34"], 0), (["2.4", "2.35"], 1), (["2.9"], 0)])
def test_a_bootstrap_may_need_no_newer_glibc_than_the_runtime_has(tmp_path, capsys, versions, result):
    assert script("check-build").main([build(tmp_path, elf(*versions))]) == result
    assert ("needs glibc 2.35" in capsys.readouterr().out) is bool(result)


def test_a_missing_bootstrap_is_noticed(tmp_path, capsys):
    directory = build(tmp_path, elf("2.34"))
    (tmp_path / "KeeperFunction" / "bootstrap").unlink()
    assert script("check-build").main([directory]) == 1
    assert "KeeperFunction         missing" in capsys.readouterr().out
