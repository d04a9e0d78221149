"""`make diagnose`: the keeper's report, the callback's check of its keys, and each address."""

from __future__ import annotations

import io
import json
import threading

import boto3
import diagnose
import probes
import pytest
import small
from conftest import AT
from deployed import of_network
from stop import Stop

ONE, TWO, FOREIGN = "203.0.113.7", "203.0.113.8", "198.51.100.1"
REPORT = {
    "ok": True, "failed": [], "checked_at": "2026-11-22T10:00:00Z", "component_appid": "wx1234567890abcdef", "minting": "on",
    "links": [
        {"link": "credentials", "status": "ok", "detail": "complete"},
        {"link": "push_keys", "status": "skipped", "detail": "not in this function's secret"},
        {"link": "egress_ip", "status": "ok", "detail": f"WeChat sees {ONE}", "client_ip": ONE},
    ],
    "text": "",
}
KEYS = {"link": "push_keys", "status": "ok", "detail": "1 well-formed", "count": 1}


def error(type_: str, **problem) -> dict:
    return {"errorType": type_, "errorMessage": json.dumps(problem)}


def probed(address: str | None, **more) -> dict:
    return {"client_ip": address, "is_egress_ip": address in (ONE, TWO), "egress_ips": [ONE, TWO], **more}


class Functions:
    """Replaces Lambda. Probes answer in turn, and the last answer again and again."""

    def __init__(self, report=REPORT, keys=KEYS, answers=(probed(ONE), probed(TWO))):
        self.report, self.keys, self.answers = report, keys, list(answers)
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def invoke(self, FunctionName, Payload):
        action = json.loads(Payload)["action"]
        with self._lock:
            self.calls.append((FunctionName, action))
            if action == "probe_address":
                payload = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            else:
                payload = {"diagnose": self.report, "check_push_keys": self.keys}[action]
        answer = {"Payload": io.BytesIO(json.dumps(payload).encode())}
        return answer | ({"FunctionError": "Unhandled"} if "errorType" in payload else {})

    def probes(self) -> int:
        return sum(action == "probe_address" for _, action in self.calls)


@pytest.fixture
def run(aws, monkeypatch, capsys):
    """Runs the diagnosis against functions. Its status and its lines."""
    import stack

    arn = "arn:aws:lambda:r:1:function:preauth-"
    outputs = {"KeeperFunctionArn": f"{arn}keeper:live", "CallbackFunctionArn": f"{arn}callback:live", "EgressIps": f"{ONE};{TWO}"}
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {n: {"Value": v} for n, v in outputs.items()}}
    boto3.client("cloudformation").create_stack(StackName="preauth", TemplateBody=json.dumps(body))
    patched = stack.Account.client

    def run(functions: Functions, *words: str) -> tuple[int, list[str]]:
        monkeypatch.setattr(
            stack.Account, "client",
            lambda account, service: functions if service == "lambda" else patched(account, service),
        )
        status = diagnose.main([*AT, *words])
        return status, capsys.readouterr().out.splitlines()

    return run


def test_all_is_green_when_every_address_was_seen(run):
    functions = Functions()
    status, lines = run(functions)
    assert status == 0 and lines[-1] == "All checks passed."
    assert f"address:{ONE}  ok        WeChat sees it" in lines
    assert "push_keys            ok        1 well-formed" in lines, "the callback's check takes the keeper's place"
    assert ("arn:aws:lambda:r:1:function:preauth-callback:live", "check_push_keys") in functions.calls
    assert functions.probes() == probes.AT_ONCE, "one round was enough"


def test_an_address_that_was_not_seen_is_not_green(run):
    functions = Functions(answers=[probed(ONE)])
    status, lines = run(functions)
    assert status == 2
    assert f"address:{TWO}  unknown   not seen in 20 probes" in lines
    assert lines[-1] == f"Not proven: no call was seen from {TWO}. Every other check passed."
    assert functions.probes() == 20


