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
def the_keeper_ignores_the_minting_parameter(t: Template):
    properties(t, "KeeperFunction")["Environment"]["Variables"]["MINTING"] = "off"


@mutation(functions.environment_is_what_the_binaries_read, OtherApiHosts="https://wechat.test")
def the_override_of_the_hosts_is_ignored(t: Template):
    properties(t, "KeeperFunction")["Environment"]["Variables"]["WECHAT_API_HOSTS"] = {"Ref": "WechatApiHosts"}


@mutation(functions.functions_have_their_runtime_and_limits)
def the_callback_is_traced(t: Template):
    properties(t, "CallbackFunction")["Tracing"] = "Active"


@mutation(functions.functions_have_their_runtime_and_limits, region="cn-north-1")
def tracing_is_on_in_china(t: Template):
    properties(t, "PreauthcodeFunction")["Tracing"] = "Active"


@mutation(functions.functions_have_their_runtime_and_limits, ReservedConcurrency="50")
def only_preauthcode_has_reserved_concurrency(t: Template):
    del properties(t, "CallbackFunction")["ReservedConcurrentExecutions"]


@mutation(functions.functions_have_their_runtime_and_limits)
def the_callback_may_run_longer_than_wechat_waits(t: Template):
    properties(t, "CallbackFunction")["Timeout"] = 60


@mutation(functions.logs_expire_and_keep_every_metric)
def metrics_are_filtered_out(t: Template):
    properties(t, "KeeperFunction")["LoggingConfig"]["ApplicationLogLevel"] = "WARN"


@mutation(functions.logs_expire_and_keep_every_metric)
def logs_are_kept_for_ever(t: Template):
    properties(t, "CallbackLogGroup")["RetentionInDays"] = 3653


@mutation(functions.callers_invoke_an_alias_on_the_latest_version)
def the_alias_stays_on_an_old_version(t: Template):
    properties(t, "PreauthcodeAlias")["FunctionVersion"] = "1"


@mutation(functions.callers_invoke_an_alias_on_the_latest_version)
def the_alias_for_handing_over_outlives_the_cut_over(t: Template):
    del t["Resources"]["HandoverAlias"]["Condition"]


@mutation(functions.callers_invoke_an_alias_on_the_latest_version, Minting="off")
def the_alias_for_handing_over_has_the_name_of_the_operators(t: Template):
    properties(t, "HandoverAlias")["Name"] = "live"


@mutation(functions.asynchronous_invocations_are_not_retried)
def asynchronous_calls_without_a_qualifier_are_retried(t: Template):
    del properties(t, "KeeperFunction")["EventInvokeConfig"]


@mutation(functions.asynchronous_invocations_are_not_retried)
def asynchronous_calls_are_retried(t: Template):
    properties(t, "PreauthcodeAliasInvokeConfig")["MaximumRetryAttempts"] = 2


@mutation(functions.the_keeper_runs_every_minute)
def the_keeper_runs_every_hour(t: Template):
    properties(t, "KeeperSchedule")["ScheduleExpression"] = "rate(1 hour)"
