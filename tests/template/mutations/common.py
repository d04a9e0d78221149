"""How a mutation is declared, and how it finds its place in the template."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from cfn import Stack

Template = dict[str, Any]
MUTATIONS: list[Any] = []


def mutation(caught_by: Callable[[Stack], None], region: str = "us-east-1", **parameters: str):
    """Adds a function that breaks one rule in the template. The parameters are those under which it matters."""
    def register(change: Callable[[Template], None]):
        MUTATIONS.append(pytest.param(change, caught_by, region, parameters, id=change.__name__))
        return change
    return register


def properties(template: Template, name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def role(template: Template, name: str) -> list[dict[str, Any]]:
    return properties(template, f"{name}Role")["Policies"][0]["PolicyDocument"]["Statement"]


def by_sid(template: Template, name: str, sid: str) -> dict[str, Any]:
    return next(s for s in role(template, name) if s.get("Sid") == sid)
