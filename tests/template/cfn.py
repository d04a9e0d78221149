"""Turns template.yaml into the stack that CloudFormation would create, without AWS.

Two steps, as in AWS: the SAM transform (samtranslator, the code that CloudFormation itself runs), then
parameters, rules, conditions and intrinsic functions (``evaluator.py``).
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
from evaluator import ACCOUNT, STACK, Evaluator, InvalidParameters, partition_of, suffix_of  # noqa: F401
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

# The parameters without a default.
MINIMAL = {"Minting": "on"}


def load() -> dict[str, Any]:
    """The template as written, with YAML's short forms as their JSON functions."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def transform(template: dict[str, Any], region: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Applies the SAM transform. Code is replaced by a place in S3, as ``sam package`` does."""
    template = copy.deepcopy(template)
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


def build(template: dict[str, Any], region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that this template makes of these parameters in this region."""
    parameters = MINIMAL | parameters
    transformed = transform(template, region, parameters)
    evaluator = Evaluator(transformed, region, parameters)
    return Stack(region, evaluator.values, evaluator.resources(), evaluator.outputs(), transformed)


@functools.cache
def _built(region: str, parameters: tuple[tuple[str, str], ...]) -> Stack:
    return build(load(), region, **dict(parameters))


def deployed(region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that template.yaml makes of these parameters. Do not change it: it is cached."""
    return _built(region, tuple(sorted(parameters.items())))


def placeholders(node: Any) -> set[str]:
    """The logical ids of all resources to which a value refers."""
    if isinstance(node, dict):
        return set().union(*(placeholders(v) for v in node.values())) if node else set()
    if isinstance(node, list):
        return set().union(*(placeholders(v) for v in node)) if node else set()
    if isinstance(node, str):
        return set(re.findall(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?\}", node))
    return set()


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
