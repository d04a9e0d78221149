"""Each check reports a template that breaks its rule. Without these tests a check could be one that cannot fail."""

from __future__ import annotations

import cfn
import checks
import pytest
from mutations import MUTATIONS


@pytest.mark.parametrize("file, change, caught_by, region, parameters", MUTATIONS)
def test_broken_template_is_caught(file, change, caught_by, region, parameters):
    sound = cfn.deployed if file == cfn.SERVICE else cfn.network
    caught_by(sound(region, **parameters))  # sound before
    template = cfn.load(file)
    change(template)
    broken = cfn.build(template, region, **parameters)
    with pytest.raises(AssertionError):
        caught_by(broken)


def test_every_check_has_a_mutation_that_it_catches():
    tripped = {parameter.values[2] for parameter in MUTATIONS}
    every = checks.SERVICE_CHECKS + checks.NETWORK_CHECKS
    assert not [check.__name__ for check in every if check not in tripped]


@pytest.mark.parametrize(
    "file, needy, how",
    [
        (cfn.NETWORK, "PrivateDefaultRoute1", {"NatGatewayId": {"Ref": "Nat2"}}),
        (cfn.NETWORK, "PublicSubnet1", {"Tags": [{"Key": "a", "Value": {"Fn::GetAtt": ["SecretsManagerVpcEndpoint", "Id"]}}]}),
        (cfn.SERVICE, "KeeperSchedule", {"Description": {"Ref": "HandoverAlias"}}),
    ],
)
def test_a_reference_to_what_the_parameters_leave_out_is_refused(file, needy, how):
    template = cfn.load(file)
    template["Resources"][needy]["Properties"] |= how
    with pytest.raises(cfn.DependsOnAbsent, match=needy):
        cfn.build(template)


def test_a_dependency_on_what_the_parameters_leave_out_is_refused():
    template = cfn.load()
    template["Resources"]["Api"]["DependsOn"] = "ApiLogGroup"
    with pytest.raises(cfn.DependsOnAbsent, match="Api depends on"):
        cfn.build(template)
