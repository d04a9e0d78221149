"""Both templates stay short and plain, and hold nothing that CloudFormation or a reader stumbles over."""

from __future__ import annotations

import json
import re

import cfn
import combos
import pytest
import yaml

FILES = [cfn.SERVICE, cfn.NETWORK]
both = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def lines(text: str) -> list[str]:
    return text.splitlines()


def too_long(text: str) -> list[str]:
    return [line for line in lines(text) if len(line) > 120]


def test_both_files_together_have_at_most_1700_lines():
    """A reader can still go through them. 300 lines are the merchant's pages: a function with its role, alias, logs and
    alarm, and an API of its own with three pages of text for what API Gateway answers by itself."""
    assert sum(len(lines(file.read_text(encoding="utf-8"))) for file in FILES) <= 1700


@both
def test_no_line_has_more_than_120_characters(file):
    assert not too_long(file.read_text(encoding="utf-8"))


def test_the_service_has_at_most_24_parameters():
    """Five must be given, and the rest have defaults. Three are the pages': their origin, which only the owner knows,
    the name that merchants read, and where WeChat's pages are, for tests against a simulator."""
    parameters = cfn.load(cfn.SERVICE)["Parameters"]
    assert len(parameters) <= 24
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} == set(cfn.MINIMAL[cfn.SERVICE])


def test_the_functions_come_first():
    kinds = [resource["Type"] for resource in cfn.load(cfn.SERVICE)["Resources"].values()]
    assert kinds[:4] == ["AWS::Serverless::Function"] * 4


def shared_nodes(text: str) -> list[str]:
    """Anchors and aliases, which make a reader jump and which SAM's own YAML reader expands unseen."""
    return [
        f"line {event.start_mark.line + 1}"
        for event in yaml.parse(text)
        if getattr(event, "anchor", None)
    ]


@both
def test_there_are_no_yaml_anchors(file):
    assert not shared_nodes(file.read_text(encoding="utf-8"))


def functions_used(node) -> set[str]:
    return {text for text in cfn.strings(node) if re.match(r"Fn::", text)}


@both
def test_only_functions_that_every_region_knows_are_used(file):
    """Fn::ForEach and the others of AWS::LanguageExtensions need a transform that China may not have."""
    template = cfn.load(file)
    assert not [name for name in functions_used(template) if re.match("Fn::(ForEach|Length|ToJsonString|FindInMap)", name)]
    assert template.get("Transform") in (None, "AWS::Serverless-2016-10-31")


def suppressions(template) -> list[str]:
    """What a linter reads from the template itself. It belongs into .cfnlintrc and .checkov.yaml, with a reason."""
    places = {"template": template.get("Metadata", {})}
    places |= {name: r.get("Metadata", {}) for name, r in template["Resources"].items()}
    ours = {"AWS::CloudFormation::Interface", "BuildMethod", "BuildProperties"}
    return [f"{place}: {key}" for place, metadata in places.items() for key in metadata if key not in ours]


@both
def test_linters_are_configured_in_their_own_files(file):
    assert not suppressions(cfn.load(file))


@both
def test_what_cloudformation_stores_is_ascii(file):
    """CloudFormation turns other characters into question marks."""
    for text in cfn.strings(cfn.load(file)):
        assert text.isascii(), text


@both
def test_no_text_is_longer_than_cloudformation_takes(file):
    template = cfn.load(file)
    assert len(template["Description"]) <= 1024
    for name, output in template["Outputs"].items():
        assert 0 < len(output["Description"]) <= 1024, name
    for name, parameter in template["Parameters"].items():
        assert 0 < len(parameter["Description"]) <= 4000, name
    assert len(file.read_bytes()) < 1_000_000


@both
def test_every_condition_is_used(file):
    template = cfn.load(file)
    text = cfn.dump({k: v for k, v in template.items() if k != "Conditions"})
    others = cfn.dump(template["Conditions"])
    for name in template["Conditions"]:
        assert name in text or others.count(name) > 1, f"condition {name} is not used"


@both
def test_every_parameter_is_used(file):
    template = cfn.load(file)
    used = cfn.dump({k: template[k] for k in ("Conditions", "Resources", "Outputs", "Globals") if k in template})
    for name in template["Parameters"]:
        assert re.search(rf"\b{name}\b", used), f"parameter {name} is not used"


def test_every_parameter_of_the_service_is_in_the_console_groups():
    template = cfn.load()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


@pytest.mark.parametrize("region", combos.REGIONS)
def test_a_dashboards_json_has_no_line_break_inside_a_string(region):
    """json.loads refuses them, and CloudWatch does. The template's line breaks are between the values."""
    dashboards = cfn.deployed(region).of_type("AWS::CloudWatch::Dashboard")
    assert len(dashboards) == 1
    for dashboard in dashboards.values():
        assert json.loads(dashboard["DashboardBody"])["widgets"]


def test_each_rule_of_this_page_can_be_broken():
    assert too_long("x" * 121) and not too_long("x" * 120)
    assert shared_nodes("a: &anchor 1\nb: *anchor") == ["line 1", "line 2"]
    assert functions_used({"Fn::ForEach::Alarms": []}) == {"Fn::ForEach::Alarms"}
    broken = cfn.load()
    broken["Resources"]["StateTable"]["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W"]}}}
    broken["Metadata"]["checkov"] = {}
    assert suppressions(broken) == ["template: checkov", "StateTable: cfn-lint"]
    with pytest.raises(ValueError):
        json.loads('{"title": "two\nlines"}')
