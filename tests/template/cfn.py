"""Turns template.yaml and network.yaml into the stacks that CloudFormation would create, without AWS.

Two steps, as in AWS: the SAM transform (samtranslator, the code that CloudFormation itself runs; template.yaml
alone needs it), then parameters, rules, conditions and intrinsic functions (``evaluator.py``).
"""

from __future__ import annotations

import copy
import functools
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from evaluator import (  # noqa: F401
    ACCOUNT, STACK, DependsOnAbsent, Evaluator, InvalidParameters, partition_of, placeholders, suffix_of,
)
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)

ROOT = Path(__file__).parents[2]
SERVICE, NETWORK = ROOT / "template.yaml", ROOT / "network.yaml"

# The parameters without a default. The service's are outputs of a network.
MINIMAL = {
    SERVICE: {
        "Minting": "on",
        "SubnetIds": "subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2",
        "SecurityGroupId": "sg-0aaaaaaaaaaaaaaa1",
        "EgressIps": "203.0.113.1,203.0.113.2",
        "DynamoDbEndpointId": "vpce-0aaaaaaaaaaaaaaa1",
    },
    NETWORK: {},
}


def load(file: Path = SERVICE) -> dict[str, Any]:
    """The template as written, with YAML's short forms as their JSON functions."""
    return yaml_parse(file.read_text(encoding="utf-8"))


def file_of(template: dict[str, Any]) -> Path:
    return SERVICE if "Transform" in template else NETWORK


def transform(template: dict[str, Any], region: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Applies the SAM transform. Code is replaced by a place in S3, as ``sam package`` does."""
    template = copy.deepcopy(template)
    if file_of(template) == NETWORK:
        return template
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/code.zip"
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=region))
    return translator.translate(template, dict(parameters), passthrough_metadata=True)


@dataclass
class Stack:
    """A stack as CloudFormation would create it."""

    region: str
    parameters: dict[str, str]
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    template: dict[str, Any] = field(repr=False)

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    @property
    def suffix(self) -> str:
        return suffix_of(self.region)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        assert name in self.resources, f"no resource {name}"
        return self.resources[name].get("Properties", {})

    def arn(self, service: str, rest: str, account: str = ACCOUNT) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{account}:{rest}"


def build(
    template: dict[str, Any], region: str = "us-east-1", zones: list[str] | None = None, **parameters: str
) -> Stack:
    """The stack that this template makes of these parameters in this region, which has these zones."""
    parameters = MINIMAL[file_of(template)] | parameters
    transformed = transform(template, region, parameters)
    evaluator = Evaluator(transformed, region, parameters, zones)
    return Stack(region, evaluator.values, evaluator.resources(), evaluator.outputs(), transformed)


@functools.cache
def _built(file: Path, region: str, parameters: tuple[tuple[str, str], ...]) -> Stack:
    return build(load(file), region, **dict(parameters))


def deployed(region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that template.yaml makes of these parameters. Do not change it: it is cached."""
    return _built(SERVICE, region, tuple(sorted(parameters.items())))


def network(region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that network.yaml makes of these parameters. Do not change it: it is cached."""
    return _built(NETWORK, region, tuple(sorted(parameters.items())))


def as_references(node: Any, known: set[str]) -> Any:
    """Turns the placeholders of known resources back into references."""
    if isinstance(node, dict):
        return {k: as_references(v, known) for k, v in node.items()}
    if isinstance(node, list):
        return [as_references(v, known) for v in node]
    if isinstance(node, str) and placeholders(node) & known:
        if match := re.fullmatch(r"\$\{(\w+)\}", node):
            return {"Ref": match[1]}
        if match := re.fullmatch(r"\$\{(\w+)\.([\w.]+)\}", node):
            return {"Fn::GetAtt": [match[1], match[2]]}
        return {"Fn::Sub": node}
    return node


def strings(node: Any):
    """Every string of a value, keys included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def dump(template: dict[str, Any]) -> str:
    return yaml.safe_dump(template, sort_keys=False, allow_unicode=True)
