"""The way of a new owner, with the operators' own scripts: deploy from a package, fill the secrets, diagnose, change,
be refused, tear down. Whoever deploys has docs/deployer-policy.json and nothing else."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from emulator import REGION
from operate import deploy_stack, deployer_policy, script, write_package
from wechat import APPID, KEY, SECRET, TOKEN

STACK = "walk"


@pytest.fixture(scope="module")
def network(aws) -> dict[str, str]:
    """A network as owners have one: two private subnets behind a NAT gateway."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/24")["Vpc"]["VpcId"]
    blocks = [f"10.9.0.{number * 32}/27" for number in range(3)]
    public, *private = [ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"] for block in blocks]
    address = ec2.allocate_address(Domain="vpc")
    made = ec2.create_nat_gateway(SubnetId=public, AllocationId=address["AllocationId"])
    gateway = made["NatGateway"]["NatGatewayId"]
    tables = []
    for subnet in private:
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        tables.append(table)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{REGION}.dynamodb", RouteTableIds=tables)
    group = ec2.create_security_group(GroupName="functions", Description="functions", VpcId=vpc)["GroupId"]
    return {
        "SubnetIds": ",".join(private), "SecurityGroupId": group, "EgressIps": address["PublicIp"],
        "DynamoDbEndpointId": endpoint["VpcEndpoint"]["VpcEndpointId"],
    }


@pytest.fixture(scope="module")
def wechat(simulators, network):
    """WeChat, which sees the NAT gateway's address and has it in its whitelist."""
    simulator = simulators(STACK)
    simulator.control("client_ip", {"address": network["EgressIps"]})
    simulator.control("whitelist", {"addresses": [network["EgressIps"]]})
    return simulator


@pytest.fixture(scope="module")
def dist(tmp_path_factory, wechat) -> Path:
    return write_package(tmp_path_factory.mktemp("dist"), wechat)


@pytest.fixture(scope="module")
def deployer(aws):
    return aws.user(deployer_policy(STACK))


@pytest.fixture(scope="module")
def deploy_by_script(aws, deployer, dist):
    return functools.partial(deploy_stack, aws, deployer, STACK, dist)


def test_an_owner_deploys_and_gets_a_code(aws, deploy_by_script, administrator, network, wechat):
    words = [f"{name}={value}" for name, value in network.items()]
    status, said = deploy_by_script("MINTING=on", f"OtherApiHosts={wechat.origin}", *words)
    assert status == 0, said

    push_keys = [{"token": TOKEN, "encoding_aes_key": KEY}]
    document = {"component_appid": APPID, "component_appsecret": SECRET, "push_keys": push_keys}
    status, said = script(aws, administrator, "put-credentials.py", "--stack", STACK, stdin=json.dumps(document))
    assert status == 0 and SECRET not in said, said

    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["EnableTerminationProtection"] is True
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    api = outputs["ApiUrl"].split("//")[1].split(".")[0]
    query, body = wechat.push(new_ticket=True)
    assert aws.http("POST", api, f"/wechat/callback?{query}", body).text == "success"

    status, said = script(aws, administrator, "diagnose.py", "--stack", STACK)
    assert status == 0, said
    assert network["EgressIps"] in said


def test_a_repeated_deployment_changes_nothing_and_a_change_keeps_the_rest(deploy_by_script, aws, network):
    status, said = deploy_by_script("LogLevel=DEBUG")
    assert status == 0, said
    functions = aws.client("lambda")
    function = functions.get_function_configuration(FunctionName=f"{STACK}-keeper")
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert function["Environment"]["Variables"]["EGRESS_IPS"] == network["EgressIps"]


def test_the_pages_come_with_their_origin_and_the_name_as_it_was_written(deploy_by_script, aws):
    status, said = deploy_by_script("PagesOrigin=https://auth.example.com", "PlatformName=某某 😀")
    assert status == 0 and "PagesEndpoint" in said and "某某 😀" in said, said
    function = aws.client("lambda").get_function_configuration(FunctionName=f"{STACK}-authorize")
    variables = function["Environment"]["Variables"]
    assert variables["PLATFORM_NAME"] == r"\u67d0\u67d0 \ud83d\ude00" and function["Timeout"] > 20
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    endpoint = next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "PagesEndpoint")
    api = endpoint.split("//")[1].split(".")[0]
    page = aws.http("GET", api, "/authorize/AAAAAAAAAAAAAAAAAAAAAA")
    assert page.status == 404 and "某某 😀" in page.text, page.text[:300]


def test_an_address_that_is_not_registered_is_refused_by_name(deploy_by_script):
    status, said = deploy_by_script("EgressIps=203.0.113.99")
    assert status != 0 and "refused: " in said, said


def test_a_package_that_was_changed_is_refused(deploy_by_script, dist):
    changed = dist / "callback-x86_64.zip"
    before = changed.read_bytes()
    changed.write_bytes(before + b"x")
    try:
        status, said = deploy_by_script("LogLevel=INFO")
    finally:
        changed.write_bytes(before)
    assert status != 0 and "callback-x86_64.zip" in said, said


def test_teardown_refuses_while_somebody_has_a_policy_and_then_deletes(aws, administrator):
    iam = aws.client("iam")
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    policy = next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "CallerPolicyArn")
    iam.create_user(UserName="back-end")
    iam.attach_user_policy(UserName="back-end", PolicyArn=policy)
    status, said = script(aws, administrator, "teardown.py", "--stack", STACK, "--yes", STACK)
    assert status != 0 and "back-end" in said, said
    iam.detach_user_policy(UserName="back-end", PolicyArn=policy)
    status, said = script(aws, administrator, "teardown.py", "--stack", STACK, "--yes", STACK)
    assert status == 0 and "StateTable" in said, said
