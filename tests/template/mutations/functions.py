"""Mutations of the functions."""

from __future__ import annotations

from checks import functions
from mutations.common import Template, mutation, properties


@mutation(functions.environment_is_what_the_binaries_read)
def a_variable_is_misspelt(t: Template):
    variables = properties(t, "KeeperFunction")["Environment"]["Variables"]
    variables["EGRESS_IP"] = variables.pop("EGRESS_IPS")


@mutation(functions.environment_is_what_the_binaries_read)
def the_appsecret_is_a_variable(t: Template):
    properties(t, "PreauthcodeFunction")["Environment"]["Variables"]["COMPONENT_APPSECRET"] = "x"


@mutation(functions.environment_is_what_the_binaries_read)
def the_keeper_mints_whatever_was_decided(t: Template):
    properties(t, "KeeperFunction")["Environment"]["Variables"]["MINTING"] = "off"


@mutation(functions.functions_run_as_designed)
def the_callback_may_outlast_wechats_patience(t: Template):
    properties(t, "CallbackFunction")["Timeout"] = 60


@mutation(functions.logs_are_kept_for_a_time_and_lose_no_metric)
def metrics_are_filtered_out(t: Template):
    properties(t, "KeeperFunction")["LoggingConfig"]["ApplicationLogLevel"] = "WARN"


@mutation(functions.logs_are_kept_for_a_time_and_lose_no_metric)
def logs_are_kept_for_ever(t: Template):
    properties(t, "CallbackLogGroup")["RetentionInDays"] = 3653


@mutation(functions.callers_invoke_an_alias_that_is_never_behind)
def the_alias_lags_behind(t: Template):
    properties(t, "PreauthcodeAlias")["FunctionVersion"] = "1"


@mutation(functions.asynchronous_retries_burn_no_codes)
def asynchronous_calls_are_retried(t: Template):
    properties(t, "PreauthcodeAliasInvokeConfig")["MaximumRetryAttempts"] = 2


@mutation(functions.the_keeper_wakes_every_minute)
def the_keeper_wakes_every_hour(t: Template):
    properties(t, "KeeperSchedule")["ScheduleExpression"] = "rate(1 hour)"
