"""The network's stack policy (network-policy.json): what it protects, and how it is lifted for named resources.

CloudFormation applies the policy to updates, also to those of other tools. `make deploy` reads it before an update,
so that a refused change is named before anything has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cloudformation import Change

FILE = Path(__file__).with_name("network-policy.json")
PREFIX = "LogicalResourceId/"


def load() -> dict:
    return json.loads(FILE.read_text(encoding="utf-8"))


def protected(policy: dict) -> set[str]:
    """The logical ids of the resources that the policy names in a denial."""
    denials = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    return {resource.removeprefix(PREFIX) for statement in denials for resource in statement["Resource"]}


def lifted(policy: dict, ids: Iterable[str]) -> dict:
    """The policy without its denials for these resources."""
    names = {PREFIX + id_ for id_ in ids}
    statements = []
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            statement = statement | {"Resource": [r for r in statement["Resource"] if r not in names]}
        if statement["Resource"]:
            statements.append(statement)
    return {"Statement": statements}


def updates(change: Change) -> set[str]:
    """What a change is in the policy's words. A new resource is no update."""
    if change.action == "Add":
        return set()
    if change.action == "Remove":
        return {"Update:Delete"}
    replaced, kept = {"Update:Replace"}, {"Update:Modify"}
    return {"True": replaced, "Conditional": replaced | kept}.get(change.replacement, kept)


def denied(policy: dict, changes: Iterable[Change]) -> list[Change]:
    """The changes that the policy denies. NatMode may take the second gateway away, so its removal is no denial."""
    denials = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    return [
        change for change in changes
        if any(PREFIX + change.id in s["Resource"] and updates(change) & set(s["Action"]) for s in denials)
    ]
