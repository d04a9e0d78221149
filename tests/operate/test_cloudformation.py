"""The scripts' use of CloudFormation, with recorded answers, and once against moto's change sets."""

from __future__ import annotations

import datetime
import json

import boto3
import pytest
from botocore.stub import ANY, Stubber
from cloudformation import Change, ChangeSet, CloudFormation
from moto import mock_aws
from stop import Stop

NOW = datetime.datetime(2026, 11, 25, tzinfo=datetime.timezone.utc)
ID, SET = "arn:aws:cloudformation:r:1:stack/preauth/1", "arn:aws:cloudformation:r:1:changeSet/deploy-1/1"
CREATED = ChangeSet(SET, "preauth", True, ())
UPDATED = ChangeSet(SET, "preauth", False, ())


def stack(status: str) -> dict:
    return {"Stacks": [{"StackName": "preauth", "StackId": ID, "StackStatus": status, "CreationTime": NOW}]}


def gone() -> dict:
    return {"service_error_code": "ValidationError", "service_message": "Stack with id preauth does not exist"}


def event(number: int, status: str, resource: str = "preauth", reason: str = "") -> dict:
    return {
        "EventId": str(number), "StackId": ID, "StackName": "preauth", "LogicalResourceId": resource, "Timestamp": NOW,
        "PhysicalResourceId": ID if resource == "preauth" else resource, "ResourceType": "AWS::EC2::EIP",
        "ResourceStatus": status, "ResourceStatusReason": reason,
    }


def events(*found: dict) -> dict:
    """The newest first, as CloudFormation answers."""
    return {"StackEvents": list(reversed(found))}


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr(CloudFormation, "pause", 0.0)
    client = boto3.client("cloudformation")
    with Stubber(client) as stubber:
        stubber.cloudformation = CloudFormation(client)
        yield stubber
        stubber.assert_no_pending_responses()


def prepare(stub, creates: bool, *described: dict, **after) -> ChangeSet | None:
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID}, {
        "StackName": "preauth", "ChangeSetName": ANY, "ChangeSetType": "CREATE" if creates else "UPDATE",
        "Parameters": [], "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"], "TemplateBody": "{}",
    })
    for answer in described:
        stub.add_response("describe_change_set", answer)
    for method, answer in after.items():
        stub.add_response(method, answer)
    return stub.cloudformation.prepare("preauth", creates, [], TemplateBody="{}")


def test_the_changes_are_waited_for_and_read_to_the_last_page(stub):
    def change(action: str, id_: str, **more) -> dict:
        return {"Type": "Resource", "ResourceChange": {
            "Action": action, "LogicalResourceId": id_, "ResourceType": "AWS::EC2::EIP", **more}}

    found = prepare(
        stub, False,
        {"Status": "CREATE_IN_PROGRESS", "Changes": []},
        {"Status": "CREATE_COMPLETE", "Changes": [change("Add", "EgressIp1")], "NextToken": "2"},
        {"Status": "CREATE_COMPLETE", "Changes": [change("Modify", "Nat1", Replacement="True")]},
    )
    assert found.changes == (
        Change("Add", "EgressIp1", "AWS::EC2::EIP"), Change("Modify", "Nat1", "AWS::EC2::EIP", "True"))
    assert str(found.changes[1]).split() == ["Modify", "Nat1", "AWS::EC2::EIP", "REPLACED"]


@pytest.mark.parametrize("reason", [
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    "No updates are to be performed.",
])
def test_an_empty_change_set_is_none_and_leaves_nothing(stub, reason):
    assert prepare(stub, False, {"Status": "FAILED", "StatusReason": reason}, delete_change_set={}) is None


def test_a_change_set_that_cannot_be_made_leaves_nothing_either(stub):
    """CloudFormation makes an empty stack for the change set of a first deployment."""
    with pytest.raises(Stop, match="Parameters: .Minting. must have values"):
        prepare(stub, True, {"Status": "FAILED", "StatusReason": "Parameters: [Minting] must have values"},
                delete_change_set={}, describe_stacks=stack("REVIEW_IN_PROGRESS"), delete_stack={})


