"""Helpers of the tests of `make deploy`: runs it, and looks at what is there."""

from __future__ import annotations

import json

import boto3
import deploy as script
import pytest
import small
from conftest import REGION, aws_describe
from stop import Refused


def deploy(dist: str, *words: str) -> int:
    return script.main([f"PACKAGE={dist}", "STACK=preauth", f"REGION={REGION}", *words])


def described(name: str = "preauth") -> dict | None:
    return aws_describe(name)


def policy(name: str = "preauth-network") -> dict:
    return json.loads(boto3.client("cloudformation").get_stack_policy(StackName=name)["StackPolicyBody"])


def foreign_network() -> list[str]:
    """A network that some other team made. The words that give it to a service."""
    name = "theirs"
    cloudformation = boto3.client("cloudformation")
    if not any(s["StackName"] == name for s in cloudformation.describe_stacks()["Stacks"]):
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(small.network()))
        small.associate(name)
    found = {o["OutputKey"]: o["OutputValue"] for o in described(name)["Outputs"] if o["OutputKey"] != "VpcId"}
    return [f"{key}={value}" for key, value in found.items()]


def refused(aws, dist: str, *words: str) -> Refused:
    """The refusal of a deployment, which changed nothing and left no change set."""
    executed, prepared, discarded = list(aws.executed), len(aws.prepared), len(aws.discarded)
    with pytest.raises(Refused) as caught:
        deploy(dist, "YES=1", *words)
    assert aws.executed == executed
    assert len(aws.prepared) - prepared == len(aws.discarded) - discarded
    assert str(caught.value).startswith(f"refused: {caught.value.name}: ")
    return caught.value


def elastic_ip() -> tuple[str, str]:
    made = boto3.client("ec2").allocate_address(Domain="vpc")
    return made["AllocationId"], made["PublicIp"]


def of_network(name: str, stack: str = "theirs") -> str:
    found = boto3.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return next(r["PhysicalResourceId"] for r in found if r["LogicalResourceId"] == name)


def network(**changed: str) -> list[str]:
    """The words of a network that somebody else made, some of them changed."""
    words = dict(word.split("=", 1) for word in foreign_network()) | changed
    return [f"{name}={value}" for name, value in words.items()]
