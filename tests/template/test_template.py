"""Every check on both templates, for every combination of parameters, in both partitions."""

from __future__ import annotations

import cfn
import checks
import combos
import pytest


@pytest.mark.parametrize("region, name, parameters", combos.SERVICES, ids=combos.ids(combos.SERVICES))
def test_service(region, name, parameters):
    stack = cfn.deployed(region, **parameters)
    for check in checks.SERVICE_CHECKS:
        check(stack)


@pytest.mark.parametrize("region, name, parameters", combos.NETWORKS, ids=combos.ids(combos.NETWORKS))
def test_network(region, name, parameters):
    stack = cfn.network(region, **parameters)
    for check in checks.NETWORK_CHECKS:
        check(stack)


def named(wrong):
    return " ".join(f"{k}={v}" for k, v in wrong.items())


@pytest.mark.parametrize(
    "wrong",
    [
        {"Minting": "yes"},
        {"SubnetIds": ""},
        {"SubnetIds": "subnet-0aaaaaaaaaaaaaaa1;subnet-0aaaaaaaaaaaaaaa2"},
        {"SubnetIds": "vpc-0aaaaaaaaaaaaaaa1"},
        {"SecurityGroupId": "default"},
        {"EgressIps": ""},
        {"EgressIps": "198.51.100.1;198.51.100.2"},
        {"EgressIps": "198.51.100.1,2001:db8::1"},
        {"DynamoDbEndpointId": ""},
        {"CredentialsSecretArn": "wechat/component"},
        {"CallbackSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:push-AbCdEf"},
        {"CustomDomainName": "wx.example.com"},
        {"LogLevel": "WARN"},
        {"WechatApiHosts": "http://api.weixin.qq.com"},
        {"WechatApiHosts": "https://api.example.com"},
        {"OtherApiHosts": "http://127.0.0.1"},
        {"CallerPrincipals": "*"},
        {"ReservedConcurrency": "-1"},
        {"RetentionDays": "31"},
        {"AccessLogs": "on-and-set-account-role"},
        {"NatMode": "single"},
        {"PagesOrigin": "http://auth.example.com"},
        {"PagesOrigin": "https://auth.example.com/"},
        {"PagesOrigin": "https://auth.example.com:8443"},
        {"PagesOrigin": "auth.example.com"},
        {"PagesOrigin": "https://localhost"},
        {"PlatformName": "\u5e97\u94fa"},
        {"PlatformName": 'a "b"'},
        {"PlatformName": "a\\nb"},
        {"PlatformName": "\\u5e9"},
        {"AuthorizationPageOrigins": "https://wechat.test"},
        {"AuthorizationPageOrigins": "http://wechat.test,http://wechat.test"},
    ],
    ids=named,
)
def test_wrong_parameters_of_the_service_are_refused_before_anything_is_created(wrong):
    with pytest.raises(cfn.InvalidParameters):
        cfn.deployed(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"NatMode": "both"},
        {"EipAllocationId1": combos.EIP1["EipAllocationId1"]},
        {"EipAllocationId2": combos.EIP2["EipAllocationId2"]},
        {"EipAddress1": combos.EIP1["EipAddress1"]},
        {"EipAddress2": combos.EIP2["EipAddress2"]},
        combos.EIP1 | {"EipAddress1": "2001:db8::1"},
        {"AvailabilityZones": "us-east-1a"},
        {"AvailabilityZones": "us-east-1a,us-east-1b,us-east-1c"},
        {"VpcCidr": "10.0.0.0/28"},
        {"SecretsManagerEndpoint": "yes"},
    ],
    ids=named,
)
def test_wrong_parameters_of_the_network_are_refused_before_anything_is_created(wrong):
    with pytest.raises(cfn.InvalidParameters):
        cfn.network(**wrong)


def test_arm64_is_refused_in_china():
    with pytest.raises(cfn.InvalidParameters, match="arm64"):
        cfn.deployed("cn-northwest-1", Architecture="arm64")


@pytest.mark.parametrize("name", sorted(cfn.MINIMAL[cfn.SERVICE]))
def test_these_parameters_must_be_given(name):
    template = cfn.transform(cfn.load(), "us-east-1", cfn.MINIMAL[cfn.SERVICE])
    parameters = {k: v for k, v in cfn.MINIMAL[cfn.SERVICE].items() if k != name}
    with pytest.raises(cfn.InvalidParameters, match=f"{name} must have a value"):
        cfn.Evaluator(template, "us-east-1", parameters)


@pytest.mark.parametrize("region, name, parameters", combos.NETWORKS, ids=combos.ids(combos.NETWORKS))
def test_the_networks_outputs_are_parameters_of_the_service(region, name, parameters):
    """By name. test_moto.py tries the values."""
    wanted = set(cfn.MINIMAL[cfn.SERVICE]) - {"Minting"}
    assert set(cfn.network(region, **parameters).outputs) - {"VpcId"} == wanted


def test_changed_parameters_reach_the_alias_and_the_stage():
    """SAM's hashes ignore parameters, so nothing may depend on a version or deployment that SAM names by a hash."""
    assert cfn.load()["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True
    for region in combos.REGIONS:
        assert not cfn.deployed(region).of_type("AWS::Lambda::Version")
