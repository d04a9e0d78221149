"""Alarms and dashboard of the service."""

from __future__ import annotations

from typing import Any

from cfn import STACK, Stack
from checks.common import check, functions_of, given, has_pages, parsed, resource_of

# The name of an alarm's metric on a function, and how the result is written.
SUMS = {
    "CrashesAlarm": "FILL(errors_p, 0) + FILL(errors_c, 0) + FILL(errors_k, 0) + FILL(errors_a, 0) - FILL(answered, 0)",
    "ThrottlesAlarm": "FILL(preauthcode, 0) + FILL(callback, 0) + FILL(keeper, 0) + FILL(authorize, 0)",
    "FailuresAlarm": "FILL(failures, 0) - FILL(bad_requests, 0)",
}


def own(metric: str) -> tuple[str, str, str]:
    return "WechatPreauth", metric, f"service={STACK}"


def of(function: str, metric: str) -> tuple[str, str, str]:
    # Authorize is there with the pages only. Its name is the same text either way.
    name = f"{STACK}-authorize" if function == "Authorize" else f"${{{function}Function}}"
    return "AWS/Lambda", metric, f"FunctionName={name}"


def metric_of(alarm: dict[str, Any]) -> tuple[str, str, str]:
    dimensions = ",".join(f"{d['Name']}={d['Value']}" for d in alarm["Dimensions"])
    return alarm["Namespace"], alarm["MetricName"], dimensions


@check
def alarms_watch_what_matters(stack: Stack) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    # metric, missing data, period, datapoints of periods, comparison with the threshold
    expected = {
        "EgressIpRefusedAlarm": (own("EgressIpRefused"), "notBreaching", 60, (1, 1), ">=", 1),
        "TicketHeartbeatAlarm": (own("TicketPush"), "breaching", 600, (3, 3), "<", 1),
        "TokenAgeAlarm": (own("TokenSecondsLeft"), "breaching", 60, (3, 5), "<", 300),
        "ForeignMintAlarm": (own("ForeignMint"), "notBreaching", 60, (1, 1), ">=", 1),
        "LatencyAlarm": (of("Preauthcode", "Duration"), "notBreaching", 300, (3, 3), ">", 5000),
        "CallbackFloodAlarm": (of("Callback", "Invocations"), "notBreaching", 300, (1, 1), ">=", 3000),
    }
    if has_pages(stack):
        flood = "AWS/Lambda", "Invocations", "FunctionName=${AuthorizeFunction}"
        expected["PagesFloodAlarm"] = flood, "notBreaching", 300, (1, 1), ">=", 3000
    signs = {"GreaterThanOrEqualToThreshold": ">=", "GreaterThanThreshold": ">", "LessThanThreshold": "<"}
    assert set(alarms) == set(expected) | set(SUMS), f"alarms: {set(alarms) ^ (set(expected) | set(SUMS))}"
    for name, wanted in expected.items():
        alarm = alarms[name]
        periods = alarm["EvaluationPeriods"]
        points = (alarm.get("DatapointsToAlarm", periods), periods)
        sign = signs[alarm["ComparisonOperator"]]
        found = metric_of(alarm), alarm["TreatMissingData"], alarm["Period"], points, sign, alarm["Threshold"]
        assert found == wanted, f"{name}: {found}"
    for name in ("EgressIpRefusedAlarm", "TicketHeartbeatAlarm", "ForeignMintAlarm", "CallbackFloodAlarm", "PagesFloodAlarm"):
        assert name not in alarms or alarms[name]["Statistic"] == "Sum", name
    assert alarms["TokenAgeAlarm"]["Statistic"] == "Minimum"
    assert alarms["LatencyAlarm"]["ExtendedStatistic"] == "p99"
    assert alarms["TicketHeartbeatAlarm"].get("ActionsEnabled", True) is (given(stack, "Minting") == "on")


