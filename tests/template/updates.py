"""What CloudFormation would do to a stack's resources in an update, and what a stack policy says to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfn import ROOT, Stack, placeholders
from checks.network import address_of, gateway_of
from iam import Policy, update_allowed

POLICY_FILE = ROOT / "scripts/network-policy.json"

# A change of one of these properties replaces the resource; any other changes it in place. Source: createOnlyProperties
# in CloudFormation's registry schemas, which cfn-lint brings along (a test compares them), and "Update requires:
# Replacement" in the template reference.
CREATE_ONLY: dict[str, set[str]] = {
    "AWS::EC2::EIP": {"Address", "IpamPoolId", "NetworkBorderGroup", "TransferAddress"},
    "AWS::EC2::NatGateway": {
        "AllocationId", "AvailabilityMode", "ConnectivityType", "PrivateIpAddress", "SubnetId", "VpcId",
    },
    "AWS::EC2::Subnet": {
        "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId",
        "Ipv6Native", "Ipv6NetmaskLength", "OutpostArn", "VpcId",
    },
    # The target of a route (NatGatewayId, GatewayId) changes in place.
    "AWS::EC2::Route": {
        "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "RouteTableId",
    },
    "AWS::EC2::RouteTable": {"VpcId"},
    "AWS::EC2::SubnetRouteTableAssociation": {"RouteTableId", "SubnetId"},
    "AWS::EC2::VPC": {"CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"},
    "AWS::EC2::InternetGateway": set(),
    "AWS::EC2::VPCGatewayAttachment": {"VpcId"},
    "AWS::EC2::VPCEndpoint": {
        "DnsOptions", "ResourceConfigurationArn", "ServiceName", "ServiceNetworkArn", "ServiceRegion", "VpcEndpointType",
        "VpcId",
    },
    "AWS::EC2::SecurityGroup": {"GroupDescription", "GroupName", "VpcId"},
    "AWS::CloudWatch::Alarm": {"AlarmName"},
}


@dataclass(frozen=True)
class Change:
    """`action` is one of a stack policy's, or `Add`."""

    action: str
    logical_id: str
    kind: str


def diff(before: Stack, after: Stack) -> list[Change]:
    """The changes of an update. A replaced resource has a new id, so whatever refers to it changes as well."""
    old, new = before.resources, after.resources
    kinds = {name: r["Type"] for name, r in (old | new).items()}
    both = [name for name in new if name in old]
    # A type without an entry would be judged as changeable in place.
    assert not (unknown := set(kinds.values()) - set(CREATE_ONLY)), f"not in CREATE_ONLY: {unknown}"
    replaced = {name for name in both if old[name]["Type"] != new[name]["Type"]}

    def changed(name: str) -> set[str]:
        properties: tuple[dict[str, Any], ...] = old[name].get("Properties", {}), new[name].get("Properties", {})
        return {
            key for key in properties[0].keys() | properties[1].keys()
            if properties[0].get(key) != properties[1].get(key) or placeholders(properties[1].get(key)) & replaced
        }

    while more := {n for n in both if n not in replaced and changed(n) & CREATE_ONLY[kinds[n]]}:
        replaced |= more
    changes = [Change("Add", name, kinds[name]) for name in new if name not in old]
    changes += [Change("Update:Delete", name, kinds[name]) for name in old if name not in new]
    for name in both:
        if name in replaced:
            changes.append(Change("Update:Replace", name, kinds[name]))
        elif changed(name):
            changes.append(Change("Update:Modify", name, kinds[name]))
    return changes


def denied(policy: Policy, changes: list[Change]) -> set[str]:
    """The logical ids of the changes that the policy denies. One of them fails the whole update, and it rolls back."""
    return {
        c.logical_id for c in changes
        if c.action != "Add" and not update_allowed(policy, c.action, c.logical_id, c.kind)
    }


def egress(stack: Stack) -> list[str]:
    """The address from which each private subnet's calls leave, in order of the subnets."""
    return [address_of(stack, gateway_of(stack, f"PrivateSubnet{n}")) for n in "12"]


def load_policy(file: Path = POLICY_FILE) -> Policy:
    return json.loads(file.read_text(encoding="utf-8"))
