"""`make deploy` from an empty account, and what it does to stacks that exist."""

from __future__ import annotations

import io
import json
import sys

import boto3
import pytest
import small
import stack_policy
from botocore.exceptions import ClientError
from cloudformation import Change
from conftest import ACCOUNT, REGION
from deployed import described, deploy, foreign_network, policy
from stack import outputs, parameters
from stop import Stop

FROM_NETWORK = ("SubnetIds", "SecurityGroupId", "EgressIps", "DynamoDbEndpointId")


def test_the_first_deployment_makes_the_network_and_gives_its_outputs_to_the_service(aws, dist, capsys):
    assert deploy(dist, "Minting=off", "YES=1") == 0
    network, service = outputs(described("preauth-network")), parameters(described())
    assert {name: service[name] for name in FROM_NETWORK} == {name: network[name] for name in FROM_NETWORK}
    assert aws.executed == ["preauth-network", "preauth"]
    assert aws.protected == {"preauth-network": True, "preauth": True}
    assert policy() == stack_policy.load()
    said = capsys.readouterr().out
    assert "  Add     EgressIp1                        AWS::EC2::EIP" in said
    assert outputs(described())["EgressIps"] in said


def test_the_platforms_name_is_stored_in_ascii_and_said_as_it_was_written(aws, deployed, capsys):
    assert deploy(deployed, "PlatformName=某某 😀", "YES=1") == 0
    assert parameters(described())["PlatformName"] == r"\u67d0\u67d0 \ud83d\ude00"
    assert "Merchants read the platform's name as: 某某 😀" in capsys.readouterr().out
    assert deploy(deployed, "YES=1") == 0
    assert "Merchants read the platform's name as: 某某 😀" in capsys.readouterr().out, "the name stays"


def test_the_second_deployment_changes_nothing(deployed, aws, capsys):
    aws.executed.clear()
    capsys.readouterr()
    assert deploy(deployed, "YES=1") == 0
    assert aws.executed == []
    assert "Nothing changed." in capsys.readouterr().out


def test_a_value_that_is_given_again_changes_nothing(deployed, aws):
    aws.executed.clear()
    assert deploy(deployed, "Minting=off", "YES=1") == 0
    assert aws.executed == []


def test_new_code_is_a_change(deployed, aws, tmp_path):
    aws.executed.clear()
    small.build(tmp_path / "build", small.elf("2.34", "2.2.5"))
    small.package.package(tmp_path / "build", tmp_path / "dist", "x86_64", tmp_path / "templates")
    assert deploy(deployed, "YES=1") == 0
    assert aws.executed == ["preauth"]


def test_values_that_are_not_given_stay(deployed):
    assert deploy(deployed, "CUSTOM_DOMAIN_NAME=wx.example.com", "YES=1") == 0
    assert deploy(deployed, "Minting=on", "YES=1") == 0
    now = parameters(described())
    assert (now["Minting"], now["CustomDomainName"]) == ("on", "wx.example.com")


def test_cloudformation_itself_keeps_the_values(deployed, aws):
    deploy(deployed, "Minting=on", "YES=1")
    (_, given, *_) = aws.prepared[-1]
    assert {"ParameterKey": "CustomDomainName", "UsePreviousValue": True} in given
    assert {"ParameterKey": "Minting", "ParameterValue": "on"} in given


def test_a_parameter_that_is_new_takes_its_default(deployed, tmp_path):
    template = small.service()
    template["Parameters"]["LogLevel"] = {"Type": "String", "Default": "INFO"}
    assert deploy(small.dist(tmp_path, template), "YES=1") == 0
    assert parameters(described())["LogLevel"] == "INFO"


def test_a_topic_for_alarms_goes_to_both_stacks(aws, dist):
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:pages"
    deploy(dist, "Minting=off", f"ALARM_TOPIC_ARN={topic}", "YES=1")
    assert [parameters(described(name))["AlarmTopicArn"] for name in ("preauth", "preauth-network")] == [topic, topic]


def test_one_yes_covers_both_stacks(aws, dist, person):
    person.says("y")
    assert deploy(dist, "Minting=off") == 0
    assert len(person.open) == 1 and aws.executed == ["preauth-network", "preauth"]


def test_without_a_yes_nothing_is_changed(deployed, aws, person):
    aws.executed.clear()
    person.says("")
    with pytest.raises(Stop, match="Nothing was changed"):
        deploy(deployed, "Minting=on")
    assert aws.executed == [] and aws.discarded == ["preauth"]
    assert parameters(described())["Minting"] == "off"


