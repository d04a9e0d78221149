"""Mutations of alarms and dashboard."""

from __future__ import annotations

import cfn
from checks import alarms, network
from mutations.common import Template, mutation, properties

TOPIC = "arn:aws:sns:us-east-1:111122223333:oncall"


@mutation(alarms.alarms_watch_what_matters)
def missing_ticket_pushes_raise_no_alarm(t: Template):
    properties(t, "TicketHeartbeatAlarm")["TreatMissingData"] = "notBreaching"


@mutation(alarms.alarms_watch_what_matters)
def an_alarm_watches_another_stack(t: Template):
    properties(t, "EgressIpRefusedAlarm")["Dimensions"][0]["Value"] = "wechat-preauth"


@mutation(alarms.alarms_watch_what_matters)
def a_flood_raises_no_alarm(t: Template):
    del t["Resources"]["CallbackFloodAlarm"]
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body[0] = body[0].replace(', "${CallbackFloodAlarm.Arn}"', "")


@mutation(alarms.alarms_watch_what_matters, Minting="off")
def a_stack_that_does_not_mint_wakes_somebody(t: Template):
    del properties(t, "TicketHeartbeatAlarm")["ActionsEnabled"]


@mutation(alarms.sums_of_metrics_hold_every_function)
def bad_requests_raise_the_failures_alarm(t: Template):
    properties(t, "FailuresAlarm")["Metrics"][0]["Expression"] = "FILL(failures, 0)"


@mutation(alarms.sums_of_metrics_hold_every_function)
def crashes_of_the_keeper_are_not_counted(t: Template):
    watched = {m["Id"]: m["MetricStat"]["Metric"] for m in properties(t, "CrashesAlarm")["Metrics"][1:]}
    watched["errors_k"]["Dimensions"] = watched["errors_c"]["Dimensions"]


@mutation(alarms.a_late_metric_line_is_no_crash)
def the_crash_alarm_takes_one_of_one(t: Template):
    properties(t, "CrashesAlarm").update(EvaluationPeriods=1, DatapointsToAlarm=1)


@mutation(alarms.every_alarm_notifies_the_topic, AlarmTopicArn=TOPIC)
def an_alarm_notifies_nobody(t: Template):
    del properties(t, "ForeignMintAlarm")["AlarmActions"]


@mutation(alarms.the_dashboard_shows_every_metric_and_alarm)
def the_dashboard_is_broken_json(t: Template):
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body[0] = body[0].replace("]}", "}")


@mutation(alarms.the_dashboard_shows_every_metric_and_alarm)
def the_dashboard_takes_its_name_in_every_region(t: Template):
    properties(t, "Dashboard")["DashboardName"] = {"Ref": "AWS::StackName"}


@mutation(alarms.the_dashboard_shows_every_metric_and_alarm)
def the_dashboard_shows_another_stacks_failures(t: Template):
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    changed = body[0].replace('service=\\"${AWS::StackName}\\" Failure', "Failure")
    assert changed != body[0]
    body[0] = changed


@mutation(network.a_full_gateway_raises_an_alarm, NatMode="per-az")
def the_second_gateway_is_not_watched(t: Template):
    alarm = properties(t, "NatPortsAlarm")["Metrics"]
    alarm[0]["Expression"] = alarm[0]["Expression"]["Fn::If"][2]
    alarm.pop()


@mutation(network.a_full_gateway_raises_an_alarm, file=cfn.NETWORK, AlarmTopicArn=TOPIC)
def a_full_gateway_notifies_nobody(t: Template):
    del properties(t, "NatPortsAlarm")["AlarmActions"]
