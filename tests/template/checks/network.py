"""network.yaml: subnets, routes, addresses, security groups and endpoints."""

from __future__ import annotations

import ipaddress
from typing import Any

from cfn import Stack
from checks.common import check_network, given, resource_of


ANYWHERE = "0.0.0.0/0"
PRIVATE = ["PrivateSubnet1", "PrivateSubnet2"]


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


def gateway_of(stack: Stack, subnet: str) -> str:
    """The NAT gateway to which a private subnet's only route leads."""
    _, routes = routes_of_subnet(stack, subnet)
    assert len(routes) == 1, f"{subnet} has {len(routes)} routes"
    (route,) = routes
    assert set(route) == {"RouteTableId", "DestinationCidrBlock", "NatGatewayId"}, f"{subnet}: {route}"
    assert route["DestinationCidrBlock"] == ANYWHERE
    return resource_of(route["NatGatewayId"])


def address_of(stack: Stack, nat: str) -> str:
    """The address of a NAT gateway: a brought one, or ``${EgressIp1}``."""
    allocation = stack.properties(nat)["AllocationId"]
    for n in "12":
        if allocation == given(stack, f"EipAllocationId{n}"):
            return given(stack, f"EipAddress{n}")
    eip = resource_of(allocation)
    assert allocation == f"${{{eip}.AllocationId}}" and stack.resources[eip]["Type"] == "AWS::EC2::EIP"
    return f"${{{eip}}}"


@check_network
def private_subnets_leave_by_nat_alone(stack: Stack) -> None:
    """Each of them has one route: to a NAT gateway in a public subnet, of its own zone with one per zone."""
    assert stack.outputs["SubnetIds"] == ",".join(f"${{{subnet}}}" for subnet in PRIVATE)
    assert stack.outputs["VpcId"] == "${Vpc}"
    places = []
    for subnet in PRIVATE:
        properties = stack.properties(subnet)
        places.append(properties["AvailabilityZone"])
        assert properties.get("MapPublicIpOnLaunch", False) is False, f"{subnet} gives public addresses"
        public = resource_of(stack.properties(gateway_of(stack, subnet))["SubnetId"])
        if given(stack, "NatMode") == "per-az":
            assert stack.properties(public)["AvailabilityZone"] == places[-1], f"{subnet}: NAT gateway of another zone"
        _, way_out = routes_of_subnet(stack, public)
        assert [r.get("GatewayId") for r in way_out] == ["${InternetGateway}"], f"{public} is not public"
    assert len(set(places)) == 2, f"zones: {places}"
    if named := given(stack, "AvailabilityZones"):
        assert places == named.split(",")
    gateways = set(stack.of_type("AWS::EC2::NatGateway"))
    assert gateways == ({"Nat1", "Nat2"} if given(stack, "NatMode") == "per-az" else {"Nat1"})


@check_network
def both_addresses_exist_from_the_creation_on(stack: Stack) -> None:
    """Whatever NatMode says, unless they are brought. They are announced in order, also the unused one."""
    made = {f"EgressIp{n}" for n in "12" if not given(stack, f"EipAllocationId{n}")}
    assert set(stack.of_type("AWS::EC2::EIP")) == made
    announced = [given(stack, f"EipAddress{n}") or f"${{EgressIp{n}}}" for n in "12"]
    assert stack.outputs["EgressIps"] == ",".join(announced), "output EgressIps"
    carried = [address_of(stack, nat) for nat in sorted(stack.of_type("AWS::EC2::NatGateway"))]
    assert carried == announced[: len(carried)], f"NAT gateways carry {carried}"


@check_network
def a_protected_resource_names_each_address(stack: Stack) -> None:
    """The stack policy cannot deny the creation of a resource, so another address must change a protected one."""
    for n in "12":
        allocation, address = given(stack, f"EipAllocationId{n}"), given(stack, f"EipAddress{n}")
        tags = {tag["Key"]: tag["Value"] for tag in stack.properties(f"PublicSubnet{n}")["Tags"]}
        assert tags.get("Egress") == f"{allocation or f'${{EgressIp{n}.AllocationId}}'} {address or f'${{EgressIp{n}}}'}"


@check_network
def subnets_do_not_overlap(stack: Stack) -> None:
    blocks = [ipaddress.ip_network(s["CidrBlock"]) for s in stack.of_type("AWS::EC2::Subnet").values()]
    assert len(blocks) == 4 and len(set(blocks)) == 4
    vpc = ipaddress.ip_network(stack.properties("Vpc")["CidrBlock"])
    assert all(block.subnet_of(vpc) for block in blocks)


@check_network
def security_groups_allow_only_outgoing_https(stack: Stack) -> None:
    assert not stack.of_type("AWS::EC2::SecurityGroupIngress") and not stack.of_type("AWS::EC2::SecurityGroupEgress")
    assert stack.outputs["SecurityGroupId"] == "${FunctionSecurityGroup}"
    for name, group in stack.of_type("AWS::EC2::SecurityGroup").items():
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


@check_network
def private_subnets_reach_dynamodb_by_its_endpoint(stack: Stack) -> None:
    endpoints = stack.of_type("AWS::EC2::VPCEndpoint")
    wanted = {"DynamoDbEndpoint"}
    endpoint = endpoints["DynamoDbEndpoint"]
    assert stack.outputs["DynamoDbEndpointId"] == "${DynamoDbEndpoint}"
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"] == f"com.amazonaws.{stack.region}.dynamodb"
    tables = {routes_of_subnet(stack, subnet)[0] for subnet in PRIVATE}
    assert {resource_of(t) for t in endpoint["RouteTableIds"]} == tables
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
    assert statement["Resource"] == stack.arn("dynamodb", "table/*")
    if given(stack, "SecretsManagerEndpoint") == "true":
        wanted.add("SecretsManagerVpcEndpoint")
        endpoint = endpoints["SecretsManagerVpcEndpoint"]
        assert (endpoint["VpcEndpointType"], endpoint["PrivateDnsEnabled"]) == ("Interface", True)
        assert endpoint["SubnetIds"] == [f"${{{subnet}}}" for subnet in PRIVATE]
        assert endpoint["SecurityGroupIds"] == ["${EndpointSecurityGroup}"]
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert set(endpoints) == wanted


@check_network
def a_full_gateway_raises_an_alarm(stack: Stack) -> None:
    (alarm,) = stack.of_type("AWS::CloudWatch::Alarm").values()
    result, *watched = alarm["Metrics"]
    for metric in watched:
        stat = metric["MetricStat"]
        assert (stat["Stat"], metric["ReturnData"]) == ("Sum", False)
        assert (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]) == ("AWS/NATGateway", "ErrorPortAllocation")
    gateways = [resource_of(m["MetricStat"]["Metric"]["Dimensions"][0]["Value"]) for m in watched]
    assert gateways == sorted(stack.of_type("AWS::EC2::NatGateway")), f"watched: {gateways}"
    assert result["Expression"] == " + ".join(f"FILL({m['Id']}, 0)" for m in watched)
    at_least_one = ("GreaterThanOrEqualToThreshold", 1, "notBreaching")
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == at_least_one
    topic = [given(stack, "AlarmTopicArn")] if given(stack, "AlarmTopicArn") else []
    assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == topic
