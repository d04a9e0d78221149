"""Mutations of the service's place in the network."""

from __future__ import annotations

import cfn
from checks import egress
from mutations.common import Template, mutation, properties


@mutation(egress.the_service_makes_no_network)
def the_service_makes_an_address(t: Template):
    t["Resources"]["EgressIp"] = {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}}


@mutation(egress.functions_that_call_wechat_are_in_the_given_network)
def the_keeper_leaves_the_vpc(t: Template):
    del properties(t, "KeeperFunction")["VpcConfig"]


@mutation(egress.functions_that_call_wechat_are_in_the_given_network)
def preauthcode_uses_one_subnet_of_two(t: Template):
    properties(t, "PreauthcodeFunction")["VpcConfig"]["SubnetIds"] = [{"Fn::Select": [0, {"Ref": "SubnetIds"}]}]


@mutation(egress.functions_that_call_wechat_are_in_the_given_network)
def the_callback_depends_on_the_nat_gateway(t: Template):
    properties(t, "CallbackFunction")["VpcConfig"] = properties(t, "KeeperFunction")["VpcConfig"]


@mutation(egress.functions_that_call_wechat_are_in_the_given_network)
def functions_may_use_ipv6(t: Template):
    properties(t, "PreauthcodeFunction")["VpcConfig"]["Ipv6AllowedForDualStack"] = True


@mutation(egress.functions_that_call_wechat_are_in_the_given_network)
def a_function_may_be_made_before_its_permissions(t: Template):
    del t["Resources"]["KeeperFunction"]["DependsOn"]


@mutation(egress.exactly_the_given_addresses_are_announced)
def the_second_address_is_missing_from_egress_ips(t: Template):
    variables = properties(t, "PreauthcodeFunction")["Environment"]["Variables"]
    variables["EGRESS_IPS"] = {"Fn::Select": [0, {"Ref": "EgressIps"}]}


@mutation(egress.exactly_the_given_addresses_are_announced)
def the_second_address_is_missing_from_the_output(t: Template):
    t["Outputs"]["EgressIps"]["Value"] = {"Fn::Select": [0, {"Ref": "EgressIps"}]}


@mutation(egress.exactly_the_given_addresses_are_announced)
def the_output_is_joined_by_commas(t: Template):
    t["Outputs"]["EgressIps"]["Value"]["Fn::Join"][0] = ","


@mutation(egress.no_ipv6_anywhere, file=cfn.NETWORK)
def a_subnet_has_ipv6_addresses(t: Template):
    properties(t, "PrivateSubnet1")["AssignIpv6AddressOnCreation"] = True


@mutation(egress.no_ipv6_anywhere, file=cfn.NETWORK)
def outgoing_ipv6_is_allowed(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"].append(
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"})


@mutation(egress.no_ipv6_anywhere)
def a_function_with_both_protocols_is_added(t: Template):
    properties(t, "KeeperFunction")["VpcConfig"]["Ipv6AllowedForDualStack"] = True
