"""What callers, WeChat and consumers see, through the front door."""

from __future__ import annotations

import json

import pytest
from conftest import invoke
from wechat import ADDRESS, APPID


def test_a_ticket_arrives_through_the_open_route_and_is_stored(aws, service):
    item = aws.client("dynamodb").get_item(
        TableName=service.outputs["StateTableName"], Key={"pk": {"S": f"ticket#{APPID}"}})["Item"]
    assert item["value"]["S"].startswith("ticket@@@")


def test_the_diagnosis_is_green(aws, service):
    report = invoke(aws, service.outputs["KeeperFunctionArn"], {"action": "diagnose"})
    assert report["failed"] == [] and report["ok"], report["text"]


@pytest.mark.parametrize("flaw", ["wrong_signature", "missing_signature", "flipped_bit", "plain_text_mode"])
def test_a_forged_push_is_refused_and_nothing_is_stored(aws, service, flaw):
    table = aws.client("dynamodb")
    key = {"TableName": service.outputs["StateTableName"], "Key": {"pk": {"S": f"ticket#{APPID}"}}}
    before = table.get_item(**key)["Item"]
    answer = service.push(new_ticket=True, flaw=flaw)
    assert answer.status in (400, 401), answer
    assert table.get_item(**key)["Item"] == before


def test_an_unsigned_call_is_refused(aws, service):
    assert aws.http("POST", service.api, "/preauthcode", "{}").status == 403


def test_a_caller_gets_codes_over_http_and_directly(aws, service, caller):
    answer = service.code(caller)
    assert answer.status == 200 and answer.json["pre_auth_code"].startswith("preauthcode@@@"), answer
    direct = invoke(aws, service.outputs["PreauthcodeFunctionArn"], {"reference": "order-17"}, caller)
    assert direct["reference"] == "order-17" and direct["pre_auth_code"] != answer.json["pre_auth_code"]


def test_a_forwarder_hands_a_push_over_directly(aws, service, wechat):
    forwarder = aws.user(service.outputs["PushForwarderPolicyArn"])
    query, body = wechat.push(new_ticket=True)
    pairs = dict(pair.split("=", 1) for pair in query.split("&"))
    answer = invoke(aws, service.outputs["CallbackFunctionArn"], {"query": pairs, "body": body}, forwarder)
    assert answer == {"result": "success"}


def test_a_reader_reads_the_token_that_wechat_takes(aws, service, wechat, caller):
    assert service.code(caller).status == 200
    table = aws.client("dynamodb", aws.user(service.outputs["TokenReaderPolicyArn"]))
    key = {"TableName": service.outputs["StateTableName"], "Key": {"pk": {"S": f"token#{APPID}"}}}
    item = table.get_item(**key, ConsistentRead=True)["Item"]
    assert item["value"]["S"] == wechat.control("state")["current_token"]


def test_an_event_reaches_a_consumer(aws, service):
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = service.outputs["EventBusName"]
    events.put_rule(Name="consumer", EventBusName=bus, EventPattern='{"source":["wechat.component"]}')
    events.put_targets(Rule="consumer", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    assert service.push(event="unauthorized", fields={"AuthorizerAppid": "wxaaaaaaaaaaaaaaaa"}).text == "success"
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["detail"]["AuthorizerAppid"]) == ("unauthorized", "wxaaaaaaaaaaaaaaaa")


def test_the_probe_says_which_address_wechat_sees(aws, service, wechat):
    probe = {"action": "probe_address"}
    seen = {"client_ip": ADDRESS, "is_egress_ip": True, "egress_ips": [ADDRESS]}
    assert invoke(aws, service.outputs["KeeperFunctionArn"], probe).items() >= seen.items()
    wechat.control("client_ip", {"address": "203.0.113.9"})
    try:
        seen |= {"client_ip": "203.0.113.9", "is_egress_ip": False}
        assert invoke(aws, service.outputs["KeeperFunctionArn"], probe).items() >= seen.items()
    finally:
        wechat.control("client_ip", {"address": None})


def test_the_callback_checks_its_push_keys_for_the_operator_alone(aws, service):
    check = {"action": "check_push_keys"}
    answer = invoke(aws, service.outputs["CallbackFunctionArn"], check)
    assert (answer["link"], answer["status"], answer["count"]) == ("push_keys", "ok", 1), answer
    report = invoke(aws, service.outputs["KeeperFunctionArn"], {"action": "diagnose"})
    assert ("push_keys", "skipped") in [(link["link"], link["status"]) for link in report["links"]], report
    assert aws.http("POST", service.api, "/wechat/callback", json.dumps(check)).status in (400, 401)


def test_an_address_that_is_not_in_the_whitelist_is_named(aws, service, wechat, caller):
    wechat.control("whitelist", {"addresses": ["203.0.113.9"]})
    try:
        answer = service.code(caller)
        assert (answer.status, answer.json["code"]) == (502, "Config.EgressIpNotRegistered"), answer
        assert answer.json["client_ip"] == ADDRESS and ADDRESS in answer.json["remedy"]
        report = invoke(aws, service.outputs["KeeperFunctionArn"], {"action": "diagnose"})
        assert "egress_ip" in report["failed"], report["text"]
    finally:
        wechat.control("whitelist", {"addresses": [ADDRESS]})
