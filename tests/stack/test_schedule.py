"""The keeper's schedule mints a token before anyone asks. The stack was made with the first test, a minute ago."""

from __future__ import annotations

import time

from wechat import APPID

# The schedule's minute, and what a slow machine needs to start a process.
LONGEST_WAIT_S = 90


def test_the_schedule_wakes_the_keeper_which_mints(aws, unattended):
    mints = [call for call in wait_for_calls(unattended) if call.endswith("api_component_token")]
    assert len(mints) == 1, "one token, and no second one by the next run"
    table = {"TableName": unattended.outputs["StateTableName"], "Key": {"pk": {"S": f"token#{APPID}"}}}
    assert aws.client("dynamodb").get_item(**table)["Item"]["value"]["S"]
    # The keeper alone was at work.
    names = unattended.resources()
    assert aws.decisions(names["KeeperRole"])
    assert not aws.decisions(names["PreauthcodeRole"])


def wait_for_calls(service) -> list[str]:
    for _ in range(LONGEST_WAIT_S * 2):
        if calls := service.wechat.calls():
            return calls
        time.sleep(0.5)
    raise AssertionError("the schedule did not wake the keeper")
