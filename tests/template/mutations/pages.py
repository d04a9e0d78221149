"""Mutations of the merchant's pages."""

from __future__ import annotations

from checks import alarms, api, egress, functions, managed_policies, pages, permissions, state, whole
from mutations.common import Template, by_sid, mutation, properties, statements

ON = {"PagesOrigin": "https://auth.example.com"}
DOMAIN = ON | {
    "CustomDomainName": "wx.example.com", "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1",
}
KEY = {"KmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1"}
LEADING_KEYS = "ForAllValues:StringLike"


@mutation(pages.without_an_origin_nothing_of_the_pages_exists)
def the_pages_cannot_be_turned_off(t: Template):
    for name in ("AuthorizeFunction", "AuthorizeRole", "AuthorizeLogGroup", "AuthorizeAlias"):
        del t["Resources"][name]["Condition"]


@mutation(pages.without_an_origin_nothing_of_the_pages_exists)
def a_role_for_the_pages_stays_without_them(t: Template):
    for name in ("AuthorizeRole", "AuthorizeLogGroup"):
        del t["Resources"][name]["Condition"]


@mutation(pages.the_pages_are_one_open_route_to_authorize, **ON)
def merchants_must_sign_their_visits(t: Template):
    properties(t, "PagesApi")["Auth"] = {"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}


@mutation(pages.the_pages_are_one_open_route_to_authorize, **ON)
def the_pages_lead_to_another_function(t: Template):
    operation = properties(t, "PagesApi")["DefinitionBody"]["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"]
    uri = operation["x-amazon-apigateway-integration"]["uri"]
    uri["Fn::Sub"] = uri["Fn::Sub"].replace("AuthorizeAlias", "PreauthcodeAlias")


@mutation(pages.the_pages_are_one_open_route_to_authorize, **ON)
def a_proxy_would_forward_to_the_callers_api(t: Template):
    t["Outputs"]["PagesEndpoint"]["Value"] = t["Outputs"]["ApiUrl"]["Value"]


@mutation(pages.the_pages_have_a_limit_of_their_own, **ON)
def the_pages_have_no_limit(t: Template):
    del properties(t, "PagesApi")["MethodSettings"]


@mutation(pages.the_pages_have_a_limit_of_their_own, **ON)
def a_flood_of_visitors_takes_what_callers_need(t: Template):
    properties(t, "PagesApi")["MethodSettings"][0]["ThrottlingRateLimit"] = 10000


@mutation(pages.the_pages_have_a_limit_of_their_own, **ON)
def links_are_logged_by_a_data_trace(t: Template):
    properties(t, "PagesApi")["MethodSettings"][0]["DataTraceEnabled"] = True


@mutation(pages.access_logs_of_the_pages_hold_no_link, AccessLogs="on", **ON)
def access_logs_hold_links(t: Template):
    setting = properties(t, "PagesApi")["AccessLogSetting"]["Fn::If"][1]
    setting["Format"] = setting["Format"].replace("$context.resourcePath", "$context.path")


@mutation(pages.access_logs_of_the_pages_hold_no_link, **ON)
def the_pages_are_logged_without_being_asked(t: Template):
    setting = properties(t, "PagesApi")["AccessLogSetting"]["Fn::If"][1]
    properties(t, "PagesApi")["AccessLogSetting"] = {"Format": setting["Format"], "DestinationArn": "arn:aws:logs:::x"}


@mutation(pages.gateway_errors_of_the_pages_are_pages, **ON)
def a_merchant_is_answered_in_json(t: Template):
    responses = properties(t, "PagesApi")["GatewayResponses"]
    responses["THROTTLED"] = properties(t, "Api")["GatewayResponses"]["THROTTLED"]


@mutation(pages.gateway_errors_of_the_pages_are_pages, **ON)
def a_style_has_another_hash(t: Template):
    templates = properties(t, "PagesApi")["GatewayResponses"]["DEFAULT_5XX"]["ResponseTemplates"]
    templates["application/json"] = templates["application/json"].replace("dimgray", "gray")


@mutation(pages.the_pages_are_on_the_domain_when_there_is_one, **DOMAIN)
def the_return_page_is_not_on_the_domain(t: Template):
    del t["Resources"]["PagesReturnMapping"]


@mutation(pages.the_pages_are_on_the_domain_when_there_is_one, **DOMAIN)
def the_domain_leads_to_the_wrong_api(t: Template):
    properties(t, "PagesDomainMapping")["RestApiId"] = {"Ref": "Api"}


@mutation(pages.the_pages_are_on_the_domain_when_there_is_one, **ON)
def the_pages_are_mapped_without_a_domain(t: Template):
    mapping = t["Resources"]["PagesDomainMapping"]
    mapping["Condition"], mapping["Properties"]["DomainName"] = "HasPages", "auth.example.com"


@mutation(api.only_the_callback_is_open, **ON)
def everybody_makes_links(t: Template):
    operation = properties(t, "Api")["DefinitionBody"]["paths"]["/authorization-links"]["Fn::If"][1]["post"]
    operation["security"] = [{"NONE": []}]


@mutation(api.the_resource_policy_allows_callers_and_wechat, CallerPrincipals="444455556666", **ON)
def callers_of_other_accounts_make_no_links(t: Template):
    policy = properties(t, "Api")["DefinitionBody"]["x-amazon-apigateway-policy"]["Fn::If"][1]
    policy["Statement"][0]["Resource"].pop()


@mutation(api.the_stage_uses_the_newest_deployment, **ON)
def the_pages_serve_the_callers_deployment(t: Template):
    t["Resources"]["Old"] = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "PagesApi"}}}


