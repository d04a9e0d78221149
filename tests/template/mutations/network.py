"""Mutations of network.yaml."""

from __future__ import annotations

import combos
from checks import network
from mutations.common import Template, mutation, properties


@mutation(network.private_subnets_leave_by_nat_alone)
def a_private_subnet_gets_the_internet_gateway(t: Template):
    route = properties(t, "PrivateDefaultRoute2")
    del route["NatGatewayId"]
    route["GatewayId"] = {"Ref": "InternetGateway"}


@mutation(network.private_subnets_leave_by_nat_alone)
def a_private_subnet_is_put_on_the_public_route_table(t: Template):
    properties(t, "PrivateSubnet1RouteTable")["RouteTableId"] = {"Ref": "PublicRouteTable"}


@mutation(network.private_subnets_leave_by_nat_alone)
def the_functions_are_sent_into_a_public_subnet(t: Template):
    t["Outputs"]["SubnetIds"]["Value"]["Fn::Join"][1][0] = {"Ref": "PublicSubnet1"}


@mutation(network.private_subnets_leave_by_nat_alone, NatMode="per-az")
def the_second_zone_uses_the_first_zones_nat(t: Template):
    properties(t, "PrivateDefaultRoute2")["NatGatewayId"] = {"Ref": "Nat1"}


@mutation(network.private_subnets_leave_by_nat_alone)
def a_private_subnet_gets_a_second_way_out(t: Template):
    t["Resources"]["Bypass"] = {"Type": "AWS::EC2::Route", "Properties": {
        "RouteTableId": {"Ref": "PrivateRouteTable1"}, "DestinationCidrBlock": "1.0.0.0/8", "GatewayId": {"Ref": "InternetGateway"}}}


@mutation(network.private_subnets_leave_by_nat_alone)
def both_subnets_are_in_one_zone(t: Template):
    properties(t, "PrivateSubnet2")["AvailabilityZone"] = properties(t, "PrivateSubnet1")["AvailabilityZone"]


@mutation(network.private_subnets_leave_by_nat_alone)
def private_subnets_give_public_addresses(t: Template):
    properties(t, "PrivateSubnet1")["MapPublicIpOnLaunch"] = True


@mutation(network.subnets_do_not_overlap)
def two_subnets_share_a_block(t: Template):
    properties(t, "PrivateSubnet2")["CidrBlock"] = properties(t, "PrivateSubnet1")["CidrBlock"]


@mutation(network.both_addresses_exist_from_the_creation_on)
def the_second_address_comes_with_its_gateway(t: Template):
    """As in 0.1: then a change to per-az allocates an address that nobody has registered."""
    t["Conditions"]["CreateEip2"] = {"Fn::And": [{"Condition": "SecondNat"}, t["Conditions"]["CreateEip2"]]}
    t["Outputs"]["EgressIps"]["Value"]["Fn::Join"][1][1] = {"Ref": "EipAddress2"}
    properties(t, "PublicSubnet2")["Tags"].pop()


@mutation(network.both_addresses_exist_from_the_creation_on)
def the_second_address_is_announced_only_when_it_is_used(t: Template):
    addresses = t["Outputs"]["EgressIps"]["Value"]["Fn::Join"][1]
    addresses[1] = {"Fn::If": ["SecondNat", addresses[1], {"Ref": "AWS::NoValue"}]}


@mutation(network.both_addresses_exist_from_the_creation_on, NatMode="per-az")
def the_gateways_swap_their_addresses(t: Template):
    first, second = properties(t, "Nat1"), properties(t, "Nat2")
    first["AllocationId"], second["AllocationId"] = second["AllocationId"], first["AllocationId"]


@mutation(network.both_addresses_exist_from_the_creation_on, **combos.EIP1)
def a_brought_address_is_ignored_by_the_nat(t: Template):
    del t["Resources"]["EgressIp1"]["Condition"]
    properties(t, "Nat1")["AllocationId"] = {"Fn::GetAtt": ["EgressIp1", "AllocationId"]}


@mutation(network.a_protected_resource_names_each_address)
def no_protected_resource_names_the_second_address(t: Template):
    properties(t, "PublicSubnet2")["Tags"].pop()


@mutation(network.security_groups_allow_only_outgoing_https)
def outgoing_traffic_is_allowed_on_every_port(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"][0] |= {"IpProtocol": "-1", "FromPort": 0, "ToPort": 65535}


@mutation(network.security_groups_allow_only_outgoing_https)
def incoming_traffic_is_allowed(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]


@mutation(network.private_subnets_reach_dynamodb_by_its_endpoint)
def the_table_is_reached_through_the_nat(t: Template):
    properties(t, "DynamoDbEndpoint")["RouteTableIds"].pop(1)


@mutation(network.private_subnets_reach_dynamodb_by_its_endpoint)
def the_endpoint_serves_tables_of_other_accounts(t: Template):
    properties(t, "DynamoDbEndpoint")["PolicyDocument"]["Statement"][0]["Resource"] = "*"
