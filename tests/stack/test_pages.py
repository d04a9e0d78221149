"""The merchant's pages with their real role: an owner's link, the way through WeChat's page, the event; and that nothing
of them leads to a secret."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from botocore.exceptions import ClientError
from conftest import invoke
from emulator import Credentials
from merchant import IN_WECHAT, Merchant
from wechat import APPID

ACCOUNT = "wx51a0000000000001"
ORDER = {"reference": "order-17", "state": "s-42"}


@pytest.fixture(scope="module")
def events(service):
    """A consumer's events of the service's bus; WeChat pushes them to the open route."""
    service.wechat.control("callback_url", {"url": f"{service.aws.url}/_aws/execute-api/{service.api}/live/wechat/callback"})
    yield service.consumer("merchants")
    service.wechat.control("callback_url", {"url": None})


def codes(service) -> int:
    return service.wechat.calls().count("/cgi-bin/component/api_create_preauthcode")


def test_whoever_may_ask_for_codes_makes_links_and_nobody_else(aws, service, caller):
    answer = service.link(caller, **ORDER)
    assert answer.status == 200 and answer.json["url"].startswith(f"{service.pages_origin}/authorize/"), answer
    assert set(answer.json) == {"url", "link_id", "expires_at"}
    assert "url" in invoke(aws, service.outputs["AuthorizeFunctionArn"], ORDER, caller)
    assert service.link(aws.user()).status == 403
    assert aws.http("POST", service.api, "/authorization-links", "{}").status == 403


@pytest.mark.parametrize("path", ["/authorize/authorization-links", "/authorized/x/authorization-links"])
def test_no_stranger_makes_a_link_through_the_pages(service, path):
    page = Merchant(service).post(service.pages_origin + path, '{"return_url":"https://stranger.example.com"}')
    assert page.status in (403, 404, 405) and "link_id" not in page.text, page.text


def test_no_stranger_makes_a_link_through_the_pages_endpoint(aws, service):
    assert aws.http("POST", service.pages_api, "/authorization-links", "{}").status in (403, 404, 405)


def test_a_merchant_goes_to_wechat_and_comes_back_and_the_event_names_the_link(service, caller, events):
    link = service.link(caller, **ORDER).json
    before = codes(service)
    merchant = Merchant(service)
    for _ in range(3):
        page = merchant.open(link["url"])
        assert (page.status, page.headers["cache-control"], page.headers["referrer-policy"]) == (200, "no-store", "origin")
    assert codes(service) == before, "looking takes no code"

    page = merchant.click(page)
    assert page.name == "scan" and page.url.startswith(service.wechat.origin), page.text
    assert merchant.referers[page.url] == f"{service.pages_origin}/"
    assert codes(service) == before + 1
    for button, name in (("scan", "accounts"), (f"account-{ACCOUNT}", "permissions"), ("agree", "")):
        page = merchant.click(page, button)
        assert page.name == name, page.text
    assert page.status == 200 and page.url.startswith(link["url"].replace("/authorize/", "/authorized/") + "?auth_code=")
    again = merchant.open(page.url)
    assert again.status == 200 and again.text != page.text, "coming back twice is told"

    event = events()
    assert (event["detail-type"], event["detail"]["AuthorizerAppid"]) == ("authorized", ACCOUNT)
    assert event["detail"].items() >= (ORDER | {"link_id": link["link_id"]}).items(), event
    service.wechat.control("unauthorize", {"authorizer_appid": ACCOUNT})
    assert events()["detail-type"] == "unauthorized"


def test_in_wechat_on_a_phone_the_way_ends_at_the_owners_page(service, caller, events):
    link = service.link(caller, return_url="https://shop.example.com/done?a=b", **ORDER).json
    merchant = Merchant(service, IN_WECHAT)
    page = merchant.click(merchant.open(link["url"]))
    assert page.name == "accounts" and "/wxaopen/safe/bindcomponent" in page.url, page.text
    page = merchant.click(merchant.click(page, f"account-{ACCOUNT}"), "agree")
    where = urllib.parse.urlsplit(page.url)
    received = dict(urllib.parse.parse_qsl(where.query))
    assert (where.netloc, where.path) == ("shop.example.com", "/done") and received["auth_code"], page.url
    assert received.items() >= (ORDER | {"a": "b", "link_id": link["link_id"]}).items()
    assert merchant.referers[page.url] == "", "the link is not told to the owner's page"
    assert events()["detail"]["link_id"] == link["link_id"]
    service.wechat.control("unauthorize", {"authorizer_appid": ACCOUNT})
    assert events()["detail-type"] == "unauthorized"


def test_a_proxy_forwards_to_the_pages_endpoint(aws, service, caller):
    assert service.outputs["PagesEndpoint"].split("//")[1].startswith(f"{service.pages_api}.execute-api.")
    path = service.link(caller).json["url"].removeprefix(service.pages_origin)
    assert service.aws.http("GET", service.pages_api, path).status == 200
    assert service.aws.http("GET", service.api, path).status == 403, "the API for callers has no pages"


@pytest.mark.parametrize("path, status", [
    ("/authorize/AAAAAAAAAAAAAAAAAAAAAA", 404), ("/authorized/AAAAAAAAAAAAAAAAAAAAAA", 404), ("/authorize/x/y", 404),
    ("/authorize", 403), ("/authorized", 403),
])
def test_every_answer_on_the_pages_paths_is_a_page(service, path, status):
    page = Merchant(service).open(service.pages_origin + path)
    assert (page.status, page.headers["content-type"]) == (status, "text/html; charset=utf-8"), page.text
    assert page.headers["cache-control"] == "no-store" and page.headers["x-frame-options"] == "DENY"
    assert page.text.startswith("<!DOCTYPE html>") and "request_id" not in page.text


def test_the_check_of_the_pages_is_green(aws, service):
    check = invoke(aws, service.outputs["AuthorizeFunctionArn"], {"action": "check_pages"})
    assert (check["link"], check["status"], check["origin"]) == ("pages", "ok", service.pages_origin), check


@pytest.fixture(scope="module")
def inside(aws, service) -> Credentials:
    """The credentials of authorize's role. Its trust is lent to this account, for the time of the tests."""
    iam, name = aws.client("iam"), service.resources()["AuthorizeRole"]
    role = iam.get_role(RoleName=name)["Role"]
    lent = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = role["AssumeRolePolicyDocument"]
    changed = document | {"Statement": [*document["Statement"], lent]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
    got = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="stranger")["Credentials"]
    yield Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))


