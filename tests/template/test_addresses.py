"""Each way in which an update of network.yaml could move an address: the stack policy denies it, or nothing moves.

test_template.py says the same of the service: it makes no network at all, and announces exactly what it is given.
"""

from __future__ import annotations

import copy
import itertools

import cfn
import pytest
import updates
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from combos import EIP1, EIP2, REGIONS
from updates import CREATE_ONLY, Change, denied, diff, egress

POLICY = updates.load_policy()
PER_AZ = {"NatMode": "per-az"}
OTHER1 = {"EipAllocationId1": "eipalloc-0b0b0b0b0b0b0b0b1", "EipAddress1": "203.0.113.21"}
OTHER2 = {"EipAllocationId2": "eipalloc-0b0b0b0b0b0b0b0b2", "EipAddress2": "203.0.113.22"}
TYPO1, TYPO2 = EIP1 | {"EipAddress1": "203.0.113.99"}, EIP2 | {"EipAddress2": "203.0.113.99"}
TOPIC = {"AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:oncall"}
ENDPOINT = {"SecretsManagerEndpoint": "true"}

ROUTES = {"PrivateDefaultRoute1", "PrivateDefaultRoute2"}
FIRST = {"Nat1", "PublicSubnet1"} | ROUTES
SECOND = {"Nat2", "PublicSubnet2", "PrivateDefaultRoute2"}
SUBNETS = {f"{kind}Subnet{n}" for kind in ("Public", "Private") for n in "12"}
IN_ZONES = SUBNETS | {"PrivateSubnet1RouteTable", "PrivateSubnet2RouteTable"}

# name, parameters before and after, what the policy denies. Nothing denied: the update happens, and moves no address.
CASES = [
    ("one gateway to one per zone", {}, PER_AZ, {"PrivateDefaultRoute2"}),
    ("one gateway per zone to one", PER_AZ, {}, {"PrivateDefaultRoute2"}),
    ("the first address is brought later", {}, EIP1, {"EgressIp1"} | FIRST),
    ("the first address is no longer brought", EIP1, {}, FIRST),
    ("another first address is brought", EIP1, OTHER1, FIRST),
    ("the second address is brought later, unused", {}, EIP2, {"EgressIp2", "PublicSubnet2"}),
    ("the second address is no longer brought, unused", EIP2, {}, {"PublicSubnet2"}),
    ("another second address is brought, unused", EIP2, OTHER2, {"PublicSubnet2"}),
    ("the second address is brought later", PER_AZ, PER_AZ | EIP2, {"EgressIp2"} | SECOND),
    ("the second address is no longer brought", PER_AZ | EIP2, PER_AZ, SECOND),
    ("another second address is brought", PER_AZ | EIP2, PER_AZ | OTHER2, SECOND),
    ("one per zone, with a second address at once", {}, PER_AZ | EIP2, {"EgressIp2", "PublicSubnet2", "PrivateDefaultRoute2"}),
    ("the first address is typed anew", EIP1, TYPO1, {"PublicSubnet1"}),
    ("the second address is typed anew", EIP2, TYPO2, {"PublicSubnet2"}),
    ("zones are named as they are", {}, {"AvailabilityZones": "us-east-1a,us-east-1b"}, set()),
    ("zones are swapped", {}, {"AvailabilityZones": "us-east-1b,us-east-1a"}, IN_ZONES | {"Nat1"} | ROUTES),
    ("the second zone is another", PER_AZ, PER_AZ | {"AvailabilityZones": "us-east-1a,us-east-1c"},
     {"PrivateSubnet2", "PrivateSubnet2RouteTable"} | SECOND),
    ("another block of addresses", {}, {"VpcCidr": "10.0.0.0/16"}, IN_ZONES | {"Vpc", "Nat1"} | ROUTES),
    ("an endpoint for Secrets Manager", {}, ENDPOINT, set()),
    ("no endpoint for Secrets Manager", ENDPOINT, {}, set()),
    ("alarms notify a topic", {}, TOPIC, set()),
    ("alarms notify nobody", PER_AZ | TOPIC, PER_AZ, set()),
    ("nothing changes", PER_AZ | EIP1, PER_AZ | EIP1, set()),
]
NAMES = [name for name, *_ in CASES]


