"""Shared by the operators' scripts: a deployed stack, its AWS clients, and how a script ends."""

from __future__ import annotations

import argparse
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cloudformation import CloudFormation
from stop import Stop


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--stack", default="wechat-preauth", help="name of the stack (default: %(default)s)")
    parser.add_argument("--region", help="AWS region (default: as configured)")
    parser.add_argument("--profile", help="AWS profile (default: as configured)")
    return parser


class Account:
    """The AWS clients of one account and region."""

    def __init__(self, region: str | None, profile: str | None):
        self._session = boto3.session.Session(region_name=region or None, profile_name=profile or None)
        if not self._session.region_name:
            raise Stop("No region: give REGION=… or set AWS_REGION.")
        self.region = self._session.region_name
        self._clients: dict[str, object] = {}
        self.cloudformation = CloudFormation(self.client("cloudformation"))

    def client(self, service: str):
        # The keeper may need 30 seconds. A retry would invoke it a second time.
        once, again = Config(read_timeout=60, retries={"total_max_attempts": 1}), Config(retries={"mode": "standard"})
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=once if service == "lambda" else again)
        return self._clients[service]

    def id(self) -> str:
        return self.client("sts").get_caller_identity()["Account"]


class Stack:
    """A deployed stack."""

    def __init__(self, options: argparse.Namespace):
        self.name = options.stack
        self.account = Account(options.region, options.profile)
        self.region = self.account.region

    def client(self, service: str):
        return self.account.client(service)

    def describe(self) -> dict:
        """The stack as CloudFormation describes it."""
        stack = self.account.cloudformation.describe(self.name)
        if stack is None:
            raise Stop(f"There is no stack {self.name} in {self.region}.")
        return stack

    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        return outputs(self.describe())

    def output(self, name: str) -> str:
        found = self.outputs()
        if name not in found:
            raise Stop(f"The stack {self.name} has no output {name}: is it wechat-preauth's, and fully created?")
        return found[name]


def outputs(stack: dict) -> dict[str, str]:
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}


def parameters(stack: dict) -> dict[str, str]:
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", [])}


def split(value: str) -> list[str]:
    """The parts of a list that is joined by commas, as parameters and outputs hold it."""
    return [part.strip() for part in value.split(",") if part.strip()]


def run(main) -> None:
    """Runs a script's main function with its command line. Prints an error in one line."""
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"{stop}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"AWS: {error}")
    except (KeyboardInterrupt, EOFError):
        sys.exit("\nStopped. What AWS has begun already goes on.")
