"""`make teardown`: what stops it before it starts, what it says, and what is left."""

from __future__ import annotations

import json

import boto3
import pytest
import small
import stack
import teardown
from botocore.exceptions import ClientError
from conftest import AT, REGION, aws_describe
from stop import Stop

REF = small.REF
MINTING = {"Minting": {"Type": "String", "Default": "on"}, "SubnetIds": {"Type": "String", "Default": ""}}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
SERVICE = {
    "Parameters": MINTING,
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "KeeperRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "CallerPolicy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": POLICY}},
        "EventBus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "preauth"}},
        "StateTable": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {
            "TableName": "preauth-state", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}},
        "CredentialsSecret": {"Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Retain"},
    },
    # moto gives the bus no physical id.
    "Outputs": {"EventBusName": {"Value": "preauth"}},
}


def create(name: str, template: dict, **parameters: str) -> None:
    given = [{"ParameterKey": n, "ParameterValue": v} for n, v in parameters.items()]
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=given)


def physical(stack: str, logical: str) -> str:
    found = boto3.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return next(r["PhysicalResourceId"] for r in found if r["LogicalResourceId"] == logical)


@pytest.fixture
def service(aws, monkeypatch):
    """moto's CloudFormation makes no secret, so the list of resources gets one."""
    import cloudformation

    create("preauth", SERVICE)
    real = cloudformation.CloudFormation.resources
    secret = {
        "LogicalResourceId": "CredentialsSecret", "ResourceType": "AWS::SecretsManager::Secret",
        "PhysicalResourceId": f"arn:aws:secretsmanager:{REGION}:1:secret:preauth", "ResourceStatus": "CREATE_COMPLETE",
    }
    monkeypatch.setattr(
        cloudformation.CloudFormation, "resources",
        lambda self, name: real(self, name) + ([secret] if name == "preauth" else []),
    )
    return aws


@pytest.fixture
def network(aws, monkeypatch):
    """moto deletes a VPC before what is in it, so the deletion is only recorded."""
    import cloudformation

    real, deleted = cloudformation.CloudFormation.delete, []
    monkeypatch.setattr(
        cloudformation.CloudFormation, "delete",
        lambda self, name: deleted.append(name) if name == "preauth-network" else real(self, name),
    )
    create("preauth-network", small.network())
    return deleted


