"""The functions' roles, and which services may invoke the functions."""

from __future__ import annotations

import json
from typing import Any

from cfn import STACK, Stack
from checks.common import IN_VPC, as_list, callback_secret_arn, check, functions_of, given, has_pages, secret_arn


TABLE = "${StateTable.Arn}"
VPC_DESCRIBE = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
VPC_CHANGE = {
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}


def keys(*patterns: str) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}}


def inside(stack: Stack) -> dict[str, Any]:
    """Only through the network's endpoint: a function outside it can neither read nor write the state."""
    return {"StringEquals": {"aws:SourceVpce": given(stack, "DynamoDbEndpointId")}}


def via(stack: Stack, *services: str) -> dict[str, Any]:
    hosts = [f"{service}.{stack.region}.{stack.suffix}" for service in services]
    return {"StringEquals": {"kms:ViaService": hosts}}


Statement = tuple[str, tuple[str, ...], tuple[str, ...], str]


def statement(effect: str, actions: Any, resources: Any, condition: Any = None) -> Statement:
    """A policy statement in a form that can be compared."""
    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: plain(v) for k, v in node.items()}
        return sorted(as_list(node))

    return (
        effect,
        tuple(sorted(actions if isinstance(actions, set) else as_list(actions))),
        tuple(sorted(as_list(resources))),
        json.dumps(plain(condition or {}), sort_keys=True),
    )


def statements(document: dict[str, Any]) -> list[Statement]:
    known = {"Sid", "Effect", "Action", "Resource", "Condition"}
    for each in document["Statement"]:
        assert set(each) <= known, f"unexpected in a statement: {set(each) - known}"
    return sorted(statement(s["Effect"], s["Action"], s["Resource"], s.get("Condition")) for s in document["Statement"])


def expected_role(stack: Stack, function: str) -> list[Statement]:
    """Everything this function's role may do, and nothing else."""
    logs = f"${{{function.removesuffix('Function')}LogGroup.Arn}}"
    allow = [statement("Allow", {"logs:CreateLogStream", "logs:PutLogEvents"}, logs)]
    if function == "AuthorizeFunction":
        return sorted(allow + expected_of_authorize(stack))
    secret = callback_secret_arn(stack) if function == "CallbackFunction" else secret_arn(stack)
    allow.append(statement("Allow", "secretsmanager:GetSecretValue", secret))
    if key := given(stack, "KmsKeyArn"):
        allow.append(statement("Allow", "kms:Decrypt", key, via(stack, "secretsmanager", "dynamodb")))
    if function == "CallbackFunction":
        allow += [
            statement("Allow", {"dynamodb:GetItem", "dynamodb:UpdateItem"}, TABLE, keys("ticket#*")),
            statement("Allow", "dynamodb:GetItem", TABLE, keys("code#*")),
            statement("Allow", "events:PutEvents", "${EventBus.Arn}", {"StringEquals": {"events:source": "wechat.component"}}),
        ]
        return sorted(allow)
    own = stack.arn("lambda", f"function:{STACK}-*")
    allow += [
        statement("Allow", "dynamodb:GetItem", TABLE, inside(stack) | keys("ticket#*", "token#*", "component")),
        statement("Allow", "dynamodb:UpdateItem", TABLE, inside(stack) | keys("token#*", "component")),
        statement("Allow", VPC_DESCRIBE, "*"),
        statement("Allow", VPC_CHANGE, stack.arn("ec2", "*/*", account="*")),
        statement("Deny", VPC_DESCRIBE | VPC_CHANGE, "*", {"ArnLike": {"lambda:SourceFunctionArn": own}}),
    ]
    if stack.partition != "aws-cn":
        allow.append(statement("Allow", {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*"))
    if function == "KeeperFunction":
        noted = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "start_push_at", "start_push_by"]}}
        allow.append(statement("Allow", "dynamodb:UpdateItem", TABLE, inside(stack) | keys("ticket#*") | noted))
    return sorted(allow)