def moves(before: cfn.Stack, after: cfn.Stack, changes: list[Change]) -> list[str]:
    """What an update does to the addresses, if nothing denies it."""
    found = [f"makes {c.logical_id}" for c in changes if c.kind == "AWS::EC2::EIP" and c.action == "Add"]
    if egress(before) != egress(after):
        found.append(f"calls leave from {egress(after)} instead of {egress(before)}")
    if before.outputs["EgressIps"] != after.outputs["EgressIps"]:
        found.append("announces other addresses")
    # A private subnet, its route or its gateway is made anew: calls in flight break, and a gateway takes its address along.
    anew = {"AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::EC2::Subnet", "AWS::EC2::Route", "AWS::EC2::VPC"}
    found += [f"replaces {c.logical_id}" for c in changes if c.action == "Update:Replace" and c.kind in anew]
    return found


def outcome(policy, before: dict[str, str], after: dict[str, str]) -> set[str]:
    return denied(policy, diff(cfn.network(**before), cfn.network(**after)))


@pytest.mark.parametrize("before, after, expected", [case[1:] for case in CASES], ids=NAMES)
def test_each_change_of_a_parameter(before, after, expected):
    stacks = cfn.network(**before), cfn.network(**after)
    changes = diff(*stacks)
    assert denied(POLICY, changes) == expected
    assert expected or not moves(*stacks, changes)


def lifted(*ids: str):
    """The policy without its denials for these resources, as `make deploy LIFT=…` sets it during one update."""
    policy = copy.deepcopy(POLICY)
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            statement["Resource"] = [r for r in statement["Resource"] if r.rpartition("/")[2] not in ids]
    return policy


def test_no_pair_of_parameter_sets_moves_an_address_unannounced():
    """Each set to each other one, so that no combination gets by, and with the one route lifted that people lift."""
    sets = [
        mode | first | second | zones
        for mode, first, second, zones in itertools.product(
            ({}, PER_AZ), ({}, EIP1, OTHER1), ({}, EIP2, OTHER2), ({}, {"AvailabilityZones": "us-east-1a,us-east-1c"}),
        )
    ]
    policy, updated = lifted("PrivateDefaultRoute2"), 0
    for before, after in itertools.permutations([cfn.network(**parameters) for parameters in sets], 2):
        changes = diff(before, after)
        assert denied(POLICY, changes), "none of these is an everyday update"
        if not denied(policy, changes):
            updated += 1
            case = f"{before.parameters} to {after.parameters}"
            assert before.parameters | {"NatMode": ""} == after.parameters | {"NatMode": ""}, case
            assert before.outputs == after.outputs, case
            assert set(egress(after)) <= set(before.outputs["EgressIps"].split(",")), case
            assert not [c for c in changes if c.kind == "AWS::EC2::EIP"], case
    assert updated == len(sets), "each set's NatMode, both ways"


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("brought", [{}, EIP1, EIP2, EIP1 | EIP2], ids=["none", "first", "second", "both"])
def test_both_modes_announce_the_same_addresses(region, brought):
    one, per_zone = cfn.network(region, **brought), cfn.network(region, **brought, **PER_AZ)
    assert one.outputs == per_zone.outputs
    assert set(one.of_type("AWS::EC2::EIP")) == set(per_zone.of_type("AWS::EC2::EIP"))
    # So whoever switches, calls leave from addresses that were registered with the first deployment.
    announced = one.outputs["EgressIps"].split(",")
    assert egress(one) == [announced[0]] * 2 and egress(per_zone) == announced


def test_the_mode_changes_when_its_route_is_lifted_and_nothing_else_does():
    policy = lifted("PrivateDefaultRoute2")
    assert not outcome(policy, {}, PER_AZ) and not outcome(policy, PER_AZ, {})
    for name, before, after, expected in CASES:
        if expected - {"PrivateDefaultRoute2"}:
            assert outcome(policy, before, after), f"with the route lifted: {name}"


def test_a_region_that_lists_its_zones_in_another_order_is_denied():
    """Fn::GetAZs is evaluated anew in each update, so this needs no changed parameter."""
    before = cfn.network()
    after = cfn.build(cfn.load(cfn.NETWORK), zones=["us-east-1d", "us-east-1a", "us-east-1b"])
    assert denied(POLICY, diff(before, after)) == IN_ZONES | {"Nat1"} | ROUTES


def repoint(resources):
    resources["PrivateDefaultRoute1"]["Properties"]["NatGatewayId"] = {"Ref": "Nat2"}


def other_route_table(resources):
    resources["PrivateSubnet1RouteTable"]["Properties"]["RouteTableId"] = {"Ref": "PublicRouteTable"}


def second_address_on_the_first_gateway(resources):
    resources["Nat1"]["Properties"]["SecondaryAllocationIds"] = [{"Fn::GetAtt": ["EgressIp2", "AllocationId"]}]


