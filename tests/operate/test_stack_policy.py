"""The network's stack policy: a list that the deployment reads as CloudFormation does."""

from __future__ import annotations

import small
import stack_policy
from cloudformation import Change

POLICY = stack_policy.load()


def test_it_protects_what_holds_the_addresses():
    assert stack_policy.protected(POLICY) == {
        "EgressIp1", "EgressIp2", "Nat1", "Nat2", "Vpc", "InternetGateway",
        "PublicSubnet1", "PublicSubnet2", "PrivateSubnet1", "PrivateSubnet2",
        "PrivateSubnet1RouteTable", "PrivateSubnet2RouteTable", "PrivateDefaultRoute1", "PrivateDefaultRoute2",
    }
    assert stack_policy.protected(POLICY) <= set(small.network()["Resources"])


def test_it_denies_every_kind_of_update_and_allows_the_rest():
    deny, second_gateway, allow = POLICY["Statement"]
    assert set(deny["Action"]) == {"Update:Replace", "Update:Delete", "Update:Modify"}
    assert set(second_gateway["Action"]) == {"Update:Replace", "Update:Modify"}
    assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "Update:*", "*")


def test_a_lift_is_for_the_named_resources_only():
    lifted = stack_policy.lifted(POLICY, ["Nat1", "NoSuchThing"])
    assert stack_policy.protected(POLICY) - stack_policy.protected(lifted) == {"Nat1"}
    assert lifted["Statement"][1:] == POLICY["Statement"][1:]


def test_a_denial_of_nothing_is_left_out():
    """CloudFormation refuses a statement without a resource."""
    lifted = stack_policy.lifted(POLICY, stack_policy.protected(POLICY))
    assert [s["Effect"] for s in lifted["Statement"]] == ["Allow"]


def test_a_new_resource_is_never_denied():
    changes = [Change("Add", "Nat1", "t"), Change("Modify", "NatPortsAlarm", "t"), Change("Remove", "Nat1", "t")]
    assert stack_policy.denied(POLICY, changes) == [changes[2]]


def test_the_second_gateway_may_go_and_come_and_never_change():
    for change, is_denied in [
        (Change("Add", "Nat2", "t"), False), (Change("Remove", "Nat2", "t"), False),
        (Change("Modify", "Nat2", "t", "False"), True), (Change("Modify", "Nat2", "t", "True"), True),
        (Change("Modify", "Nat2", "t", "Conditional"), True),
    ]:
        assert stack_policy.denied(POLICY, [change]) == [change] * is_denied, change
