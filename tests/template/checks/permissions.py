"""Roles, managed policies, and who may invoke the functions."""

from __future__ import annotations

import json
from typing import Any

from cfn import STACK, Stack
from checks.common import BINARIES, FUNCTIONS, as_list, check, given, secret_arn


TABLE = "${StateTable.Arn}"
VPC_DESCRIBE = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
VPC_CHANGE = {
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}


def keys(*patterns: str) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}}


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
    name = BINARIES[function]
    allow = [
        statement("Allow", {"logs:CreateLogStream", "logs:PutLogEvents"}, f"${{{function.removesuffix('Function')}LogGroup.Arn}}"),
        statement("Allow", "secretsmanager:GetSecretValue", secret_arn(stack)),
    ]
    if key := given(stack, "KmsKeyArn"):
        allow.append(statement("Allow", "kms:Decrypt", key, via(stack, "secretsmanager", "dynamodb")))
    if stack.partition != "aws-cn":
        allow.append(statement("Allow", {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*"))
    if function == "CallbackFunction":
        allow += [
            statement("Allow", {"dynamodb:GetItem", "dynamodb:UpdateItem"}, TABLE, keys("ticket#*")),
            statement("Allow", "events:PutEvents", "${EventBus.Arn}"),
        ]
    else:
        own = stack.arn("lambda", f"function:{STACK}-{name}")
        allow += [
            statement("Allow", "dynamodb:GetItem", TABLE, keys("ticket#*", "token#*", "component")),
            statement("Allow", "dynamodb:UpdateItem", TABLE, keys("token#*", "component")),
            statement("Allow", VPC_DESCRIBE, "*"),
            statement("Allow", VPC_CHANGE, stack.arn("ec2", "*/*", account="*")),
            statement("Deny", VPC_DESCRIBE | VPC_CHANGE, "*", {"ArnLike": {"lambda:SourceFunctionArn": [own, own + ":*"]}}),
        ]
    if function == "KeeperFunction":
        allow.append(statement("Allow", "dynamodb:UpdateItem", TABLE, keys("ticket#*")))
    return sorted(allow)


@check
def each_role_holds_exactly_what_is_listed(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    wanted = {"PreauthcodeRole", "CallbackRole", "KeeperRole"}
    if given(stack, "AccessLogs") == "on-and-set-account-role":
        wanted.add("ApiGatewayLogsRole")
        logs = roles["ApiGatewayLogsRole"]
        assert logs["ManagedPolicyArns"] == [
            f"arn:{stack.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        ]
        assert "Policies" not in logs
    assert set(roles) == wanted, f"roles: {sorted(roles)}"
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::UserPolicy"):
        assert not stack.of_type(kind), kind
    for function in FUNCTIONS:
        role_name = f"{function.removesuffix('Function')}Role"
        assert stack.properties(function)["Role"] == f"${{{role_name}.Arn}}"
        role = roles[role_name]
        assert "ManagedPolicyArns" not in role and "PermissionsBoundary" not in role
        trust = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        (policy,) = role["Policies"]
        found, expected = statements(policy["PolicyDocument"]), expected_role(stack, function)
        assert found == expected, f"{role_name}: surplus {set(found) - set(expected)}, missing {set(expected) - set(found)}"


@check
def managed_policies_grant_exactly_their_purpose(stack: Stack) -> None:
    expected = {
        "CallerPolicy": [
            statement("Allow", "lambda:InvokeFunction", "${PreauthcodeAlias}"),
            statement("Allow", "execute-api:Invoke", stack.arn("execute-api", "${Api}/live/POST/preauthcode")),
        ],
        "PushForwarderPolicy": [statement("Allow", "lambda:InvokeFunction", "${CallbackAlias}")],
        "TokenReaderPolicy": [statement("Allow", "dynamodb:GetItem", TABLE, keys("token#*"))],
    }
    if key := given(stack, "KmsKeyArn"):
        expected["TokenReaderPolicy"].append(statement("Allow", "kms:Decrypt", key, via(stack, "dynamodb")))
    policies = stack.of_type("AWS::IAM::ManagedPolicy")
    assert set(policies) == set(expected)
    for name, policy in policies.items():
        assert statements(policy["PolicyDocument"]) == sorted(expected[name]), name
        assert not {"Users", "Roles", "Groups"} & set(policy), f"{name} is attached by itself"
        assert stack.outputs[f"{name}Arn"] == f"${{{name}}}"


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
    found = set()
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert set(permission) == {"Action", "FunctionName", "Principal", "SourceArn"}, name
        assert permission["Action"] == "lambda:InvokeFunction"
        found.add((permission["FunctionName"], permission["Principal"], permission["SourceArn"]))
    assert found == expected
