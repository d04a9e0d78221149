"""Parameters, rules, conditions and intrinsic functions of a transformed template.

What only AWS can know stays as a placeholder: ``${Vpc}`` is the physical id of the resource ``Vpc``,
``${EgressIp1.AllocationId}`` an attribute of it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

ACCOUNT = "111122223333"
STACK = "preauth"


def placeholders(node: Any) -> set[str]:
    """The logical ids of all resources to which a value refers."""
    if isinstance(node, dict):
        return set().union(*map(placeholders, node.values()))
    if isinstance(node, list):
        return set().union(*map(placeholders, node))
    if isinstance(node, str):
        return set(re.findall(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?\}", node))
    return set()


class _NoValue:
    """``AWS::NoValue``: the property or list element goes away."""


NO_VALUE = _NoValue()


class InvalidParameters(ValueError):
    """CloudFormation would refuse these parameters before creating anything."""


def partition_of(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws"


def suffix_of(region: str) -> str:
    return "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"


class DependsOnAbsent(AssertionError):
    """A resource that is created depends on one whose condition is false."""


# The form of what CloudFormation looks up in the account.
LOOKED_UP = {"AWS::EC2::Subnet::Id": r"subnet-[0-9a-f]{8,17}", "AWS::EC2::SecurityGroup::Id": r"sg-[0-9a-f]{8,17}"}


def is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def element_type(kind: str) -> str:
    return kind.removeprefix("List<").removesuffix(">")


def elements(value: str) -> list[str]:
    """CloudFormation trims the elements of a list."""
    return [element.strip() for element in value.split(",")]


class Evaluator:
    """Evaluates one transformed template with these parameters."""

    def __init__(
        self, template: dict[str, Any], region: str, parameters: dict[str, str], zones: list[str] | None = None
    ):
        self.template = template
        self.region = region
        self.zones = zones or [f"{region}{letter}" for letter in "abc"]
        self.values = self._parameter_values(parameters)
        self.pseudo = {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": STACK,
            "AWS::Partition": partition_of(region),
            "AWS::URLSuffix": suffix_of(region),
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
            kind = parameter["Type"]
            # CloudFormation applies a pattern to each element of a list. Of AWS's own types it looks the values up.
            for element in elements(value) if is_list(kind) else [value]:
                for pattern in filter(None, (parameter.get("AllowedPattern"), LOOKED_UP.get(element_type(kind)))):
                    if not re.fullmatch(pattern, element):
                        raise InvalidParameters(f"{name}: {element!r} does not match {pattern}")
            if kind == "Number":
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
            value = self.values[name]
            return elements(value) if is_list(self.template["Parameters"][name]["Type"]) else value
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
                assert self.value(argument) in ("", self.region)
                return self.zones
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

    def resources(self) -> dict[str, Any]:
        """The resources whose condition holds."""
        kept = self._without_false_conditions(self.template["Resources"])
        resources = {}
        for name, resource in kept.items():
            resource = {k: v for k, v in resource.items() if k not in ("Condition", "Metadata")}
            names = resource.get("DependsOn", [])
            resource["DependsOn"] = [names] if isinstance(names, str) else names
            resources[name] = self.value(resource)
            # AWS: "If a resource with a condition isn't created, any resources that depend on that resource aren't
            # created either", and a Ref or GetAtt of it fails the template's validation.
            needed = set(resource["DependsOn"]) | placeholders(resources[name])
            if absent := needed - set(kept):
                raise DependsOnAbsent(f"{name} depends on what these parameters leave out: {sorted(absent)}")
        return resources

    def outputs(self) -> dict[str, Any]:
        """The values of the outputs whose condition holds."""
        kept = self._without_false_conditions(self.template.get("Outputs", {}))
        return {name: self.value(output["Value"]) for name, output in kept.items()}

    def _without_false_conditions(self, entries: dict[str, Any]) -> dict[str, Any]:
        return {n: e for n, e in entries.items() if "Condition" not in e or self.condition(e["Condition"])}
