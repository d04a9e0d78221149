"""Preflight: no update may move the egress addresses unnoticed. They are in WeChat's whitelist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError
from cloudformation import Change
from stop import Refused

NEW = "a new address"
NUMBERS = ("1", "2")


def look_up(ec2, allocation: str) -> str:
    """The address of an Elastic IP."""
    try:
        (found,) = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    except (ClientError, ValueError) as error:
        if isinstance(error, ClientError) and "NotFound" not in error.response["Error"]["Code"]:
            raise
        raise Refused("unknown-address", (
            f"this account has no Elastic IP {allocation} in this region. "
            "`aws ec2 describe-addresses` lists those that it has."
        )) from error
    return found["PublicIp"]


def fill_in(ec2, given: dict[str, str], previous: Mapping[str, str]) -> dict[str, str]:
    """The network's given parameters with the address of each allocation. Refuses a pair that does not belong together."""
    filled = dict(given)
    for number in NUMBERS:
        allocation_name, address_name = f"EipAllocationId{number}", f"EipAddress{number}"
        allocation = given.get(allocation_name, previous.get(allocation_name, ""))
        if not allocation:
            if given.get(address_name):
                raise Refused("unknown-address", f"{address_name} without {allocation_name}: give the allocation id.")
            if previous.get(address_name):
                filled[address_name] = ""
            continue
        address = look_up(ec2, allocation)
        if given.get(address_name, address) != address:
            raise Refused("unknown-address", (
                f"{allocation} has the address {address}, not {given[address_name]}. Leave {address_name} out: "
                "it is looked up."
            ))
        if previous.get(address_name) != address or address_name in given:
            filled[address_name] = address
    return filled


def yielded(
    values: Mapping[str, str], before: Mapping[str, str], live: list[str], changes: Iterable[Change] = ()
) -> list[str]:
    """Both addresses of the network after the update. `NEW` stands for one that AWS will choose.

    `values` and `before` are the network's parameters after and before it, `live` its two addresses now.
    """
    lost = {change.id for change in changes if change.action == "Remove" or change.replaces}
    addresses = []
    for index, number in enumerate(NUMBERS):
        allocation = f"EipAllocationId{number}"
        if values.get(allocation):
            addresses.append(values[f"EipAddress{number}"])
        elif live and not before.get(allocation) and f"EgressIp{number}" not in lost:
            addresses.append(live[index])
        else:
            addresses.append(NEW)
    return addresses


def in_use(values: Mapping[str, str], addresses: list[str]) -> list[str]:
    """The addresses from which calls leave: a NAT gateway carries each."""
    return addresses if values.get("NatMode") == "per-az" else addresses[:1]


def check_list(live: Iterable[str], after: Iterable[str], registered: bool) -> None:
    """The addresses that the service knows."""
    live, after = set(live), set(after)
    if live and live != after and not registered:
        raise Refused("address-changes", (
            f"the service's EgressIps are {spoken(live)} and would be {spoken(after)}. Register the new ones in the "
            "platform's 白名单IP地址列表 first (修改, append), then add REGISTERED=yes."
        ))


def check_gateways(live: Iterable[str], after: Iterable[str], registered: bool) -> None:
    """The addresses from which calls leave. One that is no longer used does no harm."""
    live = set(live)
    new = [address for address in after if address not in live]
    if live and new and not registered:
        raise Refused("address-changes", (
            f"calls leave from {spoken(live)} and would leave from {spoken(new)} too, or instead. "
            "When every address is in the platform's 白名单IP地址列表, add REGISTERED=yes."
        ))


def spoken(addresses: Iterable[str]) -> str:
    return ", ".join(sorted(addresses)) or "none"
