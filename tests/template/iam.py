"""A small evaluator of policies: identity policies, resource policies, and CloudFormation's stack policies.

It follows the IAM user guide ("Policy evaluation logic", "IAM JSON policy elements: Condition operators",
"Multivalued context keys"). What it does not know it refuses, so that no policy is judged by half.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any, Callable

ALLOW, DENY, IMPLICIT_DENY = "allow", "explicit deny", "implicit deny"

Policy = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call: who, what, on what, and the context keys that AWS fills in. A list is a multivalued key."""

    action: str
    resource: str
    context: dict[str, str | list[str]] = field(default_factory=dict)
    principal: str = ""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def like(pattern: str, value: str) -> bool:
    """`*` for any characters, `?` for one. In a Resource a `*` reaches over the colons of an ARN."""
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), value, re.S) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Each of the six parts of an ARN by itself; the last one may hold colons."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) == 6 and all(map(like, patterns, values))


def in_network(pattern: str, value: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(pattern)


def same(pattern: str, value: str) -> bool:
    return pattern == value


# ArnEquals is ArnLike, as the guide says. A negated operator is true when none of the policy's values matches.
OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (same, False), "StringNotEquals": (same, True),
    "StringLike": (like, False), "StringNotLike": (like, True),
    "ArnEquals": (arn_like, False), "ArnNotEquals": (arn_like, True),
    "ArnLike": (arn_like, False), "ArnNotLike": (arn_like, True),
    "IpAddress": (in_network, False), "NotIpAddress": (in_network, True),
}


def holds(operator: str, key: str, wanted: list[str], context: dict[str, Any]) -> bool:
    """One condition on one key."""
    quantifier, _, name = operator.rpartition(":")
    if name not in OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise ValueError(f"the operator {operator} is not known here")
    matches, negated = OPERATORS[name]
    # Keys are compared without regard to case.
    found = next((value for given, value in context.items() if given.lower() == key.lower()), None)

    def accepts(value: str) -> bool:
        return any(matches(pattern, value) for pattern in wanted) is not negated

    if quantifier == "ForAllValues":
        return all(map(accepts, as_list(found or [])))  # also when the key is missing
    if quantifier == "ForAnyValue":
        return any(map(accepts, as_list(found or [])))
    if isinstance(found, list):
        raise ValueError(f"{key} has several values: {operator} needs ForAllValues or ForAnyValue")
    return negated if found is None else accepts(found)


def speaks_of(statement: Policy, request: Request) -> bool:
    known = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    if unknown := set(statement) - known:
        raise ValueError(f"not known here: {sorted(unknown)}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"Effect {statement['Effect']}")
    # Actions are compared without regard to case, resources with it.
    if not any(like(action.lower(), request.action.lower()) for action in as_list(statement["Action"])):
        return False
    if not any(like(resource, request.resource) for resource in as_list(statement["Resource"])):
        return False
    if "Principal" in statement and not is_principal(statement["Principal"], request.principal):
        return False
    return all(
        holds(operator, key, as_list(wanted), request.context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def is_principal(principal: Any, caller: str) -> bool:
    """`*`, or by ARN. An account means everybody in it who has the permission."""
    if principal == "*":
        return True
    if set(principal) != {"AWS"}:
        raise ValueError(f"Principal {principal}")
    account = caller.split(":")[4] if caller else ""
    return any(
        each in ("*", caller, account) or each.endswith(f":iam::{account}:root") for each in as_list(principal["AWS"])
    )


def decide(request: Request, *policies: Policy) -> str:
    """What these policies say together. Within one account an Allow of any of them is enough, and a Deny always wins."""
    effects = {s["Effect"] for policy in policies for s in as_list(policy["Statement"]) if speaks_of(s, request)}
    if "Deny" in effects:
        return DENY
    return ALLOW if "Allow" in effects else IMPLICIT_DENY


def update_allowed(stack_policy: Policy, action: str, logical_id: str, kind: str) -> bool:
    """Whether a stack policy lets an update do `action` (`Update:Modify`, `Update:Replace`, `Update:Delete`).

    CloudFormation: with a stack policy everything is protected that no Allow names. Creating a resource is no
    action of a stack policy.
    """
    request = Request(action, f"LogicalResourceId/{logical_id}", {"ResourceType": kind})
    return decide(request, stack_policy) == ALLOW