def test_probes_that_fail_say_why_an_address_was_not_seen(run):
    status, lines = run(Functions(answers=[error("WeChat.Timeout")]))
    assert status == 2
    assert f"address:{ONE}  unknown   not seen in 20 probes; probes failed with WeChat.Timeout" in lines


def test_an_address_that_nobody_named_has_failed(run):
    status, lines = run(Functions(answers=[probed(FOREIGN), probed(ONE), probed(TWO)]))
    assert status == 1 and lines[-1] == f"Failed: address:{FOREIGN}."


@pytest.mark.parametrize("answer", [
    error("Config.EgressIpNotRegistered", client_ip=TWO), probed(TWO, accepted=False),
])
def test_an_address_that_wechat_refuses_has_failed(run, answer):
    status, lines = run(Functions(answers=[probed(ONE), answer]))
    assert status == 1
    assert f"address:{TWO}  FAILED    WeChat refuses this address (61004)" in lines
    assert any(line.strip().startswith("→ append it") for line in lines)


def test_the_address_that_the_diagnosis_found_refused_has_failed(run):
    """A probe answers with the address also when it is refused. The diagnosis knows which."""
    link = {"link": "egress_ip", "status": "failed", "detail": "refused", "client_ip": ONE}
    status, lines = run(Functions(report=REPORT | {"links": [link], "failed": ["egress_ip"], "ok": False}))
    assert status == 1 and f"address:{ONE}  FAILED    WeChat refuses this address (61004)" in lines


def test_a_failed_check_names_its_remedy(run):
    failed = {"link": "ticket", "status": "failed", "detail": "none", "remedy": "check the URL"}
    status, lines = run(Functions(report=REPORT | {"links": [failed], "failed": ["ticket"], "ok": False}))
    assert status == 1 and lines[-1] == "Failed: ticket."
    assert any(line.split() == ["→", "check", "the", "URL"] for line in lines)


def test_bad_push_keys_fail_although_the_keeper_cannot_see_them(run):
    status, lines = run(Functions(keys=KEYS | {"status": "failed", "detail": "encoding_aes_key", "remedy": "fill it"}))
    assert status == 1 and lines[-1] == "Failed: push_keys."


def test_a_callback_that_fails_is_a_failed_check(run):
    status, lines = run(Functions(keys=error("Secrets.Unavailable", detail="the secret has no value", remedy="fill it")))
    assert status == 1 and "push_keys            FAILED    the secret has no value" in lines


def test_an_older_version_without_these_actions_is_still_diagnosed(run):
    functions = Functions(keys=error("Request.Invalid"), answers=[error("Request.Invalid")])
    status, lines = run(functions)
    assert status == 0
    assert "push_keys    skipped   not in this function's secret" in lines
    assert "addresses    skipped   this version of the keeper cannot probe them" in lines
    assert functions.probes() == probes.AT_ONCE


def test_the_keepers_own_failure_stops_the_diagnosis(run):
    with pytest.raises(Stop, match="The keeper failed: State.Unavailable"):
        run(Functions(report=error("State.Unavailable")))


def test_the_report_for_programs_holds_the_same_checks(run):
    status, lines = run(Functions(), "--json")
    report = json.loads("\n".join(lines))
    assert status == 0 and report["ok"]
    assert [link["link"] for link in report["links"]] == ["credentials", "push_keys", "egress_ip", f"address:{ONE}", f"address:{TWO}"]


def test_a_missing_stack_is_named(aws):
    with pytest.raises(Stop, match="no stack preauth in ap-southeast-1"):
        diagnose.main(AT)


# ── With the network in sight ────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_in_reserve_is_not_waited_for():
    """With one NAT gateway the second address carries nothing, so no probe can see it."""
    calls = []

    def invoke():
        calls.append(1)
        return probed(ONE)

    seen = probes.probe(invoke, [ONE, TWO], {ONE})
    assert len(calls) == probes.AT_ONCE
    first, second = probes.judge(seen, [ONE, TWO], {ONE})
    assert (first["status"], second["status"]) == ("ok", "skipped")
    assert second["detail"] == "in reserve: no NAT gateway carries it now"


