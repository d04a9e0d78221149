"""An update of code and of parameters while tickets, events and code requests go on."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from conftest import invoke
from merchant import Merchant

# The emulator ends a function's processes at once when its configuration changes; Lambda lets them finish. A request
# that was in one of them gets this answer. Everything else counts.
LAUNCH = 'method="post" action="/authorize/'
CUT_OFF = ("bootstrap exited during init with code -1", "Runtime exited before returning a response")


@pytest.fixture(scope="module")
def living(deploy):
    made = deploy("living", with_pages=True)
    made.begin()
    return made


class Traffic:
    """Requests of one kind, one after the other, until it is stopped."""

    def __init__(self, once):
        self.answers: list[str] = []
        self._ends = threading.Event()
        self._once = once
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends.is_set():
            answer = self._once()
            self.answers.append(answer.text if answer.status == 200 else f"{answer.status} {answer.text}")
            time.sleep(0.02)

    def go_on(self) -> None:
        """Waits for five answers more."""
        enough = len(self.answers) + 5
        for _ in range(600):
            if len(self.answers) >= enough:
                return
            time.sleep(0.1)
        raise AssertionError(self.answers)

    def stop(self) -> list[str]:
        self._ends.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.answers


def test_no_request_fails_while_code_and_parameters_change(aws, living):
    caller = aws.user(living.outputs["CallerPolicyArn"])
    # A token is there, so that no request is cut off while it mints: the next ones would wait for its lease.
    assert living.code(caller).status == 200
    merchant, link = Merchant(living), living.link(caller).json["url"]
    traffic = {
        "codes": Traffic(lambda: living.code(caller)),
        "tickets": Traffic(lambda: living.push(new_ticket=True)),
        "events": Traffic(lambda: living.push(event="unauthorized")),
        "visits": Traffic(lambda: merchant.open(link)),
    }
    changes = [
        lambda: living.update(LogLevel="DEBUG", RetentionDays="60"),
        lambda: (living.release("another build"), living.update()),
        # Without minting the stored token serves callers on.
        lambda: living.update(Minting="off"),
        lambda: living.update(Minting="on", EgressIps="127.0.0.1,203.0.113.8"),
    ]
    configuration = lambda: aws.client("lambda").get_function_configuration(FunctionName="living-keeper")  # noqa: E731
    try:
        before = configuration()
        for change in changes:
            change()
            for requests in traffic.values():
                requests.go_on()
        after = configuration()
    finally:
        answers = {kind: requests.stop() for kind, requests in traffic.items()}
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["Environment"]["Variables"]["EGRESS_IPS"] == "127.0.0.1,203.0.113.8"
    for kind, seen in answers.items():
        failed = [answer for answer in seen if not ("pre_auth_code" in answer or answer == "success" or LAUNCH in answer)]
        cut_off = [answer for answer in failed if any(text in answer for text in CUT_OFF)]
        assert failed == cut_off, kind
        # One request at a time can be in a process that ends.
        assert len(cut_off) <= len(changes), kind
    assert living.wechat.calls().count("/cgi-bin/component/api_component_token") == 1, "the token outlives the changes"


def test_the_last_release_is_updated_to_this_version(aws, deploy):
    """Ticket, token and secrets stay, and callers go on with the policy that they have."""
    if not (directory := os.environ.get("LAST_RELEASE")):
        pytest.skip("LAST_RELEASE names no directory with the templates of the last release")
    made = deploy("released", directory=Path(directory))
    made.begin()
    caller = aws.user(made.outputs["CallerPolicyArn"])
    assert made.code(caller).status == 200
    before = made.outputs
    made.take_this_version()
    assert before.items() <= made.outputs.items(), "outputs keep their names and values"
    assert made.code(caller).status == 200
    assert made.push(new_ticket=True).text == "success"
    assert made.wechat.calls().count("/cgi-bin/component/api_component_token") == 1


def test_minting_off_and_on_again(aws, living):
    keeper, refresh = living.outputs["KeeperFunctionArn"], {"action": "refresh", "force": True}
    mints = lambda: living.wechat.calls().count("/cgi-bin/component/api_component_token")  # noqa: E731
    before = mints()
    assert "TokenHandoverFunctionArn" not in living.outputs
    living.update(Minting="off")
    assert living.outputs["TokenHandoverFunctionArn"].endswith(":function:living-keeper:handover")
    invoke(aws, keeper, refresh)
    assert mints() == before
    living.update(Minting="on")
    assert "TokenHandoverFunctionArn" not in living.outputs
    assert "errorType" not in invoke(aws, keeper, refresh)
    assert mints() == before + 1
