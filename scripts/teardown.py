#!/usr/bin/env python3
"""Deletes a stack. Says before and after what stays and what it costs.

These stay: the Elastic IPs (they are in WeChat's whitelist), the credentials secret, the state
table, and API Gateway's account role where this stack set it.
"""

from __future__ import annotations

import sys

from botocore.exceptions import ClientError
from stack import Stack, Stop, arguments, run

# The types of resources that stay: why, what they cost, and how to remove them.
KEPT = {
    "AWS::EC2::EIP": (
        "in WeChat's whitelist; 3.65 USD a month",
        "remove it from the whitelist first (修改), then: aws ec2 release-address --allocation-id {id}",
    ),
    "AWS::SecretsManager::Secret": (
        "the component's credentials; 0.40 USD a month",
        "aws secretsmanager delete-secret --secret-id {id}",
    ),
    "AWS::DynamoDB::Table": (
        "ticket and token; cents, mostly for point-in-time recovery",
        "aws dynamodb delete-table --table-name {id}",
    ),
    "AWS::ApiGateway::Account": ("the account's logging role for API Gateway; nothing", "serves every API of the account"),
}
LAMBDA_INTERFACE = "AWS Lambda VPC ENI-"


def resources(stack: Stack) -> list[dict[str, str]]:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    try:
        return [r for page in pages for r in page["StackResourceSummaries"]]
    except ClientError as error:
        if "does not exist" in str(error):
            raise Stop(f"There is no stack {stack.name} in {stack.region}.") from error
        raise


def allocation_id(stack: Stack, address: str) -> str:
    """CloudFormation lists an Elastic IP by its address; releasing it needs the allocation id."""
    try:
        (found,) = stack.client("ec2").describe_addresses(PublicIps=[address])["Addresses"]
        return found["AllocationId"]
    except (ClientError, ValueError):
        return address


def kept(stack: Stack, found: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Name, why it stays, and how to remove it."""
    entries = []
    for resource in found:
        if resource["ResourceType"] not in KEPT:
            continue
        why, how = KEPT[resource["ResourceType"]]
        id_ = resource.get("PhysicalResourceId", "")
        name = id_
        if resource["ResourceType"] == "AWS::EC2::EIP":
            id_ = allocation_id(stack, id_)
            name = f"{name} ({id_})"
        entries.append((f"{resource['LogicalResourceId']}: {name}", why, how.format(id=id_)))
    return entries


def other_stacks_functions(stack: Stack, found: list[dict[str, str]]) -> list[str]:
    """The functions of other stacks that use this stack's network."""
    vpcs = [r["PhysicalResourceId"] for r in found if r["ResourceType"] == "AWS::EC2::VPC"]
    own = {r["PhysicalResourceId"] for r in found if r["ResourceType"] == "AWS::Lambda::Function"}
    if not vpcs:
        return []
    interfaces = stack.client("ec2").describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": vpcs}])
    described = [i.get("Description", "") for i in interfaces["NetworkInterfaces"]]
    functions = {d.removeprefix(LAMBDA_INTERFACE) for d in described if d.startswith(LAMBDA_INTERFACE)}
    # "AWS Lambda VPC ENI-<function>-<uuid>"
    return sorted(f for f in functions if not any(f == name or f.startswith(name + "-") for name in own))


def main(argv: list[str]) -> int:
    stack = Stack(arguments("Delete a stack, and say what stays.").parse_args(argv))
    found = resources(stack)
    if others := other_stacks_functions(stack, found):
        raise Stop(
            "Functions of other stacks use this stack's network. Delete those stacks first, or the deletion waits "
            "for their network interfaces:\n  " + "\n  ".join(others)
        )
    staying = kept(stack, found)
    print(f"The stack {stack.name} in {stack.region} will be deleted. From then on no code is issued.\n\nThese stay:")
    for name, why, _ in staying:
        print(f"  {name}\n      {why}")
    print("\nThe logs, the event archive and the alarms are deleted. Lambda takes up to 40 minutes to leave the network.")
    if input("Type the stack's name to delete it: ").strip() != stack.name:
        raise Stop("Not deleted.")
    cloudformation = stack.client("cloudformation")
    cloudformation.delete_stack(StackName=stack.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack.name, WaiterConfig={"Delay": 30, "MaxAttempts": 120}
    )
    print("\nDeleted. To remove what stayed:")
    for name, _, how in staying:
        print(f"  {name}\n      {how}")
    return 0


if __name__ == "__main__":
    run(main)
