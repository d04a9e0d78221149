"""Preflight: the stacks of the given name are wechat-preauth's, of this version, and at rest."""

from __future__ import annotations

from cloudformation import CloudFormation
from stack import parameters
from stop import Refused, Stop


def live(cloudformation: CloudFormation, name: str) -> dict | None:
    """The stack, or ``None`` when there is none to update. Deletes the remainder of a failed creation."""
    stack = cloudformation.describe(name)
    # A change set that was never executed leaves such a stack. It holds nothing.
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    return stack


def at_rest(cloudformation: CloudFormation, name: str, stack: dict) -> dict | None:
    status = stack["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        raise Stop(f"The stack {name} is being changed by somebody else ({status}). Try again when that is finished.")
    if cloudformation.delete_remainder(name, stack):
        return None
    if status.endswith("_FAILED"):
        raise Stop(f"The stack {name} is in the state {status}. Repair or delete it in CloudFormation's console first.")
    return stack


def live_service(cloudformation: CloudFormation, name: str) -> dict | None:
    stack = live(cloudformation, name)
    if stack is None:
        return None
    known = parameters(stack)
    if "Minting" not in known:
        raise Refused("other-stack", f"{name} is not a stack of wechat-preauth's service. Give another name: STACK=….")
    if "DynamoDbEndpointId" not in known or any(r["LogicalResourceId"] == "Vpc" for r in cloudformation.resources(name)):
        raise Refused("old-stack", (
            f"{name} is a stack of version 0.1, which holds its network. An update would delete that. "
            "docs/DEPLOY.md, \"Upgrade and rollback\", says how to move."
        ))
    return at_rest(cloudformation, name, stack)


def live_network(cloudformation: CloudFormation, name: str) -> dict | None:
    stack = live(cloudformation, name)
    if stack is None:
        return None
    known = parameters(stack)
    if "Minting" in known or "NatMode" not in known:
        raise Refused("other-stack", f"{name} is not a stack of wechat-preauth's network. Give another name: STACK=….")
    return at_rest(cloudformation, name, stack)
