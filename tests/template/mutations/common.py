"""How a mutation is declared, and how it finds its place in the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from cfn import NETWORK, SERVICE, Stack
from checks.common import SERVICE_CHECKS

Template = dict[str, Any]
MUTATIONS: list[Any] = []


def mutation(caught_by: Callable[[Stack], None], region: str = "us-east-1", file: Path | None = None, **parameters: str):
    """Adds a function that breaks one rule in a template. The parameters are those under which it matters.

    The template is the one that the check is for. Where it is for both, `file` says which one is broken.
    """
    file = file or (SERVICE if caught_by in SERVICE_CHECKS else NETWORK)

    def register(change: Callable[[Template], None]):
        MUTATIONS.append(pytest.param(file, change, caught_by, region, parameters, id=change.__name__))
        return change
    return register


def properties(template: Template, name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def statements(template: Template, name: str) -> list[dict[str, Any]]:
    """The statements of a policy, or of a role's own policy."""
    found = properties(template, name)
    found = found["Policies"][0] if "Policies" in found else found
    return found["PolicyDocument"]["Statement"]


def by_sid(template: Template, name: str, sid: str) -> dict[str, Any]:
    return next(s for s in statements(template, name) if s.get("Sid") == sid)
