"""The words of `make deploy NAME=value …`: options of the command, and parameters of the two templates."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import platform_name
from stop import Stop

# What a person may say beside the parameters.
OPTIONS = ("STACK", "REGION", "PROFILE", "PACKAGE", "BUCKET", "YES", "REGISTERED", "LIFT")
# Variables of the Makefile that concern no deployment.
OF_MAKE = ("VENV", "TEMPLATE_VENV", "SCAN_VENV", "STACK_VENV", "SHELL")


@dataclass
class Line:
    """What was said on the line."""

    options: dict[str, str] = field(default_factory=dict)
    service: dict[str, str] = field(default_factory=dict)
    network: dict[str, str] = field(default_factory=dict)

    def option(self, name: str, default: str = "") -> str:
        return self.options.get(name) or default

    def lifts(self) -> list[str]:
        return [id_ for id_ in self.option("LIFT").split(",") if id_]


def of_make(environment: Mapping[str, str]) -> list[str]:
    """The words of make's own command line.

    make hands their names down in MAKEFLAGS and their values in the environment, so no shell reads a value.
    """
    flags = environment.get("MAKEFLAGS", "")
    words = flags.split(" -- ", 1)[-1] if " -- " in f" {flags}" else ""
    names = [word.split("=", 1)[0].rstrip(":?+") for word in re.findall(r"(?:[^\s\\]|\\.)+", words) if "=" in word]
    return [f"{name}={environment[name]}" for name in names if name in environment]


def plain(name: str) -> str:
    """`EipAllocationId1`, `EIP_ALLOCATION_ID_1` and `EIP_ALLOCATION_ID1` name the same parameter."""
    return name.replace("_", "").lower()


def upper(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def parse(words: list[str], service: Mapping[str, dict], network: Mapping[str, dict]) -> Line:
    """Sorts the words. The mappings are the templates' parameters."""
    line = Line()
    known = {**dict.fromkeys(service), **dict.fromkeys(network)}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Stop(f"{word} is not of the form NAME=value.")
        if name in OF_MAKE:
            continue
        if name in OPTIONS:
            if value:
                line.options[name] = value
            continue
        parameter = name if name in known else _in_capitals(name, known)
        value = platform_name.stored(value) if parameter == platform_name.PARAMETER else value
        for template, given in ((service, line.service), (network, line.network)):
            if parameter in template:
                if given.setdefault(parameter, value) != value:
                    raise Stop(f"{parameter} is given twice, with different values.")
                if problem := wrong(template[parameter], value):
                    raise Stop(f"{parameter}={value}: {problem}")
    return line


def _in_capitals(name: str, known: Mapping[str, None]) -> str:
    found = [parameter for parameter in known if name.isupper() and plain(parameter) == plain(name)]
    if found:
        return found[0]
    written = {plain(n): n for n in (*known, *OPTIONS)}
    near = difflib.get_close_matches(plain(name), written, n=1, cutoff=0.5)
    hint = f" Did you mean {written[near[0]]}?" if near else ""
    raise Stop(f"{name} is no parameter of the templates and no option of this command.{hint}")


def wrong(parameter: Mapping, value: str) -> str | None:
    """Why the template does not allow the value. Otherwise CloudFormation says so when the network exists already."""
    values = [str(v) for v in parameter.get("AllowedValues", [])]
    if values and value not in values:
        return f"it must be one of {', '.join(values)}"
    pattern = parameter.get("AllowedPattern")
    parts = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    if pattern and not all(re.search(pattern, part.strip()) for part in parts):
        return f"it has not the form {pattern}"
    if parameter["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return "it is not a number"
        if not float(parameter.get("MinValue", "-inf")) <= float(value) <= float(parameter.get("MaxValue", "inf")):
            return "the number is out of range"
    return None


def values(template: Mapping[str, dict], given: Mapping[str, str], previous: Mapping[str, str]) -> dict[str, str]:
    """What each parameter will be: as given, else as before, else the default."""
    result = {}
    for name, parameter in template.items():
        if name in given:
            result[name] = given[name]
        elif name in previous:
            result[name] = previous[name]
        elif "Default" in parameter:
            result[name] = str(parameter["Default"])
    return result


def for_cloudformation(template: Mapping[str, dict], given: Mapping[str, str], previous: Mapping[str, str]) -> list[dict]:
    """The parameters of a change set. CloudFormation itself keeps the values that are not given."""
    kept = [{"ParameterKey": n, "UsePreviousValue": True} for n in template if n in previous and n not in given]
    return kept + [{"ParameterKey": n, "ParameterValue": v} for n, v in given.items() if n in template]


def missing(template: Mapping[str, dict], given: Mapping[str, str], previous: Mapping[str, str]) -> list[str]:
    """The parameters that have no default and no value."""
    return [name for name in template if name not in values(template, given, previous)]
