"""Where the functions' calls leave from: the service takes a network and makes none."""

from __future__ import annotations

from typing import Any

from cfn import Stack
from checks.common import IN_VPC, check, check_both, environment, functions_of, given, listed


@check
def the_service_makes_no_network(stack: Stack) -> None:
    """So none of its parameters makes an address, a route or a gateway."""
    made = {name for name, r in stack.resources.items() if r["Type"].startswith("AWS::EC2::")}
    assert not made, f"made by the service: {sorted(made)}"


@check
def functions_that_call_wechat_are_in_the_given_network(stack: Stack) -> None:
    functions = stack.of_type("AWS::Lambda::Function")
    assert set(functions) == functions_of(stack)
    for name, function in functions.items():
        if name not in IN_VPC:
            assert "VpcConfig" not in function, f"{name} must not be in the VPC"
            continue
        assert "VpcConfig" in function, f"{name} is outside the VPC"
        vpc = function["VpcConfig"]
        assert vpc["SubnetIds"] == listed(stack, "SubnetIds"), f"{name}: {vpc['SubnetIds']}"
        assert vpc["SecurityGroupIds"] == [given(stack, "SecurityGroupId")], name
        assert vpc["Ipv6AllowedForDualStack"] is False, name
        # Lambda places a function in the VPC with the permissions of its role.
        assert "WechatCallersPolicy" in stack.resources[name]["DependsOn"], f"{name} may be made before its permissions"


@check
def exactly_the_given_addresses_are_announced(stack: Stack) -> None:
    expected = listed(stack, "EgressIps")
    for name in IN_VPC:
        assert environment(stack, name)["EGRESS_IPS"] == ",".join(expected), f"EGRESS_IPS of {name}"
    assert stack.outputs["EgressIps"] == ";".join(expected), "output EgressIps"


@check_both
def no_ipv6_anywhere(stack: Stack) -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                assert "ipv6" not in key.lower() or key == "Ipv6AllowedForDualStack" and value is False, f"{path}.{key}"
                walk(value, f"{path}.{key}")
        elif isinstance(node, list):
            for i, value in enumerate(node):
                walk(value, f"{path}[{i}]")
        elif isinstance(node, str):
            assert "::/" not in node and "dualstack" not in node.lower() and node.lower() != "ipv6", f"{path}: {node}"

    for name, resource in stack.resources.items():
        assert resource["Type"] != "AWS::EC2::EgressOnlyInternetGateway", name
        walk(resource.get("Properties", {}), name)
