"""Mutations that concern the whole stack."""

from __future__ import annotations

from checks import whole
from mutations.common import Template, mutation, properties


@mutation(whole.has_no_function_url)
def preauthcode_has_a_public_url(t: Template):
    properties(t, "PreauthcodeFunction")["FunctionUrlConfig"] = {"AuthType": "NONE"}


@mutation(whole.minting_is_decided_by_the_deployer)
def minting_has_a_default(t: Template):
    t["Parameters"]["Minting"]["Default"] = "on"


@mutation(whole.stays_in_its_partition, region="cn-north-1")
def an_arn_names_the_partition(t: Template):
    properties(t, "CallbackApiPermission")["SourceArn"] = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}


@mutation(whole.stays_in_its_partition, region="cn-north-1")
def a_url_names_the_partition(t: Template):
    t["Outputs"]["ApiUrl"]["Value"] = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live"}


@mutation(whole.every_reference_exists)
def an_unconditional_resource_needs_a_conditional_one(t: Template):
    properties(t, "PrivateDefaultRoute1")["NatGatewayId"] = {"Ref": "Nat2"}
