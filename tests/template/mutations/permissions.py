"""Mutations of roles and policies."""

from __future__ import annotations

from checks import permissions
from mutations.common import Template, by_sid, mutation, properties, role


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def preauthcode_may_scan_the_table(t: Template):
    by_sid(t, "Preauthcode", "ReadState")["Action"] = ["dynamodb:GetItem", "dynamodb:Scan"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def preauthcode_may_write_tickets(t: Template):
    by_sid(t, "Preauthcode", "WriteToken")["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].append("ticket#*")


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def the_callback_reads_the_token(t: Template):
    del by_sid(t, "Callback", "Tickets")["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def every_secret_is_readable(t: Template):
    by_sid(t, "Keeper", "Credentials")["Resource"] = "*"


@mutation(permissions.each_role_holds_exactly_what_is_listed, KmsKeyArn="arn:aws:kms:us-east-1:111122223333:key/1")
def the_key_decrypts_for_anything(t: Template):
    statement = next(s for s in role(t, "Callback") if "Fn::If" in s and s["Fn::If"][0] == "HasKmsKey")
    del statement["Fn::If"][1]["Condition"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def sam_writes_the_role(t: Template):
    del properties(t, "CallbackFunction")["Role"]


@mutation(permissions.each_role_holds_exactly_what_is_listed)
def function_code_may_use_the_network_permissions(t: Template):
    role(t, "Keeper").remove(by_sid(t, "Keeper", "NotFromFunctionCode"))


@mutation(permissions.managed_policies_grant_exactly_their_purpose)
def callers_may_invoke_every_version(t: Template):
    properties(t, "CallerPolicy")["PolicyDocument"]["Statement"][0]["Resource"] = {"Fn::GetAtt": ["PreauthcodeFunction", "Arn"]}


@mutation(permissions.managed_policies_grant_exactly_their_purpose)
def token_readers_read_tickets(t: Template):
    condition = properties(t, "TokenReaderPolicy")["PolicyDocument"]["Statement"][0]["Condition"]
    condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = ["*"]


@mutation(permissions.only_these_services_may_invoke)
def any_api_may_invoke_the_callback(t: Template):
    del properties(t, "CallbackApiPermission")["SourceArn"]
