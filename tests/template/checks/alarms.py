"""Alarms and dashboard."""

from __future__ import annotations

from typing import Any

from cfn import STACK, Stack
from checks.common import check, given, only, parsed


def own(stack: Stack, metric: str) -> tuple[str, str, str]:
    return given(stack, "MetricsNamespace"), metric, f"service={STACK}"


def metric_of(alarm: dict[str, Any]) -> tuple[str, str, str]:
    dimensions = ",".join(f"{d['Name']}={d['Value']}" for d in alarm["Dimensions"])
    return alarm["Namespace"], alarm["MetricName"], dimensions


@check
def alarms_watch_what_matters(stack: Stack) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    function = lambda name: f"FunctionName=${{{name}Function}}"  # noqa: E731
    expected = {
        "EgressIpRefusedAlarm": (own(stack, "EgressIpRefused"), "notBreaching"),
        "TicketHeartbeatAlarm": (own(stack, "TicketPush"), "breaching"),
        "TokenAgeAlarm": (own(stack, "TokenSecondsLeft"), "breaching"),
        "ForeignMintAlarm": (own(stack, "ForeignMint"), "notBreaching"),
        "PreauthcodeThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Preauthcode")), "notBreaching"),
        "CallbackThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Callback")), "notBreaching"),
        "KeeperThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Keeper")), "notBreaching"),
        "LatencyAlarm": (("AWS/Lambda", "Duration", function("Preauthcode")), "notBreaching"),
    }
    for nat in stack.of_type("AWS::EC2::NatGateway"):
        expected[f"{nat}PortsAlarm"] = (("AWS/NATGateway", "ErrorPortAllocation", f"NatGatewayId=${{{nat}}}"), "notBreaching")
    for name, (metric, missing) in expected.items():
        assert name in alarms, f"no {name}"
        assert metric_of(alarms[name]) == metric, name
        assert alarms[name]["TreatMissingData"] == missing, f"{name}: missing data is {alarms[name]['TreatMissingData']}"
    assert set(alarms) == set(expected) | {"FailuresAlarm", "CrashesAlarm"}

    at_once = alarms["EgressIpRefusedAlarm"]
    assert (at_once["Period"], at_once["EvaluationPeriods"], at_once["DatapointsToAlarm"], at_once["Threshold"]) == (60, 1, 1, 1)
    heartbeat = alarms["TicketHeartbeatAlarm"]
    assert (heartbeat["Statistic"], heartbeat["ComparisonOperator"], heartbeat["Threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert heartbeat["Period"] == 600
    assert heartbeat["ActionsEnabled"] is (given(stack, "Minting") == "on")

    failures = {m["Id"]: m for m in alarms["FailuresAlarm"]["Metrics"]}
    assert failures["result"]["Expression"] == "FILL(failures, 0) - FILL(bad_requests, 0)"
    for id_, name in (("failures", "Failure"), ("bad_requests", "Failure.Request.Invalid")):
        assert metric_of(failures[id_]["MetricStat"]["Metric"]) == own(stack, name)
        assert failures[id_]["ReturnData"] is False

    topic = given(stack, "AlarmTopicArn")
    for name, alarm in alarms.items():
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == ([topic] if topic else []), name
        assert alarm["AlarmName"].startswith(f"{STACK}-") and alarm["AlarmDescription"].strip()


@check
def the_dashboard_is_json_and_shows_every_metric(stack: Stack) -> None:
    body = stack.properties("Dashboard")["DashboardBody"]
    widgets = parsed(body)["widgets"]
    shown = set()
    for widget in widgets:
        assert widget["properties"].get("region", stack.region) == stack.region
        for metric in widget["properties"].get("metrics", []):
            shown.add(tuple(metric[:2]))
    namespace = given(stack, "MetricsNamespace")
    wanted = {
        "CodeIssued", "Failure", "TokenMinted", "TicketPush", "TicketAge", "TokenSecondsLeft", "EgressIpRefused",
        "ForeignMint", "SignatureRefused", "MisroutedMessage", "LeaseLost", "ColdStart", "EventForwarded",
        "WechatLatency.component_token", "WechatLatency.create_preauthcode", "WechatLatency.start_push_ticket",
        "QuotaUsed.component_token", "QuotaUsed.create_preauthcode", "Failure.Ticket.Missing",
        "Failure.Config.EgressIpNotRegistered", "Failure.Internal",
    }
    assert {(namespace, name) for name in wanted} <= shown
    nats = {m[3] for w in widgets for m in w["properties"].get("metrics", []) if m[0] == "AWS/NATGateway"}
    assert nats == {f"${{{nat}}}" for nat in stack.of_type("AWS::EC2::NatGateway")}
    places = [(w["x"], w["y"], w["width"], w["height"]) for w in widgets]
    assert len(set(places)) == len(places) and all(x + w <= 24 for x, _, w, _ in places)
