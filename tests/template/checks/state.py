"""Table, secrets, event bus, and what outlives the stacks."""

from __future__ import annotations

from cfn import STACK, Stack
from checks.common import callback_secret_arn, check, check_both, given, only, secret_arn


@check_both
def stateful_resources_are_retained(stack: Stack) -> None:
    kinds = {"AWS::EC2::EIP", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"}
    for name, resource in stack.resources.items():
        if resource["Type"] in kinds:
            assert resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), f"{name} goes with the stack"
            assert resource.get("UpdateReplacePolicy") == "Retain", f"{name} goes with a replacement"


@check
def no_secret_is_written(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    brought = given(stack, "CredentialsSecretArn")
    assert set(secrets) == (set() if brought else {"CredentialsSecret", "CallbackSecret"})
    for name, secret in secrets.items():
        assert set(secret) <= {"Description", "KmsKeyId", "Tags"}, f"{name}: {set(secret)}"
        assert secret.get("KmsKeyId", "") == given(stack, "KmsKeyArn")


@check
def callback_has_a_secret_of_its_own(stack: Stack) -> None:
    """So it cannot read the appsecret, unless the owner brings one secret for all."""
    assert stack.outputs["CredentialsSecretArn"] == secret_arn(stack)
    assert stack.outputs["CallbackSecretArn"] == callback_secret_arn(stack)
    shared = bool(given(stack, "CredentialsSecretArn")) and not given(stack, "CallbackSecretArn")
    read = {
        name: stack.properties(f"{name}Function")["Environment"]["Variables"]["CREDENTIALS_SECRET_ID"]
        for name in ("Preauthcode", "Keeper", "Callback")
    }
    assert read["Preauthcode"] == read["Keeper"]
    assert (read["Callback"] == read["Keeper"]) is shared, f"secrets: {read}"


@check
def the_table_is_encrypted_recoverable_and_on_demand(stack: Stack) -> None:
    name, table = only(stack.of_type("AWS::DynamoDB::Table"))
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["SSESpecification"].get("KMSMasterKeyId", "") == given(stack, "KmsKeyArn")
    # Links and their codes have this attribute, and nothing else has. Tokens have `expires_at`: it would delete them.
    assert table.get("TimeToLiveSpecification") == {"AttributeName": "delete_at", "Enabled": True}
    assert "TableName" not in table, "a kept table with a fixed name would stop the next deployment"
    assert table.get("DeletionProtectionEnabled") is True, "anyone may delete the table"
    # RetainExceptOnCreate would delete the table after a failed creation, which the protection refuses: it would hang.
    assert stack.resources[name]["DeletionPolicy"] == "Retain"


@check
def events_are_archived(stack: Stack) -> None:
    assert stack.properties("EventBus")["Name"] == STACK
    archive = stack.properties("EventArchive")
    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert archive["EventPattern"] == {"source": ["wechat.component"]}
    assert str(archive["RetentionDays"]) == given(stack, "RetentionDays")


@check
def only_callback_puts_events(stack: Stack) -> None:
    """Others of the account could forge WeChat's events. test_iam.py judges what this statement means."""
    _, policy = only(stack.of_type("AWS::Events::EventBusPolicy"))
    assert policy["EventBusName"] == "${EventBus}"
    assert policy["Statement"] == {
        "Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "${EventBus.Arn}",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "${CallbackRole.Arn}"}},
    }
