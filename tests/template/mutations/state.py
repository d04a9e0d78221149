"""Mutations of table, secret and event bus."""

from __future__ import annotations

from checks import state
from mutations.common import Template, mutation, properties


@mutation(state.stateful_resources_are_retained)
def an_address_is_deleted_with_the_stack(t: Template):
    del t["Resources"]["EgressIp1"]["DeletionPolicy"]


@mutation(state.stateful_resources_are_retained)
def the_table_is_deleted_on_replacement(t: Template):
    t["Resources"]["StateTable"]["UpdateReplacePolicy"] = "Delete"


@mutation(state.the_secret_is_never_written)
def the_secret_has_a_first_value(t: Template):
    properties(t, "CredentialsSecret")["SecretString"] = '{"component_appid":""}'


@mutation(state.the_secret_is_never_written)
def the_secret_is_generated(t: Template):
    properties(t, "CredentialsSecret")["GenerateSecretString"] = {"PasswordLength": 32}


@mutation(state.the_table_is_encrypted_recoverable_and_on_demand)
def the_table_cannot_be_recovered(t: Template):
    properties(t, "StateTable")["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = False


@mutation(state.events_are_archived)
def the_archive_misses_our_events(t: Template):
    properties(t, "EventArchive")["EventPattern"] = {"source": ["aws.ec2"]}
