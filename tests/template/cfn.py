"""Turns template.yaml into the stack that CloudFormation would create, without AWS.

Two steps, as in AWS: the SAM transform (samtranslator, the code that CloudFormation itself runs), then
parameters, rules, conditions and intrinsic functions. What only AWS can know stays as a placeholder:
``${Vpc}`` is the physical id of the resource ``Vpc``, ``${EgressIp1.AllocationId}`` an attribute of it.
"""

from __future__ import annotations

import copy
import functools
import ipaddress
import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
ACCOUNT = "111122223333"
STACK = "preauth"

# A parameter set that decides only what has no default.
MINIMAL = {"Minting": "on"}


class _NoValue:
    """``AWS::NoValue``: the property or list element goes away."""


NO_VALUE = _NoValue()


class InvalidParameters(ValueError):
    """CloudFormation would refuse these parameters before creating anything."""


def load() -> dict[str, Any]:
    """The template as written, with YAML's short forms as their JSON functions."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def partition_of(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws"


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
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        assert name in self.resources, f"no resource {name}"
        return self.resources[name].get("Properties", {})

    def arn(self, service: str, rest: str, account: str = ACCOUNT) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{account}:{rest}"

    def text(self) -> str:
        return json.dumps({"Resources": self.resources, "Outputs": self.outputs}, ensure_ascii=False)


class Evaluator:
    """Evaluates one transformed template. ``keep_references`` leaves Ref and GetAtt of resources, and
    strings with them, in CloudFormation's own form for somebody else to resolve."""

    def __init__(self, template: dict[str, Any], region: str, parameters: dict[str, str]):
        self.template = template
        self.region = region
        self.values = self._parameter_values(parameters)
        self.pseudo = {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": STACK,
            "AWS::Partition": partition_of(region),
            "AWS::URLSuffix": "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
        }
        self._conditions: dict[str, bool] = {}
        self._check_rules()

    def _parameter_values(self, given: dict[str, str]) -> dict[str, str]:
        declared = self.template["Parameters"]
        if unknown := set(given) - set(declared):
            raise InvalidParameters(f"unknown parameters: {sorted(unknown)}")
        values = {}
        for name, parameter in declared.items():
            if name not in given and "Default" not in parameter:
                raise InvalidParameters(f"{name} must have a value")
            value = str(given.get(name, parameter.get("Default")))
            allowed = [str(v) for v in parameter.get("AllowedValues", [])]
            if allowed and value not in allowed:
                raise InvalidParameters(f"{name}: {value!r} is not one of {allowed}")
            if (pattern := parameter.get("AllowedPattern")) and not re.fullmatch(pattern, value):
                raise InvalidParameters(f"{name}: {value!r} does not match {pattern}")
            if parameter["Type"] == "Number":
                number = float(value)
                low, high = float(parameter.get("MinValue", "-inf")), float(parameter.get("MaxValue", "inf"))
                if not low <= number <= high:
                    raise InvalidParameters(f"{name}: {value} is not within {low} and {high}")
            values[name] = value
        return values

    def _check_rules(self) -> None:
        for name, rule in self.template.get("Rules", {}).items():
            if "RuleCondition" in rule and not self.truth(rule["RuleCondition"]):
                continue
            for assertion in rule["Assertions"]:
                if not self.truth(assertion["Assert"]):
                    raise InvalidParameters(f"{name}: {assertion['AssertDescription']}")

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            self._conditions[name] = self.truth(self.template["Conditions"][name])
        return self._conditions[name]

    def truth(self, expression: Any) -> bool:
        ((function, argument),) = expression.items()
        match function:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                return str(self.value(argument[0])) == str(self.value(argument[1]))
            case "Fn::Not":
                return not self.truth(argument[0])
            case "Fn::And":
                return all(self.truth(each) for each in argument)
            case "Fn::Or":
                return any(self.truth(each) for each in argument)
            case "Fn::Contains":
                return self.value(argument[1]) in self.value(argument[0])
        raise AssertionError(f"{function} is not a condition function")

    def value(self, node: Any) -> Any:
        """The value of a node of the template."""
        if isinstance(node, list):
            return [v for v in (self.value(each) for each in node) if v is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((key, argument),) = node.items()
            if key == "Ref" or key == "Condition" and isinstance(argument, str) and argument in self.template["Conditions"]:
                return self.ref(argument)
            if key.startswith("Fn::"):
                return self.function(key, argument)
        return {k: v for k, v in ((k, self.value(v)) for k, v in node.items()) if v is not NO_VALUE}

    def ref(self, name: str) -> Any:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.values:
            return self.values[name]
        assert name in self.template["Resources"], f"Ref {name}: neither parameter nor resource"
        return f"${{{name}}}"

    def function(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::If":
                return self.value(argument[1] if self.condition(argument[0]) else argument[2])
            case "Fn::GetAtt":
                path = argument if isinstance(argument, str) else ".".join(argument)
                assert path.split(".")[0] in self.template["Resources"], f"GetAtt {path}: no such resource"
                return f"${{{path}}}"
            case "Fn::Sub":
                text, own = (argument, {}) if isinstance(argument, str) else argument
                own = {k: self.value(v) for k, v in own.items()}
                def replace(match: re.Match[str]) -> str:
                    key = match[1]
                    if key in own:
                        return str(own[key])
                    return str(self.function("Fn::GetAtt", key) if "." in key else self.ref(key))
                return re.sub(r"\$\{([^!}][^}]*)\}", replace, text)
            case "Fn::Join":
                parts = self.value(argument[1])
                assert all(isinstance(p, (str, int)) for p in parts), f"Join of {parts}"
                return argument[0].join(str(p) for p in parts)
            case "Fn::Split":
                return self.value(argument[1]).split(argument[0])
            case "Fn::Select":
                return self.value(argument[1])[int(argument[0])]
            case "Fn::GetAZs":
                return [f"{self.value(argument) or self.region}{letter}" for letter in "abc"]
            case "Fn::Cidr":
                block, count, bits = self.value(argument[0]), int(argument[1]), int(argument[2])
                subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - bits)
                return [str(next(subnets)) for _ in range(count)]
            case "Fn::FindInMap":
                table, *path = argument
                found = self.template["Mappings"][table]
                for key in path:
                    found = found[self.value(key)]
                return found
        raise AssertionError(f"{name} is not known here")

    def stack(self) -> Stack:
        kept = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }
        resources = {}
        for name, resource in kept.items():
            resource = {k: v for k, v in resource.items() if k not in ("Condition", "Metadata")}
            if "DependsOn" in resource:
                # CloudFormation drops dependencies on resources whose condition is false.
                names = resource["DependsOn"]
                names = [n for n in ([names] if isinstance(names, str) else names) if n in kept]
                resource["DependsOn"] = names
            resources[name] = self.value(resource)
        outputs = {
            name: self.value(output["Value"])
            for name, output in self.template.get("Outputs", {}).items()
            if "Condition" not in output or self.condition(output["Condition"])
        }
        return Stack(self.region, self.values, resources, outputs, self.template)


def build(template: dict[str, Any], region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that this template makes of these parameters in this region."""
    parameters = MINIMAL | parameters
    return Evaluator(transform(template, region, parameters), region, parameters).stack()


@functools.cache
def _built(region: str, parameters: tuple[tuple[str, str], ...]) -> Stack:
    return build(load(), region, **dict(parameters))


def deployed(region: str = "us-east-1", **parameters: str) -> Stack:
    """The stack that template.yaml makes of these parameters. Do not change it: it is cached."""
    return _built(region, tuple(sorted(parameters.items())))


def placeholders(node: Any) -> set[str]:
    """The logical ids of all resources that a value refers to."""
    if isinstance(node, dict):
        return set().union(*(placeholders(v) for v in node.values())) if node else set()
    if isinstance(node, list):
        return set().union(*(placeholders(v) for v in node)) if node else set()
    if isinstance(node, str):
        return set(re.findall(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?\}", node))
    return set()


def as_references(node: Any, known: set[str]) -> Any:
    """Placeholders of known resources, back into the references that they stand for."""
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