def test_an_update_is_followed_to_its_own_end(stub, capsys):
    """The events of an earlier update do not end it."""
    old, cleanup = event(0, "CREATE_COMPLETE"), event(3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    rounds = [
        events(old), events(old, event(1, "UPDATE_IN_PROGRESS")),
        events(old, event(1, "UPDATE_IN_PROGRESS"), event(2, "UPDATE_COMPLETE", "Topic"), cleanup),
        events(old, cleanup, event(4, "UPDATE_COMPLETE")),
    ]
    stub.add_response("describe_stack_events", events(old))
    stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
    stub.add_response("execute_change_set", {})
    for answer in rounds:
        stub.add_response("describe_stack_events", answer)
    stub.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
    assert stub.cloudformation.execute(UPDATED)["StackStatus"] == "UPDATE_COMPLETE"
    assert capsys.readouterr().out.split() == ["UPDATE_COMPLETE", "Topic", "UPDATE_COMPLETE", "preauth"]


def test_a_failed_update_says_what_failed_first(stub, capsys):
    stub.add_response("describe_stack_events", events())
    stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
    stub.add_response("execute_change_set", {})
    stub.add_response("describe_stack_events", events(
        event(1, "UPDATE_FAILED", "Nat1", "AlreadyAssociated"),
        event(2, "UPDATE_FAILED", "Topic", "Resource update cancelled"),
        event(3, "UPDATE_ROLLBACK_COMPLETE"),
    ))
    stub.add_response("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE"))
    with pytest.raises(Stop, match="was not changed"):
        stub.cloudformation.execute(UPDATED)
    said = capsys.readouterr().out
    assert "Nat1 (AWS::EC2::EIP): AlreadyAssociated" in said and "Resource update cancelled" not in said


def test_the_remainder_of_a_failed_creation_is_deleted_after_its_reason_is_shown(stub, capsys):
    stub.add_response("describe_stack_events", events())
    stub.add_response("describe_stacks", stack("REVIEW_IN_PROGRESS"))
    stub.add_response("execute_change_set", {})
    stub.add_response("describe_stack_events", events(
        event(1, "CREATE_FAILED", "Domain", "no such certificate"), event(2, "ROLLBACK_COMPLETE")))
    for status in ("ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE"):
        stub.add_response("describe_stacks", stack(status))
    stub.add_response("delete_stack", {})
    stub.add_response("describe_stacks", stack("DELETE_IN_PROGRESS"), {"StackName": ID})
    stub.add_response("describe_stacks", stack("DELETE_COMPLETE"), {"StackName": ID})
    with pytest.raises(Stop, match="was not created"):
        stub.cloudformation.execute(CREATED)
    said = capsys.readouterr().out
    assert said.index("no such certificate") < said.index("It is deleted.")


def test_a_live_stack_is_no_remainder(stub):
    assert stub.cloudformation.delete_remainder("preauth", stack("UPDATE_ROLLBACK_COMPLETE")["Stacks"][0]) is False


def test_a_deletion_that_fails_is_said(stub):
    stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
    stub.add_response("delete_stack", {})
    stub.add_response("describe_stacks", stack("DELETE_FAILED"))
    with pytest.raises(Stop, match="DELETE_FAILED"):
        stub.cloudformation.delete("preauth")


def test_termination_protection_is_switched(stub):
    expected = {"StackName": "preauth", "EnableTerminationProtection": True}
    stub.add_response("update_termination_protection", {"StackId": ID}, expected)
    stub.cloudformation.protect("preauth", True)


def test_no_stack_is_none(stub):
    stub.add_client_error("describe_stacks", **gone())
    assert stub.cloudformation.describe("preauth") is None


def test_another_error_is_not_taken_for_no_stack(stub):
    stub.add_client_error("describe_stacks", service_error_code="AccessDenied", service_message="not allowed")
    with pytest.raises(Exception, match="AccessDenied"):
        stub.cloudformation.describe("preauth")


def test_moto_takes_the_whole_way(monkeypatch):
    monkeypatch.setattr(CloudFormation, "pause", 0.0)
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    with mock_aws():
        real = CloudFormation(boto3.client("cloudformation"))
        made = real.prepare("preauth", True, [], TemplateBody=body)
        assert made.changes == (Change("Add", "Topic", "AWS::SNS::Topic"),)
        assert real.execute(made)["StackStatus"] == "CREATE_COMPLETE"
        assert real.prepare("preauth", False, [], TemplateBody=body) is None
        real.set_policy("preauth", '{"Statement":[]}')
        found = boto3.client("cloudformation").get_stack_policy(StackName="preauth")
        assert found["StackPolicyBody"] == '{"Statement":[]}'
        real.delete("preauth")
        assert real.describe("preauth") is None