def second_address_on_the_second_gateway(resources):
    resources["Nat2"]["Properties"]["SecondaryAllocationIds"] = [{"Fn::GetAtt": ["EgressIp1", "AllocationId"]}]


def no_internet_gateway(resources):
    for name in ("InternetGateway", "InternetGatewayAttachment", "PublicDefaultRoute"):
        del resources[name]
    del resources["Nat1"]["DependsOn"], resources["Nat2"]["DependsOn"]


def address_moved_to_another_resource(resources):
    resources["Other"] = copy.deepcopy(resources["EgressIp1"])
    del resources["EgressIp1"]
    resources["Nat1"]["Properties"]["AllocationId"] = {"Fn::GetAtt": ["Other", "AllocationId"]}
    resources["PublicSubnet1"]["Properties"]["Tags"].pop()


@pytest.mark.parametrize(
    "change, expected",
    [
        (repoint, {"PrivateDefaultRoute1"}),
        (other_route_table, {"PrivateSubnet1RouteTable"}),
        (second_address_on_the_first_gateway, {"Nat1"}),
        (second_address_on_the_second_gateway, {"Nat2"}),
        (no_internet_gateway, {"InternetGateway"}),
        (address_moved_to_another_resource, {"EgressIp1", "Nat1", "PublicSubnet1", "PrivateDefaultRoute1"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_later_template_cannot_move_an_address_either(change, expected):
    template = cfn.load(cfn.NETWORK)
    change(template["Resources"])
    template["Outputs"]["EgressIps"]["Value"] = ""
    assert denied(POLICY, diff(cfn.network(**PER_AZ), cfn.build(template, **PER_AZ))) == expected


def wrong_cases(policy) -> list[str]:
    return [name for name, before, after, expected in CASES if outcome(policy, before, after) != expected]


def test_a_policy_without_one_of_its_statements_fails_named_cases():
    deny, second_gateway, allow = POLICY["Statement"]
    assert wrong_cases({"Statement": [allow]}) == [name for name, _, _, expected in CASES if expected]
    assert wrong_cases({"Statement": [deny, allow]}) == [name for name, _, _, denied in CASES if "Nat2" in denied] != []
    without_allow = wrong_cases({"Statement": [deny, second_gateway]})
    assert {"alarms notify a topic", "no endpoint for Secrets Manager"} <= set(without_allow)


@pytest.mark.parametrize(
    "action, case",
    [
        ("Update:Modify", "one gateway to one per zone"),
        ("Update:Replace", "another first address is brought"),
        ("Update:Delete", "the second address is brought later, unused"),
    ],
)
def test_a_policy_without_one_of_its_actions_fails_a_named_case(action, case):
    policy = copy.deepcopy(POLICY)
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            statement["Action"] = [kept for kept in statement["Action"] if kept != action]
    assert case in wrong_cases(policy)


# What only a changed template can touch: see above.
NO_PARAMETER_TOUCHES = {"InternetGateway"}


@pytest.mark.parametrize("resource", [r.rpartition("/")[2] for s in POLICY["Statement"] if s["Effect"] == "Deny" for r in s["Resource"]])
def test_each_resource_of_the_policy_is_needed_and_exists(resource):
    assert resource in cfn.load(cfn.NETWORK)["Resources"], "a misspelt name protects nothing"
    assert wrong_cases(lifted(resource)) or resource in NO_PARAMETER_TOUCHES


@pytest.mark.parametrize("region", REGIONS)
def test_the_replacement_rules_are_cloudformations(region):
    for kind, properties in CREATE_ONLY.items():
        paths = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema.get("createOnlyProperties", [])
        assert {path.split("/")[2] for path in paths} == properties, kind


def test_the_differ_follows_replacements_to_whatever_refers_to_them():
    changes = {c.logical_id: c.action for c in diff(cfn.network(), cfn.network(VpcCidr="10.0.0.0/16"))}
    assert changes["Vpc"] == changes["PrivateSubnet1"] == changes["Nat1"] == "Update:Replace"
    # A route's target changes in place, but its route table is another one.
    assert changes["PrivateDefaultRoute1"] == "Update:Replace"
    assert "EgressIp1" not in changes
    per_zone = {c.logical_id: c.action for c in diff(cfn.network(), cfn.network(NatMode="per-az"))}
    assert per_zone == {"Nat2": "Add", "PrivateDefaultRoute2": "Update:Modify", "NatPortsAlarm": "Update:Modify"}
