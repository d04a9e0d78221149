"""Mutations of the network."""

from __future__ import annotations

import combos
from checks import network
from mutations.common import Template, mutation, properties


@mutation(network.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_gets_the_internet_gateway(t: Template):
    route = properties(t, "PrivateDefaultRoute2")
    del route["NatGatewayId"]
    route["GatewayId"] = {"Ref": "InternetGateway"}


@mutation(network.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_is_put_on_the_public_route_table(t: Template):
    properties(t, "PrivateSubnet1RouteTable")["RouteTableId"] = {"Ref": "PublicRouteTable"}


@mutation(network.functions_that_call_wechat_are_behind_nat)
def the_keeper_leaves_the_vpc(t: Template):
    del properties(t, "KeeperFunction")["VpcConfig"]
    t["Resources"]["KeeperFunction"]["Properties"]["VpcConfig"] = {
        "SubnetIds": [{"Ref": "PublicSubnet1"}, {"Ref": "PrivateSubnet2"}], "SecurityGroupIds": [{"Ref": "FunctionSecurityGroup"}]}


@mutation(network.functions_that_call_wechat_are_behind_nat, NatMode="per-az")
def the_second_zone_uses_the_first_zones_nat(t: Template):
    properties(t, "PrivateDefaultRoute2")["NatGatewayId"] = {"Ref": "Nat1"}


@mutation(network.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_gets_a_second_way_out(t: Template):
    t["Resources"]["Bypass"] = {"Type": "AWS::EC2::Route", "Properties": {
        "RouteTableId": {"Ref": "PrivateRouteTable1"}, "DestinationCidrBlock": "1.0.0.0/8", "GatewayId": {"Ref": "InternetGateway"}}}


@mutation(network.functions_that_call_wechat_are_behind_nat)
def both_subnets_are_in_one_zone(t: Template):
    properties(t, "PrivateSubnet2")["AvailabilityZone"] = properties(t, "PrivateSubnet1")["AvailabilityZone"]


@mutation(network.an_existing_network_is_not_created_again, **combos.EXISTING)
def a_vpc_is_created_beside_an_existing_one(t: Template):
    del t["Resources"]["Vpc"]["Condition"]


@mutation(network.subnets_do_not_overlap)
def two_subnets_share_a_block(t: Template):
    properties(t, "PrivateSubnet2")["CidrBlock"] = properties(t, "PrivateSubnet1")["CidrBlock"]


@mutation(network.every_nat_address_is_announced, NatMode="per-az")
def the_second_address_is_missing_from_egress_ips(t: Template):
    properties(t, "PreauthcodeFunction")["Environment"]["Variables"]["EGRESS_IPS"]["Fn::If"][1]["Fn::Join"][1].pop(1)


@mutation(network.every_nat_address_is_announced, NatMode="per-az", ZoneCount="3")
def the_third_address_is_missing_from_the_output(t: Template):
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][1].pop(2)


@mutation(network.every_nat_address_is_announced)
def the_output_is_joined_by_commas(t: Template):
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][0] = ","
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][1].append("203.0.113.9")


@mutation(network.every_nat_address_is_announced, **{k: v for k, v in combos.EIPS.items() if k.endswith("1")})
def a_brought_address_is_ignored_by_the_nat(t: Template):
    t["Resources"]["EgressIp1"]["Condition"] = "CreateNetwork"
    properties(t, "Nat1")["AllocationId"] = {"Fn::GetAtt": ["EgressIp1", "AllocationId"]}


@mutation(network.no_ipv6_anywhere)
def functions_may_use_ipv6(t: Template):
    properties(t, "PreauthcodeFunction")["VpcConfig"]["Ipv6AllowedForDualStack"] = True


@mutation(network.no_ipv6_anywhere)
def a_subnet_has_ipv6_addresses(t: Template):
    properties(t, "PrivateSubnet1")["AssignIpv6AddressOnCreation"] = True


@mutation(network.no_ipv6_anywhere)
def outgoing_ipv6_is_allowed(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"].append(
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"})


@mutation(network.security_groups_allow_only_outgoing_https)
def outgoing_traffic_is_allowed_on_every_port(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"][0] |= {"IpProtocol": "-1", "FromPort": 0, "ToPort": 65535}


@mutation(network.security_groups_allow_only_outgoing_https)
def incoming_traffic_is_allowed(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]


@mutation(network.dynamodb_has_its_free_endpoint)
def the_table_is_reached_through_the_nat(t: Template):
    properties(t, "DynamoDbEndpoint")["RouteTableIds"].pop(1)
