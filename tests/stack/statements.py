"""The statements of the functions' roles and of the policies for users, as template.yaml has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def of_roles(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every statement of every role by `Role.Sid`, those of attached policies and of conditional ones too."""
    found = {}
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            held = [(name, policy["PolicyDocument"]) for policy in properties["Policies"]]
        elif resource["Type"] == "AWS::IAM::Policy":
            held = [(role["Ref"], properties["PolicyDocument"]) for role in properties["Roles"]]
        else:
            continue
        for role, document in held:
            for statement in _flat(document["Statement"]):
                key = f"{role}.{statement['Sid']}"
                assert key not in found, f"{key} is there twice: a statement is known by its role and Sid"
                found[key] = statement
    return found


def of_managed_policies(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every statement of every managed policy by `Policy.Sid`."""
    return {
        f"{name}.{statement['Sid']}": statement
        for name, resource in template["Resources"].items() if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in _flat(resource["Properties"]["PolicyDocument"]["Statement"])
    }


def actions(statement: dict[str, Any]) -> list[str]:
    named = statement["Action"]
    return named if isinstance(named, list) else [named]


def _flat(statements: list[Any]) -> Iterator[dict[str, Any]]:
    """The statements, also those under conditions."""
    for statement in statements:
        if "Fn::If" in statement:
            yield from _flat([branch for branch in statement["Fn::If"][1:] if "Sid" in branch or "Fn::If" in branch])
        else:
            yield statement