@pytest.fixture
def own_stacks_only(monkeypatch):
    """Whoever has docs/deployer-policy.json may read the stacks preauth and preauth-network, and no others."""
    def check(name: str) -> None:
        if name not in ("preauth", "preauth-network"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": name or "all stacks"}}, "DescribeStacks")

    def client(self, service: str):
        made = real(self, service)
        if service == "cloudformation":
            made.meta.events.register(
                "before-parameter-build.cloudformation.DescribeStacks", lambda params, **_: check(params.get("StackName", "")))
        return made

    real = stack.Account.client
    monkeypatch.setattr(stack.Account, "client", client)
    monkeypatch.setattr("cloudformation.CloudFormation.describe", lambda self, name: check(name) or aws_describe(name))


def run(stack: str, yes: str = "") -> int:
    return teardown.main(["--stack", stack, "--region", REGION, *(["--yes", yes] if yes else [])])


def statuses() -> dict[str, str]:
    return {s["StackName"]: s["StackStatus"] for s in boto3.client("cloudformation").list_stacks()["StackSummaries"]}


def refused(stack: str, name: str, *says: str) -> None:
    before = statuses()
    with pytest.raises(Stop, match=f"refused: {name}: ") as stopped:
        run(stack, stack)
    assert all(text in str(stopped.value) for text in says), stopped.value
    assert "Nothing was deleted." in str(stopped.value) and statuses() == before


def test_it_says_what_stays_and_needs_the_stacks_name(service, person, capsys):
    person.says("prod")
    with pytest.raises(Stop, match="Not deleted"):
        run("preauth")
    said = capsys.readouterr().out
    assert "StateTable: preauth-state" in said and "CredentialsSecret: " in said and "0.40 USD" in said
    assert "Topic" not in said and service.protected == {}
    person.says("preauth")
    assert run("preauth") == 0
    said = capsys.readouterr().out
    assert "--no-deletion-protection-enabled" in said and "delete-secret --secret-id arn:" in said
    assert statuses() == {"preauth": "DELETE_COMPLETE"} and service.protected == {"preauth": False}


def test_a_program_gives_the_name(service):
    with pytest.raises(Stop, match="Not deleted"):
        run("preauth", "prod")
    assert run("preauth", "preauth") == 0


def test_without_a_terminal_it_needs_the_name(service, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(Stop, match="YES=preauth"):
        run("preauth")


def test_the_addresses_of_a_network_stay_and_can_be_released(network, capsys):
    assert run("preauth-network", "preauth-network") == 0
    said = capsys.readouterr().out
    for logical in ("EgressIp1", "EgressIp2"):
        assert f"{logical}: " in said
    assert said.count("aws ec2 release-address --allocation-id eipalloc-") == 2 and "3.65 USD" in said


def test_an_elastic_ip_that_was_brought_is_said_to_stay(aws, monkeypatch, capsys):
    monkeypatch.setattr("cloudformation.CloudFormation.delete", lambda self, name: None)
    made = boto3.client("ec2").allocate_address(Domain="vpc")
    create("preauth-network", small.network(), EipAllocationId1=made["AllocationId"], EipAddress1=made["PublicIp"])
    assert run("preauth-network", "preauth-network") == 0
    assert f"{made['AllocationId']}, which you brought" in capsys.readouterr().out


def test_the_network_that_stays_and_costs_is_named(service, network, capsys):
    assert run("preauth", "preauth") == 0
    assert "make teardown STACK=preauth-network" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["Role", "User", "Group"])
def test_a_policy_on_somebody_elses_role_stops_it(service, kind):
    iam, arn = boto3.client("iam"), physical("preauth", "CallerPolicy")
    more = {"AssumeRolePolicyDocument": json.dumps(TRUST)} if kind == "Role" else {}
    getattr(iam, f"create_{kind.lower()}")(**{f"{kind}Name": "orders"}, **more)
    getattr(iam, f"attach_{kind.lower()}_policy")(**{f"{kind}Name": "orders"}, PolicyArn=arn)
    refused("preauth", "attached-policies", f"detach-{kind.lower()}-policy --{kind.lower()}-name orders --policy-arn {arn}")


def test_a_policy_on_the_stacks_own_role_stops_nothing(service):
    arn, role = physical("preauth", "CallerPolicy"), physical("preauth", "KeeperRole")
    boto3.client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
    import guests
    from stack import Stack

    stack = Stack(teardown.arguments("").parse_args(AT))
    assert guests.find(stack, stack.account.cloudformation.resources("preauth")) == []


def test_a_consumers_rule_on_the_bus_stops_it(service):
    events = boto3.client("events")
    events.put_rule(Name="to-orders", EventBusName="preauth", EventPattern='{"source":["wechat.component"]}')
    events.put_targets(Rule="to-orders", EventBusName="preauth", Targets=[{"Id": "queue", "Arn": "arn:aws:sqs:r:1:q"}])
    refused("preauth", "foreign-rules", "remove-targets --event-bus-name preauth --rule to-orders --ids queue && ",
            "delete-rule --event-bus-name preauth --name to-orders")


def test_the_archives_own_rule_stops_nothing(service, monkeypatch):
    import guests

    rule = {"Name": "Events-Archive-preauth", "ManagedBy": "prod.vhs.events.aws.internal"}
    monkeypatch.setattr(guests, "rules", lambda events, bus: [rule])
    assert run("preauth", "preauth") == 0


@pytest.fixture
def functions(monkeypatch):
    """The account's functions, by the VPC of each. moto invents the VPC."""
    import stack

    class Lambda:
        def __init__(self):
            self.found: list[dict] = []

        def get_paginator(self, _):
            return self

        def paginate(self):
            return [{"Functions": [{"FunctionName": "nowhere"}]}, {"Functions": self.found}]

    fake, real = Lambda(), stack.Account.client
    monkeypatch.setattr(
        stack.Account, "client", lambda self, service: fake if service == "lambda" else real(self, service))
    return fake


def test_a_function_of_another_stack_stops_it(network, functions):
    """Also when it shares a network interface with the stack's own functions, which an interface does not tell."""
    vpc = physical("preauth-network", "Vpc")
    functions.found = [{"FunctionName": "orders", "VpcConfig": {"VpcId": vpc}}]
    refused("preauth-network", "guests", "the function orders is in this network", "--function-name orders")
    assert network == []


def test_a_function_in_another_network_is_no_guest(network, functions):
    functions.found = [{"FunctionName": "orders", "VpcConfig": {"VpcId": "vpc-0123456789abcdef0"}}]
    assert run("preauth-network", "preauth-network") == 0
    assert network == ["preauth-network"]


def test_the_service_stops_the_deletion_of_its_network(network):
    (found,) = boto3.client("cloudformation").describe_stacks(StackName="preauth-network")["Stacks"]
    subnets = next(o["OutputValue"] for o in found["Outputs"] if o["OutputKey"] == "SubnetIds")
    create("preauth-second", SERVICE, SubnetIds=subnets)
    refused("preauth-network", "used-network", "make teardown STACK=preauth-second")


def test_the_service_of_the_same_name_stops_it_also_where_no_other_stack_may_be_read(network, own_stacks_only):
    (found,) = boto3.client("cloudformation").describe_stacks(StackName="preauth-network")["Stacks"]
    subnets = next(o["OutputValue"] for o in found["Outputs"] if o["OutputKey"] == "SubnetIds")
    create("preauth", SERVICE, SubnetIds=subnets)
    refused("preauth-network", "used-network", "make teardown STACK=preauth")


def test_after_the_network_nothing_else_is_looked_for(network, own_stacks_only):
    """The network's network would be another stack, and may not be readable."""
    assert run("preauth-network", "preauth-network") == 0
    assert network == ["preauth-network"]


def test_another_network_interface_stops_it(network):
    made = boto3.client("ec2").create_network_interface(
        SubnetId=physical("preauth-network", "PrivateSubnet1"), Description="a database")
    refused("preauth-network", "guests", made["NetworkInterface"]["NetworkInterfaceId"], "(a database)")


def test_an_endpoint_that_the_stack_did_not_make_stops_it(network):
    made = boto3.client("ec2").create_vpc_endpoint(
        VpcId=physical("preauth-network", "Vpc"), ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway",
        RouteTableIds=[physical("preauth-network", "PrivateRouteTable1")])
    refused("preauth-network", "guests", f"delete-vpc-endpoints --vpc-endpoint-ids {made['VpcEndpoint']['VpcEndpointId']}")


def test_interfaces_that_lambda_leaves_behind_are_no_guests(network):
    """They stay for up to 40 minutes after the last function is gone. CloudFormation waits for them."""
    boto3.client("ec2").create_network_interface(
        SubnetId=physical("preauth-network", "PrivateSubnet1"), Description="AWS Lambda VPC ENI-preauth-keeper-0a1b")
    assert run("preauth-network", "preauth-network") == 0


def test_everything_that_stops_it_is_said_at_once(service):
    events, iam = boto3.client("events"), boto3.client("iam")
    events.put_rule(Name="to-orders", EventBusName="preauth", EventPattern="{}")
    iam.create_user(UserName="orders")
    iam.attach_user_policy(UserName="orders", PolicyArn=physical("preauth", "CallerPolicy"))
    refused("preauth", "attached-policies", "refused: foreign-rules: ")


def test_somebody_elses_stack_is_not_deleted(aws):
    create("preauth", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    with pytest.raises(Stop, match="other-stack"):
        teardown.main([*AT, "--yes", "preauth"])
