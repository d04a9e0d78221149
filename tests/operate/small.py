"""Small templates with the logical ids, parameters and outputs of the real ones, and a package that holds them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import boto3
import package
from bootstrap import FUNCTIONS

REF = lambda name: {"Ref": name}  # noqa: E731
EMPTY = {"Type": "String", "Default": ""}


def network() -> dict:
    def subnet(number: int) -> dict:
        zone = {"Fn::Select": [number % 2, {"Fn::GetAZs": ""}]}
        return {"Type": "AWS::EC2::Subnet", "Properties": {
            "VpcId": REF("Vpc"), "CidrBlock": f"10.73.0.{32 * number}/27", "AvailabilityZone": zone}}

    def of_vpc(type_: str) -> dict:
        return {"Type": type_, "Properties": {"VpcId": REF("Vpc")}}

    def route(table: str, **target) -> dict:
        return {"Type": "AWS::EC2::Route", "Properties": {
            "RouteTableId": REF(table), "DestinationCidrBlock": "0.0.0.0/0", **target}}

    def association(subnet_: str, table: str) -> dict:
        return {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
            "SubnetId": REF(subnet_), "RouteTableId": REF(table)}}

    def nat(number: int) -> dict:
        created = {"Fn::GetAtt": [f"EgressIp{number}", "AllocationId"]}
        return {"Type": "AWS::EC2::NatGateway", "Properties": {
            "SubnetId": REF(f"PublicSubnet{number}"),
            "AllocationId": {"Fn::If": [f"CreateEip{number}", created, REF(f"EipAllocationId{number}")]}}}

    def address(number: int) -> dict:
        return {"Type": "AWS::EC2::EIP", "DeletionPolicy": "RetainExceptOnCreate", "Condition": f"CreateEip{number}",
                "Properties": {"Domain": "vpc"}}

    def egress_ip(number: int) -> dict:
        return {"Fn::If": [f"CreateEip{number}", REF(f"EgressIp{number}"), REF(f"EipAddress{number}")]}

    return {
        "Description": "wechat-preauth, network",
        "Parameters": {
            "NatMode": {"Type": "String", "Default": "single", "AllowedValues": ["single", "per-az"]},
            "EipAllocationId1": EMPTY, "EipAddress1": EMPTY, "EipAllocationId2": EMPTY, "EipAddress2": EMPTY,
            "AlarmTopicArn": EMPTY,
        },
        "Conditions": {
            "SecondNat": {"Fn::Equals": [REF("NatMode"), "per-az"]},
            "CreateEip1": {"Fn::Equals": [REF("EipAllocationId1"), ""]},
            "CreateEip2": {"Fn::Equals": [REF("EipAllocationId2"), ""]},
        },
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.73.0.0/24"}},
            "InternetGateway": {"Type": "AWS::EC2::InternetGateway"},
            "InternetGatewayAttachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {
                "VpcId": REF("Vpc"), "InternetGatewayId": REF("InternetGateway")}},
            "EgressIp1": address(1), "EgressIp2": address(2),
            "PublicSubnet1": subnet(0), "PublicSubnet2": subnet(1), "PrivateSubnet1": subnet(2), "PrivateSubnet2": subnet(3),
            "Nat1": nat(1), "Nat2": nat(2) | {"Condition": "SecondNat"},
            "PrivateRouteTable1": of_vpc("AWS::EC2::RouteTable"), "PrivateRouteTable2": of_vpc("AWS::EC2::RouteTable"),
            "PrivateDefaultRoute1": route("PrivateRouteTable1", NatGatewayId=REF("Nat1")),
            "PrivateDefaultRoute2": route("PrivateRouteTable2", NatGatewayId={
                "Fn::If": ["SecondNat", REF("Nat2"), REF("Nat1")]}),
            "PrivateSubnet1RouteTable": association("PrivateSubnet1", "PrivateRouteTable1"),
            "PrivateSubnet2RouteTable": association("PrivateSubnet2", "PrivateRouteTable2"),
            "FunctionSecurityGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "functions", "VpcId": REF("Vpc")}},
            "DynamoDbEndpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {
                "VpcId": REF("Vpc"), "VpcEndpointType": "Gateway",
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.dynamodb"},
                "RouteTableIds": [REF("PrivateRouteTable1"), REF("PrivateRouteTable2")]}},
        },
        "Outputs": {
            "VpcId": {"Value": REF("Vpc")},
            "SubnetIds": {"Value": {"Fn::Join": [",", [REF("PrivateSubnet1"), REF("PrivateSubnet2")]]}},
            "SecurityGroupId": {"Value": REF("FunctionSecurityGroup")},
            "EgressIps": {"Value": {"Fn::Join": [",", [egress_ip(1), egress_ip(2)]]}},
            "DynamoDbEndpointId": {"Value": REF("DynamoDbEndpoint")},
        },
    }


def service() -> dict:
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "wechat-preauth: codes",
        "Parameters": {
            "Minting": {"Type": "String", "AllowedValues": ["on", "off"]},
            "SubnetIds": {"Type": "List<AWS::EC2::Subnet::Id>"}, "SecurityGroupId": {"Type": "AWS::EC2::SecurityGroup::Id"},
            "EgressIps": {"Type": "CommaDelimitedList", "AllowedPattern": r"^\d{1,3}(\.\d{1,3}){3}$"},
            "DynamoDbEndpointId": {"Type": "String", "AllowedPattern": "^vpce-[0-9a-f]{8,17}$"},
            "CredentialsSecretArn": EMPTY, "CallbackSecretArn": EMPTY, "AlarmTopicArn": EMPTY, "CustomDomainName": EMPTY,
            "Architecture": {"Type": "String", "Default": "x86_64", "AllowedValues": ["x86_64", "arm64"]},
            "PagesOrigin": EMPTY,
            "PlatformName": EMPTY | {"AllowedPattern": r"^([ !#-\[\]-~]|\\u[0-9a-fA-F]{4}){0,40}$"},
            "ReservedConcurrency": {"Type": "Number", "Default": 0, "MinValue": 0},
        },
        "Globals": {"Function": {"CodeUri": ".", "Runtime": "provided.al2023"}},
        "Resources": {
            **{function: {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "bootstrap"}} for function in FUNCTIONS},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": REF("Minting")}},
        },
        "Outputs": {"EgressIps": {"Value": {"Fn::Join": [";", REF("EgressIps")]}}},
    }


def elf(*versions: str, machine: int = 62) -> bytes:
    """A program for x86_64 (62) or arm64 (183) that needs these versions of glibc."""
    header = b"\x7fELF" + bytes(14) + struct.pack("<H", machine)
    return header + b"\0" + b"\0".join(b"GLIBC_" + v.encode() for v in versions) + b"\0"


def build(directory: Path, program: bytes) -> Path:
    """The output of `sam build`."""
    for function in FUNCTIONS:
        (directory / function).mkdir(parents=True, exist_ok=True)
        (directory / function / "bootstrap").write_bytes(program)
    return directory


def dist(tmp: Path, service_: dict | None = None, network_: dict | None = None, *architectures: str) -> str:
    """A package as `make package` writes it."""
    templates = tmp / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "template.yaml").write_text(json.dumps(service_ or service()))
    (templates / "network.yaml").write_text(json.dumps(network_ or network()))
    for architecture in architectures or ("x86_64",):
        program = elf("2.34", machine=62 if architecture == "x86_64" else 183)
        package.package(build(tmp / "build", program), tmp / "dist", architecture, templates)
    return str(tmp / "dist")


def associate(stack: str) -> None:
    """moto makes no association of a subnet with a route table."""
    found = boto3.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}
    for number in "12" if "PrivateSubnet1" in ids else "":
        boto3.client("ec2").associate_route_table(
            SubnetId=ids[f"PrivateSubnet{number}"], RouteTableId=ids[f"PrivateRouteTable{number}"])
