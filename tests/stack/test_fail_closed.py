"""A function outside the network can use no state, and therefore calls nobody.

The condition on `aws:SourceVpce` is replaced by one on `aws:SourceIp`, which the emulator knows. Here it names another
address than the one that the functions come from.
"""

from __future__ import annotations

import pytest
from conftest import invoke

ACTIONS = [
    {"action": "refresh"},
    {"action": "refresh", "force": True},
    {"action": "diagnose"},
    {"action": "probe_address"},
    {"action": "get_quota"},
    {"action": "clear_quota", "confirm": True},
    {"action": "start_push_ticket"},
    {"action": "explain_rid", "rid": "5f92a0c3-4b491949-0aa4f69d"},
]


@pytest.fixture(scope="module")
def outside(deploy):
    """A stack whose functions come from another address than the state is open to."""
    made = deploy("outside", source_ip="203.0.113.7")
    # The callback needs no network: tickets arrive all the same.
    made.begin()
    return made


def test_a_caller_gets_no_code_and_wechat_no_call(aws, outside):
    caller = aws.user(outside.outputs["CallerPolicyArn"])
    answer = outside.code(caller)
    assert (answer.status, answer.json["code"]) == (503, "State.Unavailable"), answer
    assert "AccessDenied" in answer.json["detail"]
    assert outside.wechat.calls() == []


@pytest.mark.parametrize("event", ACTIONS, ids=lambda event: " ".join(map(str, event.values())))
def test_no_action_of_the_keeper_calls_wechat(aws, outside, event):
    answer = invoke(aws, outside.outputs["KeeperFunctionArn"], event)
    if event["action"] == "diagnose":
        assert "state" in answer["failed"], answer["text"]
    else:
        assert answer.get("errorType") == "State.Unavailable", answer
    assert outside.wechat.calls() == []
