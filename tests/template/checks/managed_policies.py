"""The managed policies that operators attach to callers, forwarders and token servers."""

from __future__ import annotations

from cfn import STACK, Stack
from checks.common import check, given, has_pages
from checks.permissions import TABLE, keys, statement, statements, via

# Description is create-only: new words would make a new policy with a new ARN, and fail to delete the attached old one.
DESCRIPTIONS = {
    "CallerPolicy": f"Ask {STACK} for pre-auth codes, by API or by direct invocation",
    "PushForwarderPolicy": f"Hand WeChat's pushes to {STACK} by direct invocation",
    "TokenHandoverPolicy": f"Hand component access tokens over to {STACK} while it does not mint",
    "TokenReaderPolicy": f"Read the component access token of {STACK}, without minting one",
}


@check
def managed_policies_grant_exactly_their_purpose(stack: Stack) -> None:
    expected = {
        "CallerPolicy": [
            statement("Allow", "lambda:InvokeFunction", "${PreauthcodeAlias}"),
            statement("Allow", "execute-api:Invoke", stack.arn("execute-api", "${Api}/live/POST/preauthcode")),
        ],
        "PushForwarderPolicy": [statement("Allow", "lambda:InvokeFunction", "${CallbackAlias}")],
        # It names the alias, not a resource: the alias goes with Minting=on, and the attached policy stays.
        "TokenHandoverPolicy": [statement("Allow", "lambda:InvokeFunction", "${KeeperFunction.Arn}:handover")],
        "TokenReaderPolicy": [statement("Allow", "dynamodb:GetItem", TABLE, keys("token#*"))],
    }
    if key := given(stack, "KmsKeyArn"):
        expected["TokenReaderPolicy"].append(statement("Allow", "kms:Decrypt", key, via(stack, "dynamodb")))
    if has_pages(stack):
        links = stack.arn("execute-api", "${Api}/live/POST/authorization-links")
        expected["CallerPolicy"] += [
            statement("Allow", "lambda:InvokeFunction", "${AuthorizeAlias}"), statement("Allow", "execute-api:Invoke", links),
        ]
    policies = stack.of_type("AWS::IAM::ManagedPolicy")
    assert set(policies) == set(expected)
    for name, policy in policies.items():
        assert statements(policy["PolicyDocument"]) == sorted(expected[name]), name
        assert not {"Users", "Roles", "Groups"} & set(policy), f"{name} is attached by itself"
        assert stack.outputs[f"{name}Arn"] == f"${{{name}}}"


@check
def no_managed_policy_is_replaced_by_an_update(stack: Stack) -> None:
    """Description, name and path are create-only (registry schema of AWS::IAM::ManagedPolicy)."""
    found = {name: policy["Description"] for name, policy in stack.of_type("AWS::IAM::ManagedPolicy").items()}
    assert found == DESCRIPTIONS
    for name, policy in stack.of_type("AWS::IAM::ManagedPolicy").items():
        assert not {"ManagedPolicyName", "Path"} & set(policy), name
