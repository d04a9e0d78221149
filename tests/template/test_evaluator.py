"""The evaluator treats a template as CloudFormation does. The other tests rest on it."""

from __future__ import annotations

import pytest
from evaluator import DependsOnAbsent, Evaluator, InvalidParameters

QUEUE = {"Type": "AWS::SQS::Queue"}


def stack(resources, parameters=None, **given):
    template = {
        "Parameters": parameters or {},
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Absent": QUEUE | {"Condition": "Never"}, "Present": QUEUE} | resources,
    }
    return Evaluator(template, "us-east-1", given)


@pytest.mark.parametrize(
    "needy",
    [
        QUEUE | {"DependsOn": "Absent"},
        QUEUE | {"DependsOn": ["Present", "Absent"]},
        QUEUE | {"Properties": {"Name": {"Ref": "Absent"}}},
        QUEUE | {"Properties": {"Name": {"Fn::GetAtt": ["Absent", "QueueName"]}}},
        QUEUE | {"Properties": {"Name": {"Fn::Sub": "${Absent.Arn}/x"}}},
    ],
    ids=["DependsOn", "DependsOn in a list", "Ref", "GetAtt", "Sub"],
)
def test_a_resource_that_needs_an_absent_one_is_refused(needy):
    with pytest.raises(DependsOnAbsent, match="Needy depends on what these parameters leave out: .'Absent'."):
        stack({"Needy": needy}).resources()


def test_a_reference_in_the_branch_that_is_not_taken_is_no_dependency():
    name = {"Fn::If": ["Never", {"Ref": "Absent"}, {"Ref": "Present"}]}
    found = stack({"Careful": QUEUE | {"DependsOn": "Present", "Properties": {"Name": name}}}).resources()
    assert found["Careful"] == QUEUE | {"DependsOn": ["Present"], "Properties": {"Name": "${Present}"}}


LIST = {"L": {"Type": "CommaDelimitedList", "AllowedPattern": r"\d+"}}


def test_a_list_parameter_is_a_list_and_its_elements_are_trimmed():
    assert stack({}, LIST, L="1, 2 ,3").value({"Ref": "L"}) == ["1", "2", "3"]
    assert stack({}, LIST, L="1,2").value({"Fn::Join": [";", {"Ref": "L"}]}) == "1;2"
    assert stack({}, LIST, L="1,2").value({"Fn::Select": [1, {"Ref": "L"}]}) == "2"


@pytest.mark.parametrize("value", ["1,x", "x", "", "1,,2"])
def test_every_element_of_a_list_must_match_the_pattern(value):
    with pytest.raises(InvalidParameters):
        stack({}, LIST, L=value)


@pytest.mark.parametrize(
    "kind, right, wrong",
    [
        ("List<AWS::EC2::Subnet::Id>", "subnet-0aaaaaaa1,subnet-0aaaaaaa2", "subnet-0aaaaaaa1,sg-0aaaaaaa1"),
        ("AWS::EC2::SecurityGroup::Id", "sg-0aaaaaaa1", "subnet-0aaaaaaa1"),
        ("AWS::EC2::SecurityGroup::Id", "sg-0aaaaaaa1", "sg-0aaaaaaa1,sg-0aaaaaaa2"),
    ],
)
def test_ids_of_another_kind_are_refused(kind, right, wrong):
    stack({}, {"P": {"Type": kind}}, P=right)
    with pytest.raises(InvalidParameters):
        stack({}, {"P": {"Type": kind}}, P=wrong)
