"""`make deploy` refuses what could move an address, before any change set is executed, and only that."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from cloudformation import Change
from conftest import REGION
from deployed import deploy, described, elastic_ip, network, of_network, refused
from stack import outputs, parameters

# ── Addresses that would change ──────────────────────────────────────────────────────────────────────────────────────


def test_another_elastic_ip_is_an_address_that_changes(deployed, aws):
    allocation, address = elastic_ip()
    found = refused(aws, deployed, f"EipAllocationId1={allocation}")
    assert found.name == "address-changes" and address in str(found)


def test_an_elastic_ip_of_yours_that_is_given_up_is_one_too(aws, dist):
    """AWS would choose the new address, so nobody can have registered it."""
    allocation, _ = elastic_ip()
    deploy(dist, "Minting=off", f"EipAllocationId1={allocation}", "YES=1")
    found = refused(aws, dist, "EipAllocationId1=")
    assert found.name == "address-changes" and "a new address" in str(found)


def test_a_second_gateway_brings_its_address_into_use(deployed, aws):
    _, second = outputs(described("preauth-network"))["EgressIps"].split(",")
    found = refused(aws, deployed, "NatMode=per-az")
    assert found.name == "address-changes" and f"would leave from {second} too" in str(found)
    assert deploy(deployed, "NatMode=per-az", "REGISTERED=yes", "YES=1") == 0


def test_a_gateway_less_needs_no_registration(aws, dist):
    deploy(dist, "Minting=off", "NatMode=per-az", "YES=1")
    assert deploy(dist, "NatMode=single", "YES=1") == 0


def test_a_replaced_address_is_one_that_changes_even_when_the_policy_is_lifted(deployed, aws):
    aws.changes["preauth-network"] = (Change("Modify", "EgressIp1", "AWS::EC2::EIP", "True"),)
    found = refused(aws, deployed, "LIFT=EgressIp1")
    assert found.name == "address-changes" and "a new address" in str(found)


def test_other_egress_ips_of_a_service_are_addresses_that_change(aws, dist):
    words = network()
    deploy(dist, "Minting=off", "YES=1", *words)
    longer = outputs(described("theirs"))["EgressIps"] + ",203.0.113.9"
    assert refused(aws, dist, f"EgressIps={longer}").name == "address-changes"
    assert deploy(dist, f"EgressIps={longer}", "REGISTERED=yes", "YES=1") == 0


def test_another_network_has_other_addresses(deployed, aws):
    assert refused(aws, deployed, *network()).name == "address-changes"


def test_the_same_addresses_in_another_order_do_not_change(aws, dist):
    words = network()
    deploy(dist, "Minting=off", "YES=1", *words)
    turned = ",".join(reversed(outputs(described("theirs"))["EgressIps"].split(",")))
    assert deploy(dist, f"EgressIps={turned}", "YES=1") == 0


# ── Elastic IPs that were given ──────────────────────────────────────────────────────────────────────────────────────


def test_an_allocation_that_does_not_exist_is_an_unknown_address(aws, dist):
    found = refused(aws, dist, "Minting=off", "EipAllocationId1=eipalloc-0123456789abcdef0")
    assert found.name == "unknown-address"


def test_an_allocation_with_another_address_is_an_unknown_address(aws, dist):
    allocation, address = elastic_ip()
    found = refused(aws, dist, "Minting=off", f"EipAllocationId2={allocation}", "EipAddress2=203.0.113.9")
    assert found.name == "unknown-address" and address in str(found)


def test_an_address_without_its_allocation_is_an_unknown_address(aws, dist):
    assert refused(aws, dist, "Minting=off", "EipAddress1=203.0.113.9").name == "unknown-address"


def test_the_address_of_an_allocation_is_filled_in(aws, dist):
    allocation, address = elastic_ip()
    deploy(dist, "Minting=off", f"EipAllocationId1={allocation}", "YES=1")
    assert parameters(described("preauth-network"))["EipAddress1"] == address
    assert parameters(described())["EgressIps"].split(",")[0] == address


# ── Networks that lead elsewhere ─────────────────────────────────────────────────────────────────────────────────────


def test_a_gateway_with_an_address_that_is_not_named_is_foreign(aws, dist):
    found = refused(aws, dist, "Minting=off", *network(EgressIps="203.0.113.9"))
    assert found.name == "foreign-address" and "is not one of EgressIps" in str(found)


def route(aws_call: str = "replace_route", destination: str = "0.0.0.0/0", **target: str) -> None:
    getattr(boto3.client("ec2"), aws_call)(
        RouteTableId=of_network("PrivateRouteTable1"), DestinationCidrBlock=destination, **target)


def test_an_internet_gateway_is_no_fixed_address(aws, dist):
    words = network()
    route(GatewayId=of_network("InternetGateway"))
    found = refused(aws, dist, "Minting=off", *words)
    assert found.name == "foreign-address" and "internet gateway igw-" in str(found)


def test_a_route_to_half_of_the_internet_is_seen_too(aws, dist):
    words = network()
    route("create_route", "128.0.0.0/1", GatewayId=of_network("InternetGateway"))
    assert refused(aws, dist, "Minting=off", *words).name == "foreign-address"


def test_an_ipv6_route_out_is_no_fixed_address(aws, dist):
    words = network()
    ec2 = boto3.client("ec2")
    made = ec2.create_egress_only_internet_gateway(VpcId=of_network("Vpc"))["EgressOnlyInternetGateway"]
    ec2.create_route(RouteTableId=of_network("PrivateRouteTable2"), DestinationIpv6CidrBlock="::/0",
                     EgressOnlyInternetGatewayId=made["EgressOnlyInternetGatewayId"])
    found = refused(aws, dist, "Minting=off", *words)
    assert found.name == "foreign-address" and "IPv6" in str(found)


def test_a_subnet_without_a_way_out_is_named(aws, dist):
    words = network()
    boto3.client("ec2").delete_route(RouteTableId=of_network("PrivateRouteTable1"), DestinationCidrBlock="0.0.0.0/0")
    found = refused(aws, dist, "Minting=off", *words)
    assert found.name == "foreign-address" and "no default route" in str(found)


def test_a_transit_gateway_cannot_be_judged(aws, dist, capsys):
    words = network()
    gateway = boto3.client("ec2").create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    route(TransitGatewayId=gateway)
    assert deploy(dist, "Minting=off", "YES=1", *words) == 0
    assert (
        f"the address of {of_network('PrivateSubnet1')} cannot be seen from the routes: 0.0.0.0/0 leads to a transit gateway "
        f"({gateway}). Make sure that EgressIps holds it." in capsys.readouterr().err
    )


def test_a_private_destination_is_nobodys_business(aws, dist, capsys):
    words = network()
    gateway = boto3.client("ec2").create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    route("create_route", "10.0.0.0/8", TransitGatewayId=gateway)
    assert deploy(dist, "Minting=off", "YES=1", *words) == 0
    assert "transit gateway" not in capsys.readouterr().err


@pytest.fixture
def gateways(aws, monkeypatch):
    """Changes what EC2 says about NAT gateways. moto has no secondary addresses."""

    def change(function):
        def describe_nat_gateways(**asked):
            found = boto3.client("ec2").describe_nat_gateways(**asked)
            for gateway in found["NatGateways"]:
                function(gateway)
            return found

        monkeypatch.setattr(aws, "describe_nat_gateways", describe_nat_gateways, raising=False)

    return change


def test_a_second_address_on_a_gateway_is_named(aws, dist, gateways):
    gateways(lambda gateway: gateway["NatGatewayAddresses"].append({"PublicIp": "203.0.113.9"}))
    found = refused(aws, dist, "Minting=off", *network())
    assert found.name == "secondary-address" and "203.0.113.9" in str(found)


def test_a_second_address_that_is_listed_is_welcome(aws, dist, gateways):
    gateways(lambda gateway: gateway["NatGatewayAddresses"].append({"PublicIp": "203.0.113.9"}))
    network()
    listed = outputs(described("theirs"))["EgressIps"] + ",203.0.113.9"
    assert deploy(dist, "Minting=off", "YES=1", *network(EgressIps=listed)) == 0


def test_a_second_address_on_the_stacks_own_gateway_is_named(deployed, aws, gateways):
    gateways(lambda gateway: gateway["NatGatewayAddresses"].append({"PublicIp": "203.0.113.9"}))
    assert refused(aws, deployed, "CustomDomainName=wx.example.com").name == "secondary-address"


def test_a_private_gateway_has_no_address(aws, dist, gateways):
    gateways(lambda gateway: gateway.update(ConnectivityType="private"))
    assert refused(aws, dist, "Minting=off", *network()).name == "foreign-address"


def test_a_gateway_without_an_address_is_not_passed_over_in_silence(aws, dist, gateways, capsys):
    gateways(lambda gateway: gateway.update(NatGatewayAddresses=[]))
    assert deploy(dist, "Minting=off", "YES=1", *network()) == 0
    said = capsys.readouterr().err
    assert said.count("which shows no public address. Make sure that EgressIps holds it.") == 2, "one line for each subnet"


# ── The table's endpoint, and Block Public Access ────────────────────────────────────────────────────────────────────


def test_an_endpoint_that_does_not_exist_is_no_endpoint(aws, dist):
    found = refused(aws, dist, "Minting=off", *network(DynamoDbEndpointId="vpce-0123456789abcdef0"))
    assert found.name == "no-endpoint"
    assert f"aws ec2 create-vpc-endpoint --vpc-id {of_network('Vpc')}" in str(found)
    assert f"com.amazonaws.{REGION}.dynamodb --route-table-ids rtb-" in str(found)


def test_a_route_table_without_the_endpoint_is_named_with_the_command(aws, dist):
    words = network()
    endpoint, table = of_network("DynamoDbEndpoint"), of_network("PrivateRouteTable2")
    boto3.client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[table])
    found = refused(aws, dist, "Minting=off", *words)
    assert found.name == "no-endpoint"
    assert f"modify-vpc-endpoint --vpc-endpoint-id {endpoint} --add-route-table-ids {table}" in str(found)


def test_an_endpoint_of_another_service_is_no_endpoint(aws, dist):
    network()
    made = boto3.client("ec2").create_vpc_endpoint(
        VpcId=of_network("Vpc"), ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway",
        RouteTableIds=[of_network("PrivateRouteTable1"), of_network("PrivateRouteTable2")])
    words = network(DynamoDbEndpointId=made["VpcEndpoint"]["VpcEndpointId"])
    assert refused(aws, dist, "Minting=off", *words).name == "no-endpoint"


@pytest.mark.parametrize("own", [True, False])
def test_public_access_that_is_blocked_in_both_directions_stops_the_gateways(aws, dist, own):
    words = [] if own else network()
    aws.block_mode = "block-bidirectional"
    assert refused(aws, dist, "Minting=off", *words).name == "block-public-access"


def test_an_excluded_vpc_is_not_blocked(aws, dist):
    words = network()
    aws.block_mode = "block-bidirectional"
    arn = f"arn:aws:ec2:{REGION}:111122223333:vpc/{of_network('Vpc')}"
    aws.exclusions = [{"ResourceArn": arn, "State": "delete-complete"}]
    assert refused(aws, dist, "Minting=off", *words).name == "block-public-access"
    aws.exclusions = [{"ResourceArn": arn, "State": "create-complete"}]
    assert deploy(dist, "Minting=off", "YES=1", *words) == 0


def test_exclusions_that_cannot_be_read_are_none(aws, dist):
    aws.block_mode = "block-bidirectional"
    aws.exclusions = ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeVpcBlockPublicAccessExclusions")
    assert "could not be read (UnauthorizedOperation)" in str(refused(aws, dist, "Minting=off", *network()))


@pytest.mark.parametrize("code", ["InvalidAction", "UnauthorizedOperation"])
def test_a_region_without_block_public_access_is_deployed_to(aws, dist, code, capsys):
    aws.block_error = ClientError({"Error": {"Code": code}}, "DescribeVpcBlockPublicAccessOptions")
    assert deploy(dist, "Minting=off", "YES=1") == 0
    assert f"was not checked: {code}" in capsys.readouterr().err
