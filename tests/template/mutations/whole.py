"""Mutations that concern a whole stack."""

from __future__ import annotations

import cfn
from checks import whole
from mutations.common import Template, mutation, properties


@mutation(whole.has_no_function_url)
def preauthcode_has_a_public_url(t: Template):
    properties(t, "PreauthcodeFunction")["FunctionUrlConfig"] = {"AuthType": "NONE"}


@mutation(whole.minting_is_decided_by_the_deployer)
def minting_has_a_default(t: Template):
    t["Parameters"]["Minting"]["Default"] = "on"


@mutation(whole.secrets_go_to_wechat_unless_somebody_says_otherwise)
def other_hosts_are_the_default(t: Template):
    t["Parameters"]["OtherApiHosts"]["Default"] = "https://wechat.example.com"


@mutation(whole.secrets_go_to_wechat_unless_somebody_says_otherwise)
def any_host_may_be_wechat(t: Template):
    t["Parameters"]["WechatApiHosts"]["AllowedPattern"] = t["Parameters"]["OtherApiHosts"]["AllowedPattern"]


@mutation(whole.secrets_go_to_wechat_unless_somebody_says_otherwise)
def a_host_may_only_begin_like_wechats(t: Template):
    wechat = t["Parameters"]["WechatApiHosts"]
    wechat["AllowedPattern"] = wechat["AllowedPattern"].replace("$", ".*$")


@mutation(whole.stays_in_its_partition, region="cn-north-1")
def an_arn_names_the_partition(t: Template):
    properties(t, "CallbackApiPermission")["SourceArn"] = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}


@mutation(whole.stays_in_its_partition, region="cn-north-1")
def a_url_names_the_partition(t: Template):
    t["Outputs"]["ApiUrl"]["Value"] = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live"}


@mutation(whole.every_reference_exists, PublicCallback="false")
def an_output_needs_a_conditional_resource(t: Template):
    t["Outputs"]["ApiUrl"]["Value"] = {"Ref": "CallbackApiPermission"}


@mutation(whole.every_reference_exists, file=cfn.NETWORK)
def an_output_needs_the_second_gateway(t: Template):
    t["Outputs"]["VpcId"]["Value"] = {"Ref": "Nat2"}


@mutation(whole.nothing_depends_on_a_conditional_resource, AccessLogs="on")
def the_api_depends_on_the_log_group(t: Template):
    """With AccessLogs=off, CloudFormation would leave the API out."""
    t["Resources"]["Api"]["DependsOn"] = "ApiLogGroup"


@mutation(whole.nothing_depends_on_a_conditional_resource, file=cfn.NETWORK, NatMode="per-az")
def the_first_gateway_waits_for_the_second(t: Template):
    t["Resources"]["Nat1"]["DependsOn"] = ["PublicDefaultRoute", "Nat2"]