@mutation(api.the_api_has_its_domain, **DOMAIN)
def the_address_of_links_is_not_on_the_domain(t: Template):
    t["Outputs"]["AuthorizationLinksUrl"]["Value"] = t["Outputs"]["AuthorizationLinksUrl"]["Value"]["Fn::If"][2]


@mutation(egress.functions_that_call_wechat_are_in_the_given_network, **ON)
def authorize_enters_the_vpc(t: Template):
    properties(t, "AuthorizeFunction")["VpcConfig"] = properties(t, "KeeperFunction")["VpcConfig"]


@mutation(functions.environment_is_what_the_binaries_read, **ON)
def authorize_knows_the_secret(t: Template):
    properties(t, "AuthorizeFunction")["Environment"]["Variables"]["CREDENTIALS_SECRET_ID"] = {"Ref": "CredentialsSecret"}


@mutation(functions.environment_is_what_the_binaries_read, **ON)
def authorize_invokes_without_the_alias(t: Template):
    properties(t, "AuthorizeFunction")["Environment"]["Variables"]["PREAUTHCODE_FUNCTION"] = {"Ref": "PreauthcodeFunction"}


@mutation(functions.functions_have_their_runtime_and_limits, **ON)
def authorize_is_traced(t: Template):
    properties(t, "AuthorizeFunction")["Tracing"] = "Active"


@mutation(functions.functions_have_their_runtime_and_limits, ReservedConcurrency="50", **ON)
def a_flood_of_visitors_takes_the_accounts_concurrency(t: Template):
    del properties(t, "AuthorizeFunction")["ReservedConcurrentExecutions"]


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON)
def authorize_reads_the_appsecret(t: Template):
    statements(t, "AuthorizeRole").append(by_sid(t, "WechatCallersPolicy", "Credentials"))


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON)
def authorize_reads_tokens(t: Template):
    by_sid(t, "AuthorizeRole", "Links")["Condition"][LEADING_KEYS]["dynamodb:LeadingKeys"].append("token#*")


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON)
def authorize_reads_tickets(t: Template):
    by_sid(t, "AuthorizeRole", "Links")["Condition"][LEADING_KEYS]["dynamodb:LeadingKeys"].append("ticket#*")


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON)
def authorize_uses_the_whole_table(t: Template):
    del by_sid(t, "AuthorizeRole", "Links")["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON)
def authorize_invokes_the_keeper(t: Template):
    takes = by_sid(t, "AuthorizeRole", "TakeCodes")
    takes["Resource"] = [takes["Resource"], {"Ref": "KeeperAlias"}]


@mutation(permissions.each_role_holds_exactly_what_is_listed, **ON, **KEY)
def authorize_decrypts_secrets(t: Template):
    properties(t, "KmsPolicy")["Roles"].append({"Ref": "AuthorizeRole"})


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_writes_a_codes_link(t: Template):
    by_sid(t, "CallbackRole", "CodeOrigins")["Action"] = ["dynamodb:GetItem", "dynamodb:PutItem"]


@mutation(permissions.only_these_services_may_invoke, **ON)
def the_pages_api_may_not_invoke_authorize(t: Template):
    del t["Resources"]["AuthorizePagesPermission"]


@mutation(permissions.only_these_services_may_invoke, **ON)
def the_pages_api_may_invoke_preauthcode(t: Template):
    properties(t, "AuthorizePagesPermission")["FunctionName"] = {"Ref": "PreauthcodeAlias"}


@mutation(managed_policies.managed_policies_grant_exactly_their_purpose, **ON)
def callers_make_no_links(t: Template):
    statements(t, "CallerPolicy").pop()


@mutation(managed_policies.managed_policies_grant_exactly_their_purpose)
def callers_invoke_an_alias_that_is_not_there(t: Template):
    statement = statements(t, "CallerPolicy")[2]["Fn::If"][1]
    statement["Resource"] = {"Fn::Sub": "arn:${AWS::Partition}:lambda:*:*:function:${AWS::StackName}-authorize:live"}
    statements(t, "CallerPolicy")[2] = statement


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def tokens_are_deleted_when_they_expire(t: Template):
    properties(t, "StateTable")["TimeToLiveSpecification"]["AttributeName"] = "expires_at"


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def links_are_kept_for_ever(t: Template):
    del properties(t, "StateTable")["TimeToLiveSpecification"]


@mutation(whole.merchants_go_to_wechat_unless_somebody_says_otherwise)
def merchants_go_to_another_page_by_default(t: Template):
    t["Parameters"]["AuthorizationPageOrigins"]["Default"] = "https://mp.example.com,https://open.weixin.qq.com"


@mutation(whole.merchants_go_to_wechat_unless_somebody_says_otherwise)
def an_authorization_page_without_tls_is_taken(t: Template):
    origins = t["Parameters"]["AuthorizationPageOrigins"]
    origins["AllowedPattern"] = origins["AllowedPattern"].replace("https", "https?")


@mutation(alarms.alarms_watch_what_matters, **ON)
def a_flood_of_visitors_raises_no_alarm(t: Template):
    properties(t, "PagesFloodAlarm")["Dimensions"] = properties(t, "CallbackFloodAlarm")["Dimensions"]


@mutation(alarms.sums_of_metrics_hold_every_function, **ON)
def crashes_of_authorize_are_not_counted(t: Template):
    result = properties(t, "CrashesAlarm")["Metrics"][0]
    result["Expression"] = result["Expression"].replace(" + FILL(errors_a, 0)", "")


@mutation(alarms.the_dashboard_shows_every_metric_and_alarm, **ON)
def the_dashboard_does_not_show_the_pages_alarm(t: Template):
    properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"][1]["PagesAlarms"] = ""


@mutation(alarms.the_dashboard_shows_every_metric_and_alarm)
def the_dashboard_does_not_show_authorizes_errors(t: Template):
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body[0] = body[0].replace("-authorize", "-callback")