def test_nothing_that_its_role_may_do_reads_a_secret_a_ticket_or_a_token(aws, service, inside, caller):
    link_id, table = service.link(caller).json["link_id"], {"TableName": service.outputs["StateTableName"]}
    item = lambda key: table | {"Key": {"pk": {"S": key}}}  # noqa: E731
    functions = {name: service.outputs[f"{name}FunctionArn"] for name in ("Keeper", "Callback", "Authorize")}
    attempts = {
        "secretsmanager get_secret_value": [{"SecretId": service.outputs[f"{s}SecretArn"]} for s in ("Credentials", "Callback")],
        "secretsmanager list_secrets": [{}],
        "dynamodb get_item": [item(f"token#{APPID}"), item(f"ticket#{APPID}"), item("component"), item("code#x")],
        "dynamodb update_item": [item(f"token#{APPID}")],
        "dynamodb scan": [table],
        "lambda invoke": [{"FunctionName": arn, "Payload": b"{}"} for arn in functions.values()],
        "lambda get_function_configuration": [{"FunctionName": f"{service.name}-preauthcode"}],
        "logs filter_log_events": [{"logGroupName": f"/aws/lambda/{service.name}-preauthcode"}],
        "sts assume_role": [{"RoleArn": "arn:aws:iam::000000000000:role/" + service.resources()["KeeperRole"],
                             "RoleSessionName": "stranger"}],
    }
    for attempt, each in attempts.items():
        client, operation = attempt.split(" ")
        for arguments in each:
            with pytest.raises(ClientError) as refused:
                getattr(aws.client(client, inside), operation)(**arguments)
            code = refused.value.response["Error"]["Code"]
            assert code in ("AccessDenied", "AccessDeniedException"), f"{attempt} {arguments}: {code}"
    # With the same credentials it does its work, and all that it gets is a code.
    assert "Item" in aws.client("dynamodb", inside).get_item(**item(f"link#{link_id}"))
    answer = invoke(aws, service.outputs["PreauthcodeFunctionArn"], {}, inside)
    assert answer["pre_auth_code"] and not [name for name in answer if "token" in name or "ticket" in name], list(answer)
