"""Fixtures for the tests of the operators' scripts: moto as AWS. They need no credentials and no network."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import os
import sys
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from moto.ec2.models.amis import AmiBackend

# No test may reach a real account, whatever credentials the machine has.
for name in [n for n in os.environ if n.startswith("AWS_")]:
    del os.environ[name]
REGION = "ap-southeast-1"
ACCOUNT = "111122223333"
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": REGION,
    "MOTO_ACCOUNT_ID": ACCOUNT,
}
# Each script makes a session of its own, and each session would read the descriptions of the services again.
read_description = functools.cache(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
JSONFileLoader.load_file = lambda self, path: read_description(path)
# Nothing here uses machine images, and moto would make 1,300 for each account.
AmiBackend._load_amis = lambda self: None
SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
AT = ["--stack", "preauth", "--region", REGION]


def script(name: str):
    """A script as a module. `import` cannot load one with a hyphen in its name."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Aws:
    """What moto lacks. Everything else in these tests is moto's."""

    def __init__(self):
        self.protected: dict[str, bool] = {}
        self.policies: list[tuple[str, str]] = []  # every stack policy that was set
        self.changes: dict[str, tuple] = {}  # of a stack's next update, where a test needs certain ones
        self.prepared, self.executed, self.discarded = [], [], []
        self.failure: BaseException | None = None  # of the next execution
        self.bucket_policies: dict[str, dict] = {}
        self.block_mode, self.exclusions = "off", []
        self.block_error: Exception | None = None

    def put_bucket_policy(self, Bucket, Policy, ExpectedBucketOwner):
        # moto applies a policy without its conditions: everything would be denied.
        self.bucket_policies[Bucket] = json.loads(Policy)

    @staticmethod
    def uploaded(url: str) -> dict:
        bucket, key = url.rsplit("/", 2)[1:]
        return json.loads(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def describe_vpc_block_public_access_options(self):
        if self.block_error:
            raise self.block_error
        return {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": self.block_mode}}

    def describe_vpc_block_public_access_exclusions(self, MaxResults):
        if isinstance(self.exclusions, Exception):
            raise self.exclusions
        return {"VpcBlockPublicAccessExclusions": self.exclusions}


def aws_describe(name: str) -> dict | None:
    """moto shows a list as Python prints it. CloudFormation joins it by commas."""
    try:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return None
    for parameter in stack.get("Parameters", []):
        if parameter["ParameterValue"].startswith("["):
            parameter["ParameterValue"] = ",".join(ast.literal_eval(parameter["ParameterValue"]))
    return stack


def change_sets(aws: Aws) -> dict:
    """CloudFormation's change sets. moto's own ignore conditions and lose a stack's outputs, so stacks are made directly.

    test_cloudformation.py tests the real functions with recorded answers.
    """
    import small
    from cloudformation import Change, ChangeSet

    def prepare(self, name, creates, parameters, **template):
        body = json.loads(template["TemplateBody"]) if "TemplateBody" in template else aws.uploaded(template["TemplateURL"])
        before = None if creates else self.describe(name)
        values = {p["ParameterKey"]: p["ParameterValue"] for p in (before or {}).get("Parameters", [])}
        after = {p["ParameterKey"]: p.get("ParameterValue", values.get(p["ParameterKey"])) for p in parameters}
        after = {name: value for name, value in after.items() if value is not None}
        # The real template of the service deploys its API each time, so its change set is never empty.
        same = "Transform" not in body and before and after == {n: v for n, v in values.items() if n in after}
        if same and self._client.get_template(StackName=name)["TemplateBody"] == body and name not in aws.changes:
            return None
        added = tuple(Change("Add", id_, r["Type"]) for id_, r in body["Resources"].items())
        modified = (Change("Modify", "Topic", "AWS::SNS::Topic", "False"),)
        found = ChangeSet(f"change-set-{len(aws.prepared)}", name, creates, aws.changes.pop(name, added if creates else modified))
        aws.prepared.append((found, parameters, body, after))
        return found

    def execute(self, change_set):
        aws.executed.append(change_set.stack)
        if aws.failure:
            failure, aws.failure = aws.failure, None
            raise failure
        ((_, _, body, after),) = [p for p in aws.prepared if p[0] is change_set]
        call = self._client.create_stack if change_set.creates else self._client.update_stack
        parameters = [{"ParameterKey": n, "ParameterValue": v} for n, v in after.items()]
        try:
            call(StackName=change_set.stack, Parameters=parameters, TemplateBody=json.dumps(body))
        except ClientError as error:
            # A test named changes that its templates do not have.
            if "No updates" not in str(error):
                raise
        small.associate(change_set.stack)
        return self.describe(change_set.stack)

    def set_policy(self, name, body):
        aws.policies.append((name, body))
        self._client.set_stack_policy(StackName=name, StackPolicyBody=body)

    return {
        "describe": lambda self, name: aws_describe(name), "prepare": prepare, "execute": execute, "set_policy": set_policy,
        "discard": lambda self, change_set: aws.discarded.append(change_set.stack),
        "protect": lambda self, name, on: aws.protected.__setitem__(name, on),
    }


class Client:
    """A client of moto, with the calls that `Aws` has instead."""

    def __init__(self, real, aws: Aws):
        self._real, self._aws = real, aws

    def __getattr__(self, name: str):
        return getattr(self._aws, name, None) or getattr(self._real, name)


@pytest.fixture
def aws(monkeypatch):
    """An empty account."""
    import cloudformation
    import stack

    fakes, real = Aws(), stack.Account.client
    for name, function in change_sets(fakes).items():
        monkeypatch.setattr(cloudformation.CloudFormation, name, function)
    monkeypatch.setattr(cloudformation.CloudFormation, "pause", 0.0)
    monkeypatch.setattr(
        stack.Account, "client",
        lambda self, service: Client(real(self, service), fakes) if service in ("ec2", "s3") else real(self, service),
    )
    with mock_aws():
        yield fakes


@pytest.fixture
def person(monkeypatch):
    """Answers prompts in the given order, and records them."""

    class Person:
        def __init__(self):
            self.answers, self.open, self.hidden = [], [], []

        def says(self, *answers: str) -> "Person":
            self.answers += answers
            monkeypatch.setattr("builtins.input", lambda prompt="": self._answer(self.open, prompt))
            monkeypatch.setattr("getpass.getpass", lambda prompt="": self._answer(self.hidden, prompt))
            monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
            return self

        def _answer(self, prompts: list[str], prompt: str) -> str:
            prompts.append(prompt)
            assert self.answers, f"an unexpected question: {prompt}"
            return self.answers.pop(0)

    return Person()


@pytest.fixture
def dist(tmp_path) -> str:
    """A package with small templates."""
    import small

    return small.dist(tmp_path)


@pytest.fixture
def deployed(aws, dist) -> str:
    """The package, deployed with a network of its own."""
    import deployed

    assert deployed.deploy(dist, "Minting=off", "YES=1") == 0
    return dist
