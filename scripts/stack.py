"""Shared by the operators' scripts: the stack and its AWS clients."""

from __future__ import annotations

import argparse
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class Stop(Exception):
    """Ends a script with a message for the operator instead of a traceback."""


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--stack", default="wechat-preauth", help="name of the stack (default: %(default)s)")
    parser.add_argument("--region", help="AWS region (default: as configured)")
    parser.add_argument("--profile", help="AWS profile (default: as configured)")
    return parser


class Stack:
    """A deployed stack and the AWS clients to work on it."""

    def __init__(self, options: argparse.Namespace):
        self.name = options.stack
        self._session = boto3.session.Session(region_name=options.region, profile_name=options.profile)
        if not self._session.region_name:
            raise Stop("No region: give REGION=… or set AWS_REGION.")
        self.region = self._session.region_name

    def client(self, service: str):
        # The keeper may need 30 seconds. A retry would invoke it a second time.
        return self._session.client(service, config=Config(read_timeout=60, retries={"total_max_attempts": 1}))

    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                raise Stop(f"There is no stack {self.name} in {self.region}.") from error
            raise
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    def output(self, name: str) -> str:
        outputs = self.outputs()
        if name not in outputs:
            raise Stop(f"The stack {self.name} has no output {name}: is it wechat-preauth's, and fully created?")
        return outputs[name]


def run(main) -> None:
    """Runs a script's main function with its command line. Prints an error in one line."""
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"{stop}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"AWS: {error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Nothing was written.")
