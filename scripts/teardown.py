#!/usr/bin/env python3
"""Deletes a stack, the service's or its network's. Says before and after what stays, what it costs and how to remove it.

Before anything is deleted it refuses, by name, what would stop the deletion half-way: see guests.py.
"""

from __future__ import annotations

import sys

import guests
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse
from stack import Stack, arguments, parameters, run
from stop import Stop

# The types of resources that stay: why, what they cost, and how to remove them.
KEPT = {
    "AWS::EC2::EIP": (
        "in WeChat's whitelist; 3.65 USD a month",
        "remove it from the whitelist first (修改), then: aws ec2 release-address --allocation-id {id}",
    ),
    "AWS::SecretsManager::Secret": (
        "the component's credentials or push keys; 0.40 USD a month",
        "aws secretsmanager delete-secret --secret-id {id}",
    ),
    "AWS::DynamoDB::Table": (
        "ticket and token, protected against deletion; cents, mostly for point-in-time recovery",
        "aws dynamodb update-table --table-name {id} --no-deletion-protection-enabled\n"
        "      aws dynamodb delete-table --table-name {id}",
    ),
}
OTHER = ("the template keeps it; see its type's price", "in the console of its service")


def allocation_id(stack: Stack, address: str) -> str:
    """CloudFormation lists an Elastic IP by its address; releasing it needs the allocation id."""
    try:
        (found,) = stack.client("ec2").describe_addresses(PublicIps=[address])["Addresses"]
        return found["AllocationId"]
    except (ClientError, ValueError):
        return address


def retained(stack: Stack) -> set[str]:
    """The logical ids that the deployed template keeps. The answer is the template's own, not a list of this script."""
    body = stack.client("cloudformation").get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    template = yaml_parse(body) if isinstance(body, str) else body
    return {
        id_ for id_, resource in template["Resources"].items()
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    }


def kept(stack: Stack, found: list[dict]) -> list[tuple[str, str, str]]:
    """Name, why it stays, and how to remove it."""
    entries, ids = [], retained(stack)
    for resource in found:
        if resource["LogicalResourceId"] not in ids:
            continue
        why, how = KEPT.get(resource["ResourceType"], OTHER)
        id_ = resource.get("PhysicalResourceId", "")
        name = id_
        if resource["ResourceType"] == "AWS::EC2::EIP":
            name = id_.split("|")[0]
            id_ = allocation_id(stack, name)
            name = f"{name} ({id_})"
        entries.append((f"{resource['LogicalResourceId']}: {name}", why, how.format(id=id_)))
    brought = [v for name, v in parameters(stack.describe()).items() if name.startswith("EipAllocationId") and v]
    entries += [(f"{id_}, which you brought", *(text.format(id=id_) for text in KEPT["AWS::EC2::EIP"])) for id_ in brought]
    return entries


def main(argv: list[str]) -> int:
    parser = arguments("Delete a stack, and say what stays.")
    parser.add_argument("--yes", default="", metavar="STACK", help="the stack's name, instead of being asked for it")
    options = parser.parse_args(argv)
    stack = Stack(options)
    cloudformation = stack.account.cloudformation
    known = parameters(stack.describe())
    if "Minting" not in known and "NatMode" not in known:
        raise Stop(f"refused: other-stack: {stack.name} is not a stack of wechat-preauth.")
    found = cloudformation.resources(stack.name)
    if findings := guests.find(stack, found):
        raise Stop("\n".join(f"refused: {name}: {text}" for name, text in findings) + "\nNothing was deleted.")
    staying = kept(stack, found)
    end = "From then on no code is issued." if "Minting" in known else "No service uses it."
    print(f"The stack {stack.name} in {stack.region} will be deleted. {end}\n\nThese stay:")
    for name, why, _ in staying:
        print(f"  {name}\n      {why}")
    print("\nEverything else is deleted, logs and alarms included. Lambda takes up to 40 minutes to leave a network.")
    if not options.yes and not sys.stdin.isatty():
        raise Stop(f"Not deleted. Without a terminal, give YES={stack.name}.")
    answer = options.yes or input("Type the stack's name to delete it: ").strip()
    if answer != stack.name:
        raise Stop("Not deleted.")
    cloudformation.protect(stack.name, False)
    cloudformation.delete(stack.name)
    print("\nDeleted. To remove what stayed:")
    for name, _, how in staying:
        print(f"  {name}\n      {how}")
    network = f"{stack.name}-network"
    if "Minting" in known and cloudformation.describe(network):
        print(f"\nThe network {network} stays, and its NAT gateways cost money: make teardown STACK={network}")
    return 0


if __name__ == "__main__":
    run(main)