def test_without_a_terminal_it_needs_to_be_told(deployed, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(Stop, match="YES=1"):
        deploy(deployed, "Minting=on")


def test_who_mints_is_asked_in_words(aws, dist, person, capsys):
    person.says("perhaps", "off", "y")
    deploy(dist)
    assert "another program mints, or you are not sure" in capsys.readouterr().out
    assert parameters(described())["Minting"] == "off"


def test_who_mints_is_never_guessed(aws, dist):
    with pytest.raises(Stop, match="Minting=on or Minting=off"):
        deploy(dist, "YES=1")
    assert aws.executed == []


def test_a_network_of_ones_own_is_used_and_no_other_made(aws, dist):
    given = foreign_network()
    assert deploy(dist, "Minting=off", "YES=1", *given) == 0
    assert aws.executed == ["preauth"]
    assert described("preauth-network") is None


def test_a_service_keeps_the_network_that_it_was_given(aws, dist):
    deploy(dist, "Minting=off", "YES=1", *foreign_network())
    aws.executed.clear()
    assert deploy(dist, "Minting=on", "YES=1") == 0
    assert aws.executed == ["preauth"] and described("preauth-network") is None


@pytest.mark.parametrize("word, says", [
    ("NatMode=per-az", "belongs to a network stack"),
    ("SubnetIds=", "Missing: SubnetIds"),
])
def test_a_service_with_a_given_network_takes_no_other_network_words(aws, dist, word, says):
    deploy(dist, "Minting=off", "YES=1", *foreign_network())
    with pytest.raises(Stop, match=says):
        deploy(dist, word, "YES=1")


def test_a_given_network_is_given_whole(aws, dist):
    with pytest.raises(Stop, match="Missing: SecurityGroupId, EgressIps, DynamoDbEndpointId"):
        deploy(dist, "Minting=off", "YES=1", "SubnetIds=subnet-0123456789abcdef0")
    with pytest.raises(Stop, match="give SubnetIds too"):
        deploy(dist, "Minting=off", "YES=1", "EgressIps=203.0.113.7")


def test_a_network_that_changes_gives_the_service_its_new_outputs(deployed, aws, person):
    """With LIFT even a subnet can be replaced. Then the service follows, after a second yes."""
    other = foreign_network()
    new = dict(word.split("=", 1) for word in other) | {"EgressIps": outputs(described("preauth-network"))["EgressIps"]}
    template = small.network()
    template["Outputs"]["SecurityGroupId"] = {"Value": new["SecurityGroupId"]}
    aws.changes["preauth-network"] = (Change("Modify", "FunctionSecurityGroup", "AWS::EC2::SecurityGroup", "True"),)
    person.says("y", "y")
    directory = small.dist(small.Path(deployed).parent, None, template)
    assert deploy(directory) == 0
    assert "network's outputs have changed" in person.open[1]
    assert parameters(described())["SecurityGroupId"] == new["SecurityGroupId"]


def test_the_policy_is_lifted_for_the_named_resources_during_one_update(deployed, aws):
    aws.policies.clear()
    aws.changes["preauth-network"] = (Change("Modify", "PrivateDefaultRoute2", "AWS::EC2::Route", "False"),)
    assert deploy(deployed, "NatMode=per-az", "LIFT=PrivateDefaultRoute2", "REGISTERED=yes", "YES=1") == 0
    lifted = stack_policy.lifted(stack_policy.load(), ["PrivateDefaultRoute2"])
    assert [json.loads(body) for _, body in aws.policies] == [lifted, stack_policy.load()]
    assert stack_policy.protected(lifted) == stack_policy.protected(stack_policy.load()) - {"PrivateDefaultRoute2"}


@pytest.mark.parametrize("failure", [Stop("the update failed"), KeyboardInterrupt()])
def test_the_policy_is_restored_in_any_case(deployed, aws, failure):
    aws.changes["preauth-network"] = (Change("Modify", "PrivateDefaultRoute2", "AWS::EC2::Route", "False"),)
    aws.failure = failure
    with pytest.raises(type(failure)):
        deploy(deployed, "NatMode=per-az", "LIFT=PrivateDefaultRoute2", "REGISTERED=yes", "YES=1")
    assert policy() == stack_policy.load()


def test_a_policy_that_somebody_removed_comes_back(deployed):
    boto3.client("cloudformation").set_stack_policy(StackName="preauth-network", StackPolicyBody='{"Statement":[]}')
    assert deploy(deployed, "YES=1") == 0
    assert policy() == stack_policy.load()


def test_code_and_template_lie_in_a_closed_bucket_under_their_digests(deployed, aws):
    s3, bucket = boto3.client("s3"), f"wechat-preauth-{ACCOUNT}-{REGION}"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (statement,) = aws.bucket_policies[bucket]["Statement"]
    assert statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    (_, _, template, _) = aws.prepared[-1]
    uri = template["Resources"]["KeeperFunction"]["Properties"]["CodeUri"]
    assert uri.startswith(f"s3://{bucket}/") and uri.removesuffix(".zip").rsplit("/", 1)[1].isalnum()
    assert "CodeUri" not in template["Globals"]["Function"]


def test_a_bucket_of_another_account_gets_nothing(aws, dist, monkeypatch):
    def head_bucket(Bucket, ExpectedBucketOwner):
        assert ExpectedBucketOwner == ACCOUNT
        raise ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadBucket")

    monkeypatch.setattr(aws, "head_bucket", head_bucket, raising=False)
    monkeypatch.setattr(aws, "put_object", lambda **_: pytest.fail("uploaded"), raising=False)
    with pytest.raises(Stop, match="bucket wechat-preauth-.* cannot be used"):
        deploy(dist, "Minting=off", "YES=1", *foreign_network())


@pytest.mark.parametrize("region, arn", [("cn-north-1", "arn:aws-cn:s3:::"), (REGION, "arn:aws:s3:::")])
def test_the_bucket_is_one_of_the_partition(aws, region, arn):
    from stack import Account
    from templates import Bucket

    bucket = Bucket(Account(region, None))
    bucket.prepare()
    assert aws.bucket_policies[bucket.name]["Statement"][0]["Resource"][0] == arn + bucket.name


def test_a_bucket_that_was_given_keeps_its_settings(aws, dist):
    boto3.client("s3").create_bucket(Bucket="ours", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert deploy(dist, "Minting=off", "YES=1", "BUCKET=ours", *foreign_network()) == 0
    assert aws.bucket_policies == {} and boto3.client("s3").list_objects_v2(Bucket="ours")["KeyCount"] == 4 - 2
