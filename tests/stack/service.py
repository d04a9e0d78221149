"""The service's stack as the emulator can have it, and what is left out for that."""

from __future__ import annotations

import copy
import functools
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulator import Answer, Credentials, Emulator
from limits import LEFT_OUT, parts
from samtranslator.yaml_helper import yaml_parse
from wechat import ADDRESS, APPID, PUSH_KEYS, SECRET, WeChat

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    "PreauthcodeFunction": "preauthcode", "CallbackFunction": "callback", "KeeperFunction": "keeper",
    "AuthorizeFunction": "authorize",
}
NETWORK = {
    "SubnetIds": "subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2",
    "SecurityGroupId": "sg-0aaaaaaaaaaaaaaa1",
    "EgressIps": ADDRESS,
    "DynamoDbEndpointId": "vpce-0aaaaaaaaaaaaaaa1",
}

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"


def pages(name: str, wechat: WeChat) -> dict[str, str]:
    """The parameters of a stack with pages, on a domain of its own. They lead to the simulator."""
    host = f"{name}.example.com"
    return {
        "PagesOrigin": f"https://{host}", "PlatformName": r"\u5e97\u94fa", "CustomDomainName": host,
        "CertificateArn": CERTIFICATE, "AuthorizationPageOrigins": f"{wechat.origin},{wechat.origin}",
    }


SOURCE_VPCE = '"aws:SourceVpce": {"Ref": "DynamoDbEndpointId"}'


def template(directory: Path = ROOT, name: str = "template.yaml") -> dict[str, Any]:
    """The template as written, with YAML's short forms as their JSON functions."""
    return yaml_parse((directory / name).read_text(encoding="utf-8"))


def network_for_the_emulator() -> dict[str, Any]:
    """The network's template that the emulator can create."""
    made = template(name="network.yaml")
    for name in parts(LEFT_OUT):
        made["Resources"].pop(name, None)
    return made