@check
def sums_of_metrics_hold_every_function(stack: Stack) -> None:
    functions = ("Preauthcode", "Callback", "Keeper", "Authorize")
    expected = {
        "CrashesAlarm": {own("FunctionError")} | {of(function, "Errors") for function in functions},
        "ThrottlesAlarm": {of(function, "Throttles") for function in functions},
        "FailuresAlarm": {own("Failure"), own("Failure.Request.Invalid")},
    }
    for name, metrics in expected.items():
        alarm = stack.properties(name)
        result, *watched = alarm["Metrics"]
        assert result["Expression"] == SUMS[name], name
        assert {metric_of(m["MetricStat"]["Metric"]) for m in watched} == metrics, name
        assert all((m["ReturnData"], m["MetricStat"]["Stat"]) == (False, "Sum") for m in watched), name
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1), name
        assert alarm["TreatMissingData"] == "notBreaching", name


@check
def a_late_metric_line_is_no_crash(stack: Stack) -> None:
    """An invocation's FunctionError line may reach CloudWatch a period after Lambda's Errors."""
    crashes = stack.properties("CrashesAlarm")
    assert (crashes["DatapointsToAlarm"], crashes["EvaluationPeriods"]) == (2, 3)


@check
def every_alarm_notifies_the_topic(stack: Stack) -> None:
    topic = given(stack, "AlarmTopicArn")
    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == ([topic] if topic else []), name
        assert alarm["AlarmName"].startswith(f"{STACK}-") and alarm["AlarmDescription"].strip()


SEARCHED = {"Failure", "WechatLatency", "QuotaUsed"}
SHOWN = {
    "CodeIssued", "Failure", "TokenMinted", "TicketPush", "StartPush", "TicketAge", "TokenSecondsLeft", "EgressIpRefused",
    "ForeignMint", "SignatureRefused", "MisroutedMessage", "LeaseLost", "ColdStart", "EventForwarded", "FunctionError",
    "LinkCreated", "AuthorizationStarted", "AuthorizationReturned",
}


def metrics_of_dashboard(stack: Stack) -> tuple[set[str], set[str], set[tuple[str, str]]]:
    """The service's metrics that are shown by name, the beginnings that are searched for, and Lambda's by function."""
    named, searched, of_lambda = set(), set(), set()
    for widget in parsed(stack.properties("Dashboard")["DashboardBody"])["widgets"]:
        above: list[Any] = []
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                expression = metric[0]["expression"]
                before, _, name = expression.split("'")[1].rpartition(" ")
                assert before == f'{{WechatPreauth,service}} service="{STACK}"', expression
                searched.add(name)
                continue
            # "." stands for what the metric above has in this place.
            above = [a if m == "." else m for m, a in zip(metric, above or metric)]
            if above[0] == "WechatPreauth":
                assert above[2:4] == ["service", STACK], f"another stack's {above[1]}"
                named.add(above[1])
            if above[0] == "AWS/Lambda":
                assert above[2] == "FunctionName"
                of_lambda.add((above[1], above[3].removeprefix(f"{STACK}-")))
    return named, searched, of_lambda


@check
def the_dashboard_shows_every_metric_and_alarm(stack: Stack) -> None:
    dashboard = stack.properties("Dashboard")
    # A dashboard's name is one for the whole account, in every region.
    assert dashboard["DashboardName"] == f"{STACK}-{stack.region}"
    named, searched, of_lambda = metrics_of_dashboard(stack)
    assert (named, searched) == (SHOWN, SEARCHED)
    names = {"authorize"} | {f"${{{function}}}" for function in functions_of(stack) - {"AuthorizeFunction"}}
    assert {name for metric, name in of_lambda if metric == "Duration"} == names, "a function's duration is missing"
    assert {name for metric, name in of_lambda if metric == "Errors"} == names, "a function's errors are missing"
    widgets = parsed(dashboard["DashboardBody"])["widgets"]
    shown = {resource_of(arn) for w in widgets for arn in w["properties"].get("alarms", [])}
    assert shown == set(stack.of_type("AWS::CloudWatch::Alarm"))
    for widget in widgets:
        assert widget["type"] == "alarm" or widget["properties"]["region"] == stack.region
        assert 0 < widget["width"] <= 24 and widget["height"] > 0
