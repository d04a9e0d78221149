"""Both stacks from nothing, as docs/DEPLOY.md says: the network's addresses stay the same through every change, a change
that would move one is refused, and they outlive the stacks. Whoever deploys has docs/deployer-policy.json, and no more."""

from __future__ import annotations

import functools
import json
import time

import pytest
import schemas
from botocore.exceptions import ClientError
from operate import ROOT, deploy_stack, deployer_policy, script, write_package
from service import template

STACK, NETWORK = "owner", "owner-network"
BOTH_WORDS = ("REGISTERED=yes", "LIFT=PrivateDefaultRoute2")
ROUTES = ("PrivateDefaultRoute1", "PrivateDefaultRoute2")
SUBNETS = ("PrivateSubnet1", "PrivateSubnet2", "PublicSubnet1", "PublicSubnet2")
PRIVATE_TABLES = ("PrivateSubnet1RouteTable", "PrivateSubnet2RouteTable")
# What an update would touch of all that the stack policy protects, while there is one NAT gateway.
OTHER_EIP = {"EgressIp1", "Nat1", "PublicSubnet1", *ROUTES}
OTHER_ZONES = {*SUBNETS, *PRIVATE_TABLES, "Nat1", *ROUTES}
OTHER_CIDR = {*OTHER_ZONES, "Vpc"}
# Calls that AWS makes for Fn::GetAZs, and of preflight, which the emulator does not have.
NOT_ASKED_HERE = {"ec2:DescribeAvailabilityZones", "ec2:DescribeVpcBlockPublicAccessOptions",
                  "ec2:DescribeVpcBlockPublicAccessExclusions"}


