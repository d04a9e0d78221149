"""What the checks share: the parameters and the resources of a stack, and the list of checks."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from cfn import Stack


CHECKS: list[Callable[[Stack], None]] = []


def check(function: Callable[[Stack], None]) -> Callable[[Stack], None]:
    """Adds a function to the list of checks."""
    CHECKS.append(function)
    return function


IN_VPC = {"PreauthcodeFunction", "KeeperFunction"}
FUNCTIONS = IN_VPC | {"CallbackFunction"}
BINARIES = {"PreauthcodeFunction": "preauthcode", "CallbackFunction": "callback", "KeeperFunction": "keeper"}


def given(stack: Stack, name: str) -> str:
    return stack.parameters[name]


def creates_network(stack: Stack) -> bool:
    return given(stack, "ExistingSubnetIds") == ""


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
    return given(stack, "CredentialsSecretArn") or "${CredentialsSecret}"
