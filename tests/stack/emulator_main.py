"""Starts the emulator, which learns something here, in emulator_api.py and in emulator_network.py.

It is otherwise as released.

It learns the condition keys of the project's policies that follow from the request alone: `dynamodb:LeadingKeys`,
`dynamodb:Attributes`, `events:source`. And it writes down every call that it authorized or denied, one JSON object a
line, in the file that DECISIONS names.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import emulator_api
import emulator_network
from ministack.core import iam_actions, iam_evaluator

# What is no attribute in DynamoDB's expressions.
WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN", "attribute_exists",
         "attribute_not_exists", "attribute_type", "begins_with", "contains", "if_not_exists", "list_append", "size"}
KEY = "pk"  # of the one table here
# A path; `.name` and `:value` belong to what is before, and `#name` stands for another.
PATH = re.compile(r"(?<![\w.:#])#?[A-Za-z_]\w*")

_decisions = open(os.environ["DECISIONS"], "a", buffering=1, encoding="utf-8")  # open as long as the process
_tag_keys, _enforce = iam_actions.request_tag_context, iam_evaluator.enforce


def condition_keys(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
    keys = dict(_tag_keys(service, action, body, params))
    request = json.loads(body or b"{}") if service in ("dynamodb", "events") else {}
    if "Key" in request:
        keys["dynamodb:LeadingKeys"] = [value for typed in request["Key"].values() for value in typed.values()]
        keys["dynamodb:Attributes"] = sorted(attributes(request))
    if "Item" in request:
        keys["dynamodb:LeadingKeys"] = list(request["Item"][KEY].values())
        keys["dynamodb:Attributes"] = sorted(request["Item"])
    if action == "events:PutEvents":
        sources = [entry.get("Source") for entry in request["Entries"]]
        keys["events:source"] = sources[0] if len(sources) == 1 else sources
    return keys


def attributes(request: dict[str, Any]) -> set[str]:
    """The top-level attributes that a request names."""
    names = request.get("ExpressionAttributeNames", {})
    expressions = (request.get(f"{kind}Expression", "") for kind in ("Update", "Condition", "Projection"))
    paths = {path for expression in expressions for path in PATH.findall(expression)} - WORDS
    return set(request["Key"]) | {names.get(path, path) for path in paths}


def enforce(access_key: str, action: str, service: str, region: str, resource_arn: str = "*",
            service_context: dict[str, Any] | None = None):
    if service == "cloudformation":
        emulator_network.CALLER.set(access_key)
    denied = _enforce(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
    # A function's role is the principal arn:aws:sts::…:assumed-role/ROLE/FUNCTION.
    principal = iam_evaluator.resolve_principal(access_key or "", "000000000000")
    line = {"principal": getattr(principal, "arn", None), "action": action, "resource": resource_arn,
            "allowed": denied is None}
    _decisions.write(json.dumps(line) + "\n")
    return denied


iam_actions.request_tag_context = condition_keys
iam_evaluator.enforce = enforce
emulator_api.learn()

from ministack.app import main  # noqa: E402

main()
