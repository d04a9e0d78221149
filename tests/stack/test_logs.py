"""What the functions and the emulator logged during all these tests holds no secret."""

from __future__ import annotations

import subprocess
import sys

from service import FUNCTIONS, ROOT


def test_no_secret_is_in_a_log(aws, service, tmp_path):
    logs = aws.client("logs")
    (tmp_path / "emulator.log").write_bytes(aws.log.read_bytes())
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        lines = [event["message"] for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
                 for event in page["events"]]
        (tmp_path / f"{name.replace('/', '_')}.log").write_text("\n".join(lines), encoding="utf-8")
    for program in FUNCTIONS.values():
        log = tmp_path / f"_aws_lambda_{service.name}-{program}.log"
        assert '"level"' in log.read_text(encoding="utf-8"), "the search has something to search"
    search = [sys.executable, ROOT / "scripts/find-secrets.py", tmp_path]
    searched = subprocess.run(search, capture_output=True, text=True, check=False)
    assert searched.returncode == 0, searched.stdout + searched.stderr
