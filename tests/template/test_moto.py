"""The stack, created by moto's CloudFormation and read back through the AWS APIs.

moto implements only a part of CloudFormation: it has no SAM transform and no ``Fn::Cidr``, uses one region's
zones for every region, and takes ``AWS::NoValue`` in a list for a value. So cfn.py transforms the template
and resolves parameters, conditions and functions first. moto resolves the references between resources.

``UNSUPPORTED`` lists the types that moto's CloudFormation cannot create; the tests leave them out. Two models
below add secrets and aliases, by passing their properties to moto's services.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import boto3
import cfn
import combos
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.awslambda.utils import get_backend as lambda_backend
from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel
from moto.secretsmanager.models import secretsmanager_backends

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

UNSUPPORTED = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
}
REGIONS = ["us-east-1", "cn-northwest-1"]
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

LEFT_OUT = UNSUPPORTED | {
    "AWS::CloudWatch::Dashboard",  # names alarms
    "AWS::ApiGateway::Deployment",  # moto ignores the API's body, and deploys no API without methods
}


class SecretModel(CloudFormationModel):
    """``AWS::SecretsManager::Secret`` for moto."""

    __module__ = "moto.secretsmanager.models"  # where moto looks for the service's name

    def __init__(self, arn: str):
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = cloudformation_json.get("Properties", {})
        with_value = {"SecretString", "GenerateSecretString"} & set(properties)
        assert not with_value, f"would write a value: {with_value}"
        created = secretsmanager_backends[account_id][region_name].create_secret(
            name=resource_name, secret_string=None, secret_binary=None, tags=[],
            description=properties.get("Description"), kms_key_id=properties.get("KmsKeyId"),
            client_request_token=None, replica_regions=[], force_overwrite=False,
        )
        return cls(json.loads(created)["ARN"] if isinstance(created, str) else created["ARN"])


class AliasModel(CloudFormationModel):
    """``AWS::Lambda::Alias`` for moto."""

    __module__ = "moto.awslambda.models"

    def __init__(self, arn: str):
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Alias"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = cloudformation_json["Properties"]
        alias = lambda_backend(account_id, region_name).create_alias(
            properties["Name"], properties["FunctionName"], properties["FunctionVersion"], "", ""
        )
        return cls(alias.arn)


def creatable(stack: cfn.Stack) -> dict[str, Any]:
    """A template of the resources that moto can create, and of the outputs that refer only to these."""
    # moto's Ref of a bus is not its name.
    whole = json.loads(json.dumps([stack.resources, stack.outputs]).replace("${EventBus}", cfn.STACK))
    resources = {n: r for n, r in whole[0].items() if r["Type"] not in LEFT_OUT}
    left_out = set(stack.resources) - set(resources)
    assert not cfn.placeholders(resources) & left_out
    # moto reads an archive's pattern as text, and its days as a number.
    archive = resources["EventArchive"]["Properties"]
    archive |= {"EventPattern": json.dumps(archive["EventPattern"]), "RetentionDays": int(archive["RetentionDays"])}
    for resource in resources.values():
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn"):
            resource.pop(attribute, None)
    outputs = {n: {"Value": v} for n, v in whole[1].items() if not cfn.placeholders(v) & left_out}
    return {"Resources": cfn.as_references(resources, set(resources)), "Outputs": cfn.as_references(outputs, set(resources))}


class Deployed:
    """A created stack and the APIs to inspect it."""

    def __init__(self, stack: cfn.Stack):
        self.stack = stack
        self.region = stack.region
        self.cloudformation = self.client("cloudformation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.cloudformation.create_stack(StackName=cfn.STACK, TemplateBody=json.dumps(creatable(stack)), Capabilities=["CAPABILITY_IAM"])
        listed = self.cloudformation.list_stack_resources(StackName=cfn.STACK)["StackResourceSummaries"]
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}
        described = self.cloudformation.describe_stacks(StackName=cfn.STACK)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE"
        # No API shows the associations that moto's CloudFormation makes, so the API makes them again.
        for association in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values():
            subnet, table = (self.ids[cfn.placeholders(association[k]).pop()] for k in ("SubnetId", "RouteTableId"))
            self.client("ec2").associate_route_table(SubnetId=subnet, RouteTableId=table)
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}

    def client(self, service: str):
        return boto3.client(service, region_name=self.region)


@pytest.fixture
def deploy():
    """Creates a stack in an empty account."""
    with mock_aws():
        def create(region: str = "us-east-1", brought: tuple[str, ...] = (), **parameters: str) -> Deployed:
            # As `sam package` uploads the code.
            s3 = boto3.client("s3", region_name=region)
            place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket="artifacts", **place)
            s3.put_object(Bucket="artifacts", Key="code.zip", Body=EMPTY_ZIP)
            ec2 = boto3.client("ec2", region_name=region)
            for number in brought:
                address = ec2.allocate_address(Domain="vpc")
                parameters[f"EipAllocationId{number}"] = address["AllocationId"]
                parameters[f"EipAddress{number}"] = address["PublicIp"]
            return Deployed(cfn.deployed(region, **parameters))
        yield create


def test_the_list_of_what_moto_cannot_create_is_true():
    used = {r["Type"] for region, _, parameters in combos.ALL for r in cfn.deployed(region, **parameters).resources.values()}
    supported = set(get_model_map())
    assert used - supported == UNSUPPORTED & used
    assert UNSUPPORTED <= used


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    "parameters, brought",
    [
        ({}, ()),
        ({"ZoneCount": "3"}, ()),
        ({"NatMode": "per-az"}, ("2",)),
        ({"NatMode": "per-az", "ZoneCount": "3"}, ("1", "2", "3")),
    ],
    ids=["one nat", "three zones", "per-az, second address brought", "three brought addresses"],
)
def test_every_function_subnet_leaves_by_a_nat_gateway_whose_address_is_announced(deploy, region, parameters, brought):
    made = deploy(region, brought, **parameters)
    ec2 = made.client("ec2")
    zones = int(parameters.get("ZoneCount", "2"))
    nats = {n["NatGatewayId"]: n for n in ec2.describe_nat_gateways()["NatGateways"]}
    announced = made.outputs["EgressIps"].split(";")
    vpc = made.client("lambda").get_function_configuration(FunctionName=f"{cfn.STACK}-preauthcode")["VpcConfig"]
    assert len(vpc["SubnetIds"]) == zones

    seen, places = set(), set()
    for subnet_id in vpc["SubnetIds"]:
        (subnet,) = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
        places.add(subnet["AvailabilityZone"])
        (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}])["RouteTables"]
        ways_out = [r for r in table["Routes"] if not r.get("GatewayId", "").startswith(("local", "vpce-"))]
        assert [r["DestinationCidrBlock"] for r in ways_out] == ["0.0.0.0/0"]
        nat = nats[ways_out[0]["NatGatewayId"]]
        (public,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [nat["SubnetId"]]}])["RouteTables"]
        assert any(r.get("GatewayId", "").startswith("igw-") for r in public["Routes"])
        (address,) = nat["NatGatewayAddresses"]
        (eip,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
        seen.add(eip["PublicIp"])
    assert len(places) == zones
    assert seen == set(announced) and len(announced) == len(nats)
    for function in ("preauthcode", "keeper"):
        variables = made.client("lambda").get_function_configuration(FunctionName=f"{cfn.STACK}-{function}")["Environment"]["Variables"]
        assert variables["EGRESS_IPS"].split(",") == announced
    assert not any(s.get("Ipv6CidrBlockAssociationSet") for s in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made.ids["Vpc"]]}])["Subnets"])


def test_dynamodb_is_reached_without_the_nat_gateway(deploy):
    made = deploy()
    ec2 = made.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.dynamodb"
    assert set(endpoint["RouteTableIds"]) == {made.ids["PrivateRouteTable1"], made.ids["PrivateRouteTable2"]}


@pytest.mark.parametrize("region", REGIONS)
def test_the_table_takes_an_item(deploy, region):
    made = deploy(region)
    dynamodb = made.client("dynamodb")
    name = made.outputs["StateTableName"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    # Encryption and recovery are in checks.py: moto's CloudFormation passes neither on.
    assert table["TableArn"].startswith(f"arn:{cfn.partition_of(region)}:dynamodb:{region}:")
    key = {"pk": {"S": "ticket#wx1"}}
    dynamodb.put_item(TableName=name, Item=key | {"value": {"S": "t"}}, ConditionExpression="attribute_not_exists(pk)")
    assert dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True)["Item"]["value"] == {"S": "t"}


def test_the_secret_is_created_without_a_value_and_keeps_the_operators(deploy):
    made = deploy()
    secrets = made.client("secretsmanager")
    arn = made.outputs["CredentialsSecretArn"]
    assert secrets.describe_secret(SecretId=arn)["ARN"] == arn
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId=arn)
    secrets.put_secret_value(SecretId=arn, SecretString="filled")
    # An update of the stack (here: of a function's memory) leaves it alone.
    updated = creatable(cfn.deployed(MemorySize="512"))
    made.cloudformation.update_stack(StackName=cfn.STACK, TemplateBody=json.dumps(updated))
    assert made.client("lambda").get_function_configuration(FunctionName=f"{cfn.STACK}-keeper")["MemorySize"] == 512
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "filled"


def test_functions_have_their_roles_and_variables(deploy):
    made = deploy()
    functions, iam = made.client("lambda"), made.client("iam")
    for name in ("preauthcode", "callback", "keeper"):
        function = functions.get_function_configuration(FunctionName=f"{cfn.STACK}-{name}")
        assert function["Runtime"] == "provided.al2023" and function["Handler"] == "bootstrap"
        assert function["Environment"]["Variables"]["STATE_TABLE"] == made.outputs["StateTableName"]
        role = function["Role"].split("/")[-1]
        assert iam.list_role_policies(RoleName=role)["PolicyNames"] == [name]
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert not functions.get_function_configuration(FunctionName=f"{cfn.STACK}-callback").get("VpcConfig", {}).get("SubnetIds")


def test_events_reach_a_rule_on_the_bus(deploy):
    made = deploy()
    events, sqs = made.client("events"), made.client("sqs")
    bus = made.outputs["EventBusName"]
    queue = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="authorized", EventBusName=bus, EventPattern='{"source":["wechat.component"]}')
    events.put_targets(Rule="authorized", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    events.put_events(Entries=[{"EventBusName": bus, "Source": "wechat.component", "DetailType": "authorized", "Detail": "{}"}])
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail-type"] == "authorized"
    assert events.list_archives()["Archives"][0]["RetentionDays"] == 30
    (schedule,) = events.list_rules()["Rules"]
    assert schedule["ScheduleExpression"] == "rate(1 minute)"


def test_an_existing_network_is_used_as_it_is(deploy):
    made = deploy(**combos.EXISTING)
    assert not {"Vpc", "Nat1", "EgressIp1"} & set(made.ids)
    assert made.outputs["EgressIps"] == "198.51.100.1;198.51.100.2"