def for_the_emulator(ca_file: Path, source_ip: str = ADDRESS, directory: Path = ROOT) -> dict[str, Any]:
    """The template that the emulator can create. The functions' state is open to `source_ip` only."""
    made = copy.deepcopy(template(directory))
    for name in parts(LEFT_OUT):
        made["Resources"].pop(name, None)
    made["Globals"]["Function"]["Environment"]["Variables"]["TLS_EXTRA_CA_FILE"] = str(ca_file)
    for resource in made["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            _name_secrets_by_arn(resource["Properties"])
    text = json.dumps(made)
    assert text.count(SOURCE_VPCE) == 3, "ReadState, WriteToken, NoteStartPush"
    return json.loads(text.replace(SOURCE_VPCE, json.dumps({"aws:SourceIp": source_ip})[1:-1]))


def _name_secrets_by_arn(node: Any) -> None:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(entries):
        if isinstance(value, dict) and value.get("Ref") in ("CredentialsSecret", "CallbackSecret"):
            arn = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
            node[key] = {"Fn::Sub": f"{arn}${{{value['Ref']}}}-*"}
        else:
            _name_secrets_by_arn(value)


@functools.cache
def package(program: Path, build: str) -> bytes:
    """A package for Lambda. Another name of the build makes other code."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        packed.writestr(bootstrap, program.read_bytes(), zipfile.ZIP_DEFLATED, 1)
        packed.writestr("build.txt", build)
    return buffer.getvalue()


class Service:
    """A deployed stack."""

    def __init__(self, aws: Emulator, wechat: WeChat, programs: Path, name: str,
                 source_ip: str = ADDRESS, directory: Path = ROOT, with_pages: bool = False, **parameters: str):
        self.aws, self.wechat, self.name, self._programs = aws, wechat, name, programs
        self._bucket = f"{name}-code"
        aws.client("s3").create_bucket(Bucket=self._bucket)
        self._template = for_the_emulator(wechat.ca_file, source_ip, directory)
        self.release("build-1")
        self._parameters = {"Minting": "on", "OtherApiHosts": wechat.origin} | NETWORK | parameters
        self._parameters |= pages(name, wechat) if with_pages else {}
        self.pages_origin = self._parameters.get("PagesOrigin", "")
        self._stacks, self._changes = aws.client("cloudformation"), 0
        self._stacks.create_stack(StackName=name, **self._wanted(self._parameters, []))
        self._finish("CREATE_COMPLETE")

    def release(self, build: str) -> None:
        """Uploads the programs' packages under the build's name; the next change of the stack takes them."""
        for function, program in FUNCTIONS.items():
            key = f"{build}/{program}.zip"
            body = package(self._programs / program, build)
            self.aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=body)
            self._template["Resources"][function]["Properties"]["CodeUri"] = f"s3://{self._bucket}/{key}"

    def take_this_version(self) -> None:
        """Updates a stack of an earlier release to this template and these programs."""
        self._template = for_the_emulator(self.wechat.ca_file)
        self.release("this version")
        self.update()

    def update(self, **changed: str) -> None:
        """Changes parameters, or the code after a release, by a change set, as the operator's script does."""
        kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in set(self._parameters) - set(changed)]
        self._changes += 1
        which = {"StackName": self.name, "ChangeSetName": f"change-{self._changes}"}
        self._stacks.create_change_set(**which, ChangeSetType="UPDATE", **self._wanted(changed, kept))
        for _ in range(100):
            if (change_set := self._stacks.describe_change_set(**which))["Status"] == "CREATE_COMPLETE":
                break
            assert change_set["Status"] != "FAILED", change_set.get("StatusReason")
            time.sleep(0.1)
        self._stacks.execute_change_set(**which)
        self._parameters |= changed
        self._finish("UPDATE_COMPLETE")

    def _wanted(self, parameters: dict[str, str], kept: list[dict[str, Any]]) -> dict[str, Any]:
        body = json.dumps(self._template).encode()
        self.aws.client("s3").put_object(Bucket=self._bucket, Key="template.json", Body=body)
        return {
            "TemplateURL": f"{self.aws.url}/{self._bucket}/template.json",
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()] + kept,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }

    def _finish(self, expected: str) -> None:
        stack = self._settled()
        assert stack["StackStatus"] == expected, self._why()
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        self.api = self.outputs["ApiUrl"].split("//")[1].split(".")[0]
        self.pages_api = self.outputs.get("PagesEndpoint", "//").split("//")[1].split(".")[0]

    def delete(self) -> None:
        stack = self._settled()["StackId"]
        self._stacks.delete_stack(StackName=self.name)
        for _ in range(600):
            (described,) = self._stacks.describe_stacks(StackName=stack)["Stacks"]
            if described["StackStatus"] == "DELETE_COMPLETE":
                return
            assert described["StackStatus"] != "DELETE_FAILED", self._why()
            time.sleep(0.1)
        raise AssertionError("the stack is not deleted")

    def _settled(self) -> dict[str, Any]:
        """The stack, once nothing changes any more."""
        for _ in range(600):
            (stack,) = self._stacks.describe_stacks(StackName=self.name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                return stack
            time.sleep(0.1)
        raise AssertionError(f"the stack stays {stack['StackStatus']}")

    def _why(self) -> str:
        events = self._stacks.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [e for e in events if "FAILED" in e["ResourceStatus"]]
        return "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed)

    def begin(self) -> None:
        """Fills both secrets and brings the first ticket."""
        self.fill(self.outputs["CredentialsSecretArn"], component_appid=APPID, component_appsecret=SECRET)
        self.fill(self.outputs["CallbackSecretArn"], component_appid=APPID, push_keys=PUSH_KEYS)
        if self.pages_origin:
            self.wechat.control("authorization_domain", {"host": self.pages_origin.removeprefix("https://")})
        assert self.push(new_ticket=True).text == "success"

    def push(self, **what: Any) -> Answer:
        """A push of WeChat, through the open route."""
        query, body = self.wechat.push(**what)
        return self.aws.http("POST", self.api, f"/wechat/callback?{query}", body)

    def code(self, caller: Credentials) -> Answer:
        return self.aws.http("POST", self.api, "/preauthcode", "{}", caller)

    def link(self, caller: Credentials, **fields: Any) -> Answer:
        """An owner's request for a link."""
        return self.aws.http("POST", self.api, "/authorization-links", json.dumps(fields), caller)

    def consumer(self, name: str) -> Callable[[], dict[str, Any]]:
        """A rule on the bus with a queue behind it. Gives its next event."""
        sqs, events, bus = self.aws.client("sqs"), self.aws.client("events"), self.outputs["EventBusName"]
        queue = sqs.create_queue(QueueName=f"{self.name}-{name}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source":["wechat.component"]}')
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

        def next_event() -> dict[str, Any]:
            (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(message["Body"])

        return next_event

    def resources(self) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self._stacks.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}

    def fill(self, secret: str, **fields: Any) -> None:
        """Writes a secret as the operator does."""
        self.aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(fields))
