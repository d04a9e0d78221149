"""The policies of event bus and endpoints, and the managed policies: who is let in and who is kept out."""

from __future__ import annotations

import copy
import json

import cfn
import pytest
from account import arn_of, concrete, policies
from iam import ALLOW, DENY, Request, decide

ADMIN = "arn:{}:iam::111122223333:role/admin"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PUT_EVENTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]}


def on_the_bus(stack: cfn.Stack, principal: str | None, source: str = "wechat.component", action: str = "events:PutEvents"):
    context = {"events:source": source} | ({"aws:PrincipalArn": principal} if principal else {})
    return Request(action, arn_of(stack, "EventBus"), context, principal or "")


def bus_policy(stack: cfn.Stack):
    return {"Statement": [concrete(stack, stack.properties("EventBusPolicy")["Statement"])]}


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_only_callbacks_role_puts_events_on_the_bus(region):
    stack = cfn.deployed(region)
    bus = bus_policy(stack)
    callback = arn_of(stack, "CallbackRole")
    assert decide(on_the_bus(stack, callback), *policies(stack, "Callback"), bus) == ALLOW
    assert decide(on_the_bus(stack, callback, "aws.ec2"), *policies(stack, "Callback"), bus) != ALLOW
    others = [ADMIN.format(stack.partition), arn_of(stack, "KeeperRole"), callback + "-2", callback.replace("1111", "2222", 1)]
    for principal in others:
        for allowed in (EVERYTHING, PUT_EVENTS):
            assert decide(on_the_bus(stack, principal), allowed, bus) == DENY, principal
    # An AWS service has no principal's ARN. A negated operator is true without the key.
    assert decide(on_the_bus(stack, None), EVERYTHING, bus) == DENY


def test_an_administrator_may_do_everything_else_with_the_bus():
    stack = cfn.deployed()
    bus, admin = bus_policy(stack), ADMIN.format("aws")
    for action in ("events:PutRule", "events:DeleteEventBus", "events:DescribeEventBus"):
        assert decide(on_the_bus(stack, admin, action=action), EVERYTHING, bus) == ALLOW


def broken_by(change):
    stack = cfn.deployed()
    bus = copy.deepcopy(bus_policy(stack))
    change(bus["Statement"][0])
    return decide(on_the_bus(stack, ADMIN.format("aws")), EVERYTHING, bus)


