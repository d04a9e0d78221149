"""Gives a stack's resources the ARNs that they would have in an account, so that policies can be judged."""

from __future__ import annotations

import re
from typing import Any

from cfn import ACCOUNT, STACK, Stack
from checks.permissions import documents


def arn_of(stack: Stack, name: str) -> str:
    """The ARN of a resource of the stack."""
    properties = stack.properties(name)
    match stack.resources[name]["Type"]:
        case "AWS::IAM::Role":
            return f"arn:{stack.partition}:iam::{ACCOUNT}:role/{STACK}-{name}"
        case "AWS::DynamoDB::Table":
            return stack.arn("dynamodb", f"table/{STACK}-{name}")
        case "AWS::SecretsManager::Secret":
            return stack.arn("secretsmanager", f"secret:{name}-AbCdEf")
        case "AWS::Events::EventBus":
            return stack.arn("events", f"event-bus/{properties['Name']}")
        case "AWS::Events::Rule":
            return stack.arn("events", f"rule/{STACK}-{name}")
        case "AWS::Logs::LogGroup":
            return stack.arn("logs", f"log-group:{properties['LogGroupName']}:*")
        case "AWS::Lambda::Function":
            return stack.arn("lambda", f"function:{properties['FunctionName']}")
        case "AWS::Lambda::Alias":
            return f"{concrete(stack, properties['FunctionName'])}:{properties['Name']}"
        case "AWS::ApiGateway::RestApi":
            # its id, which stands inside ARNs
            return {"Api": "a1b2c3d4e5", "PagesApi": "p1q2r3s4t5"}[name]
        case kind:
            raise AssertionError(f"{name}: {kind} has no ARN here")


def concrete(stack: Stack, node: Any) -> Any:
    """A value with each placeholder as the ARN of its resource."""
    if isinstance(node, dict):
        return {k: concrete(stack, v) for k, v in node.items()}
    if isinstance(node, list):
        return [concrete(stack, v) for v in node]
    if isinstance(node, str):
        return re.sub(r"\$\{(\w+)(?:\.Arn)?\}", lambda match: arn_of(stack, match[1]), node)
    return node


def policies(stack: Stack, function: str) -> list[dict[str, Any]]:
    """Every policy of a function's role."""
    return [concrete(stack, document) for document in documents(stack, f"{function}Role")]
