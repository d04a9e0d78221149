"""The way of a new owner, with the operators' own scripts: deploy from a package, fill the secrets, diagnose, change,
be refused, tear down. Whoever deploys has docs/deployer-policy.json and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAMS
from emulator import REGION
from service import FUNCTIONS, for_the_emulator, package
from wechat import APPID, KEY, SECRET, TOKEN

ROOT = Path(__file__).parents[2]
ACCOUNT = "000000000000"
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
    """A package as `make package` writes it, with the template that the emulator can create."""
    directory = tmp_path_factory.mktemp("dist")
    for program in FUNCTIONS.values():
        (directory / f"{program}-x86_64.zip").write_bytes(package(PROGRAMS / program, "walk"))
    (directory / "template.yaml").write_text(json.dumps(for_the_emulator(wechat.ca_file)), encoding="utf-8")
    (directory / "network.yaml").write_text((ROOT / "network.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(directory.iterdir())]
    (directory / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
    return directory


@pytest.fixture(scope="module")
def deployer(aws):
    text = (ROOT / "docs/deployer-policy.json").read_text(encoding="utf-8")
    for name, value in {"partition": "aws", "region": REGION, "account": ACCOUNT, "stack": STACK}.items():
        text = text.replace(f"<{name}>", value)
    return aws.user(json.loads(text))


@pytest.fixture(scope="module")
def administrator(aws):
    return aws.user({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def script(aws, user, name: str, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """The status and the output of an operator's script."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    env |= {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key,
            "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / name, *arguments], env=env, cwd=ROOT, input=stdin, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, check=False)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def deploy_by_script(aws, deployer, dist):
    # The script's own bucket takes uploads by TLS only, and the emulator speaks none. tests/operate tries that bucket.
    bucket = f"wechat-preauth-{ACCOUNT}-{REGION}"
    aws.client("s3").create_bucket(Bucket=bucket)
    always = f"STACK={STACK} REGION={REGION} PACKAGE={dist} BUCKET={bucket} YES=1".split()

    def run(*words: str) -> tuple[int, str]:
        return script(aws, deployer, "deploy.py", *always, *words)
    return run


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
