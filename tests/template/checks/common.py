"""What the checks share: the parameters and the resources of a stack, and the lists of checks."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from cfn import Stack
from evaluator import elements


Check = Callable[[Stack], None]
SERVICE_CHECKS: list[Check] = []
NETWORK_CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Adds a check of template.yaml's stacks."""
    SERVICE_CHECKS.append(function)
    return function


def check_network(function: Check) -> Check:
    """Adds a check of network.yaml's stacks."""
    NETWORK_CHECKS.append(function)
    return function


def check_both(function: Check) -> Check:
    return check(check_network(function))


IN_VPC = {"PreauthcodeFunction", "KeeperFunction"}
STRANGERS_REACH = {"CallbackFunction", "AuthorizeFunction"}
BINARIES = {
    "PreauthcodeFunction": "preauthcode", "CallbackFunction": "callback", "KeeperFunction": "keeper",
    "AuthorizeFunction": "authorize",
}


def given(stack: Stack, name: str) -> str:
    return stack.parameters[name]


def has_pages(stack: Stack) -> bool:
    return given(stack, "PagesOrigin") != ""


def functions_of(stack: Stack) -> set[str]:
    """The functions that these parameters make."""
    return IN_VPC | STRANGERS_REACH - (set() if has_pages(stack) else {"AuthorizeFunction"})


def stage_of(stack: Stack, api: str) -> dict[str, Any]:
    """The one stage of an API."""
    stages = stack.of_type("AWS::ApiGateway::Stage")
    return only({name: stage for name, stage in stages.items() if stage["RestApiId"] == f"${{{api}}}"})[1]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def only(found: dict[str, Any]) -> tuple[str, Any]:
    """The one entry of a mapping."""
    assert len(found) == 1, f"one expected: {sorted(found)}"
    return next(iter(found.items()))


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AssertionError(f"not JSON: {error}: {text[:80]}") from error


def resource_of(placeholder: str) -> str:
    """``Vpc`` of ``${Vpc}`` or ``${Vpc.Arn}``."""
    match = re.fullmatch(r"\$\{(\w+)(?:\.\w+)?\}", placeholder)
    assert match, f"{placeholder!r} refers to no resource"
    return match[1]


def environment(stack: Stack, function: str) -> dict[str, str]:
    return stack.properties(function)["Environment"]["Variables"]


def secret_arn(stack: Stack) -> str:
    """The secret that preauthcode and keeper read."""
    return given(stack, "CredentialsSecretArn") or "${CredentialsSecret}"


def callback_secret_arn(stack: Stack) -> str:
    """The secret that callback reads. With one brought secret it is that one."""
    if not given(stack, "CredentialsSecretArn"):
        return "${CallbackSecret}"
    return given(stack, "CallbackSecretArn") or given(stack, "CredentialsSecretArn")


def listed(stack: Stack, name: str) -> list[str]:
    """The elements of a list parameter."""
    return elements(given(stack, name))
