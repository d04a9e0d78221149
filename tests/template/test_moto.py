"""Both stacks, created by moto's CloudFormation (on_moto.py) and read back through the AWS APIs."""

from __future__ import annotations

import json

import boto3
import cfn
import combos
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map
from on_moto import UNSUPPORTED, Account, Deployed

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

REGIONS = ["us-east-1", "cn-northwest-1"]


@pytest.fixture
def account():
    with mock_aws():
        yield Account


def test_the_list_of_what_moto_cannot_create_is_true():
    stacks = [cfn.deployed(region, **p) for region, _, p in combos.SERVICES]
    stacks += [cfn.network(region, **p) for region, _, p in combos.NETWORKS]
    used = {r["Type"] for stack in stacks for r in stack.resources.values()}
    assert used - set(get_model_map()) == UNSUPPORTED


def ways_out(network: Deployed) -> list[str]:
    """The public address from which each subnet of the output SubnetIds leaves, read from routes and gateways."""
    ec2 = network.client("ec2")
    nats = {n["NatGatewayId"]: n for n in ec2.describe_nat_gateways()["NatGateways"]}
    found = []
    for subnet in network.outputs["SubnetIds"].split(","):
        (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
        routes = [r for r in table["Routes"] if not r.get("GatewayId", "").startswith(("local", "vpce-"))]
        assert [r["DestinationCidrBlock"] for r in routes] == ["0.0.0.0/0"]
        nat = nats[routes[0]["NatGatewayId"]]
        in_public = [{"Name": "association.subnet-id", "Values": [nat["SubnetId"]]}]
        (public,) = ec2.describe_route_tables(Filters=in_public)["RouteTables"]
        assert any(r.get("GatewayId", "").startswith("igw-") for r in public["Routes"])
        (address,) = nat["NatGatewayAddresses"]
        (eip,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
        found.append(eip["PublicIp"])
    return found


def addresses(network: Deployed) -> dict[str, str]:
    """Every Elastic IP of the account, by allocation."""
    return {a["AllocationId"]: a["PublicIp"] for a in network.client("ec2").describe_addresses()["Addresses"]}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("brought", [(), ("1",), ("2",), ("1", "2")], ids=lambda brought: "+".join(brought) or "none brought")
@pytest.mark.parametrize("mode", ["single", "per-az"])
def test_functions_leave_by_announced_addresses_and_both_exist_in_each_mode(account, region, brought, mode):
    account = account(region)
    network = account.network(NatMode=mode, **account.bring(*brought))
    announced = network.outputs["EgressIps"].split(",")
    assert len(set(announced)) == 2 and set(addresses(network).values()) == set(announced)
    assert ways_out(network) == (announced if mode == "per-az" else [announced[0]] * 2)
    ec2 = network.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=network.outputs["SubnetIds"].split(","))["Subnets"]
    assert len({s["AvailabilityZone"] for s in subnets}) == 2
    assert not any(s.get("Ipv6CidrBlockAssociationSet") or s["MapPublicIpOnLaunch"] for s in subnets)
    for n in "12":
        (public,) = ec2.describe_subnets(SubnetIds=[network.ids[f"PublicSubnet{n}"]])["Subnets"]
        allocation, _, address = next(t["Value"] for t in public["Tags"] if t["Key"] == "Egress").partition(" ")
        assert addresses(network)[allocation] == address == announced[int(n) - 1]


@pytest.mark.parametrize("region", REGIONS)
def test_an_update_to_per_az_keeps_both_addresses(account, region):
    network = account(region).network()
    before, outputs, gateway = addresses(network), network.outputs, network.ids["Nat1"]
    assert ways_out(network) == [outputs["EgressIps"].split(",")[0]] * 2
    network.update(cfn.network(region, NatMode="per-az"))
    assert addresses(network) == before and network.outputs == outputs
    assert ways_out(network) == outputs["EgressIps"].split(",")
    assert network.ids["Nat1"] == gateway and network.ids["Nat2"] != gateway


@pytest.mark.parametrize("region", REGIONS)
def test_dynamodb_is_reached_without_the_nat_gateway(account, region):
    network = account(region).network()
    (endpoint,) = network.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["VpcEndpointId"] == network.outputs["DynamoDbEndpointId"]
    assert endpoint["ServiceName"] == f"com.amazonaws.{region}.dynamodb"
    assert set(endpoint["RouteTableIds"]) == {network.ids["PrivateRouteTable1"], network.ids["PrivateRouteTable2"]}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("minting", ["on", "off"])
def test_the_service_takes_the_networks_outputs(account, region, minting):
    """Their values pass the parameters' types and patterns, and the functions get them."""
    account = account(region)
    network = account.network(NatMode="per-az")
    service = account.service(network, Minting=minting)
    assert service.outputs["EgressIps"].split(";") == network.outputs["EgressIps"].split(",") == ways_out(network)
    functions = service.client("lambda")
    for name in ("preauthcode", "keeper"):
        function = functions.get_function_configuration(FunctionName=f"{cfn.STACK}-{name}")
        assert ",".join(function["VpcConfig"]["SubnetIds"]) == network.outputs["SubnetIds"]
        assert function["VpcConfig"]["SecurityGroupIds"] == [network.outputs["SecurityGroupId"]]
        assert function["Environment"]["Variables"]["EGRESS_IPS"] == network.outputs["EgressIps"]
    callback = functions.get_function_configuration(FunctionName=f"{cfn.STACK}-callback")
    assert not callback.get("VpcConfig", {}).get("SubnetIds")
    aliases = [a["Name"] for a in functions.list_aliases(FunctionName=f"{cfn.STACK}-keeper")["Aliases"]]
    assert sorted(aliases) == (["live"] if minting == "on" else ["handover", "live"])
    assert ("TokenHandoverFunctionArn" in service.outputs) is (minting == "off")


def test_the_pages_come_with_an_origin_and_go_without_one(account):
    account = account("us-east-1")
    network = account.network()
    made = account.service(network, PagesOrigin="https://auth.example.com", PlatformName=r"\u5e97")
    functions, gateway = made.client("lambda"), made.client("apigateway")
    authorize = functions.get_function_configuration(FunctionName=f"{cfn.STACK}-authorize")
    variables = authorize["Environment"]["Variables"]
    assert variables["PREAUTHCODE_FUNCTION"] == made.outputs["PreauthcodeFunctionArn"]
    assert variables["PLATFORM_NAME"] == r"\u5e97" and not authorize.get("VpcConfig", {}).get("SubnetIds")
    assert made.client("iam").list_role_policies(RoleName=authorize["Role"].split("/")[-1])["PolicyNames"] == ["authorize"]
    apis = {api["name"] for api in gateway.get_rest_apis()["items"]}
    assert apis == {cfn.STACK, f"{cfn.STACK}-pages"}
    kept = made.outputs["StateTableName"]
    made.update(account.service_stack(network))
    names = {f["FunctionName"] for f in functions.list_functions()["Functions"]}
    assert names == {f"{cfn.STACK}-{name}" for name in ("preauthcode", "callback", "keeper")}
    assert made.outputs["StateTableName"] == kept and "PagesEndpoint" not in made.outputs


def service_of(account, region="us-east-1", **parameters) -> Deployed:
    account = account(region)
    return account.service(account.network(), **parameters)


@pytest.mark.parametrize("region", REGIONS)
def test_the_table_takes_an_item(account, region):
    made = service_of(account, region)
    dynamodb = made.client("dynamodb")
    name = made.outputs["StateTableName"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    # Encryption, recovery and protection are in checks/state.py: moto's CloudFormation passes them on in part.
    assert table["TableArn"].startswith(f"arn:{cfn.partition_of(region)}:dynamodb:{region}:")
    key = {"pk": {"S": "ticket#wx1"}}
    dynamodb.put_item(TableName=name, Item=key | {"value": {"S": "t"}}, ConditionExpression="attribute_not_exists(pk)")
    assert dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True)["Item"]["value"] == {"S": "t"}


def test_the_secrets_are_created_without_a_value_and_keep_the_operators(account):
    account = account("us-east-1")
    network = account.network()
    made = account.service(network)
    secrets = made.client("secretsmanager")
    arns = [made.outputs["CredentialsSecretArn"], made.outputs["CallbackSecretArn"]]
    assert len(set(arns)) == 2
    for arn in arns:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            secrets.get_secret_value(SecretId=arn)
        secrets.put_secret_value(SecretId=arn, SecretString=f"filled {arn}")
    # An update of the stack leaves them alone.
    made.update(account.service_stack(network, Minting="off"))
    keeper = made.client("lambda").get_function_configuration(FunctionName=f"{cfn.STACK}-keeper")
    assert keeper["Environment"]["Variables"]["MINTING"] == "off"
    for arn in arns:
        assert secrets.get_secret_value(SecretId=arn)["SecretString"] == f"filled {arn}"


def test_functions_have_their_roles_and_variables(account):
    made = service_of(account)
    functions, iam = made.client("lambda"), made.client("iam")
    policies = {
        "preauthcode": {"preauthcode", "wechat-callers"}, "keeper": {"keeper", "wechat-callers"}, "callback": {"callback"},
    }
    for name, expected in policies.items():
        function = functions.get_function_configuration(FunctionName=f"{cfn.STACK}-{name}")
        assert function["Runtime"] == "provided.al2023" and function["Handler"] == "bootstrap"
        variables = function["Environment"]["Variables"]
        assert variables["STATE_TABLE"] == made.outputs["StateTableName"]
        secret = "CallbackSecretArn" if name == "callback" else "CredentialsSecretArn"
        assert variables["CREDENTIALS_SECRET_ID"] == made.outputs[secret]
        role = function["Role"].split("/")[-1]
        assert set(iam.list_role_policies(RoleName=role)["PolicyNames"]) == expected
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]


def test_events_reach_a_rule_on_the_bus(account):
    made = service_of(account)
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


def test_a_network_of_ones_own_is_used_as_it_is(account):
    """Without network.yaml: whatever has the form of these ids."""
    account("us-east-1")
    made = Deployed(cfn.STACK, cfn.deployed())
    assert made.outputs["EgressIps"] == cfn.MINIMAL[cfn.SERVICE]["EgressIps"].replace(",", ";")
    assert not boto3.client("ec2", region_name="us-east-1").describe_addresses()["Addresses"]
