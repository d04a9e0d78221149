"""`make deploy` refuses other stacks, programs for another machine, protected resources and unfilled secrets."""

from __future__ import annotations

import json

import boto3
import pytest
import small
from botocore.exceptions import ClientError
from cloudformation import Change
from deployed import deploy, refused

CREDENTIALS = {"component_appid": "wx1234567890abcdef", "component_appsecret": "0123456789abcdef" * 2}
PUSH_KEYS = [{"token": "pushtoken", "encoding_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}]


@pytest.mark.parametrize("name", ["preauth", "preauth-network"])
def test_somebody_elses_stack_is_not_touched(aws, dist, name):
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    assert refused(aws, dist, "Minting=off").name == "other-stack"


@pytest.mark.parametrize("resources, more", [
    ({"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.73.0.0/24"}}}, {"DynamoDbEndpointId": "vpce-1"}),
    ({"Topic": {"Type": "AWS::SNS::Topic"}}, {}),
])
def test_a_stack_of_the_first_version_is_not_updated(aws, dist, resources, more):
    values = {"Minting": "on", **more}
    boto3.client("cloudformation").create_stack(
        StackName="preauth",
        TemplateBody=json.dumps({"Parameters": {n: {"Type": "String"} for n in values}, "Resources": resources}),
        Parameters=[{"ParameterKey": n, "ParameterValue": v} for n, v in values.items()],
    )
    found = refused(aws, dist, "Minting=off")
    assert found.name == "old-stack" and "docs/DEPLOY.md" in str(found)


def test_programs_for_another_architecture_are_not_deployed(aws, tmp_path):
    both = small.dist(tmp_path, None, None, "x86_64")
    assert refused(aws, both, "Minting=off", "Architecture=arm64").name == "architecture"
    both = small.dist(tmp_path, None, None, "arm64")
    assert deploy(both, "Minting=off", "ARCHITECTURE=arm64", "YES=1") == 0


def test_the_architecture_of_a_live_stack_counts_too(aws, tmp_path):
    deploy(small.dist(tmp_path, None, None, "arm64"), "Minting=off", "Architecture=arm64", "YES=1")
    other = tmp_path / "other"
    other.mkdir()
    assert refused(aws, small.dist(other, None, None, "x86_64")).name == "architecture"


def test_a_program_with_a_wrong_name_is_noticed_by_its_header(aws, tmp_path):
    directory = small.Path(small.dist(tmp_path, None, None, "arm64"))
    for program in directory.glob("*-arm64.zip"):
        program.rename(program.with_name(program.name.replace("arm64", "x86_64")))
    small.package.write_sums(directory)
    found = refused(aws, str(directory), "Minting=off")
    assert found.name == "architecture" and "is for arm64" in str(found)


@pytest.mark.parametrize("change, lift, passes", [
    (Change("Modify", "PrivateDefaultRoute2", "AWS::EC2::Route", "False"), "", False),
    (Change("Modify", "PrivateDefaultRoute2", "AWS::EC2::Route", "False"), "PrivateDefaultRoute1", False),
    (Change("Modify", "PrivateDefaultRoute2", "AWS::EC2::Route", "False"), "PrivateDefaultRoute2", True),
    (Change("Modify", "PrivateSubnet1", "AWS::EC2::Subnet", "Conditional"), "", False),
    (Change("Remove", "Nat1", "AWS::EC2::NatGateway"), "", False),
    (Change("Add", "Nat1", "AWS::EC2::NatGateway"), "", True),
    (Change("Modify", "FunctionSecurityGroup", "AWS::EC2::SecurityGroup", "False"), "", True),
])
def test_what_holds_the_addresses_is_protected(deployed, aws, change, lift, passes):
    aws.changes["preauth-network"] = (change,)
    words = ["YES=1", *([f"LIFT={lift}"] if lift else [])]
    if passes:
        assert deploy(deployed, *words) == 0
    else:
        found = refused(aws, deployed, *words[1:])
        assert found.name == "protected" and f"LIFT={change.id}" in str(found)


def secret(name: str, document) -> str:
    made = boto3.client("secretsmanager").create_secret(Name=name)
    if document is not None:
        boto3.client("secretsmanager").put_secret_value(SecretId=made["ARN"], SecretString=document)
    return made["ARN"]


@pytest.mark.parametrize("document, says", [
    (None, "no value"),
    ("{", "no JSON"),
    (json.dumps({"component_appid": "wx1234567890abcdef"}), "component_appsecret must be"),
    (json.dumps(CREDENTIALS), "push_keys is missing"),
])
def test_a_secret_that_its_readers_cannot_use_is_named(aws, dist, document, says):
    found = refused(aws, dist, "Minting=off", f"CredentialsSecretArn={secret('one', document)}")
    assert found.name == "unfilled-secret" and says in str(found)


def test_each_of_two_secrets_needs_its_own_fields_only(aws, dist):
    first, second = secret("one", json.dumps(CREDENTIALS)), secret("two", json.dumps({"component_appid": "wx1234567890abcdef"}))
    words = ["Minting=off", f"CredentialsSecretArn={first}", f"CallbackSecretArn={second}"]
    assert "CallbackSecretArn: push_keys is missing" in str(refused(aws, dist, *words))
    filled = {"component_appid": "wx1234567890abcdef", "push_keys": PUSH_KEYS}
    boto3.client("secretsmanager").put_secret_value(SecretId=second, SecretString=json.dumps(filled))
    assert deploy(dist, *words, "YES=1") == 0


def test_whoever_may_not_read_a_secret_may_still_deploy(aws, dist, monkeypatch, capsys):
    def denied(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")

    monkeypatch.setattr("credentials.stored", denied)
    assert deploy(dist, "Minting=off", f"CredentialsSecretArn={secret('one', None)}", "YES=1") == 0
    assert "CredentialsSecretArn was not checked" in capsys.readouterr().err


def test_no_refusal_quotes_a_secret(aws, dist):
    document = json.dumps(CREDENTIALS | {"push_keys": [{"token": "sesame", "encoding_aes_key": "short"}]})
    text = str(refused(aws, dist, "Minting=off", f"CredentialsSecretArn={secret('one', document)}"))
    assert not any(value in text for value in (CREDENTIALS["component_appsecret"], "sesame", "short"))
