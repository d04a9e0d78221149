"""Each statement of each role is needed, and is enough.

Needed: with one statement taken away something fails, in a way that names it. Enough: of all calls that the functions
made in the other tests, none was denied. The statements come from template.yaml, so a new one asks for its scenario.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable

import pytest
import statements
from conftest import invoke
from limits import NOT_SHOWN, parts
from merchant import Merchant
from service import Service, template
from wechat import APPID

TEMPLATE = template()
STATEMENTS = statements.of_roles(TEMPLATE)
ROLES = [name for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]


LINK = {"reference": "order-17", "state": "s-42"}

# Short, because a function tries until then to write what it may not.
TIMEOUT_S = 8


class Scenarios:
    """What a role is for. Each returns what went wrong, or nothing."""

    def __init__(self, service: Service):
        self._service, self._aws = service, service.aws
        self._caller = service.aws.user(service.outputs["CallerPolicyArn"])
        self._table = service.outputs["StateTableName"]
        self._clicked, self._events = "", None

    def code(self) -> str | None:
        answer = self._service.code(self._caller)
        return None if answer.status == 200 else answer.json["code"]

    def code_with_a_new_token(self) -> str | None:
        self._forget("token")
        return self.code()

    def refresh(self) -> str | None:
        return self._keeper({"action": "refresh"}).get("errorType")

    def refresh_with_a_new_token(self) -> str | None:
        self._forget("token")
        return self.refresh()

    def start_push(self) -> str | None:
        """The keeper asks WeChat to push when there is no ticket, and notes when."""
        self._forget("ticket")
        try:
            answer = self._keeper({"action": "refresh"})
            assert answer["start_push"]["why"] == "no_ticket", answer
            return answer["start_push"].get("problem")
        finally:
            assert self._service.push(new_ticket=True).text == "success"

    def authorization(self) -> str | None:
        """A link, its page, and the click. A page names no problem; the check of the pages does."""
        link = invoke(self._aws, self._service.outputs["AuthorizeFunctionArn"], LINK)
        if "errorType" in link:
            return link["errorType"]
        merchant = Merchant(self._service)
        if (page := merchant.open(link["url"])).status == 200:
            page = merchant.click(page)
        if page.name == "scan":
            self._clicked = page.url
            return None
        return invoke(self._aws, self._service.outputs["AuthorizeFunctionArn"], {"action": "check_pages"})["code"]

    def event_of_a_link(self) -> str | None:
        """The merchant's event names the link. Without it the event goes all the same."""
        if problem := self.authorization():
            return problem
        self._events = self._events or self._service.consumer("least-privilege")
        (code,) = urllib.parse.parse_qs(urllib.parse.urlsplit(self._clicked).query)["pre_auth_code"]
        if problem := self._push(event="authorized", fields={"PreAuthCode": code}):
            return problem
        detail = next(e["detail"] for e in iter(self._events, None) if e["detail-type"] == "authorized")
        return None if detail.items() >= LINK.items() and detail.get("link_id") else "the event does not name its link"

    def ticket(self) -> str | None:
        return self._push(new_ticket=True)

    def event(self) -> str | None:
        return self._push(event="unauthorized")

    def _push(self, **what) -> str | None:
        """A push by direct invocation, which names the problem; the open route does not."""
        query, body = self._service.wechat.push(**what)
        pairs = dict(pair.split("=", 1) for pair in query.split("&"))
        answer = invoke(self._aws, self._service.outputs["CallbackFunctionArn"], {"query": pairs, "body": body})
        return answer.get("errorType")

    def _keeper(self, event: dict) -> dict:
        return invoke(self._aws, self._service.outputs["KeeperFunctionArn"], event)

    def _forget(self, item: str) -> None:
        self._aws.client("dynamodb").delete_item(TableName=self._table, Key={"pk": {"S": f"{item}#{APPID}"}})


# What fails without the statement, and how.
NEEDED: dict[str, tuple[Callable[[Scenarios], str | None], str]] = {
    # A stored token needs no secret; a new one does.
    "PreauthcodeRole.Credentials": (Scenarios.code_with_a_new_token, "Secrets.Invalid"),
    "PreauthcodeRole.ReadState": (Scenarios.code, "State.Unavailable"),
    "PreauthcodeRole.WriteToken": (Scenarios.code_with_a_new_token, "State.Unavailable"),
    "KeeperRole.Credentials": (Scenarios.refresh_with_a_new_token, "Secrets.Invalid"),
    "KeeperRole.ReadState": (Scenarios.refresh, "State.Unavailable"),
    "KeeperRole.WriteToken": (Scenarios.refresh_with_a_new_token, "State.Unavailable"),
    "KeeperRole.NoteStartPush": (Scenarios.start_push, "State.Unavailable"),
    "CallbackRole.Credentials": (Scenarios.ticket, "Secrets.Invalid"),
    "CallbackRole.Tickets": (Scenarios.ticket, "State.Unavailable"),
    "CallbackRole.Events": (Scenarios.event, "Events.Unavailable"),
    "CallbackRole.CodeOrigins": (Scenarios.event_of_a_link, "the event does not name its link"),
    "AuthorizeRole.TakeCodes": (Scenarios.authorization, "Function.Unavailable"),
    "AuthorizeRole.Links": (Scenarios.authorization, "State.Unavailable"),
    "AuthorizeRole.CodeOrigins": (Scenarios.event_of_a_link, "the event does not name its link"),
}


