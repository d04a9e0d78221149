"""Mutations of alarms and dashboard."""

from __future__ import annotations

from checks import alarms
from mutations.common import Template, mutation, properties


@mutation(alarms.alarms_watch_what_matters)
def missing_ticket_pushes_raise_no_alarm(t: Template):
    properties(t, "TicketHeartbeatAlarm")["TreatMissingData"] = "notBreaching"


@mutation(alarms.alarms_watch_what_matters)
def an_alarm_watches_another_stack(t: Template):
    properties(t, "EgressIpRefusedAlarm")["Dimensions"][0]["Value"] = "wechat-preauth"


@mutation(alarms.alarms_watch_what_matters)
def bad_requests_raise_the_failures_alarm(t: Template):
    properties(t, "FailuresAlarm")["Metrics"][0]["Expression"] = "FILL(failures, 0)"


@mutation(alarms.alarms_watch_what_matters, AlarmTopicArn="arn:aws:sns:us-east-1:111122223333:oncall")
def an_alarm_notifies_nobody(t: Template):
    del properties(t, "ForeignMintAlarm")["AlarmActions"]


@mutation(alarms.the_dashboard_is_json_and_shows_every_metric, NatMode="per-az", ZoneCount="3")
def the_dashboard_is_broken_json(t: Template):
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body[0] = body[0].replace("]}", "}")