def test_a_wider_bus_policy_is_noticed():
    """The decision above can be another one: each of these lets the administrator in."""
    def allows(s):
        s["Effect"] = "Allow"

    def names_the_account(s):
        s["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}

    def names_another_action(s):
        s["Action"] = "events:PutRule"

    for change in (allows, names_the_account, names_another_action):
        assert broken_by(change) == ALLOW, change.__name__


PAGES = {"PagesOrigin": "https://auth.example.com"}
LINKS = {"authorize", "POST /authorization-links"}


@pytest.mark.parametrize("pages", [{}, PAGES], ids=["pages off", "pages on"])
def test_each_managed_policy_lets_in_where_it_should_and_nowhere_else(pages):
    whole, stack = cfn.deployed(Minting="off", **PAGES), cfn.deployed(Minting="off", **pages)
    functions = {
        name: arn_of(whole, alias) for name, alias in (
            ("preauthcode", "PreauthcodeAlias"), ("callback", "CallbackAlias"), ("keeper", "KeeperAlias"),
            ("handover", "HandoverAlias"), ("authorize", "AuthorizeAlias"),
        )
    }
    api = stack.arn("execute-api", "a1b2c3d4e5/live/")
    table = arn_of(stack, "StateTable")
    requests = {name: Request("lambda:InvokeFunction", arn) for name, arn in functions.items()}
    requests |= {f"{name}, unqualified": Request("lambda:InvokeFunction", arn.rpartition(":")[0]) for name, arn in functions.items()}
    requests |= {
        "POST /preauthcode": Request("execute-api:Invoke", api + "POST/preauthcode"),
        "POST /wechat/callback": Request("execute-api:Invoke", api + "POST/wechat/callback"),
        "POST /authorization-links": Request("execute-api:Invoke", api + "POST/authorization-links"),
        "GET /authorization-links": Request("execute-api:Invoke", api + "GET/authorization-links"),
        "the pages": Request("execute-api:Invoke", stack.arn("execute-api", "p1q2r3s4t5/live/POST/authorize/x")),
        "a link": Request("dynamodb:GetItem", table, {"dynamodb:LeadingKeys": ["link#1"]}),
        "the token": Request("dynamodb:GetItem", table, {"dynamodb:LeadingKeys": ["token#wx1"]}),
        "the ticket": Request("dynamodb:GetItem", table, {"dynamodb:LeadingKeys": ["ticket#wx1"]}),
        "the token, to write": Request("dynamodb:UpdateItem", table, {"dynamodb:LeadingKeys": ["token#wx1"]}),
        "the table's scan": Request("dynamodb:Scan", table),
        "the appsecret": Request("secretsmanager:GetSecretValue", arn_of(stack, "CredentialsSecret")),
    }
    lets_in = {
        "CallerPolicy": {"preauthcode", "POST /preauthcode"} | (LINKS if pages else set()),
        "PushForwarderPolicy": {"callback"},
        "TokenHandoverPolicy": {"handover"},
        "TokenReaderPolicy": {"the token"},
    }
    for name, expected in lets_in.items():
        policy = concrete(stack, stack.properties(name)["PolicyDocument"])
        assert {what for what, request in requests.items() if decide(request, policy) == ALLOW} == expected, name


CALLER = "arn:aws:iam::777788889999:role/orders"


def api_policy(**parameters: str):
    """The API's resource policy, with its short resources as the ARNs that API Gateway makes of them."""
    stack = cfn.deployed(CallerPrincipals=f"444455556666,{CALLER}", **parameters)
    policy = copy.deepcopy(stack.properties("Api")["Body"]["x-amazon-apigateway-policy"])
    for statement in policy["Statement"]:
        statement["Resource"] = [r.replace("execute-api:/", "api/") for r in statement["Resource"]]
    return policy


@pytest.mark.parametrize("public", ["true", "false"])
def test_the_apis_policy_lets_callers_of_other_accounts_ask_for_codes_and_links_and_nothing_else(public):
    policy = api_policy(PublicCallback=public, **PAGES)
    routes = {"POST/preauthcode", "POST/authorization-links", "POST/wechat/callback", "GET/wechat/callback",
              "GET/authorization-links", "DELETE/preauthcode", "POST/authorize/x"}
    wechat = {"POST/wechat/callback", "GET/wechat/callback"} if public == "true" else set()
    calls = {"POST/preauthcode", "POST/authorization-links"} | wechat
    for principal, expected in (
        (CALLER, calls), ("arn:aws:iam::444455556666:role/any", calls), ("arn:aws:iam::777788889999:role/other", wechat),
        ("arn:aws:iam::999988887777:role/stranger", wechat), ("", wechat),
    ):
        found = {
            route for route in routes
            if decide(Request("execute-api:Invoke", f"api/live/{route}", {}, principal), policy) == ALLOW
        }
        assert found == expected, principal


def test_the_handover_policy_allows_nothing_once_minting_is_on():
    """It names an alias that then does not exist."""
    minting = cfn.deployed(Minting="on")
    policy = concrete(minting, minting.properties("TokenHandoverPolicy")["PolicyDocument"])
    for alias in minting.of_type("AWS::Lambda::Alias"):
        assert decide(Request("lambda:InvokeFunction", arn_of(minting, alias)), policy) != ALLOW, alias
    off = cfn.deployed(Minting="off")
    assert policy == concrete(off, off.properties("TokenHandoverPolicy")["PolicyDocument"]), "the policy itself stays"


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_the_endpoints_let_the_functions_calls_through_and_no_others(region):
    """An endpoint's policy is one more that must allow a call."""
    network, service = cfn.network(region, SecretsManagerEndpoint="true"), cfn.deployed(region)
    endpoints = {
        name: network.properties(name)["PolicyDocument"] for name in ("DynamoDbEndpoint", "SecretsManagerVpcEndpoint")
    }
    caller = arn_of(service, "KeeperRole")
    table, secret = arn_of(service, "StateTable"), arn_of(service, "CredentialsSecret")
    for endpoint, action, resource, allowed in (
        ("DynamoDbEndpoint", "dynamodb:GetItem", table, True),
        ("DynamoDbEndpoint", "dynamodb:UpdateItem", table, True),
        ("DynamoDbEndpoint", "dynamodb:Scan", table, False),
        ("DynamoDbEndpoint", "dynamodb:PutItem", table, False),
        ("DynamoDbEndpoint", "dynamodb:UpdateItem", table.replace("111122223333", "999988887777"), False),
        ("SecretsManagerVpcEndpoint", "secretsmanager:GetSecretValue", secret, True),
        ("SecretsManagerVpcEndpoint", "secretsmanager:PutSecretValue", secret, False),
        ("SecretsManagerVpcEndpoint", "secretsmanager:GetSecretValue", secret.replace("111122223333", "999988887777"), False),
    ):
        decision = decide(Request(action, resource, {}, caller), endpoints[endpoint])
        assert (decision == ALLOW) is allowed, f"{endpoint}: {action} on {resource}"


# What the template sets on its API and its table, and the call of CloudFormation that sets it with the deployer's rights.
SET_BY = [
    ("StateTable", "TimeToLiveSpecification", "dynamodb:UpdateTimeToLive", "dynamodb", "table/preauth-StateTable-1"),
    ("StateTable", "PointInTimeRecoverySpecification", "dynamodb:UpdateContinuousBackups", "dynamodb", "table/preauth-StateTable-1"),
    ("Api", "x-amazon-apigateway-policy", "apigateway:UpdateRestApiPolicy", "apigateway", "/restapis/a1"),
    ("PagesReturnMapping", "BasePath", "apigateway:POST", "apigateway", "/domainnames/wx.example.com/basepathmappings"),
]


@pytest.mark.parametrize("name, what, action, service, resource", SET_BY)
def test_the_deployers_policy_lets_cloudformation_set_what_the_template_sets(name, what, action, service, resource):
    text = (cfn.ROOT / "docs/deployer-policy.json").read_text(encoding="utf-8")
    for mark, value in {"partition": "aws", "region": "us-east-1", "account": cfn.ACCOUNT, "stack": "preauth"}.items():
        text = text.replace(f"<{mark}>", value)
    assert what in str(cfn.load()["Resources"][name]["Properties"])
    account = "" if service == "apigateway" else cfn.ACCOUNT
    arn = f"arn:aws:{service}:us-east-1:{account}:{resource}"
    assert decide(Request(action, arn, {}), json.loads(text)) == ALLOW