@pytest.fixture(scope="module")
def stripped(aws, deploy) -> Service:
    """A stack to take permissions from. Its schedule is off, so that the keeper does only what is asked."""
    made = deploy("stripped", with_pages=True)
    aws.client("events").disable_rule(Name=made.resources()["KeeperSchedule"])
    made.begin()
    return made


@pytest.fixture(scope="module")
def scenarios(stripped) -> Scenarios:
    return Scenarios(stripped)


class Role:
    """A deployed role, whose statements can be taken away."""

    def __init__(self, service: Service, name: str):
        self._iam, self._service = service.aws.client("iam"), service
        self.name = service.resources()[name]
        self._function = service.resources()[name.replace("Role", "Function")]
        self._documents = {
            policy: self._iam.get_role_policy(RoleName=self.name, PolicyName=policy)["PolicyDocument"]
            for policy in self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        }

    def sids(self) -> list[str]:
        return [statement["Sid"] for document in self._documents.values() for statement in document["Statement"]]

    def without(self, sid: str) -> None:
        for policy, document in self._documents.items():
            kept = [statement for statement in document["Statement"] if statement["Sid"] != sid]
            if kept != document["Statement"]:
                self._put(policy, document | {"Statement": kept})
        self.forget()

    def restore(self) -> None:
        for policy, document in self._documents.items():
            self._put(policy, document)
        self.forget()

    def forget(self) -> None:
        """Lets the function start anew: a running one remembers what it has read."""
        functions = self._service.aws.client("lambda")
        functions.update_function_configuration(FunctionName=self._function, Timeout=TIMEOUT_S)

    def _put(self, policy: str, document: dict) -> None:
        if not document["Statement"]:
            self._iam.delete_role_policy(RoleName=self.name, PolicyName=policy)
        else:
            self._iam.put_role_policy(RoleName=self.name, PolicyName=policy, PolicyDocument=json.dumps(document))


def test_every_statement_of_the_template_is_shown_or_named_as_not_shown():
    named = {part for part in parts(NOT_SHOWN) if part.split(".")[0] in ROLES}
    assert set(NEEDED) | named == set(STATEMENTS)
    assert not set(NEEDED) & named


def test_the_deployed_roles_hold_the_statements_of_the_template(stripped):
    deployed = {f"{name}.{sid}" for name in ROLES for sid in Role(stripped, name).sids()}
    # The customer's key is a parameter that is not given here.
    assert deployed == {name for name in STATEMENTS if not name.endswith(("DecryptSecretAndTable", "DecryptTable"))}


@pytest.mark.parametrize("statement", NEEDED)
def test_without_the_statement_something_fails(stripped, scenarios, statement):
    scenario, problem = NEEDED[statement]
    name, sid = statement.split(".")
    role = Role(stripped, name)
    role.forget()
    assert scenario(scenarios) is None, "with the statement"
    role.without(sid)
    try:
        assert scenario(scenarios) == problem
    finally:
        role.restore()
    assert scenario(scenarios) is None, "with the statement again"


@pytest.mark.parametrize("name", ROLES)
def test_the_functions_use_all_that_they_are_granted(aws, stripped, scenarios, name):
    role = Role(stripped, name)
    before = len(aws.decisions(role.name))
    for statement, (scenario, _) in NEEDED.items():
        if statement.startswith(f"{name}."):
            role.forget()
            assert scenario(scenarios) is None, statement
    used = {call["action"] for call in aws.decisions(role.name)[before:]}
    assert used == {action for statement in NEEDED if statement.startswith(f"{name}.")
                    for action in statements.actions(STATEMENTS[statement])}


@pytest.mark.parametrize("name", ROLES)
def test_no_call_of_the_functions_was_denied(aws, service, name):
    """Over all calls of the stack that the other tests use, up to now."""
    function = service.resources()[name.replace("Role", "Function")]
    calls = [call for call in aws.decisions(service.resources()[name]) if call["principal"].endswith(f"/{function}")]
    assert calls and [call for call in calls if not call["allowed"]] == []