class Network:
    """The network as EC2 shows it, and the stack's own names for it."""

    def __init__(self, aws):
        self.ec2, self.stacks = aws.client("ec2"), aws.client("cloudformation")

    def described(self, stack: str = NETWORK) -> dict:
        (found,) = self.stacks.describe_stacks(StackName=stack)["Stacks"]
        return found

    def outputs(self, stack: str = NETWORK) -> dict[str, str]:
        return {o["OutputKey"]: o["OutputValue"] for o in self.described(stack)["Outputs"]}

    def parameters(self, stack: str = NETWORK) -> dict[str, str]:
        return {p["ParameterKey"]: p["ParameterValue"] for p in self.described(stack)["Parameters"]}

    def ids(self) -> dict[str, str]:
        found = self.stacks.list_stack_resources(StackName=NETWORK)["StackResourceSummaries"]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}

    def addresses(self) -> dict[str, str]:
        """Every Elastic IP of the account that a network stack made: its address by its name."""
        found = self.ec2.describe_addresses()["Addresses"]
        named = [(address["PublicIp"], tag["Value"]) for address in found for tag in address.get("Tags", [])]
        return {name.split(" - ")[0]: address for address, name in named if name.startswith(f"{NETWORK}-")}

    def gateways(self, vpc: str) -> dict[str, tuple[str, str]]:
        """The address and the subnet of each NAT gateway."""
        found = self.ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NatGateways"]
        return {g["NatGatewayId"]: (g["NatGatewayAddresses"][0]["PublicIp"], g["SubnetId"])
                for g in found if g["State"] == "available"}

    def exits(self) -> list[str]:
        """The address by which each private subnet leaves."""
        ids = self.ids()
        gateways, tables = self.gateways(ids["Vpc"]), self.tables(ids["Vpc"])
        by_subnet = {a["SubnetId"]: t for t in tables for a in t["Associations"] if a.get("SubnetId")}
        leaves = []
        for number in "12":
            routes = by_subnet[ids[f"PrivateSubnet{number}"]]["Routes"]
            (default,) = [r for r in routes if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
            leaves.append(gateways[default["NatGatewayId"]][0])
        return leaves

    def tables(self, vpc: str) -> list[dict]:
        return self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]

    def everything(self) -> dict:
        """All that an address depends on."""
        ids = self.ids()
        vpc = ids["Vpc"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        return {
            "addresses": self.addresses(), "gateways": self.gateways(vpc), "tables": by_id(self.tables(vpc), "RouteTableId"),
            "subnets": by_id(subnets, "SubnetId"), "ids": ids, "outputs": self.outputs(),
        }

    def policy(self) -> dict:
        return json.loads(self.stacks.get_stack_policy(StackName=NETWORK)["StackPolicyBody"])

    def update_by_hand(self, **changed: str) -> str:
        """An update by another tool, which knows nothing of preflight. What CloudFormation says of the first failure."""
        kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in self.parameters().keys() - changed.keys()]
        wanted = [{"ParameterKey": name, "ParameterValue": v} for name, v in changed.items()]
        which = {"StackName": NETWORK, "ChangeSetName": f"by-hand-{time.monotonic_ns()}"}
        self.stacks.create_change_set(**which, ChangeSetType="UPDATE", UsePreviousTemplate=True, Parameters=kept + wanted)
        before = {e["EventId"] for e in self.events()}
        self.stacks.execute_change_set(**which)
        for _ in range(100):
            if not self.described()["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.1)
        failed = [e for e in self.events() if e["EventId"] not in before and e["ResourceStatus"] == "UPDATE_FAILED"]
        return f"{self.described()['StackStatus']}: {failed[-1]['ResourceStatusReason'] if failed else 'no failure'}"

    def events(self) -> list[dict]:
        return self.stacks.describe_stack_events(StackName=NETWORK)["StackEvents"]


def policy_file() -> dict:
    return json.loads((ROOT / "scripts/network-policy.json").read_text(encoding="utf-8"))


def by_id(found: list[dict], key: str) -> dict[str, dict]:
    return {entry[key]: entry for entry in found}


@pytest.fixture(scope="module")
def network(aws) -> Network:
    return Network(aws)


@pytest.fixture(scope="module")
def dist(tmp_path_factory, simulators):
    return write_package(tmp_path_factory.mktemp("both"), simulators(STACK))


@pytest.fixture(scope="module")
def deployer(aws):
    return aws.user(deployer_policy(STACK))


@pytest.fixture(scope="module")
def deploy_by_script(aws, deployer, dist):
    return functools.partial(deploy_stack, aws, deployer, STACK, dist)


@pytest.fixture(scope="module")
def deployed(deploy_by_script, network) -> dict:
    """Both stacks, made once. All that an address depends on."""
    status, said = deploy_by_script("Minting=off")
    assert status == 0, said
    assert said.index(f"{NETWORK}: ") < said.index(f"{STACK}: ")
    return network.everything()


@pytest.fixture
def other_address(aws):
    ec2 = aws.client("ec2")
    made = ec2.allocate_address(Domain="vpc")
    yield made
    ec2.release_address(AllocationId=made["AllocationId"])


def test_a_failed_first_creation_leaves_no_address_behind(aws, dist, network):
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:CreateVpcEndpoint", "Resource": "*"}]}
    status, said = deploy_stack(aws, aws.user(deployer_policy(STACK), denied), STACK, dist, "Minting=off")
    assert status != 0 and "DynamoDbEndpoint" in said and "ec2:CreateVpcEndpoint" in said, said
    assert network.addresses() == {}
    with pytest.raises(ClientError, match="does not exist"):
        network.described()


def test_the_network_comes_first_and_the_service_gets_its_outputs(deployed, network):
    addresses = [deployed["addresses"][f"{NETWORK}-egress-{number}"] for number in "12"]
    assert network.outputs()["EgressIps"] == ",".join(addresses)
    assert network.outputs(STACK)["EgressIps"] == ";".join(addresses)
    assert network.exits() == [addresses[0]] * 2
    for name in ("SubnetIds", "SecurityGroupId", "DynamoDbEndpointId"):
        assert network.parameters(STACK)[name] == network.outputs()[name]


def test_both_stacks_are_protected(deployed, network):
    assert network.policy() == policy_file()
    for stack in (STACK, NETWORK):
        assert network.described(stack)["EnableTerminationProtection"] is True
        with pytest.raises(ClientError, match="TerminationProtection"):
            network.stacks.delete_stack(StackName=stack)


@pytest.mark.parametrize("words, name, touched", [
    (["NatMode=per-az"], "protected", {"PrivateDefaultRoute2"}),
    (["NatMode=per-az", "LIFT=PrivateDefaultRoute2"], "address-changes", None),
    (["EipAllocationId1={other}"], "protected", OTHER_EIP),
    (["EipAllocationId1={other}", f"LIFT={','.join(sorted(OTHER_EIP))}"], "address-changes", None),
    (["EipAllocationId2={other}", "LIFT=EgressIp2,PublicSubnet2"], "address-changes", None),
    (["EipAllocationId1=eipalloc-0123456789abcdef0"], "unknown-address", None),
    (["AvailabilityZones=us-east-1b,us-east-1c"], "protected", OTHER_ZONES),
    (["VpcCidr=10.74.0.0/24"], "protected", OTHER_CIDR),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_preflight_refuses_what_would_move_an_address(deploy_by_script, network, deployed, other_address, words, name, touched):
    status, said = deploy_by_script(*(word.format(other=other_address["AllocationId"]) for word in words))
    assert status != 0 and f"refused: {name}: " in said, said
    if touched:
        assert set(said.split("LIFT=")[1].rstrip(".\n").split(",")) == touched
    assert network.everything() == deployed


@pytest.mark.parametrize("changed", [
    {"EipAllocationId1": "{id}", "EipAddress1": "{address}"}, {"AvailabilityZones": "us-east-1b,us-east-1c"},
    {"VpcCidr": "10.74.0.0/24"}, {"NatMode": "per-az"},
], ids=lambda changed: " ".join(changed))
def test_the_stack_policy_stops_an_update_of_another_tool(network, deployed, other_address, changed):
    id_, address = other_address["AllocationId"], other_address["PublicIp"]
    said = network.update_by_hand(**{name: value.format(id=id_, address=address) for name, value in changed.items()})
    assert said.startswith("UPDATE_ROLLBACK_COMPLETE: Action denied by stack policy"), said
    assert network.everything() == deployed


def test_one_gateway_per_zone_and_back_keeps_both_addresses(deploy_by_script, network, deployed, other_address):
    status, said = deploy_by_script("NatMode=per-az", *BOTH_WORDS)
    assert status == 0, said
    assert "REPLACED" not in said
    both = network.everything()
    first, second = network.outputs()["EgressIps"].split(",")
    assert both["addresses"] == deployed["addresses"] and both["outputs"] == deployed["outputs"]
    assert network.exits() == [first, second]
    assert network.policy() == policy_file()

    status, said = deploy_by_script(f"EipAllocationId2={other_address['AllocationId']}")
    assert status != 0 and "refused: protected: " in said, said
    assert set(said.split("LIFT=")[1].rstrip(".\n").split(",")) == {"EgressIp2", "Nat2", "PublicSubnet2", ROUTES[1]}
    assert network.everything() == both

    status, said = deploy_by_script("NatMode=single", *BOTH_WORDS[1:])
    assert status == 0, said
    assert network.exits() == [first] * 2
    assert network.everything() == deployed


def test_an_address_that_was_given_wrongly_is_corrected_in_both_stacks(deploy_by_script, network, deployed):
    """As the refusal says: with LIFT and REGISTERED. The address in use stays, and the one that is no longer used too."""
    made = network.ec2.allocate_address(Domain="vpc")
    status, said = deploy_by_script(
        f"EipAllocationId2={made['AllocationId']}", "LIFT=EgressIp2,PublicSubnet2", "REGISTERED=yes")
    assert status == 0, said
    first = deployed["addresses"][f"{NETWORK}-egress-1"]
    assert network.outputs()["EgressIps"] == f"{first},{made['PublicIp']}"
    assert network.outputs(STACK)["EgressIps"] == f"{first};{made['PublicIp']}"
    assert network.exits() == [first] * 2
    assert network.addresses() == deployed["addresses"] and network.policy() == policy_file()


def test_teardown_takes_the_service_first_and_leaves_the_addresses(aws, deployer, network, deployed):
    before, brought = network.everything(), network.parameters()["EipAllocationId2"]
    status, said = script(aws, deployer, "teardown.py", "--stack", NETWORK, "--yes", NETWORK)
    assert status != 0 and f"refused: used-network: the service {STACK} " in said and "Nothing was deleted." in said, said
    assert network.everything() == before

    status, said = script(aws, deployer, "teardown.py", "--stack", STACK, "--yes", STACK)
    assert status == 0 and f"make teardown STACK={NETWORK}" in said, said
    assert network.everything() == before

    status, said = script(aws, deployer, "teardown.py", "--stack", NETWORK, "--yes", NETWORK)
    assert status == 0, said
    assert network.addresses() == deployed["addresses"]
    first = before["addresses"][f"{NETWORK}-egress-1"]
    (kept,) = network.ec2.describe_addresses(PublicIps=[first])["Addresses"]
    for allocation in (kept["AllocationId"], brought):
        assert f"release-address --allocation-id {allocation}" in said, said
        assert network.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert network.gateways(before["ids"]["Vpc"]) == {}
    assert before["ids"]["Vpc"] not in {v["VpcId"] for v in network.ec2.describe_vpcs()["Vpcs"]}


def test_the_deployers_policy_has_the_calls_that_are_needed_and_no_others(aws, deployer):
    """Of EC2, as the resource types' schemas list them, and of CloudFormation, as the scripts ask on the way above."""
    types = {r["Type"] for r in template(name="network.yaml")["Resources"].values() if r["Type"].startswith("AWS::EC2::")}
    assert types == set(schemas.SCHEMAS)
    needed = {call for type_ in types for operation in schemas.OPERATIONS for call in schemas.calls(type_, operation)}
    decisions = [line for line in aws.decisions_of(deployer) if line["action"].startswith(("cloudformation:", "ec2:"))]
    asked = {line["action"] for line in decisions}
    granted = {a for s in deployer_policy(STACK)["Statement"] for a in s["Action"] if a.startswith(("cloudformation:", "ec2:"))}
    assert sorted(granted) == sorted(needed | asked | NOT_ASKED_HERE)
    # The deployer may read no stacks but these. Teardown wants to look at all, and does with these.
    assert {line["action"] for line in decisions if not line["allowed"]} == {"cloudformation:DescribeStacks"}
