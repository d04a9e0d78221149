"""What each function's role lets it do, and what not: for every AWS call that the functions make, and its neighbours."""

from __future__ import annotations

import cfn
import pytest
from account import arn_of, policies
from iam import ALLOW, Request, decide

ENDPOINT = cfn.MINIMAL[cfn.SERVICE]["DynamoDbEndpointId"]
INSIDE = {"aws:SourceVpce": ENDPOINT}
OTHER_NETWORK = {"aws:SourceVpce": "vpce-0bbbbbbbbbbbbbbb2"}
INTERNET = {"aws:SourceIp": "198.51.100.7"}
PLACES = {"inside": INSIDE, "through another endpoint": OTHER_NETWORK, "from the Internet": INTERNET}

KEY = "arn:{0}:kms:{1}:111122223333:key/11111111-2222-3333-4444-555555555555"
REGIONS = ["us-east-1", "cn-north-1"]


def key_arn(region: str) -> str:
    return KEY.format(cfn.partition_of(region), region)


def the_stack(region: str) -> cfn.Stack:
    return cfn.deployed(region, KmsKeyArn=key_arn(region), PagesOrigin="https://auth.example.com")


def items(key: str, *attributes: str, **more: str) -> dict:
    """The context of a call on one item: its key, and the attributes that the request names."""
    return {"dynamodb:LeadingKeys": [key], "dynamodb:Attributes": ["pk", *attributes]} | more


