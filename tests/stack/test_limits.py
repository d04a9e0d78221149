"""The table of what the emulator cannot show follows the templates."""

from __future__ import annotations

import json

import pytest
import statements
from limits import IMITATED, LEFT_OUT, LIMITS, NOT_SHOWN, REPLACED, parts
from service import template

MADE = template()
RESOURCES = MADE["Resources"] | template(name="network.yaml")["Resources"]
TEXT = json.dumps([MADE, RESOURCES])


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.kind} {limit.part}")
def test_each_entry_names_a_part_of_a_template(limit):
    if limit.kind == LEFT_OUT:
        assert limit.part in RESOURCES
    elif "." in limit.part:
        assert limit.part in statements.of_roles(MADE) | statements.of_managed_policies(MADE)
    else:
        assert f'"{limit.part}"' in TEXT or f"<{limit.part}>" in TEXT


def test_no_entry_is_there_twice():
    assert len({(limit.kind, limit.part) for limit in LIMITS}) == len(LIMITS)
    assert {limit.kind for limit in LIMITS} == {LEFT_OUT, REPLACED, IMITATED, NOT_SHOWN}


def test_what_is_left_out_is_nothing_that_callers_or_wechat_use():
    """Alarms, their dashboard, the archive and the bus's policy. Nothing else may join them unnoticed."""
    types = {RESOURCES[name]["Type"] for name in parts(LEFT_OUT)}
    assert types == {"AWS::Events::Archive", "AWS::Events::EventBusPolicy", "AWS::CloudWatch::Alarm",
                     "AWS::CloudWatch::Dashboard"}
