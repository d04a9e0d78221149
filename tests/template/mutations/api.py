"""Mutations of the API."""

from __future__ import annotations

from typing import Any

from checks import api
from mutations.common import Template, mutation, properties


def operation(t: Template, path: str) -> dict[str, Any]:
    return properties(t, "Api")["DefinitionBody"]["paths"][path]


@mutation(api.only_the_callback_is_open)
def preauthcode_is_open(t: Template):
    operation(t, "/preauthcode")["post"]["security"] = [{"NONE": []}]


@mutation(api.only_the_callback_is_open)
def nothing_is_authorized_by_default(t: Template):
    del properties(t, "Api")["Auth"]


@mutation(api.only_the_callback_is_open)
def the_keeper_gets_a_public_route(t: Template):
    paths = properties(t, "Api")["DefinitionBody"]["paths"]
    callback = paths["/wechat/callback"]["Fn::If"][1]["post"]
    uri = {"Fn::Sub": callback["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].replace("CallbackAlias", "KeeperAlias")}
    paths["/keeper"] = {"post": callback | {"x-amazon-apigateway-integration": callback["x-amazon-apigateway-integration"] | {"uri": uri}}}


@mutation(api.only_the_callback_is_open)
def callers_need_lambda_permissions_too(t: Template):
    operation(t, "/preauthcode")["post"]["x-amazon-apigateway-integration"]["credentials"] = "arn:aws:iam::*:user/*"


@mutation(api.only_the_callback_is_open, PublicCallback="false")
def the_callback_stays_open_without_its_condition(t: Template):
    paths = properties(t, "Api")["DefinitionBody"]["paths"]
    paths["/wechat/callback"] = paths["/wechat/callback"]["Fn::If"][1]


@mutation(api.the_resource_policy_allows_callers_and_wechat, CallerPrincipals="444455556666")
def a_caller_list_excludes_wechat(t: Template):
    properties(t, "Api")["DefinitionBody"]["x-amazon-apigateway-policy"]["Fn::If"][1]["Statement"].pop()


@mutation(api.the_resource_policy_allows_callers_and_wechat, CallerPrincipals="444455556666")
def a_caller_list_allows_everybody(t: Template):
    properties(t, "Api")["DefinitionBody"]["x-amazon-apigateway-policy"]["Fn::If"][1]["Statement"][0]["Principal"] = "*"


@mutation(api.the_stage_throttles_callers_and_pushes_separately)
def pushes_share_the_callers_limit(t: Template):
    del properties(t, "Api")["MethodSettings"][1:]


@mutation(api.the_stage_throttles_callers_and_pushes_separately)
def codes_are_logged_by_a_data_trace(t: Template):
    properties(t, "Api")["MethodSettings"][0]["DataTraceEnabled"] = True


@mutation(api.the_stage_throttles_callers_and_pushes_separately)
def the_stage_is_traced(t: Template):
    properties(t, "Api")["TracingEnabled"] = True


@mutation(api.access_logs_hold_no_query, AccessLogs="on")
def access_logs_hold_signatures(t: Template):
    setting = properties(t, "Api")["AccessLogSetting"]["Fn::If"][1]
    setting["Format"] = setting["Format"].replace("$context.path", "$context.path?$context.requestOverride.querystring")


@mutation(api.access_logs_hold_no_query)
def the_stack_sets_the_accounts_role(t: Template):
    t["Resources"]["Account"] = {"Type": "AWS::ApiGateway::Account", "Properties": {}}


@mutation(api.gateway_errors_are_problems)
def a_gateway_error_is_not_json(t: Template):
    properties(t, "Api")["GatewayResponses"]["THROTTLED"]["ResponseTemplates"]["application/json"] = "busy"


@mutation(api.gateway_errors_are_problems)
def a_gateway_error_contradicts_its_status(t: Template):
    properties(t, "Api")["GatewayResponses"]["INTEGRATION_FAILURE"]["StatusCode"] = "400"


@mutation(api.gateway_errors_are_problems)
def other_errors_of_the_gateway_get_one_status(t: Template):
    properties(t, "Api")["GatewayResponses"]["DEFAULT_4XX"]["StatusCode"] = "400"


@mutation(api.gateway_errors_are_problems)
def a_refusal_by_the_waf_has_no_answer_of_its_own(t: Template):
    del properties(t, "Api")["GatewayResponses"]["WAF_FILTERED"]


@mutation(api.the_stage_uses_the_newest_deployment)
def the_stage_serves_an_old_deployment(t: Template):
    t["Resources"]["Old"] = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}}


@mutation(api.the_api_has_its_domain, CustomDomainName="wx.example.com",
          CertificateArn="arn:aws:acm:us-east-1:111122223333:certificate/1")
def the_domain_takes_old_tls(t: Template):
    properties(t, "ApiDomain")["SecurityPolicy"] = "TLS_1_0"
