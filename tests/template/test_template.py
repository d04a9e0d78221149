"""Every check on the template, for every combination of parameters, in both partitions."""

from __future__ import annotations

import cfn
import checks
import combos
import pytest


@pytest.mark.parametrize("region, name, parameters", combos.ALL, ids=combos.IDS)
def test_stack(region, name, parameters):
    stack = cfn.deployed(region, **parameters)
    for check in checks.CHECKS:
        check(stack)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Minting": "yes"},
        {"ExistingSubnetIds": "subnet-0aaaaaaaaaaaaaaa1"},
        {"ExistingSubnetIds": "subnet-0aaaaaaaaaaaaaaa1", "ExistingSecurityGroupId": "sg-0aaaaaaaaaaaaaaa1"},
        {"ExistingEgressIps": "198.51.100.1"},
        combos.EXISTING | {"SecretsManagerEndpoint": "true"},
        combos.EXISTING | {"ExistingEgressIps": "198.51.100.1;198.51.100.2"},
        {"EipAllocationId1": "eipalloc-0a0a0a0a0a0a0a0a1"},
        {"EipAllocationId2": "eipalloc-0a0a0a0a0a0a0a0a2"},
        {"EipAllocationId3": "eipalloc-0a0a0a0a0a0a0a0a3"},
        {"EipAddress1": "2001:db8::1"},
        {"CustomDomainName": "wx.example.com"},
        {"LogLevel": "WARN"},
        {"WechatApiHosts": "http://api.weixin.qq.com"},
        {"CallbackRateLimit": "5"},
        {"CallerPrincipals": "*"},
        {"VpcCidr": "10.0.0.0/28"},
    ],
    ids=lambda wrong: " ".join(f"{k}={v}" for k, v in wrong.items()),
)
def test_wrong_parameters_are_refused_before_anything_is_created(wrong):
    with pytest.raises(cfn.InvalidParameters):
        cfn.deployed(**wrong)


def test_arm64_is_refused_in_china():
    with pytest.raises(cfn.InvalidParameters, match="arm64"):
        cfn.deployed("cn-northwest-1", Architecture="arm64")


def test_minting_must_be_given():
    template = cfn.transform(cfn.load(), "us-east-1", {"Minting": "on"})
    with pytest.raises(cfn.InvalidParameters, match="Minting must have a value"):
        cfn.Evaluator(template, "us-east-1", {})


def test_a_change_to_per_az_keeps_the_first_address_and_its_nat_gateway():
    """CloudFormation replaces a changed NAT gateway. The old one still holds the address, so the update fails."""
    one = cfn.deployed()
    per_zone = cfn.deployed(NatMode="per-az", EipAllocationId2=combos.EIPS["EipAllocationId2"], EipAddress2="203.0.113.12")
    for name in ("Nat1", "EgressIp1", "PublicSubnet1", "PrivateSubnet1", "PrivateSubnet2", "PrivateRouteTable2"):
        assert one.resources[name] == per_zone.resources[name]
    # The second zone's route changes its target in place.
    before, after = (dict(s.properties("PrivateDefaultRoute2")) for s in (one, per_zone))
    assert (before.pop("NatGatewayId"), after.pop("NatGatewayId")) == ("${Nat1}", "${Nat2}")
    assert before == after
    assert per_zone.outputs["EgressIps"] == "${EgressIp1};203.0.113.12"


def test_changed_parameters_reach_the_alias_and_the_stage():
    """SAM's hashes ignore parameters, so nothing may depend on a version or deployment that SAM names by a hash."""
    template = cfn.load()
    assert template["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True
    for region in combos.REGIONS:
        stack = cfn.deployed(region)
        assert not stack.of_type("AWS::Lambda::Version")


def test_every_parameter_is_in_the_console_groups():
    template = cfn.load()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


def test_every_condition_is_used():
    template = cfn.load()
    text = cfn.dump({k: v for k, v in template.items() if k != "Conditions"})
    others = cfn.dump(template["Conditions"])
    for name in template["Conditions"]:
        assert name in text or others.count(name) > 1, f"condition {name} is not used"


def test_what_cloudformation_stores_is_ascii():
    """CloudFormation turns other characters into question marks."""
    for text in cfn.strings(cfn.load()):
        assert text.isascii(), text


def test_no_description_is_longer_than_cloudformation_takes():
    template = cfn.load()
    for name, output in template["Outputs"].items():
        assert len(output["Description"]) <= 1024, name
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) <= 4000, name
    assert len(template["Parameters"]) <= 200 and len(template["Outputs"]) <= 200
    assert len(cfn.TEMPLATE.read_bytes()) < 1_000_000
