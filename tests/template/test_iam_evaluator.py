"""The policy evaluator itself, against the semantics that AWS documents."""

from __future__ import annotations

import pytest
from iam import ALLOW, DENY, IMPLICIT_DENY, Request, decide, update_allowed

BUCKET = "arn:aws:s3:::bucket"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(effect="Allow", action="s3:GetObject", resource="*", **more):
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def get(context=None, resource=BUCKET + "/key", action="s3:GetObject", principal="arn:aws:iam::111122223333:role/admin"):
    return Request(action, resource, context or {}, principal)


def test_what_no_statement_names_is_denied():
    assert decide(get(), policy(statement(action="s3:PutObject"))) == IMPLICIT_DENY
    assert decide(get()) == IMPLICIT_DENY


def test_an_explicit_deny_wins_over_every_allow_of_every_policy():
    allow, deny = policy(statement()), policy(statement("Deny"))
    assert decide(get(), allow) == ALLOW
    assert decide(get(), allow, deny) == decide(get(), deny, allow) == DENY


def test_one_account_needs_the_allow_of_one_policy_only():
    resource_policy = policy(statement(Principal={"AWS": "arn:aws:iam::111122223333:role/admin"}))
    assert decide(get(), resource_policy) == ALLOW


@pytest.mark.parametrize(
    "principal, is_meant",
    [
        ("*", True), ({"AWS": "*"}, True), ({"AWS": "111122223333"}, True), ({"AWS": "arn:aws:iam::111122223333:root"}, True),
        ({"AWS": ["arn:aws:iam::111122223333:role/other"]}, False), ({"AWS": "444455556666"}, False),
    ],
)
def test_principals(principal, is_meant):
    assert (decide(get(), policy(statement("Deny", Principal=principal))) == DENY) is is_meant


@pytest.mark.parametrize(
    "action, resource, matches",
    [
        ("s3:*", "*", True),
        ("s3:Get*", BUCKET + "/*", True),
        ("s3:getobject", BUCKET + "/key", True),  # actions without regard to case
        ("s3:GetObjec?", BUCKET + "/ke?", True),
        ("s3:GetObjec", "*", False),
        ("s3:Put*", "*", False),
        ("s3:*", "arn:aws:s3:::BUCKET/*", False),  # resources with regard to case
        ("s3:*", "arn:*:s3:::bucket/key", True),
        ("s3:*", "arn:aws:s3:::bucke", False),
        ("s3:*", "arn:aws:s3:::bucket.key", False),  # a dot is a dot
    ],
)
def test_wildcards(action, resource, matches):
    assert (decide(get(), policy(statement(action=action, resource=resource))) == ALLOW) is matches


ROLE = "arn:aws:iam::111122223333:role/a"
# operator, values in the policy, value in the request (None: the key is missing), whether it holds
CONDITIONS = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", ["b", "a"], "a", True),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a", None, False),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", "a", None, True),
    ("StringLike", "a*", "ab", True),
    ("StringLike", "a?", "ab", True),
    ("StringLike", "a?", "abc", False),
    ("StringLike", "*", None, False),
    ("StringNotLike", "a*", None, True),
    ("StringNotLike", "a*", "ab", False),
    ("ArnEquals", ROLE, ROLE, True),
    ("ArnEquals", "arn:aws:iam::111122223333:role/*", ROLE, True),
    ("ArnLike", "arn:aws:iam::*:role/a", ROLE, True),
    ("ArnLike", "arn:aws:iam:*", ROLE, False),  # each part is compared by itself
    ("ArnLike", "arn:aws:lambda:us-east-1:1:function:f-*", "arn:aws:lambda:us-east-1:1:function:f-a:live", True),
    ("ArnLike", ROLE, None, False),
    ("ArnNotEquals", ROLE, "arn:aws:iam::111122223333:role/b", True),
    ("ArnNotEquals", [ROLE, "arn:aws:iam::111122223333:role/b"], ROLE, False),
    ("ArnNotEquals", ROLE, None, True),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
    ("IpAddress", ["10.0.0.0/8", "127.0.0.1/32"], "203.0.113.9", False),
    ("IpAddress", "127.0.0.1", "127.0.0.1", True),
    ("IpAddress", "0.0.0.0/0", None, False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("ForAllValues:StringLike", "ticket#*", ["ticket#a", "ticket#b"], True),
    ("ForAllValues:StringLike", "ticket#*", ["ticket#a", "token#b"], False),
    ("ForAllValues:StringLike", ["ticket#*", "token#*"], ["ticket#a", "token#b"], True),
    ("ForAllValues:StringEquals", "a", None, True),  # "returns true if there are no context keys in the request"
    ("ForAllValues:StringEquals", "a", [], True),
    ("ForAllValues:StringNotEquals", "a", ["b", "a"], False),
    ("ForAnyValue:StringEquals", "a", ["b", "a"], True),
    ("ForAnyValue:StringEquals", "a", ["b"], False),
    ("ForAnyValue:StringEquals", "a", None, False),
]


