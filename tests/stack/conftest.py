"""The whole service on this machine: its stack on an emulated AWS with permissions enforced, and WeChat simulated."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from emulator import Credentials, Emulator  # noqa: E402
from limits import LIMITS  # noqa: E402
from service import Service  # noqa: E402
from wechat import WeChat  # noqa: E402

# The programs under test. The variable names another folder, for example of a release build.
PROGRAMS = Path(os.environ.get("PROGRAMS", HERE.parents[1] / "target/debug"))
# The first test starts what needs a minute; the last ones look at it, and delete it. Others look at the calls that the
# first modules made.
FIRST, LAST = ("test_pages", "test_front_door"), ("test_schedule", "test_deletion", "test_logs")


def pytest_collection_modifyitems(items) -> None:
    order = {name: position for position, name in enumerate(FIRST, -len(FIRST))}
    order |= {name: position for position, name in enumerate(LAST, 1)}
    items.sort(key=lambda item: order.get(item.module.__name__, 0))


def pytest_terminal_summary(terminalreporter) -> None:
    terminalreporter.section("what the emulator cannot show")
    for limit in LIMITS:
        terminalreporter.write_line(f"{limit.kind:9} {limit.part}: {limit.reason}")


@pytest.fixture(scope="session")
def simulators(tmp_path_factory):
    """Starts simulators of WeChat. All end with the tests, whatever fails."""
    with contextlib.ExitStack() as started:
        def start(name: str) -> WeChat:
            simulator = WeChat(PROGRAMS / "wechat-sim", tmp_path_factory.mktemp(name))
            started.callback(simulator.stop)
            return simulator

        yield start


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("aws"))
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def deploy(aws, simulators):
    """Deploys a stack with a simulator of its own."""
    def make(name: str, kind: type[Service] = Service, **parameters: Any) -> Service:
        return kind(aws, simulators(name), PROGRAMS, name, **parameters)

    return make


@pytest.fixture(scope="session")
def administrator(aws) -> Credentials:
    return aws.user({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@pytest.fixture(scope="session", autouse=True)
def unattended(deploy) -> Service:
    """A stack that nobody calls: only its schedule wakes it. It is the first, because a schedule takes a minute."""
    made = deploy("unattended", with_pages=True)
    made.begin()
    return made


@pytest.fixture(scope="session")
def service(deploy) -> Service:
    """The stack with two secrets, filled, with a ticket, and with the merchant's pages."""
    made = deploy("preauth", with_pages=True)
    made.begin()
    return made


@pytest.fixture(scope="session")
def wechat(service) -> WeChat:
    return service.wechat


@pytest.fixture(scope="session")
def caller(aws, service) -> Credentials:
    """A user with nothing but the policy for callers."""
    return aws.user(service.outputs["CallerPolicyArn"])


def invoke(aws: Emulator, function: str, event: dict, user: Credentials | None = None) -> dict:
    """The answer of a direct invocation; of a failed one `errorType` and the problem."""
    client = aws.client("lambda", user) if user else aws.client("lambda")
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read() or b"null")
