"""The policies for users: each lets its user do one thing, both ways, and nothing else."""

from __future__ import annotations

import pytest
import statements
from botocore.exceptions import ClientError
from conftest import invoke
from limits import NOT_SHOWN, parts
from service import Service, template
from wechat import APPID

# Each thing that somebody could try: what it is, and how. True when AWS lets it pass.
THINGS = {
    "ask for a code over HTTP": lambda s, user: s.code(user).status == 200,
    "ask for a code directly": lambda s, user: lets_pass(s, user, "lambda", "invoke", **s.target("Preauthcode")),
    "make a link over HTTP": lambda s, user: s.link(user).status == 200,
    "make a link directly": lambda s, user: lets_pass(s, user, "lambda", "invoke", **s.target("Authorize")),
    "invoke authorize without the alias":
        lambda s, user: lets_pass(s, user, "lambda", "invoke", FunctionName=f"{s.name}-authorize", Payload=b"{}"),
    "read a link": lambda s, user: lets_pass(s, user, "dynamodb", "get_item", **s.item("link")),
    "invoke preauthcode without the alias":
        lambda s, user: lets_pass(s, user, "lambda", "invoke", FunctionName=f"{s.name}-preauthcode", Payload=b"{}"),
    "hand a push over": lambda s, user: lets_pass(s, user, "lambda", "invoke", **s.target("Callback")),
    "invoke the keeper": lambda s, user: lets_pass(s, user, "lambda", "invoke", **s.target("Keeper")),
    "hand a token over": lambda s, user: lets_pass(s, user, "lambda", "invoke", **s.target("TokenHandover")),
    "read the token": lambda s, user: lets_pass(s, user, "dynamodb", "get_item", **s.item("token")),
    "read the ticket": lambda s, user: lets_pass(s, user, "dynamodb", "get_item", **s.item("ticket")),
    "write the token": lambda s, user: lets_pass(
        s, user, "dynamodb", "put_item", TableName=s.outputs["StateTableName"], Item=s.item("other")["Key"]),
    "scan the table": lambda s, user: lets_pass(s, user, "dynamodb", "scan", TableName=s.outputs["StateTableName"]),
    "read the credentials": lambda s, user: lets_pass(
        s, user, "secretsmanager", "get_secret_value", SecretId=s.outputs["CredentialsSecretArn"]),
    "read the push keys": lambda s, user: lets_pass(
        s, user, "secretsmanager", "get_secret_value", SecretId=s.outputs["CallbackSecretArn"]),
    "put an event": lambda s, user: lets_pass(s, user, "events", "put_events", Entries=[
        {"EventBusName": s.outputs["EventBusName"], "Source": "wechat.component", "DetailType": "x", "Detail": "{}"}]),
}
ALLOWED = {
    "CallerPolicy": {
        "ask for a code over HTTP", "ask for a code directly", "make a link over HTTP", "make a link directly",
    },
    "PushForwarderPolicy": {"hand a push over"},
    "TokenReaderPolicy": {"read the token"},
    "TokenHandoverPolicy": {"hand a token over"},
}
# What one statement of a policy is for.
STATEMENTS = statements.of_managed_policies(template())
ONE_BY_ONE = {
    "CallerPolicy.InvokeAlias": "ask for a code directly",
    "CallerPolicy.CallApi": "ask for a code over HTTP",
    "CallerPolicy.InvokeAuthorize": "make a link directly",
    "CallerPolicy.CallLinksApi": "make a link over HTTP",
    "PushForwarderPolicy.InvokeAlias": "hand a push over",
    "TokenReaderPolicy.ReadToken": "read the token",
    "TokenHandoverPolicy.InvokeAlias": "hand a token over",
}


class Target(Service):
    """A stack with what the users try on it."""

    def target(self, function: str) -> dict[str, object]:
        return {"FunctionName": self.outputs[f"{function}FunctionArn"], "Payload": b"{}"}

    def item(self, kind: str) -> dict[str, object]:
        return {"TableName": self.outputs["StateTableName"], "Key": {"pk": {"S": f"{kind}#{APPID}"}}}