@pytest.fixture
def network(aws):
    boto3.client("cloudformation").create_stack(StackName="n", TemplateBody=json.dumps(small.network()))
    small.associate("n")
    (found,) = boto3.client("cloudformation").describe_stacks(StackName="n")["Stacks"]
    return {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}


def test_the_gateways_say_which_addresses_are_carried(network):
    ips = network["EgressIps"].split(",")
    checks, carried = probes.network(boto3_ec2(), network, ips)
    assert carried == {ips[0]} and checks[0]["status"] == "ok"


def test_behind_a_transit_gateway_no_address_is_in_reserve(network):
    """One subnet leaves through a NAT gateway. Which address the other one has, only probes can tell."""
    subnet, gateway = lead_to_a_transit_gateway("2")
    ips = network["EgressIps"].split(",")
    checks, carried = probes.network(boto3_ec2(), network, ips)
    assert carried is None and checks[0]["status"] == "skipped"
    assert checks[0]["detail"] == (
        f"NAT gateways carry {ips[0]}; the address of {subnet} cannot be seen from the routes: 0.0.0.0/0 leads to "
        f"a transit gateway ({gateway})"
    )
    seen = probes.probe(lambda: probed(ips[0]), ips, carried)
    assert probes.judge(seen, ips, carried)[1] == {
        "link": f"address:{ips[1]}", "status": "unknown", "detail": "not seen in 20 probes"}


def test_with_no_nat_gateway_at_all_every_subnet_is_named(network):
    named = [lead_to_a_transit_gateway(number) for number in "12"]
    checks, carried = probes.network(boto3_ec2(), network, [ONE])
    assert carried is None and checks[0]["status"] == "skipped" and "carry" not in checks[0]["detail"]
    assert all(f"{subnet} cannot be seen" in checks[0]["detail"] and gateway in checks[0]["detail"] for subnet, gateway in named)


def test_behind_a_gateway_that_shows_no_address_none_is_in_reserve(network):
    """EC2 names the gateway's address some seconds after the gateway."""
    ec2 = boto3_ec2()
    found = ec2.describe_nat_gateways()["NatGateways"]
    ec2.describe_nat_gateways = lambda **_: {"NatGateways": [g | {"NatGatewayAddresses": [], "State": "pending"} for g in found]}
    checks, carried = probes.network(ec2, network, [ONE])
    assert carried is None and checks[0]["status"] == "skipped"
    assert f"0.0.0.0/0 leads to {found[0]['NatGatewayId']} (pending), which shows no public address" in checks[0]["detail"]


def test_a_route_that_leads_elsewhere_fails_the_diagnosis(network):
    checks, carried = probes.network(boto3_ec2(), network, ["203.0.113.9"])
    assert carried is None and checks[0]["status"] == "failed" and checks[0]["detail"].startswith("foreign-address: ")


def test_whoever_may_not_read_the_network_still_gets_a_report(network, monkeypatch):
    from botocore.exceptions import ClientError

    def denied(*_):
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeSubnets")

    monkeypatch.setattr("routes.check", denied)
    checks, carried = probes.network(None, network, [ONE])
    assert carried is None and checks[0]["status"] == "skipped"


def lead_to_a_transit_gateway(number: str) -> tuple[str, str]:
    """The private subnet, and the gateway that its default route leads to from now on."""
    ec2 = boto3.client("ec2")
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    ec2.replace_route(RouteTableId=of_network(f"PrivateRouteTable{number}", "n"), DestinationCidrBlock="0.0.0.0/0",
                      TransitGatewayId=gateway)
    return of_network(f"PrivateSubnet{number}", "n"), gateway


def boto3_ec2():
    import stack

    return stack.Account("ap-southeast-1", None).client("ec2")
