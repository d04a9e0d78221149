"""Subnets, routes, addresses, security groups and endpoints."""

from __future__ import annotations

import ipaddress
from typing import Any

from cfn import Stack
from checks.common import FUNCTIONS, IN_VPC, check, creates_network, environment, given, resource_of


ANYWHERE = "0.0.0.0/0"


def zones(stack: Stack) -> int:
    return int(given(stack, "ZoneCount"))


def routes_of_subnet(stack: Stack, subnet: str) -> tuple[str, list[dict[str, Any]]]:
    """The route table of a subnet, and its routes."""
    tables = [
        resource_of(a["RouteTableId"])
        for a in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if a["SubnetId"] == f"${{{subnet}}}"
    ]
    assert len(tables) == 1, f"{subnet} has {len(tables)} route tables of its own"
    routes = [r for r in stack.of_type("AWS::EC2::Route").values() if r["RouteTableId"] == f"${{{tables[0]}}}"]
    return tables[0], routes


@check
def functions_that_call_wechat_are_behind_nat(stack: Stack) -> None:
    """Each of their subnets has one route: to a NAT gateway in a public subnet."""
    functions = stack.of_type("AWS::Lambda::Function")
    assert set(functions) == FUNCTIONS
    for name, function in functions.items():
        if name not in IN_VPC:
            assert "VpcConfig" not in function, f"{name} must not be in the VPC"
            continue
        subnets = function["VpcConfig"]["SubnetIds"]
        if not creates_network(stack):
            assert subnets == given(stack, "ExistingSubnetIds").split(",")
            assert function["VpcConfig"]["SecurityGroupIds"] == [given(stack, "ExistingSecurityGroupId")]
            continue
        assert len(subnets) == len(set(subnets)) == zones(stack), f"{name}: {subnets}"
        places = set()
        for subnet in map(resource_of, subnets):
            properties = stack.properties(subnet)
            places.add(properties["AvailabilityZone"])
            assert properties["MapPublicIpOnLaunch"] is False
            _, routes = routes_of_subnet(stack, subnet)
            assert len(routes) == 1, f"{subnet} has {len(routes)} routes"
            (route,) = routes
            assert route["DestinationCidrBlock"] == ANYWHERE
            assert set(route) == {"RouteTableId", "DestinationCidrBlock", "NatGatewayId"}, f"{subnet}: {route}"
            nat = stack.properties(resource_of(route["NatGatewayId"]))
            public = resource_of(nat["SubnetId"])
            if given(stack, "NatMode") == "per-az":
                assert stack.properties(public)["AvailabilityZone"] == properties["AvailabilityZone"], "NAT of another zone"
            _, way_out = routes_of_subnet(stack, public)
            assert [r.get("GatewayId") for r in way_out] == ["${InternetGateway}"], f"{public} is not public"
        assert len(places) == len(subnets), f"{name}: zones {places}"


@check
def an_existing_network_is_not_created_again(stack: Stack) -> None:
    ec2 = {n for n, r in stack.resources.items() if r["Type"].startswith("AWS::EC2::")}
    assert creates_network(stack) or not ec2, f"created beside the existing network: {ec2}"


@check
def subnets_do_not_overlap(stack: Stack) -> None:
    blocks = [ipaddress.ip_network(s["CidrBlock"]) for s in stack.of_type("AWS::EC2::Subnet").values()]
    assert len(set(blocks)) == len(blocks)
    vpcs = [ipaddress.ip_network(v["CidrBlock"]) for v in stack.of_type("AWS::EC2::VPC").values()]
    assert all(any(b.subnet_of(v) for v in vpcs) for b in blocks)


def nat_addresses(stack: Stack) -> list[str]:
    """The address of each NAT gateway, in order of the gateways."""
    brought = {given(stack, f"EipAllocationId{i}"): given(stack, f"EipAddress{i}") for i in "123"}
    addresses = []
    for _, nat in sorted(stack.of_type("AWS::EC2::NatGateway").items()):
        allocation = nat["AllocationId"]
        if allocation in brought:
            addresses.append(brought[allocation])
        else:
            eip = resource_of(allocation)
            assert allocation == f"${{{eip}.AllocationId}}" and stack.resources[eip]["Type"] == "AWS::EC2::EIP"
            addresses.append(f"${{{eip}}}")
    return addresses


