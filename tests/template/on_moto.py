"""Creates both stacks by moto's CloudFormation, for test_moto.py.

moto implements only a part of CloudFormation: it has no SAM transform and no ``Fn::Cidr``, uses one region's
zones for every region, and takes ``AWS::NoValue`` in a list for a value. So cfn.py transforms the template
and resolves parameters, conditions and functions first. moto resolves the references between resources.

``UNSUPPORTED`` lists the types that moto's CloudFormation cannot create; the tests leave them out. The models
below add secrets, aliases and changed routes, by passing their properties to moto's services.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import boto3
import cfn
from moto.awslambda.utils import get_backend as lambda_backend
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import Route
from moto.secretsmanager.models import secretsmanager_backends

UNSUPPORTED = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::EventBusPolicy",
    "AWS::Lambda::EventInvokeConfig",
}
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


def change_route(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    """A route's new target, in place. moto would leave the route as it is."""
    properties = cloudformation_json["Properties"]
    ec2_backends[account_id][region_name].replace_route(
        properties["RouteTableId"], properties["DestinationCidrBlock"], nat_gateway_id=properties.get("NatGatewayId")
    )
    return original_resource


Route.update_from_cloudformation_json = classmethod(change_route)


def creatable(stack: cfn.Stack) -> dict[str, Any]:
    """A template of the resources that moto can create, and of the outputs that refer only to these."""
    # moto's Ref of a bus is not its name.
    whole = json.loads(json.dumps([stack.resources, stack.outputs]).replace("${EventBus}", cfn.STACK))
    resources = {n: r for n, r in whole[0].items() if r["Type"] not in LEFT_OUT}
    left_out = set(stack.resources) - set(resources)
    assert not cfn.placeholders(resources) & left_out
    for resource in resources.values():
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn"):
            resource.pop(attribute, None)
        if resource["Type"] == "AWS::Events::Archive":
            # moto reads an archive's pattern as text, and its days as a number.
            archive = resource["Properties"]
            archive |= {"EventPattern": json.dumps(archive["EventPattern"]), "RetentionDays": int(archive["RetentionDays"])}
    outputs = {n: {"Value": v} for n, v in whole[1].items() if not cfn.placeholders(v) & left_out}
    return {"Resources": cfn.as_references(resources, set(resources)), "Outputs": cfn.as_references(outputs, set(resources))}


class Deployed:
    """A created stack and the APIs to inspect it."""

    def __init__(self, name: str, stack: cfn.Stack):
        self.name, self.region = name, stack.region
        self.cloudformation = self.client("cloudformation")
        self._do("create_stack", stack, Capabilities=["CAPABILITY_IAM"])
        # No API shows the associations that moto's CloudFormation makes, so the API makes them again.
        for association in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values():
            subnet, table = (self.ids[cfn.placeholders(association[k]).pop()] for k in ("SubnetId", "RouteTableId"))
            self.client("ec2").associate_route_table(SubnetId=subnet, RouteTableId=table)

    def update(self, stack: cfn.Stack) -> None:
        self._do("update_stack", stack)

    def _do(self, action: str, stack: cfn.Stack, **more: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(self.cloudformation, action)(StackName=self.name, TemplateBody=json.dumps(creatable(stack)), **more)
        self.stack = stack
        listed = self.cloudformation.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}
        described = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        assert described["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}

    def client(self, service: str):
        return boto3.client(service, region_name=self.region)


class Account:
    """An empty account, in which stacks are created."""

    def __init__(self, region: str):
        self.region = region
        # As `make deploy` uploads the code.
        s3 = boto3.client("s3", region_name=region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket="artifacts", **place)
        s3.put_object(Bucket="artifacts", Key="code.zip", Body=EMPTY_ZIP)

    def bring(self, *numbers: str) -> dict[str, str]:
        """Allocates addresses beforehand. Gives the parameters that bring them."""
        parameters = {}
        for number in numbers:
            address = boto3.client("ec2", region_name=self.region).allocate_address(Domain="vpc")
            parameters[f"EipAllocationId{number}"] = address["AllocationId"]
            parameters[f"EipAddress{number}"] = address["PublicIp"]
        return parameters

    def network(self, **parameters: str) -> Deployed:
        return Deployed(f"{cfn.STACK}-network", cfn.network(self.region, **parameters))

    def service(self, network: Deployed, **parameters: str) -> Deployed:
        """The service in a network, whose outputs are its parameters."""
        return Deployed(cfn.STACK, self.service_stack(network, **parameters))

    def service_stack(self, network: Deployed, **parameters: str) -> cfn.Stack:
        given = {name: value for name, value in network.outputs.items() if name != "VpcId"}
        return cfn.deployed(self.region, **given, **parameters)
