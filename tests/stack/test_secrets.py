"""One secret or two, and values that change while the functions run."""

from __future__ import annotations

import time

import pytest
from conftest import invoke
from wechat import APPID, KEY, PUSH_KEYS, SECRET, TOKEN

WRONG_SECRET = "fedcba9876543210fedcba9876543210"
OTHER_KEY = {"token": "anothertoken", "encoding_aes_key": KEY[::-1]}
# A process reads a secret that seems wrong again every 10 seconds. WeChat and callers try again, as here.
TAKEN_UP_WITHIN_S = 40


@pytest.fixture(scope="module")
def bare(deploy):
    """A stack whose secrets nobody has filled yet."""
    return deploy("bare")


def until(try_it, done):
    """The first answer that is right."""
    for _ in range(TAKEN_UP_WITHIN_S):
        if done(answer := try_it()):
            return answer
        time.sleep(1)
    raise AssertionError(answer)


def test_the_stack_writes_no_secret_and_an_empty_one_is_named(aws, bare):
    for secret in ("CredentialsSecretArn", "CallbackSecretArn"):
        # The emulator gives a new secret an empty value, and AWS none.
        assert not aws.client("secretsmanager").get_secret_value(SecretId=bare.outputs[secret]).get("SecretString")
    answer = bare.code(aws.user(bare.outputs["CallerPolicyArn"]))
    assert answer.json["code"] == "Secrets.Invalid" and "has not been filled" in answer.json["detail"], answer
    report = invoke(aws, bare.outputs["KeeperFunctionArn"], {"action": "diagnose"})
    assert report["failed"][0] == "credentials", report["text"]


def test_new_values_are_taken_up_by_running_functions(aws, bare):
    """Filled wrongly, then rightly: the same processes take both up."""
    caller = aws.user(bare.outputs["CallerPolicyArn"])
    credentials, callback = bare.outputs["CredentialsSecretArn"], bare.outputs["CallbackSecretArn"]
    bare.fill(credentials, component_appid=APPID, component_appsecret=WRONG_SECRET)
    bare.fill(callback, component_appid=APPID, push_keys=[OTHER_KEY])
    assert until(lambda: bare.push(new_ticket=True), lambda answer: answer.status != 500).status == 401

    # Both keys, as during a change of keys in WeChat's console.
    bare.fill(callback, component_appid=APPID, push_keys=[OTHER_KEY, *PUSH_KEYS])
    until(lambda: bare.push(new_ticket=True), lambda answer: answer.text == "success")
    refused = until(lambda: bare.code(caller), lambda answer: not answer.json["code"].startswith("Secrets."))
    assert refused.json["code"] == "Config.AppSecretRejected", refused

    bare.fill(credentials, component_appid=APPID, component_appsecret=SECRET)
    until(lambda: bare.code(caller), lambda answer: answer.status == 200)


def test_one_secret_with_all_fields_serves_all_functions(aws, deploy):
    arn = aws.client("secretsmanager").create_secret(Name="brought")["ARN"]
    made = deploy("one-secret", CredentialsSecretArn=arn)
    assert made.outputs["CredentialsSecretArn"] == made.outputs["CallbackSecretArn"] == arn
    assert not {"CredentialsSecret", "CallbackSecret"} & set(made.resources())
    made.fill(arn, component_appid=APPID, component_appsecret=SECRET, push_keys=PUSH_KEYS)
    assert made.push(new_ticket=True).text == "success"
    assert made.code(aws.user(made.outputs["CallerPolicyArn"])).status == 200
    report = invoke(aws, made.outputs["KeeperFunctionArn"], {"action": "diagnose"})
    assert report["ok"] and report["failed"] == [], report["text"]


def test_the_callback_cannot_read_the_appsecret_and_the_others_not_the_push_keys(aws, service):
    iam, names = aws.client("iam"), service.resources()
    for function, own in (("Callback", "CallbackSecret"), ("Preauthcode", "CredentialsSecret"),
                          ("Keeper", "CredentialsSecret")):
        configuration = aws.client("lambda").get_function_configuration(FunctionName=names[f"{function}Function"])
        assert configuration["Environment"]["Variables"]["CREDENTIALS_SECRET_ID"] == names[own]
        secrets = {name: aws.client("secretsmanager").describe_secret(SecretId=names[name])["ARN"]
                   for name in ("CallbackSecret", "CredentialsSecret")}
        role = iam.get_role(RoleName=names[f"{function}Role"])["Role"]["Arn"]
        allowed = {name for name, arn in secrets.items() if "allowed" == iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["secretsmanager:GetSecretValue"], ResourceArns=[arn],
        )["EvaluationResults"][0]["EvalDecision"]}
        assert allowed == {own}, function
    # No name of a value that the other has.
    assert TOKEN not in str(aws.client("secretsmanager").get_secret_value(SecretId=names["CredentialsSecret"]))
