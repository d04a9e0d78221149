"""The stack goes, and what must stay stays. It ran for a minute: it has processes, versions of secrets and items."""

from __future__ import annotations

import pytest
from emulator import everything

KEPT = {"StateTable", "CredentialsSecret", "CallbackSecret"}


@pytest.fixture(scope="module")
def left(aws, unattended) -> dict[str, set[str]]:
    """What there is of the stack after its deletion, by kind."""
    found = unattended.resources()
    before = everything(aws, "unattended")
    unattended.delete()
    after = everything(aws, "unattended")
    return {"before": before, "after": after, "kept": {found[name] for name in KEPT}, "names": found}


def test_the_deletion_leaves_the_table_and_the_secrets_and_nothing_else(left):
    assert left["kept"] <= left["before"], "the search finds what the stack has"
    assert len(left["before"]) > 20, left["before"]
    assert left["after"] == left["kept"]


def test_the_table_stays_protected_and_keeps_its_items(aws, left):
    table = left["names"]["StateTable"]
    described = aws.client("dynamodb").describe_table(TableName=table)["Table"]
    assert described["DeletionProtectionEnabled"]
    items = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert {item["pk"]["S"].split("#")[0] for item in items} >= {"ticket", "token"}


def test_the_secrets_keep_their_values(aws, left):
    for name in ("CredentialsSecret", "CallbackSecret"):
        assert aws.client("secretsmanager").get_secret_value(SecretId=left["names"][name])["SecretString"]