def lets_pass(service: Service, user, client: str, operation: str, **arguments) -> bool:
    try:
        getattr(service.aws.client(client, user), operation)(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), error
        return False
    return True


@pytest.fixture(scope="module")
def old_server(deploy) -> Target:
    """A stack beside an old token server that still mints: Minting=off, a token handed over."""
    made = deploy("old-server", Target, with_pages=True, Minting="off")
    made.begin()
    assert "errorType" not in hand_over(made)
    return made


def hand_over(service: Service, user=None, alias: str = "TokenHandoverFunctionArn") -> dict:
    """The old server mints a token and hands it over."""
    service.wechat.control("foreign_mint", {})
    token = service.wechat.control("state")["current_token"]
    event = {"action": "put_token", "component_access_token": token, "expires_in": 7200}
    return invoke(service.aws, service.outputs[alias], event, user)


def test_every_policy_and_statement_is_here():
    assert set(ALLOWED) == {name.split(".")[0] for name in STATEMENTS}
    assert set(ONE_BY_ONE) == set(STATEMENTS) - set(parts(NOT_SHOWN))


@pytest.mark.parametrize("policy", ALLOWED)
def test_a_user_with_the_policy_may_do_this_and_nothing_else(aws, old_server, policy):
    user = aws.user(old_server.outputs[f"{policy}Arn"])
    assert {thing for thing, attempt in THINGS.items() if attempt(old_server, user)} == ALLOWED[policy]


def test_a_user_without_a_policy_may_do_nothing(aws, old_server):
    user = aws.user()
    assert {thing for thing, attempt in THINGS.items() if attempt(old_server, user)} == set()


@pytest.mark.parametrize("statement", ONE_BY_ONE)
def test_without_the_statement_its_thing_alone_is_refused(aws, old_server, statement):
    policy, sid = statement.split(".")
    iam, arn = aws.client("iam"), old_server.outputs[f"{policy}Arn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    kept = [content for content in document["Statement"] if content["Sid"] != sid]
    assert len(kept) == len(document["Statement"]) - 1
    user = aws.user(document | {"Statement": kept}) if kept else aws.user()
    still = {thing for thing in ALLOWED[policy] if THINGS[thing](old_server, user)}
    assert still == ALLOWED[policy] - {ONE_BY_ONE[statement]}


def test_a_token_that_was_handed_over_serves_callers_and_none_is_minted(aws, old_server):
    user = aws.user(old_server.outputs["TokenHandoverPolicyArn"])
    assert "errorType" not in hand_over(old_server, user)
    assert old_server.code(aws.user(old_server.outputs["CallerPolicyArn"])).status == 200
    assert not [call for call in old_server.wechat.calls() if call.endswith("api_component_token")]


@pytest.mark.parametrize("action", ["refresh", "diagnose", "probe_address", "get_quota", "start_push_ticket"])
def test_through_the_alias_for_handing_over_nothing_else_works(aws, old_server, action):
    user = aws.user(old_server.outputs["TokenHandoverPolicyArn"])
    before = old_server.wechat.calls()
    answer = invoke(aws, old_server.outputs["TokenHandoverFunctionArn"], {"action": action}, user)
    assert answer["errorType"] == "Request.Invalid", answer
    assert old_server.wechat.calls() == before


def test_the_cut_over_ends_the_permission(aws, old_server):
    """The last test of this stack: with Minting=on the alias is gone, and with it what the policy allows."""
    user, alias = aws.user(old_server.outputs["TokenHandoverPolicyArn"]), old_server.outputs["TokenHandoverFunctionArn"]
    old_server.update(Minting="on")
    with pytest.raises(ClientError) as refused:
        aws.client("lambda", user).invoke(FunctionName=alias, Payload=b"{}")
    assert refused.value.response["Error"]["Code"] in ("ResourceNotFoundException", "AccessDeniedException")
    assert not lets_pass(old_server, user, "lambda", "invoke", **old_server.target("Keeper"))
