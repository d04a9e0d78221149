"""The states in which `make deploy` finds a stack."""

from __future__ import annotations

import existing
import pytest
from cloudformation import CloudFormation
from stop import Stop


class Found(CloudFormation):
    """An account with one stack in a certain state."""

    def __init__(self, status: str):
        super().__init__(None)
        self.status, self.deleted = status, []

    def describe(self, name: str) -> dict:
        known = ("Minting", "DynamoDbEndpointId", "NatMode")[0 if name == "preauth" else 2:]
        return {"StackStatus": self.status, "Parameters": [{"ParameterKey": n, "ParameterValue": ""} for n in known]}

    def resources(self, name: str) -> list[dict]:
        return []

    def delete(self, name: str) -> None:
        self.deleted.append(name)


LOOK = [("preauth", existing.live_service), ("preauth-network", existing.live_network)]


@pytest.mark.parametrize("name, look", LOOK)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_at_rest_is_updated(name, look, status):
    assert look(Found(status), name)["StackStatus"] == status


@pytest.mark.parametrize("name, look", LOOK)
def test_a_stack_without_anything_is_created(name, look):
    """A change set that nobody executed leaves one."""
    found = Found("REVIEW_IN_PROGRESS")
    assert look(found, name) is None and found.deleted == []


@pytest.mark.parametrize("name, look", LOOK)
def test_the_remainder_of_a_failed_creation_is_deleted_after_it_is_said(name, look, capsys):
    found = Found("ROLLBACK_COMPLETE")
    assert look(found, name) is None and found.deleted == [name]
    assert "remainder of a failed creation" in capsys.readouterr().out


@pytest.mark.parametrize("name, look", LOOK)
@pytest.mark.parametrize("status, says", [
    ("UPDATE_IN_PROGRESS", "being changed by somebody else"), ("DELETE_IN_PROGRESS", "being changed by somebody else"),
    ("UPDATE_ROLLBACK_FAILED", "Repair or delete it"), ("ROLLBACK_FAILED", "Repair or delete it"),
])
def test_a_stack_in_another_state_is_left_alone(name, look, status, says):
    found = Found(status)
    with pytest.raises(Stop, match=says):
        look(found, name)
    assert found.deleted == []
