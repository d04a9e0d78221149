"""The template, broken in one small way at a time: each must be caught, by the check that is named.

A check that no mutation trips could be one that cannot fail, so every check has at least one here.
"""

from __future__ import annotations

from typing import Any, Callable

import cfn
import checks
import combos
import pytest

Template = dict[str, Any]
MUTATIONS: list[Any] = []


def mutation(caught_by: Callable[[cfn.Stack], None], region: str = "us-east-1", **parameters: str):
    """Registers a way to break the template, the parameters under which it shows, and who notices."""
    def register(change: Callable[[Template], None]):
        MUTATIONS.append(pytest.param(change, caught_by, region, parameters, id=change.__name__))
        return change
    return register


def properties(template: Template, name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def role(template: Template, name: str) -> list[dict[str, Any]]:
    return properties(template, f"{name}Role")["Policies"][0]["PolicyDocument"]["Statement"]


def by_sid(template: Template, name: str, sid: str) -> dict[str, Any]:
    return next(s for s in role(template, name) if s.get("Sid") == sid)


# ── Network ──

@mutation(checks.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_gets_the_internet_gateway(t: Template):
    route = properties(t, "PrivateDefaultRoute2")
    del route["NatGatewayId"]
    route["GatewayId"] = {"Ref": "InternetGateway"}


@mutation(checks.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_is_put_on_the_public_route_table(t: Template):
    properties(t, "PrivateSubnet1RouteTable")["RouteTableId"] = {"Ref": "PublicRouteTable"}


@mutation(checks.functions_that_call_wechat_are_behind_nat)
def the_keeper_leaves_the_vpc(t: Template):
    del properties(t, "KeeperFunction")["VpcConfig"]
    t["Resources"]["KeeperFunction"]["Properties"]["VpcConfig"] = {
        "SubnetIds": [{"Ref": "PublicSubnet1"}, {"Ref": "PrivateSubnet2"}], "SecurityGroupIds": [{"Ref": "FunctionSecurityGroup"}]}


@mutation(checks.functions_that_call_wechat_are_behind_nat, NatMode="per-az")
def the_second_zone_uses_the_first_zones_nat(t: Template):
    properties(t, "PrivateDefaultRoute2")["NatGatewayId"] = {"Ref": "Nat1"}


@mutation(checks.functions_that_call_wechat_are_behind_nat)
def a_private_subnet_gets_a_second_way_out(t: Template):
    t["Resources"]["Bypass"] = {"Type": "AWS::EC2::Route", "Properties": {
        "RouteTableId": {"Ref": "PrivateRouteTable1"}, "DestinationCidrBlock": "1.0.0.0/8", "GatewayId": {"Ref": "InternetGateway"}}}


@mutation(checks.functions_that_call_wechat_are_behind_nat)
def both_zones_are_one(t: Template):
    properties(t, "PrivateSubnet2")["AvailabilityZone"] = properties(t, "PrivateSubnet1")["AvailabilityZone"]


@mutation(checks.an_existing_network_creates_none, **combos.EXISTING)
def a_vpc_is_created_beside_an_existing_one(t: Template):
    del t["Resources"]["Vpc"]["Condition"]


@mutation(checks.subnets_do_not_overlap)
def two_subnets_share_a_block(t: Template):
    properties(t, "PrivateSubnet2")["CidrBlock"] = properties(t, "PrivateSubnet1")["CidrBlock"]


@mutation(checks.every_nat_address_is_announced, NatMode="per-az")
def the_second_address_is_missing_from_egress_ips(t: Template):
    properties(t, "PreauthcodeFunction")["Environment"]["Variables"]["EGRESS_IPS"]["Fn::If"][1]["Fn::Join"][1].pop(1)


@mutation(checks.every_nat_address_is_announced, NatMode="per-az", ZoneCount="3")
def the_third_address_is_missing_from_the_output(t: Template):
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][1].pop(2)


@mutation(checks.every_nat_address_is_announced)
def the_output_is_joined_by_commas(t: Template):
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][0] = ","
    t["Outputs"]["EgressIps"]["Value"]["Fn::If"][1]["Fn::Join"][1].append("203.0.113.9")


@mutation(checks.every_nat_address_is_announced, **{k: v for k, v in combos.EIPS.items() if k.endswith("1")})
def a_brought_address_is_ignored_by_the_nat(t: Template):
    t["Resources"]["EgressIp1"]["Condition"] = "CreateNetwork"
    properties(t, "Nat1")["AllocationId"] = {"Fn::GetAtt": ["EgressIp1", "AllocationId"]}


@mutation(checks.no_ipv6_anywhere)
def functions_may_use_ipv6(t: Template):
    properties(t, "PreauthcodeFunction")["VpcConfig"]["Ipv6AllowedForDualStack"] = True


@mutation(checks.no_ipv6_anywhere)
def a_subnet_has_ipv6_addresses(t: Template):
    properties(t, "PrivateSubnet1")["AssignIpv6AddressOnCreation"] = True


@mutation(checks.no_ipv6_anywhere)
def ipv6_may_leave(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"].append(
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"})


@mutation(checks.security_groups_let_out_https_and_in_nothing)
def every_port_may_leave(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupEgress"][0] |= {"IpProtocol": "-1", "FromPort": 0, "ToPort": 65535}


@mutation(checks.security_groups_let_out_https_and_in_nothing)
def something_may_come_in(t: Template):
    properties(t, "FunctionSecurityGroup")["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]


@mutation(checks.dynamodb_has_its_free_endpoint)
def the_table_is_reached_through_the_nat(t: Template):
    properties(t, "DynamoDbEndpoint")["RouteTableIds"].pop(1)


# ── Permissions ──

@mutation(checks.each_role_holds_exactly_what_is_listed)
def preauthcode_may_scan_the_table(t: Template):
    by_sid(t, "Preauthcode", "ReadState")["Action"] = ["dynamodb:GetItem", "dynamodb:Scan"]


@mutation(checks.each_role_holds_exactly_what_is_listed)
def preauthcode_may_write_tickets(t: Template):
    by_sid(t, "Preauthcode", "WriteToken")["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].append("ticket#*")


@mutation(checks.each_role_holds_exactly_what_is_listed)
def the_callback_reads_the_token(t: Template):
    del by_sid(t, "Callback", "Tickets")["Condition"]


@mutation(checks.each_role_holds_exactly_what_is_listed)
def every_secret_is_readable(t: Template):
    by_sid(t, "Keeper", "Credentials")["Resource"] = "*"


@mutation(checks.each_role_holds_exactly_what_is_listed, KmsKeyArn="arn:aws:kms:us-east-1:111122223333:key/1")
def the_key_decrypts_for_anything(t: Template):
    statement = next(s for s in role(t, "Callback") if "Fn::If" in s and s["Fn::If"][0] == "HasKmsKey")
    del statement["Fn::If"][1]["Condition"]


@mutation(checks.each_role_holds_exactly_what_is_listed)
def sam_writes_the_role(t: Template):
    del properties(t, "CallbackFunction")["Role"]


@mutation(checks.each_role_holds_exactly_what_is_listed)
def function_code_may_use_the_network_permissions(t: Template):
    role(t, "Keeper").remove(by_sid(t, "Keeper", "NotFromFunctionCode"))


@mutation(checks.managed_policies_grant_exactly_their_purpose)
def callers_may_invoke_every_version(t: Template):
    properties(t, "CallerPolicy")["PolicyDocument"]["Statement"][0]["Resource"] = {"Fn::GetAtt": ["PreauthcodeFunction", "Arn"]}


@mutation(checks.managed_policies_grant_exactly_their_purpose)
def token_readers_read_tickets(t: Template):
    condition = properties(t, "TokenReaderPolicy")["PolicyDocument"]["Statement"][0]["Condition"]
    condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = ["*"]


@mutation(checks.only_these_services_may_invoke)
def any_api_may_invoke_the_callback(t: Template):
    del properties(t, "CallbackApiPermission")["SourceArn"]


# ── API ──

def operation(t: Template, path: str) -> dict[str, Any]:
    return properties(t, "Api")["DefinitionBody"]["paths"][path]


@mutation(checks.only_the_callback_is_open)
def preauthcode_is_open(t: Template):
    operation(t, "/preauthcode")["post"]["security"] = [{"NONE": []}]


@mutation(checks.only_the_callback_is_open)
def nothing_is_authorized_by_default(t: Template):
    del properties(t, "Api")["Auth"]


@mutation(checks.only_the_callback_is_open)
def the_keeper_gets_a_public_route(t: Template):
    paths = properties(t, "Api")["DefinitionBody"]["paths"]
    callback = paths["/wechat/callback"]["Fn::If"][1]["post"]
    uri = {"Fn::Sub": callback["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].replace("CallbackAlias", "KeeperAlias")}
    paths["/keeper"] = {"post": callback | {"x-amazon-apigateway-integration": callback["x-amazon-apigateway-integration"] | {"uri": uri}}}


@mutation(checks.only_the_callback_is_open)
def callers_need_lambda_permissions_too(t: Template):
    operation(t, "/preauthcode")["post"]["x-amazon-apigateway-integration"]["credentials"] = "arn:aws:iam::*:user/*"


@mutation(checks.only_the_callback_is_open, PublicCallback="false")
def the_callback_stays_open_without_its_condition(t: Template):
    paths = properties(t, "Api")["DefinitionBody"]["paths"]
    paths["/wechat/callback"] = paths["/wechat/callback"]["Fn::If"][1]


@mutation(checks.the_resource_policy_admits_callers_and_wechat, CallerPrincipals="444455556666")
def a_caller_list_locks_wechat_out(t: Template):
    properties(t, "Api")["DefinitionBody"]["x-amazon-apigateway-policy"]["Fn::If"][1]["Statement"].pop()


@mutation(checks.the_resource_policy_admits_callers_and_wechat, CallerPrincipals="444455556666")
def a_caller_list_admits_everybody(t: Template):
    properties(t, "Api")["DefinitionBody"]["x-amazon-apigateway-policy"]["Fn::If"][1]["Statement"][0]["Principal"] = "*"


@mutation(checks.the_stage_throttles_callers_and_pushes_apart)
def pushes_share_the_callers_limit(t: Template):
    del properties(t, "Api")["MethodSettings"][1:]


@mutation(checks.the_stage_throttles_callers_and_pushes_apart)
def codes_are_logged_by_a_data_trace(t: Template):
    properties(t, "Api")["MethodSettings"][0]["DataTraceEnabled"] = True


@mutation(checks.the_stage_throttles_callers_and_pushes_apart, region="cn-north-1")
def tracing_is_on_in_china(t: Template):
    properties(t, "Api")["TracingEnabled"] = True


@mutation(checks.access_logs_hold_no_query, AccessLogs="on")
def access_logs_hold_signatures(t: Template):
    setting = properties(t, "Api")["AccessLogSetting"]["Fn::If"][1]
    setting["Format"] = setting["Format"].replace("$context.path", "$context.path?$context.requestOverride.querystring")


@mutation(checks.gateway_errors_are_problems)
def a_gateway_error_is_not_json(t: Template):
    properties(t, "Api")["GatewayResponses"]["THROTTLED"]["ResponseTemplates"]["application/json"] = "busy"


@mutation(checks.gateway_errors_are_problems)
def a_gateway_error_contradicts_its_status(t: Template):
    properties(t, "Api")["GatewayResponses"]["DEFAULT_5XX"]["StatusCode"] = "400"


@mutation(checks.the_api_is_redeployed_with_its_parameters)
def the_stage_serves_an_old_deployment(t: Template):
    t["Resources"]["Old"] = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}}


@mutation(checks.the_api_has_its_domain, CustomDomainName="wx.example.com",
          CertificateArn="arn:aws:acm:us-east-1:111122223333:certificate/1")
def the_domain_takes_old_tls(t: Template):
    properties(t, "ApiDomain")["SecurityPolicy"] = "TLS_1_0"


@mutation(checks.has_no_function_url)
def preauthcode_has_a_public_url(t: Template):
    properties(t, "PreauthcodeFunction")["FunctionUrlConfig"] = {"AuthType": "NONE"}


# ── Functions ──

@mutation(checks.environment_is_what_the_binaries_read)
def a_variable_is_misspelt(t: Template):
    variables = properties(t, "KeeperFunction")["Environment"]["Variables"]
    variables["EGRESS_IP"] = variables.pop("EGRESS_IPS")


@mutation(checks.environment_is_what_the_binaries_read)
def the_appsecret_is_a_variable(t: Template):
    properties(t, "PreauthcodeFunction")["Environment"]["Variables"]["COMPONENT_APPSECRET"] = "x"


@mutation(checks.environment_is_what_the_binaries_read)
def the_keeper_mints_whatever_was_decided(t: Template):
    properties(t, "KeeperFunction")["Environment"]["Variables"]["MINTING"] = "off"


@mutation(checks.minting_is_decided_by_the_deployer)
def minting_has_a_default(t: Template):
    t["Parameters"]["Minting"]["Default"] = "on"


@mutation(checks.functions_run_as_designed)
def the_callback_may_outlast_wechats_patience(t: Template):
    properties(t, "CallbackFunction")["Timeout"] = 60


@mutation(checks.logs_are_kept_for_a_time_and_lose_no_metric)
def metrics_are_filtered_out(t: Template):
    properties(t, "KeeperFunction")["LoggingConfig"]["ApplicationLogLevel"] = "WARN"


@mutation(checks.logs_are_kept_for_a_time_and_lose_no_metric)
def logs_are_kept_for_ever(t: Template):
    properties(t, "CallbackLogGroup")["RetentionInDays"] = 3653


@mutation(checks.callers_invoke_an_alias_that_is_never_behind)
def the_alias_lags_behind(t: Template):
    properties(t, "PreauthcodeAlias")["FunctionVersion"] = "1"


@mutation(checks.asynchronous_retries_burn_no_codes)
def asynchronous_calls_are_retried(t: Template):
    properties(t, "PreauthcodeAliasInvokeConfig")["MaximumRetryAttempts"] = 2


@mutation(checks.the_keeper_wakes_every_minute)
def the_keeper_wakes_every_hour(t: Template):
    properties(t, "KeeperSchedule")["ScheduleExpression"] = "rate(1 hour)"


# ── State, partition, alarms ──

@mutation(checks.stateful_resources_are_retained)
def an_address_goes_with_the_stack(t: Template):
    del t["Resources"]["EgressIp1"]["DeletionPolicy"]


@mutation(checks.stateful_resources_are_retained)
def the_table_goes_with_a_replacement(t: Template):
    t["Resources"]["StateTable"]["UpdateReplacePolicy"] = "Delete"


@mutation(checks.the_secret_is_never_written)
def the_secret_has_a_first_value(t: Template):
    properties(t, "CredentialsSecret")["SecretString"] = '{"component_appid":""}'


@mutation(checks.the_secret_is_never_written)
def the_secret_is_generated(t: Template):
    properties(t, "CredentialsSecret")["GenerateSecretString"] = {"PasswordLength": 32}


@mutation(checks.the_table_is_encrypted_recoverable_and_on_demand)
def the_table_cannot_be_recovered(t: Template):
    properties(t, "StateTable")["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = False


@mutation(checks.events_are_archived)
def the_archive_misses_our_events(t: Template):
    properties(t, "EventArchive")["EventPattern"] = {"source": ["aws.ec2"]}


@mutation(checks.stays_in_its_partition, region="cn-north-1")
def an_arn_names_the_partition(t: Template):
    properties(t, "CallbackApiPermission")["SourceArn"] = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}


@mutation(checks.stays_in_its_partition, region="cn-north-1")
def a_url_names_the_partition(t: Template):
    t["Outputs"]["ApiUrl"]["Value"] = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live"}


@mutation(checks.every_reference_exists)
def an_unconditional_resource_needs_a_conditional_one(t: Template):
    properties(t, "PrivateDefaultRoute1")["NatGatewayId"] = {"Ref": "Nat2"}


@mutation(checks.alarms_watch_what_matters)
def silence_of_the_tickets_is_fine(t: Template):
    properties(t, "TicketHeartbeatAlarm")["TreatMissingData"] = "notBreaching"


@mutation(checks.alarms_watch_what_matters)
def an_alarm_watches_another_stack(t: Template):
    properties(t, "EgressIpRefusedAlarm")["Dimensions"][0]["Value"] = "wechat-preauth"


@mutation(checks.alarms_watch_what_matters)
def bad_requests_wake_the_operator(t: Template):
    properties(t, "FailuresAlarm")["Metrics"][0]["Expression"] = "FILL(failures, 0)"


@mutation(checks.alarms_watch_what_matters, AlarmTopicArn="arn:aws:sns:us-east-1:111122223333:oncall")
def an_alarm_tells_nobody(t: Template):
    del properties(t, "ForeignMintAlarm")["AlarmActions"]


@mutation(checks.the_dashboard_is_json_and_shows_every_metric, NatMode="per-az", ZoneCount="3")
def the_dashboard_is_broken_json(t: Template):
    body = properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body[0] = body[0].replace("]}", "}")


@pytest.mark.parametrize("change, caught_by, region, parameters", MUTATIONS)
def test_broken_template_is_caught(change, caught_by, region, parameters):
    caught_by(cfn.deployed(region, **parameters))  # sound before
    template = cfn.load()
    change(template)
    broken = cfn.build(template, region, **parameters)
    with pytest.raises(AssertionError):
        caught_by(broken)


def test_every_check_has_a_mutation_that_it_catches():
    tripped = {parameter.values[1] for parameter in MUTATIONS}
    assert not [check.__name__ for check in checks.CHECKS if check not in tripped]
