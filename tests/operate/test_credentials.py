"""`make credentials`: one set of questions, two secrets, and nothing secret on the screen."""

from __future__ import annotations

import io
import json
import sys

import boto3
import credentials
import pytest
from botocore.exceptions import ClientError
from conftest import AT, script
from stop import Stop

APPID, SECRET, TOKEN, KEY = "wx1234567890abcdef", "0123456789abcdef" * 2, "pushtoken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ENTRY = {"token": TOKEN, "encoding_aes_key": KEY}
NEW = {"token": "newtoken", "encoding_aes_key": KEY[::-1]}


class Secrets:
    """The secrets of a deployed stack, without a value."""

    def __init__(self, count: int):
        client = boto3.client("secretsmanager")
        self.arns = [client.create_secret(Name=name)["ARN"] for name in ("credentials", "callback")[:count]]
        outputs = {"CredentialsSecretArn": self.arns[0], "CallbackSecretArn": self.arns[-1]}
        body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {n: {"Value": v} for n, v in outputs.items()}}
        boto3.client("cloudformation").create_stack(StackName="preauth", TemplateBody=json.dumps(body))

    def fill(self, *documents: dict) -> None:
        for arn, document in zip(self.arns, documents):
            boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(document))

    def stored(self) -> list[dict | None]:
        texts = [credentials.stored(boto3.client("secretsmanager"), arn) for arn in self.arns]
        return [json.loads(text) if text else None for text in texts]


@pytest.fixture
def one(aws) -> Secrets:
    return Secrets(1)


@pytest.fixture
def two(aws) -> Secrets:
    return Secrets(2)


def run(*words: str) -> int:
    return script("put-credentials").main([*AT, *words])


def pipe(monkeypatch, document) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(document if isinstance(document, str) else json.dumps(document)))
    return run()


def test_each_secret_gets_its_own_fields_only(two, person, capsys):
    person.says(APPID, SECRET, TOKEN, KEY, "n")
    assert run() == 0
    assert two.stored() == [
        {"component_appid": APPID, "component_appsecret": SECRET},
        {"component_appid": APPID, "push_keys": [ENTRY]},
    ]
    assert len(person.hidden) == 3, "appsecret, token and key are not shown"
    printed = "".join(capsys.readouterr())
    assert not any(secret in printed for secret in (SECRET, TOKEN, KEY))


def test_one_secret_gets_everything(one, person):
    person.says(APPID, SECRET, TOKEN, KEY, "n")
    assert run() == 0
    assert one.stored() == [{"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY]}]


def test_enter_keeps_a_value_and_a_new_key_comes_first(two, person):
    two.fill(
        {"component_appid": APPID, "component_appsecret": SECRET, "note": "ours"},
        {"component_appid": APPID, "push_keys": [ENTRY], "owner": "orders"},
    )
    person.says("", "", "y", NEW["token"], NEW["encoding_aes_key"], "y", "n")
    assert run() == 0
    assert two.stored() == [
        {"component_appid": APPID, "component_appsecret": SECRET, "note": "ours"},
        {"component_appid": APPID, "push_keys": [NEW, ENTRY], "owner": "orders"},
    ]


def test_push_keys_move_from_the_one_secret_to_the_second(two, person):
    two.fill({"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY]})
    person.says("", "", "n")
    assert run() == 0
    assert two.stored() == [
        {"component_appid": APPID, "component_appsecret": SECRET}, {"component_appid": APPID, "push_keys": [ENTRY]}]


def test_nothing_is_written_when_nothing_changed(two, person, capsys):
    filled = [{"component_appid": APPID, "component_appsecret": SECRET}, {"component_appid": APPID, "push_keys": [ENTRY]}]
    two.fill(*filled)
    before = [boto3.client("secretsmanager").describe_secret(SecretId=arn)["VersionIdsToStages"] for arn in two.arns]
    person.says("", "", "n")
    assert run() == 0
    after = [boto3.client("secretsmanager").describe_secret(SecretId=arn)["VersionIdsToStages"] for arn in two.arns]
    assert after == before and capsys.readouterr().out.count("nothing changed") == 2


def test_a_value_in_a_wrong_form_is_asked_for_again(two, person, capsys):
    person.says("my appid", APPID, SECRET + "0", SECRET, TOKEN, KEY + "=", KEY, "n")
    assert run() == 0
    assert two.stored()[1]["push_keys"] == [ENTRY]
    assert SECRET not in "".join(capsys.readouterr())


def test_a_whole_document_from_a_pipe_is_divided(two, monkeypatch):
    assert pipe(monkeypatch, {"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY], "x": 1}) == 0
    assert two.stored() == [
        {"component_appid": APPID, "component_appsecret": SECRET, "x": 1}, {"component_appid": APPID, "push_keys": [ENTRY]}]


def test_a_document_without_push_keys_deletes_none(two, monkeypatch):
    two.fill({}, {"component_appid": APPID[::-1], "push_keys": [ENTRY]})
    assert pipe(monkeypatch, {"component_appid": APPID, "component_appsecret": SECRET}) == 0
    assert two.stored()[1] == {"component_appid": APPID, "push_keys": [ENTRY]}


def test_callbacks_secret_is_not_written_without_push_keys(two, monkeypatch, capsys):
    assert pipe(monkeypatch, {"component_appid": APPID, "component_appsecret": SECRET}) == 0
    assert two.stored() == [{"component_appid": APPID, "component_appsecret": SECRET}, None]
    assert "WeChat's pushes are refused" in capsys.readouterr().out


@pytest.mark.parametrize("text, says", [
    ("{", "not a JSON document"),
    ("[]", "not a JSON object"),
    (json.dumps({"component_appid": APPID}), "component_appsecret must be"),
    (json.dumps({"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [{"token": TOKEN}]}), "encoding_aes_key must be"),
])
def test_a_document_from_a_pipe_is_checked_before_it_is_written(two, monkeypatch, text, says):
    with pytest.raises(Stop, match=says) as stopped:
        pipe(monkeypatch, text)
    assert SECRET not in str(stopped.value)
    assert two.stored() == [None, None]


def test_no_script_takes_a_secret_as_an_argument(two):
    with pytest.raises(SystemExit):
        run("--component-appsecret", SECRET)


KMS = "User: arn:aws:iam::1:user/a is not authorized to perform: {} on this resource"


@pytest.mark.parametrize("code, message, says", [
    ("AccessDeniedException", "Access to KMS is not allowed", "kms:GenerateDataKey and kms:Decrypt"),
    ("AccessDeniedException", KMS.format("kms:GenerateDataKey"), "the permission kms:GenerateDataKey"),
    ("AccessDeniedException", KMS.format("kms:Decrypt"), "the permission kms:Decrypt"),
])
@pytest.mark.parametrize("call", ["GetSecretValue", "PutSecretValue"])
def test_a_missing_permission_on_the_customers_key_is_named(two, monkeypatch, call, code, message, says):
    import botocore.client

    real = botocore.client.BaseClient._make_api_call

    def denied(self, operation, parameters):
        if operation == call:
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        return real(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    with pytest.raises(Stop, match=says):
        pipe(monkeypatch, {"component_appid": APPID, "component_appsecret": SECRET, "push_keys": [ENTRY]})


def test_another_denial_is_not_blamed_on_the_key(two, monkeypatch):
    def denied(*_):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "secretsmanager:GetSecretValue"}}, "x")

    monkeypatch.setattr("credentials.stored", denied)
    with pytest.raises(ClientError):
        pipe(monkeypatch, {})
