"""Table, secret, event bus, and what outlives the stack."""

from __future__ import annotations

from cfn import STACK, Stack
from checks.common import check, given, only, secret_arn


@check
def stateful_resources_are_retained(stack: Stack) -> None:
    kinds = {"AWS::EC2::EIP", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"}
    for name, resource in stack.resources.items():
        if resource["Type"] in kinds:
            assert resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), f"{name} goes with the stack"
            assert resource.get("UpdateReplacePolicy") == "Retain", f"{name} goes with a replacement"


@check
def the_secret_is_never_written(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    assert set(secrets) == ({"CredentialsSecret"} if not given(stack, "CredentialsSecretArn") else set())
    for name, secret in secrets.items():
        assert set(secret) <= {"Description", "KmsKeyId", "Tags"}, f"{name}: {set(secret)}"
        assert secret.get("KmsKeyId", "") == given(stack, "KmsKeyArn")
    assert stack.outputs["CredentialsSecretArn"] == secret_arn(stack)


@check
def the_table_is_encrypted_recoverable_and_on_demand(stack: Stack) -> None:
    _, table = only(stack.of_type("AWS::DynamoDB::Table"))
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["SSESpecification"].get("KMSMasterKeyId", "") == given(stack, "KmsKeyArn")
    assert "TableName" not in table, "a kept table with a fixed name would stop the next deployment"


@check
def events_are_archived(stack: Stack) -> None:
    assert stack.properties("EventBus")["Name"] == STACK
    archive = stack.properties("EventArchive")
    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert archive["EventPattern"] == {"source": ["wechat.component"]}
    assert int(archive["RetentionDays"]) > 0
    assert not stack.of_type("AWS::Events::EventBusPolicy")
