"""What CloudFormation's public schemas say of the resource types of network.yaml.

`aws cloudformation describe-type --type RESOURCE --type-name …` shows a schema. Of its `handlers` these are the EC2
calls that the properties in network.yaml cause; `replaces` are its `createOnlyProperties`. The schema of
VPCGatewayAttachment shows no handlers: what its internet gateway needs is taken from EC2's API.
"""

from __future__ import annotations

from typing import Final

OPERATIONS: Final = ("create", "read", "update", "delete")

SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "AWS::EC2::EIP": {
        "create": "AllocateAddress DescribeAddresses CreateTags", "read": "DescribeAddresses",
        "update": "CreateTags DeleteTags", "delete": "ReleaseAddress DescribeAddresses",
        "replaces": "NetworkBorderGroup TransferAddress IpamPoolId Address"},
    "AWS::EC2::NatGateway": {
        "create": "CreateNatGateway DescribeNatGateways CreateTags", "read": "DescribeNatGateways",
        "update": "CreateTags DeleteTags", "delete": "DeleteNatGateway DescribeNatGateways",
        "replaces": "SubnetId ConnectivityType AllocationId PrivateIpAddress"},
    "AWS::EC2::VPC": {
        "create": "CreateVpc ModifyVpcAttribute DescribeVpcs DescribeVpcAttribute CreateTags",
        "read": "DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeSecurityGroups DescribeVpcEncryptionControls",
        "update": "ModifyVpcAttribute DescribeVpcAttribute CreateTags DeleteTags", "delete": "DeleteVpc DescribeVpcs",
        "replaces": "CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength VpcEncryptionControl"},
    "AWS::EC2::InternetGateway": {
        "create": "CreateInternetGateway CreateTags", "read": "DescribeInternetGateways",
        "update": "CreateTags DeleteTags", "delete": "DeleteInternetGateway", "replaces": ""},
    "AWS::EC2::VPCGatewayAttachment": {
        "create": "AttachInternetGateway", "read": "DescribeInternetGateways", "update": "AttachInternetGateway",
        "delete": "DetachInternetGateway", "replaces": "VpcId"},
    "AWS::EC2::Subnet": {
        "create": "CreateSubnet DescribeSubnets CreateTags ModifySubnetAttribute",
        "read": "DescribeSubnets DescribeNetworkAcls", "update": "ModifySubnetAttribute CreateTags DeleteTags",
        "delete": "DeleteSubnet DescribeSubnets",
        "replaces": "VpcId AvailabilityZone AvailabilityZoneId CidrBlock OutpostArn Ipv6Native Ipv4IpamPoolId "
                    "Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength"},
    "AWS::EC2::RouteTable": {
        "create": "CreateRouteTable DescribeRouteTables CreateTags", "read": "DescribeRouteTables",
        "update": "CreateTags DeleteTags", "delete": "DeleteRouteTable DescribeRouteTables", "replaces": "VpcId"},
    "AWS::EC2::Route": {
        "create": "CreateRoute DescribeRouteTables", "read": "DescribeRouteTables", "update": "ReplaceRoute",
        "delete": "DeleteRoute DescribeRouteTables",
        "replaces": "RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock"},
    "AWS::EC2::SubnetRouteTableAssociation": {
        "create": "AssociateRouteTable DescribeSubnets DescribeRouteTables", "read": "DescribeRouteTables", "update": "",
        "delete": "DisassociateRouteTable DescribeSubnets DescribeRouteTables", "replaces": "SubnetId RouteTableId"},
    "AWS::EC2::SecurityGroup": {
        "create": "CreateSecurityGroup DescribeSecurityGroups RevokeSecurityGroupEgress AuthorizeSecurityGroupEgress "
                  "AuthorizeSecurityGroupIngress CreateTags",
        "read": "DescribeSecurityGroups",
        "update": "RevokeSecurityGroupEgress RevokeSecurityGroupIngress AuthorizeSecurityGroupEgress "
                  "AuthorizeSecurityGroupIngress CreateTags DeleteTags",
        "delete": "DeleteSecurityGroup DescribeSecurityGroups DescribeInstances",
        "replaces": "GroupDescription GroupName VpcId"},
    "AWS::EC2::VPCEndpoint": {
        "create": "CreateVpcEndpoint DescribeVpcEndpoints", "read": "DescribeVpcEndpoints",
        "update": "ModifyVpcEndpoint DescribeVpcEndpoints", "delete": "DeleteVpcEndpoints",
        "replaces": "ServiceName VpcEndpointType VpcId"},
}


def calls(type_: str, operation: str) -> list[str]:
    """The EC2 calls of an operation. What was created or updated is read back."""
    schema = SCHEMAS[type_]
    found = schema[operation] + (f" {schema['read']}" if operation in ("create", "update") else "")
    return [f"ec2:{call}" for call in dict.fromkeys(found.split())]
