"""Mutations of roles and policies."""

from __future__ import annotations

from checks import managed_policies, permissions
from mutations.common import Template, by_sid, mutation, properties, statements

CALLERS = "WechatCallersPolicy"
LEADING_KEYS = "ForAllValues:StringLike"


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def preauthcode_may_scan_the_table(t: Template):
    by_sid(t, CALLERS, "ReadState")["Action"] = ["dynamodb:GetItem", "dynamodb:Scan"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def preauthcode_may_write_tickets(t: Template):
    by_sid(t, CALLERS, "WriteToken")["Condition"][LEADING_KEYS]["dynamodb:LeadingKeys"].append("ticket#*")


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_keeper_may_overwrite_the_ticket(t: Template):
    del by_sid(t, "KeeperRole", "NoteStartPush")["Condition"]["ForAllValues:StringEquals"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_reads_the_token(t: Template):
    del by_sid(t, "CallbackRole", "Tickets")["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_reads_the_appsecret(t: Template):
    by_sid(t, "CallbackRole", "Credentials")["Resource"] = [{"Ref": "CallbackSecret"}, {"Ref": "CredentialsSecret"}]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_puts_events_of_any_source(t: Template):
    del by_sid(t, "CallbackRole", "Events")["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_may_what_the_keeper_may(t: Template):
    properties(t, CALLERS)["Roles"].append({"Ref": "CallbackRole"})


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def every_secret_is_readable(t: Template):
    by_sid(t, CALLERS, "Credentials")["Resource"] = "*"


@mutation(permissions.each_role_holds_exactly_what_is_listed, KmsKeyArn="arn:aws:kms:us-east-1:111122223333:key/1")
def the_key_decrypts_for_anything(t: Template):
    del by_sid(t, "KmsPolicy", "DecryptSecretAndTable")["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def sam_writes_the_role(t: Template):
    del properties(t, "CallbackFunction")["Role"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def function_code_may_use_the_network_permissions(t: Template):
    statements(t, CALLERS).remove(by_sid(t, CALLERS, "NotFromFunctionCode"))


@mutation(permissions.the_state_is_used_through_the_endpoint_alone)
def the_state_is_read_from_outside_the_network(t: Template):
    del by_sid(t, CALLERS, "ReadState")["Condition"]["StringEquals"]


@mutation(permissions.the_state_is_used_through_the_endpoint_alone)
def the_token_is_written_from_outside_the_network(t: Template):
    del by_sid(t, CALLERS, "WriteToken")["Condition"]["StringEquals"]


@mutation(permissions.the_state_is_used_through_the_endpoint_alone)
def a_ticket_is_asked_for_from_outside_the_network(t: Template):
    del by_sid(t, "KeeperRole", "NoteStartPush")["Condition"]["StringEquals"]


@mutation(permissions.only_these_services_may_invoke)
def any_api_may_invoke_the_callback(t: Template):
    del properties(t, "CallbackApiPermission")["SourceArn"]


@mutation(managed_policies.managed_policies_grant_exactly_their_purpose)
def callers_may_invoke_every_version(t: Template):
    statements(t, "CallerPolicy")[0]["Resource"] = {"Fn::GetAtt": ["PreauthcodeFunction", "Arn"]}


@mutation(managed_policies.managed_policies_grant_exactly_their_purpose)
def token_readers_read_tickets(t: Template):
    statements(t, "TokenReaderPolicy")[0]["Condition"][LEADING_KEYS]["dynamodb:LeadingKeys"] = ["*"]


@mutation(managed_policies.managed_policies_grant_exactly_their_purpose)
def the_old_token_server_may_do_what_operators_do(t: Template):
    statements(t, "TokenHandoverPolicy")[0]["Resource"] = {"Ref": "KeeperAlias"}


@mutation(managed_policies.no_managed_policy_is_replaced_by_an_update)
def a_policy_is_described_anew(t: Template):
    properties(t, "TokenReaderPolicy")["Description"] = "Reads the token"


@mutation(managed_policies.no_managed_policy_is_replaced_by_an_update)
def a_policy_gets_a_name(t: Template):
    properties(t, "CallerPolicy")["ManagedPolicyName"] = "callers"