def rows(stack: cfn.Stack):
    """function, action, resource, context, allowed, in words."""
    table, bus = arn_of(stack, "StateTable"), arn_of(stack, "EventBus")
    secrets = {name: arn_of(stack, f"{name}Secret") for name in ("Credentials", "Callback")}
    outside = stack.partition == "aws-cn"
    for name in ("Preauthcode", "Keeper"):
        for place, where in PLACES.items():
            inside = place == "inside"
            for key in ("ticket#wx1", "token#wx1", "component"):
                yield name, "dynamodb:GetItem", table, items(key) | where, inside, f"reads {key} {place}"
            for key, attribute in (("token#wx1", "lease"), ("component", "component_appid")):
                yield name, "dynamodb:UpdateItem", table, items(key, attribute) | where, inside, f"writes {key} {place}"
            asks = items("ticket#wx1", "start_push_at", "start_push_by") | where
            yield name, "dynamodb:UpdateItem", table, asks, inside and name == "Keeper", f"notes that it asked {place}"
        for key in ("link#1", "code#1", "tokens", "tickets#wx1"):
            yield name, "dynamodb:GetItem", table, items(key) | INSIDE, False, f"reads {key}"
        both = items("token#wx1") | {"dynamodb:LeadingKeys": ["token#wx1", "link#1"]} | INSIDE
        yield name, "dynamodb:GetItem", table, both, False, "reads a foreign key beside its own"
        for attribute in ("value", "create_time", "received_at"):
            context = items("ticket#wx1", attribute, "start_push_at") | INSIDE
            yield name, "dynamodb:UpdateItem", table, context, False, f"overwrites the ticket's {attribute}"
        yield name, "secretsmanager:GetSecretValue", secrets["Credentials"], INTERNET, True, "reads the appsecret"
        yield name, "secretsmanager:GetSecretValue", secrets["Callback"], INTERNET, False, "reads the push keys"
        yield name, "events:PutEvents", bus, {"events:source": "wechat.component"}, False, "puts an event"
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords"):
            yield name, action, "*", {}, not outside, "traces"
        interface = stack.arn("ec2", "network-interface/eni-1")
        own = {"lambda:SourceFunctionArn": stack.arn("lambda", f"function:{cfn.STACK}-{name.lower()}")}
        for action, resource in (
            ("ec2:DescribeNetworkInterfaces", "*"), ("ec2:DescribeSubnets", "*"), ("ec2:CreateNetworkInterface", interface),
            ("ec2:CreateNetworkInterface", stack.arn("ec2", "subnet/subnet-1", account="999988887777")),
            ("ec2:DeleteNetworkInterface", interface), ("ec2:AssignPrivateIpAddresses", interface),
            ("ec2:UnassignPrivateIpAddresses", interface),
        ):
            yield name, action, resource, {}, True, "is placed in the VPC by Lambda"
            yield name, action, resource, own, False, "uses Lambda's permissions in its own code"
        yield name, "ec2:ReleaseAddress", stack.arn("ec2", "elastic-ip/eipalloc-1"), {}, False, "releases an address"

    for place, where in PLACES.items():
        for action, attributes in (("dynamodb:GetItem", ()), ("dynamodb:UpdateItem", ("value", "create_time", "received_at"))):
            yield "Callback", action, table, items("ticket#wx1", *attributes) | where, True, f"uses the ticket {place}"
            for key in ("token#wx1", "component"):
                yield "Callback", action, table, items(key, *attributes) | where, False, f"uses {key} {place}"
    yield "Callback", "secretsmanager:GetSecretValue", secrets["Callback"], INTERNET, True, "reads the push keys"
    yield "Callback", "secretsmanager:GetSecretValue", secrets["Credentials"], INTERNET, False, "reads the appsecret"
    other_bus = stack.arn("events", "event-bus/default")
    yield "Callback", "events:PutEvents", bus, {"events:source": "wechat.component"}, True, "puts an event"
    yield "Callback", "events:PutEvents", bus, {"events:source": "aws.ec2"}, False, "puts an event of another source"
    yield "Callback", "events:PutEvents", other_bus, {"events:source": "wechat.component"}, False, "uses another bus"
    yield "Callback", "xray:PutTraceSegments", "*", {}, False, "traces"
    yield "Callback", "ec2:CreateNetworkInterface", stack.arn("ec2", "network-interface/eni-1"), {}, False, "enters a VPC"

    yield "Callback", "dynamodb:GetItem", table, items("code#1f2e"), True, "reads a code's link"
    for action in ("PutItem", "UpdateItem"):
        yield "Callback", f"dynamodb:{action}", table, items("code#1f2e", "link_id"), False, "writes a code's link"
    yield "Callback", "dynamodb:GetItem", table, items("link#5b6c"), False, "reads a link"
    yield from rows_of_authorize(stack)

    for name in ("Preauthcode", "Keeper", "Callback", "Authorize"):
        group = arn_of(stack, f"{name}LogGroup")
        stream = group.removesuffix("*") + "log-stream:2026/11/25/[$LATEST]1"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield name, action, stream, {}, True, "logs"
            foreign = stack.arn("logs", "log-group:/aws/lambda/other:log-stream:1")
            yield name, action, foreign, {}, False, "logs into another function's group"
        yield name, "logs:CreateLogGroup", group, {}, False, "makes a log group"
        for action in ("PutItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "TransactWriteItems", "DeleteTable"):
            yield name, f"dynamodb:{action}", table, items("ticket#wx1") | INSIDE, False, "uses the table otherwise"
        other = stack.arn("dynamodb", "table/other")
        yield name, "dynamodb:GetItem", other, items("ticket#wx1") | INSIDE, False, "reads another table"
        foreign = stack.arn("secretsmanager", "secret:database-AbCdEf")
        yield name, "secretsmanager:GetSecretValue", foreign, {}, False, "reads another secret"
        for secret in secrets.values():
            yield name, "secretsmanager:PutSecretValue", secret, {}, False, "writes a secret"
        for function in ("preauthcode", "keeper", "callback", "authorize"):
            live = stack.arn("lambda", f"function:{cfn.STACK}-{function}:live")
            takes_codes = (name, function) == ("Authorize", "preauthcode")
            yield name, "lambda:InvokeFunction", live, {}, takes_codes, f"invokes {function}"
        yield name, "sts:AssumeRole", arn_of(stack, "KeeperRole"), {}, False, "becomes another role"
        key, service = key_arn(stack.region), f"{stack.region}.{stack.suffix}"
        for via, allowed in (("secretsmanager", name != "Authorize"), ("dynamodb", True), ("s3", False)):
            context = {"kms:ViaService": f"{via}.{service}"}
            yield name, "kms:Decrypt", key, context, allowed, f"decrypts through {via}"
        yield name, "kms:Decrypt", key, {}, False, "decrypts by itself"
        through = {"kms:ViaService": f"secretsmanager.{service}"}
        yield name, "kms:Decrypt", stack.arn("kms", "key/other"), through, False, "uses another key"
        yield name, "kms:Encrypt", key, through, False, "encrypts"


def rows_of_authorize(stack: cfn.Stack):
    """Links and codes, and no secret, ticket or token, from wherever it calls. It is outside the VPC."""
    name, table, bus = "Authorize", arn_of(stack, "StateTable"), arn_of(stack, "EventBus")
    for place, where in PLACES.items():
        for action in ("GetItem", "PutItem", "UpdateItem"):
            call = f"dynamodb:{action}"
            yield name, call, table, items("link#5b6c", "codes") | where, True, f"uses a link {place}"
            yield name, call, table, items("code#1f2e", "link_id") | where, action == "PutItem", f"notes a code {place}"
            for key in ("ticket#wx1", "token#wx1", "component", "links#1", "codes"):
                yield name, call, table, items(key, "value") | where, False, f"uses {key} {place}"
            both = items("link#5b6c") | {"dynamodb:LeadingKeys": ["link#5b6c", "token#wx1"]} | where
            yield name, call, table, both, False, f"uses the token beside a link {place}"
    for secret in ("Credentials", "Callback"):
        arn = arn_of(stack, f"{secret}Secret")
        for action in ("GetSecretValue", "BatchGetSecretValue", "DescribeSecret", "ListSecretVersionIds"):
            yield name, f"secretsmanager:{action}", arn, INTERNET, False, f"reads the secret {secret}"
    preauthcode = arn_of(stack, "PreauthcodeFunction")
    yield name, "lambda:InvokeFunction", preauthcode, {}, False, "invokes preauthcode without its alias"
    for action in ("GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "UpdateFunctionConfiguration"):
        yield name, f"lambda:{action}", preauthcode, {}, False, "looks into preauthcode, or changes it"
    yield name, "lambda:InvokeFunction", arn_of(stack, "KeeperAlias") + "x", {}, False, "invokes another alias"
    yield name, "events:PutEvents", bus, {"events:source": "wechat.component"}, False, "puts an event"
    yield name, "xray:PutTraceSegments", "*", {}, False, "traces"
    yield name, "ec2:CreateNetworkInterface", stack.arn("ec2", "network-interface/eni-1"), {}, False, "enters a VPC"
    for role in ("PreauthcodeRole", "KeeperRole", "CallbackRole"):
        yield name, "sts:AssumeRole", arn_of(stack, role), {}, False, "becomes another role"
        yield name, "iam:PassRole", arn_of(stack, role), {}, False, "gives a role to something"


def in_words(row):
    function, action, _, _, allowed, words = row
    return f"{function} {words} ({action}): {'allowed' if allowed else 'denied'}"


ROWS = [(region, row) for region in REGIONS for row in rows(the_stack(region))]


@pytest.mark.parametrize("region, row", ROWS, ids=[f"{region}: {in_words(row)}" for region, row in ROWS])
def test_the_role_allows_what_the_function_does_and_nothing_beside(region, row):
    stack = the_stack(region)
    function, action, resource, context, allowed, _ = row
    request = Request(action, resource, context, arn_of(stack, f"{function}Role"))
    assert (decide(request, *policies(stack, function)) == ALLOW) is allowed


@pytest.mark.parametrize("function", ["Preauthcode", "Keeper", "Callback", "Authorize"])
def test_each_statement_of_a_role_is_needed(function):
    """Without it some row above has another answer. So no statement is there in vain, and each is judged."""
    stack = the_stack("us-east-1")
    whole = policies(stack, function)
    mine = [row for row in rows(stack) if row[0] == function]
    for document in whole:
        for statement in list(document["Statement"]):
            document["Statement"].remove(statement)
            changed = [
                in_words(row) for row in mine
                if (decide(Request(*row[1:4]), *whole) == ALLOW) is not row[4]
            ]
            assert changed, f"{function}: no row needs {statement['Sid']}"
            document["Statement"].append(statement)


# What must stay out of a stranger's reach, by any role.
GUARDED = ("secretsmanager:GetSecretValue", "dynamodb:GetItem on ticket#", "dynamodb:GetItem on token#")


def reads(stack: cfn.Stack, function: str) -> set[str]:
    """What of the guarded things this function's role may read."""
    table = arn_of(stack, "StateTable")
    requests = {
        GUARDED[0]: [Request("secretsmanager:GetSecretValue", arn_of(stack, f"{s}Secret")) for s in ("Credentials", "Callback")],
        GUARDED[1]: [Request("dynamodb:GetItem", table, items("ticket#wx1") | INSIDE)],
        GUARDED[2]: [Request("dynamodb:GetItem", table, items("token#wx1") | INSIDE)],
    }
    held = policies(stack, function)
    return {what for what, asked in requests.items() if any(decide(request, *held) == ALLOW for request in asked)}


def invokes(stack: cfn.Stack, function: str) -> set[str]:
    """The functions that this one's role may invoke, by any name."""
    held = policies(stack, function)
    names = {
        arn: alias for alias in stack.of_type("AWS::Lambda::Alias")
        for arn in (arn_of(stack, alias), arn_of(stack, alias).rpartition(":")[0])
    }
    return {
        alias.removesuffix("Alias") for arn, alias in names.items()
        if decide(Request("lambda:InvokeFunction", arn), *held) == ALLOW
    }


@pytest.mark.parametrize("region", REGIONS)
def test_no_path_leads_from_authorize_to_a_secret_a_ticket_or_a_token(region):
    """By itself it reads none of them. The one function that it may invoke reads all, and answers none of them: a code at
    a time, from the platform's quota, with the URLs that belong to it (test_source.py reads its answer's fields). That
    function invokes nothing."""
    stack = the_stack(region)
    assert reads(stack, "Authorize") == set()
    assert invokes(stack, "Authorize") == {"Preauthcode"} and invokes(stack, "Preauthcode") == set()
    assert reads(stack, "Preauthcode") == set(GUARDED), "the words above would find nothing"


def test_with_one_brought_secret_all_three_read_it():
    brought = "arn:aws:secretsmanager:us-east-1:111122223333:secret:wechat/component-AbCdEf"
    stack = cfn.deployed(CredentialsSecretArn=brought)
    for function in ("Preauthcode", "Keeper", "Callback"):
        request = Request("secretsmanager:GetSecretValue", brought)
        assert decide(request, *policies(stack, function)) == ALLOW
        assert decide(Request(request.action, brought + "x"), *policies(stack, function)) != ALLOW


def test_with_two_brought_secrets_callback_reads_the_second_alone():
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:wechat/{}-AbCdEf"
    first, second = arn.format("component"), arn.format("push")
    stack = cfn.deployed(CredentialsSecretArn=first, CallbackSecretArn=second)
    for function, reads in (("Preauthcode", first), ("Keeper", first), ("Callback", second)):
        for secret in (first, second):
            decision = decide(Request("secretsmanager:GetSecretValue", secret), *policies(stack, function))
            assert (decision == ALLOW) is (secret == reads), f"{function}: {secret}"
