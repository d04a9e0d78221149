"""AWS on loopback: an emulator that checks signatures and permissions, and clients for its users."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

MAIN = Path(__file__).with_name("emulator_main.py")
REGION = "us-east-1"
ROOT = Credentials("test", "test")
# One attempt: a refusal must be seen, and no invocation repeated.
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=60)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(answers: Callable[[], Any], stop: Callable[[], None], log: Path) -> None:
    """Waits until a program that was started answers. One that does not is stopped."""
    for _ in range(300):
        try:
            answers()
            return
        except OSError:
            time.sleep(0.1)
    stop()
    raise AssertionError(f"no answer: {log.read_text()[-2000:]}")


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Emulator:
    """One emulator process with nothing in it."""

    def __init__(self, directory: Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log, self._decisions = directory / "emulator.log", directory / "decisions.jsonl"
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # The emulator unpacks every function's code into the folder for temporary files, and leaves it there.
        self._temporary = tempfile.TemporaryDirectory(prefix="emulator-")
        # AWS_ENDPOINT_URL is handed on to the functions.
        env |= {"AUTH": "true", "GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "AWS_ENDPOINT_URL": self.url,
                "DECISIONS": str(self._decisions), "TMPDIR": self._temporary.name}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, MAIN], env=env, cwd=directory, stdout=log, stderr=subprocess.STDOUT)
        self._users = 0
        wait_until(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close(), self.stop, self.log)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._temporary.cleanup()

    def decisions(self, role: str) -> list[dict[str, Any]]:
        """The calls made under a role so far: action, resource, and whether it was allowed."""
        return [line for line in self._all_decisions() if f":assumed-role/{role}/" in (line["principal"] or "")]

    def decisions_of(self, user: Credentials) -> list[dict[str, Any]]:
        """The calls made by a user so far."""
        arn = self.client("sts", user).get_caller_identity()["Arn"]
        return [line for line in self._all_decisions() if line["principal"] == arn]

    def _all_decisions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._decisions.read_text(encoding="utf-8").splitlines()]

    def client(self, service: str, user: Credentials = ROOT):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, config=ONCE,
            aws_access_key_id=user.access_key, aws_secret_access_key=user.secret_key, aws_session_token=user.token,
        )

    def user(self, *policies: str | dict[str, Any]) -> Credentials:
        """A new user with these policies: ARNs, or documents."""
        iam = self.client("iam")
        self._users += 1
        name = f"user-{self._users}"
        iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            if isinstance(policy, str):
                iam.attach_user_policy(UserName=name, PolicyArn=policy)
            else:
                iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def http(self, method: str, api: str, path: str, body: str = "", user: Credentials | None = None) -> Answer:
        """A request to the stage `live`, signed when there is a user."""
        host = f"{api}.execute-api.localhost:{self.port}"
        headers = {"content-type": "application/json"}
        if user:
            signed = AWSRequest(method, f"http://{host}/live{path}", data=body, headers=headers)
            SigV4Auth(user, "execute-api", REGION).add_auth(signed)
            headers = dict(signed.headers)
        headers["Host"] = host
        request = urllib.request.Request(f"{self.url}/live{path}", body.encode() or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())


def everything(aws: Emulator, stack: str) -> set[str]:
    """The names of all that belongs to a stack by its name, of every kind that the template can make."""
    lists = [
        ("lambda", "list_functions", "Functions", "FunctionName", {}),
        ("dynamodb", "list_tables", "TableNames", None, {}),
        ("secretsmanager", "list_secrets", "SecretList", "Name", {}),
        ("iam", "list_roles", "Roles", "RoleName", {}),
        ("iam", "list_policies", "Policies", "PolicyName", {"Scope": "Local"}),
        ("events", "list_event_buses", "EventBuses", "Name", {}),
        ("events", "list_rules", "Rules", "Name", {}),
        ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
        ("apigateway", "get_rest_apis", "items", "name", {}),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
    ]
    names = set()
    for service, operation, key, name, arguments in lists:
        client = aws.client(service)
        if client.can_paginate(operation):
            found = client.get_paginator(operation).paginate(**arguments).build_full_result()
        else:
            found = getattr(client, operation)(**arguments)
            assert "NextToken" not in found, operation
        names |= {entry[name] if name else entry for entry in found.get(key, [])}
    return {name for name in names if name == stack or name.startswith((f"{stack}-", f"/aws/lambda/{stack}-"))}
