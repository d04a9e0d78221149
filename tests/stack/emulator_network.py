"""What the emulator learns for network.yaml, and so for every stack: emulator_main.py imports it.

- Elastic IPs and NAT gateways as resources, over the emulator's own EC2 API, which shows a gateway's address.
- Change sets that know which properties replace a resource, and which resources a condition adds or removes:
  https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
- Stack policies that are applied to updates:
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
- EC2 calls that need the permissions of whoever changes the stack, as without a service role:
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import Any

import schemas
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import cloudformation, ec2
from ministack.services.cloudformation import changesets, engine, provisioners, stacks

# The access key of whoever asked CloudFormation. A stack's background task inherits it from the request.
CALLER: ContextVar[str] = ContextVar("caller", default="")
Made = tuple[str, dict[str, Any]]


# ── EC2's API ───────────────────────────────────────────────────────────────────────────────────────────────────────

def ask_ec2(action: str, **parameters: str) -> str:
    """The emulator's own EC2 API. Its answer as XML."""
    status, _, body = ec2._ACTION_MAP[action]({name: [value] for name, value in parameters.items()})
    if status != 200:
        raise ValueError(body.decode())
    return body.decode()


def value(xml: str, name: str) -> str:
    return re.search(f"<{name}>([^<]*)</{name}>", xml)[1]


def describe_nat_gateways(parameters: dict[str, Any]):
    """With the address of each gateway, which the emulator leaves out."""
    status, headers, body = _describe_nat_gateways(parameters)
    text = body.decode()
    for id_, gateway in ec2._nat_gateways.items():
        if (address := ec2._addresses.get(gateway["AllocationId"])) and gateway["State"] != "deleted":
            shown = f"<allocationId>{address['AllocationId']}</allocationId><publicIp>{address['PublicIp']}</publicIp>"
            text = re.sub(f"(<natGatewayId>{id_}<(?:(?!</item>).)*)<natGatewayAddressSet/>",
                          rf"\1<natGatewayAddressSet><item>{shown}</item></natGatewayAddressSet>", text, flags=re.DOTALL)
    return status, headers, text.encode()


def describe_addresses(parameters: dict[str, Any]):
    """By address too, which the emulator ignores."""
    wanted = [v for name, values in parameters.items() if name.startswith("PublicIp.") for v in values]
    ids = [id_ for id_, address in ec2._addresses.items() if address["PublicIp"] in wanted]
    if wanted and not ids:
        return ec2._error("InvalidAddress.NotFound", f"Address '{wanted[0]}' not found.", 400)
    return _describe_addresses(parameters | {f"AllocationId.{n}": [id_] for n, id_ in enumerate(ids, 1)})


_describe_nat_gateways, _describe_addresses = ec2._describe_nat_gateways, ec2._describe_addresses
ec2._ACTION_MAP |= {"DescribeNatGateways": describe_nat_gateways, "DescribeAddresses": describe_addresses}


# ── Resources ───────────────────────────────────────────────────────────────────────────────────────────────────────