@pytest.mark.parametrize("operator, wanted, found, true", CONDITIONS, ids=lambda value: str(value))
def test_conditions(operator, wanted, found, true):
    context = {} if found is None else {"aws:key": found}
    found = decide(get(context), policy(statement(Condition={operator: {"aws:key": wanted}})))
    assert found == (ALLOW if true else IMPLICIT_DENY)


def test_all_operators_and_all_keys_must_hold():
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "StringLike": {"aws:c": "3*"}}
    guarded = policy(statement(Condition=condition))
    assert decide(get({"aws:a": "1", "aws:b": "2", "aws:c": "33"}), guarded) == ALLOW
    for missing in ("aws:a", "aws:b", "aws:c"):
        context = {"aws:a": "1", "aws:b": "2", "aws:c": "33"}
        del context[missing]
        assert decide(get(context), guarded) == IMPLICIT_DENY


def test_keys_are_compared_without_regard_to_case():
    guarded = policy(statement(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}))
    assert decide(get({"AWS:sourcevpce": "vpce-1"}), guarded) == ALLOW


@pytest.mark.parametrize(
    "broken",
    [
        statement(Condition={"NumericLessThan": {"aws:key": "1"}}),
        statement(Condition={"StringEqualsIfExists": {"aws:key": "1"}}),
        statement(Condition={"StringEquals": {"aws:key": "1"}}),  # on a multivalued key
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
        statement("allow"),
        statement(Principal={"Service": "lambda.amazonaws.com"}),
    ],
)
def test_what_is_not_known_is_refused_rather_than_passed_over(broken):
    with pytest.raises((ValueError, KeyError)):
        decide(get({"aws:key": ["1", "2"]}), policy(broken))


def test_a_stack_policy_protects_what_no_statement_allows():
    open_but_one = {"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": ["Update:Replace", "Update:Delete"], "Resource": "LogicalResourceId/Database"},
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
    ]}
    assert update_allowed(open_but_one, "Update:Modify", "Database", "AWS::RDS::DBInstance")
    assert not update_allowed(open_but_one, "Update:Replace", "Database", "AWS::RDS::DBInstance")
    assert update_allowed(open_but_one, "Update:Replace", "Database2", "AWS::RDS::DBInstance")
    assert not update_allowed({"Statement": open_but_one["Statement"][:1]}, "Update:Modify", "Other", "AWS::SQS::Queue")


def test_a_stack_policy_may_name_types():
    by_type = {"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*",
         "Condition": {"StringLike": {"ResourceType": ["AWS::EC2::*"]}}},
    ]}
    assert not update_allowed(by_type, "Update:Modify", "A", "AWS::EC2::EIP")
    assert update_allowed(by_type, "Update:Modify", "A", "AWS::SNS::Topic")