def expected_of_authorize(stack: Stack) -> list[Statement]:
    """No secret, no ticket, no token, and of the functions only the one that answers a code. Its key, if there is one,
    decrypts for the table alone."""
    links = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    allow = [
        statement("Allow", "lambda:InvokeFunction", "${PreauthcodeAlias}"),
        statement("Allow", links, TABLE, keys("link#*")),
        statement("Allow", "dynamodb:PutItem", TABLE, keys("code#*")),
    ]
    if key := given(stack, "KmsKeyArn"):
        allow.append(statement("Allow", "kms:Decrypt", key, via(stack, "dynamodb")))
    return allow


def role_of(function: str) -> str:
    return f"{function.removesuffix('Function')}Role"


def documents(stack: Stack, role: str) -> list[dict[str, Any]]:
    """Every policy of a role: its own, and those that are put into it."""
    own = [policy["PolicyDocument"] for policy in stack.properties(role).get("Policies", [])]
    put = [p["PolicyDocument"] for p in stack.of_type("AWS::IAM::Policy").values() if f"${{{role}}}" in p["Roles"]]
    return own + put


@check
def each_role_holds_exactly_what_is_listed(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    assert set(roles) == {role_of(function) for function in functions_of(stack)}, f"roles: {sorted(roles)}"
    for kind in ("RolePolicy", "User", "Group", "UserPolicy", "GroupPolicy", "UserToGroupAddition", "InstanceProfile"):
        assert not stack.of_type(f"AWS::IAM::{kind}"), kind
    for name, policy in stack.of_type("AWS::IAM::Policy").items():
        assert set(policy) == {"PolicyName", "PolicyDocument", "Roles"}, name
    for function in functions_of(stack):
        role = roles[role_of(function)]
        assert stack.properties(function)["Role"] == f"${{{role_of(function)}.Arn}}"
        assert "ManagedPolicyArns" not in role and "PermissionsBoundary" not in role
        trust = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        found = sorted(s for document in documents(stack, role_of(function)) for s in statements(document))
        expected = expected_role(stack, function)
        assert found == expected, f"{function}: surplus {set(found) - set(expected)}, missing {set(expected) - set(found)}"


@check
def the_state_is_used_through_the_endpoint_alone(stack: Stack) -> None:
    """Each statement on the table, one by one. Callback and authorize are outside the VPC, and call nobody but AWS."""
    for function in IN_VPC:
        for document in documents(stack, role_of(function)):
            for each in document["Statement"]:
                if any(action.startswith("dynamodb:") for action in as_list(each["Action"])):
                    through = each.get("Condition", {}).get("StringEquals", {}).get("aws:SourceVpce")
                    assert through == given(stack, "DynamoDbEndpointId"), f"{function}: {each.get('Sid')}: {through}"


@check
def only_these_services_may_invoke(stack: Stack) -> None:
    """Lambda's resource policies: the services that may invoke without an IAM policy of their own."""
    api = stack.arn("execute-api", "${Api}/live/")
    expected = {
        ("${PreauthcodeAlias}", "apigateway.amazonaws.com", api + "POST/preauthcode"),
        ("${KeeperAlias}", "events.amazonaws.com", "${KeeperSchedule.Arn}"),
    }
    if given(stack, "PublicCallback") == "true":
        expected.add(("${CallbackAlias}", "apigateway.amazonaws.com", api + "*/wechat/callback"))
    if has_pages(stack):
        pages = stack.arn("execute-api", "${PagesApi}/live/")
        expected |= {
            ("${AuthorizeAlias}", "apigateway.amazonaws.com", api + "POST/authorization-links"),
            ("${AuthorizeAlias}", "apigateway.amazonaws.com", pages + "*/*"),
        }
    found = set()
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert set(permission) == {"Action", "FunctionName", "Principal", "SourceArn"}, name
        assert permission["Action"] == "lambda:InvokeFunction"
        found.add((permission["FunctionName"], permission["Principal"], permission["SourceArn"]))
    assert found == expected