def create_address(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    answer = ask_ec2("AllocateAddress", Domain=properties["Domain"])
    allocation, address = value(answer, "allocationId"), value(answer, "publicIp")
    provisioners._ec2_apply_tags(allocation, properties)
    return address, {"AllocationId": allocation, "PublicIp": address}


def allocation_of(address: str) -> str:
    return next(id_ for id_, found in ec2._addresses.items() if found["PublicIp"] == address)


def update_address(address: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Made:
    provisioners._ec2_apply_tags(allocation_of(address), new, old)
    return address, {"AllocationId": allocation_of(address), "PublicIp": address}


def delete_address(address: str, properties: dict[str, Any]) -> None:
    ask_ec2("ReleaseAddress", AllocationId=allocation_of(address))


def create_gateway(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    allocation = properties["AllocationId"]
    if allocation not in ec2._addresses:
        raise ValueError(f"InvalidAllocationID.NotFound: {allocation}")
    if any(g["AllocationId"] == allocation and g["State"] != "deleted" for g in ec2._nat_gateways.values()):
        raise ValueError(f"Resource.AlreadyAssociated: {allocation} is already associated")
    answer = ask_ec2("CreateNatGateway", SubnetId=properties["SubnetId"], AllocationId=allocation)
    gateway = value(answer, "natGatewayId")
    provisioners._ec2_apply_tags(gateway, properties)
    return gateway, {"NatGatewayId": gateway}


def update_gateway(gateway: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Made:
    provisioners._ec2_apply_tags(gateway, new, old)
    return gateway, {"NatGatewayId": gateway}


def delete_gateway(gateway: str, properties: dict[str, Any]) -> None:
    ask_ec2("DeleteNatGateway", NatGatewayId=gateway)


def with_permission(type_: str, operation: str, handler: Callable) -> Callable:
    """The handler, once the caller may make its EC2 calls, which come by way of CloudFormation:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia
    """
    def handle(*arguments: Any):
        for action in schemas.calls(type_, operation):
            through = {"aws:CalledVia": ["cloudformation.amazonaws.com"]}
            if iam_evaluator.enforce(CALLER.get(), action, "ec2", get_region(), service_context=through):
                raise ValueError(f"You are not authorized to perform this operation. ({action})")
        return handler(*arguments)
    return handle


HANDLERS = provisioners._RESOURCE_HANDLERS
HANDLERS["AWS::EC2::EIP"] = {"create": create_address, "update": update_address, "delete": delete_address}
HANDLERS["AWS::EC2::NatGateway"] = {"create": create_gateway, "update": update_gateway, "delete": delete_gateway}
for type_, schema in schemas.SCHEMAS.items():
    provisioners._REPLACING_PROPERTIES[type_] = tuple(schema["replaces"].split())
    HANDLERS[type_] |= {operation: with_permission(type_, operation, HANDLERS[type_][operation])
                        for operation in schemas.OPERATIONS if operation in HANDLERS[type_]}


# ── Change sets ─────────────────────────────────────────────────────────────────────────────────────────────────────

def under_conditions(template: dict[str, Any], parameters: dict[str, Any], stack: str, stack_id: str) -> dict[str, Any]:
    """The resources that there are under the parameters."""
    resolved = _resolve_for_diff(template, parameters, stack, stack_id)
    if not template:
        return resolved
    conditions = engine._evaluate_conditions(template, parameters)
    return {"Resources": {
        id_: resource for id_, resource in resolved["Resources"].items() if conditions.get(resource.get("Condition"), True)
    }}


_resolve_for_diff = changesets._resolve_props_for_diff
changesets._resolve_props_for_diff = under_conditions


# ── Stack policies ──────────────────────────────────────────────────────────────────────────────────────────────────

def update(type_: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, id_: str, *rest: Any):
    """An update of one resource, where the stack policy allows it, and every removal of the same change set."""
    policy = cloudformation._stacks[stack].get("_stack_policy")
    if policy:
        under_way = (c["Changes"] for c in cloudformation._change_sets.values()
                     if c["StackName"] == stack and c["ExecutionStatus"] == "EXECUTE_IN_PROGRESS")
        changes = [change["ResourceChange"] for found in under_way for change in found]
        asked = [("Update:Delete", c["LogicalResourceId"]) for c in changes if c["Action"] == "Remove"]
        if old != new:
            replaced = provisioners._replacing_change(type_, old, new)
            asked.append(("Update:Replace" if replaced else "Update:Modify", id_))
        check(json.loads(policy)["Statement"], asked)
    return _update(type_, physical_id, old, new, stack, id_, *rest)


def check(statements: list[dict[str, Any]], asked: Iterable[tuple[str, str]]) -> None:
    for action, id_ in asked:
        effects = {s["Effect"] for s in statements
                   if matches(s["Action"], action) and matches(s["Resource"], f"LogicalResourceId/{id_}")}
        # Where there is a policy, what it does not allow is denied.
        if effects != {"Allow"}:
            raise ValueError(f"Action denied by stack policy: [{action}] for resource [{id_}]")


def matches(patterns: str | list[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))


_update = stacks._update_keeping_seed
stacks._update_keeping_seed = update