@check
def every_nat_address_is_announced(stack: Stack) -> None:
    """EGRESS_IPS and the output hold each NAT gateway's address, once, and nothing else."""
    if creates_network(stack):
        expected = nat_addresses(stack)
        assert len(expected) == (zones(stack) if given(stack, "NatMode") == "per-az" else 1)
        used = {resource_of(a) for a in expected if a.startswith("$")}
        assert set(stack.of_type("AWS::EC2::EIP")) == used, "an Elastic IP without a NAT gateway"
    else:
        expected = given(stack, "ExistingEgressIps").split(",")
    assert len(expected) == len(set(expected))
    for name in IN_VPC:
        assert environment(stack, name)["EGRESS_IPS"].split(",") == expected, f"EGRESS_IPS of {name}"
    assert stack.outputs["EgressIps"].split(";") == expected, "output EgressIps"


@check
def no_ipv6_anywhere(stack: Stack) -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "Ipv6AllowedForDualStack":
                    assert value is False, f"{path}.{key} is {value}"
                    continue
                assert "ipv6" not in key.lower(), f"{path}.{key}"
                walk(value, f"{path}.{key}")
        elif isinstance(node, list):
            for i, value in enumerate(node):
                walk(value, f"{path}[{i}]")
        elif isinstance(node, str):
            assert "::/" not in node and "dualstack" not in node.lower() and node.lower() != "ipv6", f"{path}: {node}"

    for name, resource in stack.resources.items():
        assert resource["Type"] != "AWS::EC2::EgressOnlyInternetGateway", name
        walk(resource.get("Properties", {}), name)
    for name in IN_VPC:
        assert stack.properties(name)["VpcConfig"]["Ipv6AllowedForDualStack"] is False, name


@check
def security_groups_allow_only_outgoing_https(stack: Stack) -> None:
    groups = stack.of_type("AWS::EC2::SecurityGroup")
    assert not stack.of_type("AWS::EC2::SecurityGroupIngress") and not stack.of_type("AWS::EC2::SecurityGroupEgress")
    if not creates_network(stack):
        return
    for name in IN_VPC:
        assert stack.properties(name)["VpcConfig"]["SecurityGroupIds"] == ["${FunctionSecurityGroup}"]
    for name, group in groups.items():
        for rule in group["SecurityGroupEgress"]:
            assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443), f"{name}: {rule}"
        if name == "FunctionSecurityGroup":
            assert [r["CidrIp"] for r in group["SecurityGroupEgress"]] == [ANYWHERE]
            assert "SecurityGroupIngress" not in group
        else:
            assert name == "EndpointSecurityGroup"
            assert [r["CidrIp"] for r in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
            (ingress,) = group["SecurityGroupIngress"]
            assert ingress["SourceSecurityGroupId"] == "${FunctionSecurityGroup}"
            assert (ingress["IpProtocol"], ingress["FromPort"], ingress["ToPort"]) == ("tcp", 443, 443)


@check
def dynamodb_has_its_free_endpoint(stack: Stack) -> None:
    endpoints = stack.of_type("AWS::EC2::VPCEndpoint")
    wanted = set()
    if creates_network(stack):
        wanted.add("DynamoDbEndpoint")
        endpoint = endpoints["DynamoDbEndpoint"]
        assert endpoint["VpcEndpointType"] == "Gateway"
        assert endpoint["ServiceName"] == f"com.amazonaws.{stack.region}.dynamodb"
        private = {routes_of_subnet(stack, resource_of(s))[0] for s in stack.properties("KeeperFunction")["VpcConfig"]["SubnetIds"]}
        assert {resource_of(t) for t in endpoint["RouteTableIds"]} == private
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert set(statement["Action"]) == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
        assert statement["Resource"] == stack.arn("dynamodb", "table/*")
    if given(stack, "SecretsManagerEndpoint") == "true":
        wanted.add("SecretsManagerVpcEndpoint")
        endpoint = endpoints["SecretsManagerVpcEndpoint"]
        assert (endpoint["VpcEndpointType"], endpoint["PrivateDnsEnabled"]) == ("Interface", True)
        assert endpoint["SubnetIds"] == stack.properties("KeeperFunction")["VpcConfig"]["SubnetIds"]
        assert endpoint["SecurityGroupIds"] == ["${EndpointSecurityGroup}"]
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert set(endpoints) == wanted
