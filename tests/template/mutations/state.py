"""Mutations of table, secrets and event bus."""

from __future__ import annotations

import cfn
from checks import state
from mutations.common import Template, mutation, properties

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:wechat/{}-AbCdEf"
TWO = {"CredentialsSecretArn": SECRET.format("component"), "CallbackSecretArn": SECRET.format("push")}


@mutation(state.stateful_resources_are_retained, file=cfn.NETWORK)
def an_address_is_deleted_with_the_stack(t: Template):
    del t["Resources"]["EgressIp1"]["DeletionPolicy"]


@mutation(state.stateful_resources_are_retained)
def the_table_is_deleted_on_replacement(t: Template):
    t["Resources"]["StateTable"]["UpdateReplacePolicy"] = "Delete"


@mutation(state.no_secret_is_written)
def the_secret_has_a_first_value(t: Template):
    properties(t, "CredentialsSecret")["SecretString"] = '{"component_appid":""}'


@mutation(state.no_secret_is_written)
def the_secret_is_generated(t: Template):
    properties(t, "CallbackSecret")["GenerateSecretString"] = {"PasswordLength": 32}


@mutation(state.callback_has_a_secret_of_its_own)
def the_functions_share_one_secret(t: Template):
    properties(t, "CallbackFunction")["Environment"]["Variables"]["CREDENTIALS_SECRET_ID"] = {"Ref": "CredentialsSecret"}


@mutation(state.callback_has_a_secret_of_its_own, **TWO)
def the_second_brought_secret_is_ignored(t: Template):
    t["Outputs"]["CallbackSecretArn"]["Value"] = {"Ref": "CredentialsSecretArn"}


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def the_table_cannot_be_recovered(t: Template):
    properties(t, "StateTable")["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = False


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def the_table_may_be_deleted(t: Template):
    del properties(t, "StateTable")["DeletionProtectionEnabled"]


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def a_failed_creation_hangs_on_the_protected_table(t: Template):
    t["Resources"]["StateTable"]["DeletionPolicy"] = "RetainExceptOnCreate"


@mutation(state.events_are_archived)
def the_archive_misses_our_events(t: Template):
    properties(t, "EventArchive")["EventPattern"] = {"source": ["aws.ec2"]}


@mutation(state.only_callback_puts_events)
def everybody_puts_events(t: Template):
    del t["Resources"]["EventBusPolicy"]


@mutation(state.only_callback_puts_events)
def the_keeper_puts_events_too(t: Template):
    condition = properties(t, "EventBusPolicy")["Statement"]["Condition"]["ArnNotEquals"]
    condition["aws:PrincipalArn"] = [condition["aws:PrincipalArn"], {"Fn::GetAtt": ["KeeperRole", "Arn"]}]
