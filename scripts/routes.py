"""Preflight: the functions' subnets lead to NAT gateways with the given addresses, and to the table's endpoint."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from botocore.exceptions import ClientError
from stop import Refused, Stop, warn

# Destinations that are not on the Internet.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
# A route's targets whose address EC2 does not show here.
OPAQUE = {
    "TransitGatewayId": "a transit gateway",
    "VpcPeeringConnectionId": "a peering connection",
    "NetworkInterfaceId": "a network interface",
    "InstanceId": "an instance",
    "LocalGatewayId": "a local gateway",
    "CarrierGatewayId": "a carrier gateway",
    "CoreNetworkArn": "a core network",
}


@dataclass
class Network:
    """What was found behind the subnets."""

    vpc: str
    tables: dict[str, dict] = field(default_factory=dict)  # by subnet
    gateways: dict[str, list[str]] = field(default_factory=dict)  # the routes to each NAT gateway
    gateway_subnets: set[str] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)  # the routes to a target that shows no address

    def table_ids(self) -> list[str]:
        return sorted({table["RouteTableId"] for table in self.tables.values()})


@dataclass(frozen=True)
class Exits:
    """By which addresses the subnets leave."""

    addresses: list[str]  # of the NAT gateways
    unseen: list[str]  # one text for each route whose address cannot be seen


def check(ec2, subnets: list[str], egress_ips: list[str], endpoint: str) -> Exits:
    """Refuses a network whose calls could leave from another address."""
    network = look(ec2, subnets)
    for subnet, table in network.tables.items():
        check_routes(network, subnet, table)
    addresses = check_gateways(ec2, network, egress_ips)
    for line in network.unseen:
        warn(f"{line}. Make sure that EgressIps holds it.")
    check_endpoint(ec2, network, endpoint)
    check_public_access(ec2, network.vpc, network.gateway_subnets)
    return Exits(addresses, network.unseen)


def look(ec2, subnets: list[str]) -> Network:
    try:
        found = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    except ClientError as error:
        raise Stop(f"SubnetIds: {error.response['Error']['Message']}") from error
    vpcs = sorted({subnet["VpcId"] for subnet in found})
    if len(vpcs) != 1:
        raise Stop(f"SubnetIds belong to several VPCs: {', '.join(vpcs)}.")
    pages = ec2.get_paginator("describe_route_tables").paginate(Filters=[{"Name": "vpc-id", "Values": vpcs}])
    by_subnet, main = {}, None
    for table in (table for page in pages for table in page["RouteTables"]):
        for association in table["Associations"]:
            if association.get("Main"):
                main = table
            if subnet := association.get("SubnetId"):
                by_subnet[subnet] = table
    # A subnet without a table of its own has the VPC's main one.
    return Network(vpcs[0], {subnet: by_subnet.get(subnet) or main for subnet in subnets})


def check_routes(network: Network, subnet: str, table: dict) -> None:
    def refuse(text: str) -> None:
        raise Refused("foreign-address", f"{subnet} ({table['RouteTableId']}): {text}")

    default = False
    for route in table["Routes"]:
        destination = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
        gateway = route.get("GatewayId") or ""
        # Local routes, gateway endpoints (with a prefix list) and private destinations lead to no public address.
        if gateway == "local" or not destination or (":" not in destination and private(destination)):
            continue
        if ":" in destination and (route.get("EgressOnlyInternetGatewayId") or gateway.startswith("igw-")):
            refuse(f"an IPv6 route ({destination}) leads out. WeChat's whitelist knows no IPv6 address.")
        if gateway.startswith("igw-"):
            refuse(f"{destination} leads to the internet gateway {gateway}, not to a NAT gateway.")
        if ":" in destination:
            continue
        default = default or destination == "0.0.0.0/0"
        if route.get("State") == "blackhole":
            refuse(f"the route to {destination} leads nowhere (blackhole).")
        way = f"the address of {subnet} cannot be seen from the routes: {destination} leads to"
        if nat := route.get("NatGatewayId"):
            network.gateways.setdefault(nat, []).append(way)
        else:
            target = next((f"{words} ({route[key]})" for key, words in OPAQUE.items() if route.get(key)), gateway)
            network.unseen.append(f"{way} {target or 'an unknown target'}")
    if not default:
        refuse("there is no default route (0.0.0.0/0). No call could leave.")


def private(destination: str) -> bool:
    network = ipaddress.ip_network(destination, strict=False)
    return any(network.subnet_of(ipaddress.ip_network(range_)) for range_ in PRIVATE)


def check_gateways(ec2, network: Network, egress_ips: list[str]) -> list[str]:
    """Every address of every NAT gateway is one of EgressIps."""
    if not network.gateways:
        return []
    found = []
    for gateway in ec2.describe_nat_gateways(NatGatewayIds=sorted(network.gateways))["NatGateways"]:
        id_ = gateway["NatGatewayId"]
        if gateway.get("ConnectivityType") == "private":
            raise Refused("foreign-address", f"{id_} is a private NAT gateway and has no public address.")
        if gateway.get("AvailabilityMode") == "regional":
            warn(f"{id_} is a regional NAT gateway. Its addresses can change by themselves; a zonal one's cannot.")
        network.gateway_subnets.add(gateway.get("SubnetId", ""))
        addresses = [a["PublicIp"] for a in gateway["NatGatewayAddresses"] if a.get("PublicIp")]
        if not addresses:
            silent = f"{id_} ({gateway.get('State', 'unknown')}), which shows no public address"
            network.unseen += [f"{way} {silent}" for way in network.gateways[id_]]
        foreign = [address for address in addresses if address not in egress_ips]
        if foreign and len(addresses) > 1:
            raise Refused("secondary-address", (
                f"{id_} has {len(addresses)} addresses, and EgressIps lacks {', '.join(foreign)}. Calls leave from all."
            ))
        if foreign:
            raise Refused("foreign-address", f"calls leave {id_} from {foreign[0]}, which is not one of EgressIps.")
        found += addresses
    return found


def check_endpoint(ec2, network: Network, endpoint: str) -> None:
    """The functions may use the table only through this gateway endpoint."""
    tables = network.table_ids()
    create = (
        f"aws ec2 create-vpc-endpoint --vpc-id {network.vpc} --vpc-endpoint-type Gateway --service-name "
        f"com.amazonaws.{ec2.meta.region_name}.dynamodb --route-table-ids {' '.join(tables)}"
    )
    try:
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("InvalidVpcEndpointId"):
            raise
        found = []
    if not found or found[0].get("State", "available").lower() not in ("available", "pending"):
        raise Refused("no-endpoint", f"there is no VPC endpoint {endpoint}. To make one:\n  {create}")
    (found,) = found
    if not found["ServiceName"].endswith(".dynamodb") or found.get("VpcEndpointType", "Gateway") != "Gateway":
        raise Refused("no-endpoint", f"{endpoint} is no gateway endpoint of DynamoDB. To make one:\n  {create}")
    if found["VpcId"] != network.vpc:
        raise Refused("no-endpoint", f"{endpoint} belongs to {found['VpcId']}, not to {network.vpc}. To make one:\n  {create}")
    if lacking := [table for table in tables if table not in found["RouteTableIds"]]:
        raise Refused("no-endpoint", (
            f"the route tables {', '.join(lacking)} do not lead to {endpoint}. To extend it:\n"
            f"  aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --add-route-table-ids {' '.join(lacking)}"
        ))


def check_public_access(ec2, vpc: str = "", gateway_subnets: set[str] | None = None) -> None:
    """VPC Block Public Access in both directions stops NAT gateways, unless VPC or public subnets are excluded."""
    try:
        options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    except ClientError as error:
        # Not every region and partition has it, and not everybody may read it. It blocks nobody unless switched on.
        warn(f"VPC Block Public Access was not checked: {error.response['Error']['Code']}.")
        return
    if options.get("InternetGatewayBlockMode") != "block-bidirectional":
        return
    try:
        found = ec2.describe_vpc_block_public_access_exclusions(MaxResults=1000)["VpcBlockPublicAccessExclusions"]
        unread = ""
    except ClientError as error:
        found, unread = [], f" Its exclusions could not be read ({error.response['Error']['Code']})."
    excluded = {e["ResourceArn"].rsplit("/", 1)[-1] for e in found if e.get("State") in COMPLETE}
    if vpc in excluded or (gateway_subnets and gateway_subnets <= excluded):
        return
    raise Refused("block-public-access", (
        f"VPC Block Public Access is bidirectional in this region, so no NAT gateway reaches the Internet.{unread} "
        "Set it to block-ingress, or use a network with an exclusion (allow-egress)."
    ))


# An exclusion's states in which it has effect.
COMPLETE = ("create-complete", "update-complete", "update-in-progress")
