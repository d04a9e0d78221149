"""What would stop the deletion of a stack half-way, with the command that removes it."""

from __future__ import annotations

from botocore.exceptions import ClientError
from stack import Stack, parameters, split

Finding = tuple[str, str]

# Interfaces that are found by what they belong to: endpoints and functions. Lambda's stay for up to 40 minutes after
# the last function is gone, and CloudFormation waits for that.
FOUND_OTHERWISE = ("vpc_endpoint", "lambda")
LAMBDA_INTERFACE = "AWS Lambda VPC ENI-"


def of_type(resources: list[dict], type_: str) -> list[str]:
    return [r["PhysicalResourceId"] for r in resources if r["ResourceType"] == type_ and r.get("PhysicalResourceId")]


def find(stack: Stack, resources: list[dict]) -> list[Finding]:
    """A name and a text for each. Empty when the stack can be deleted."""
    findings = attached_policies(stack, resources) + foreign_rules(stack, resources)
    for vpc in of_type(resources, "AWS::EC2::VPC"):
        findings += service_stacks(stack)
        findings += functions(stack, resources, vpc)
        findings += interfaces(stack, resources, vpc)
    return findings


def service_stacks(stack: Stack) -> list[Finding]:
    """The services that were deployed with this network's subnets."""
    subnets = set(split(stack.outputs().get("SubnetIds", "")))
    found = [s for s in readable(stack) if "Minting" in parameters(s) and s["StackName"] != stack.name]
    return [
        ("used-network", f"the service {s['StackName']} uses this network. First: make teardown STACK={s['StackName']}")
        for s in found
        if subnets & set(split(parameters(s).get("SubnetIds", "")))
    ]


def readable(stack: Stack) -> list[dict]:
    """All stacks. Whoever may only read their own sees the service of the network's name, and the functions below."""
    pages = stack.client("cloudformation").get_paginator("describe_stacks")
    for which in ({}, {"StackName": stack.name.removesuffix("-network")}):
        try:
            return [s for page in list(pages.paginate(**which)) for s in page["Stacks"]]
        except ClientError as error:
            # ValidationError: there is no such stack.
            if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException", "ValidationError"):
                raise
    return []


def functions(stack: Stack, resources: list[dict], vpc: str) -> list[Finding]:
    """Functions in the VPC that are not the stack's own. Lambda's network interfaces do not tell: functions share them."""
    own = set(of_type(resources, "AWS::Lambda::Function"))
    pages = stack.client("lambda").get_paginator("list_functions").paginate()
    return [
        ("guests", (
            f"the function {f['FunctionName']} is in this network. Move it, or delete it with its stack: "
            f"aws lambda update-function-configuration --function-name {f['FunctionName']} "
            "--vpc-config SubnetIds=[],SecurityGroupIds=[]"
        ))
        for page in pages
        for f in page["Functions"]
        if f.get("VpcConfig", {}).get("VpcId") == vpc and f["FunctionName"] not in own
    ]


def interfaces(stack: Stack, resources: list[dict], vpc: str) -> list[Finding]:
    """Other things in the VPC."""
    ec2, inside = stack.client("ec2"), [{"Name": "vpc-id", "Values": [vpc]}]
    endpoints = [e["VpcEndpointId"] for p in ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=inside)
                 for e in p["VpcEndpoints"]]
    own = of_type(resources, "AWS::EC2::VPCEndpoint")
    findings = [
        ("guests", f"the endpoint {e} is in this network. aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {e}")
        for e in endpoints if e not in own
    ]
    nats = of_type(resources, "AWS::EC2::NatGateway")
    gateways = ec2.describe_nat_gateways(NatGatewayIds=nats)["NatGateways"] if nats else []
    of_gateways = {a.get("NetworkInterfaceId") for gateway in gateways for a in gateway["NatGatewayAddresses"]}
    for page in ec2.get_paginator("describe_network_interfaces").paginate(Filters=inside):
        for found in page["NetworkInterfaces"]:
            id_, description = found["NetworkInterfaceId"], found.get("Description", "")
            if id_ in of_gateways or found.get("InterfaceType") in FOUND_OTHERWISE:
                continue
            if description.startswith(LAMBDA_INTERFACE):
                continue
            findings.append(("guests", (
                f"the network interface {id_} ({description or 'no description'}) is in this network. Delete what it "
                f"belongs to, or: aws ec2 delete-network-interface --network-interface-id {id_}"
            )))
    return findings


def attached_policies(stack: Stack, resources: list[dict]) -> list[Finding]:
    """Policies of the stack on roles, users and groups of others. IAM deletes no attached policy."""
    iam, own = stack.client("iam"), set(of_type(resources, "AWS::IAM::Role"))
    findings = []
    for arn in of_type(resources, "AWS::IAM::ManagedPolicy"):
        for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            for kind in ("Role", "User", "Group"):
                names = [entity[f"{kind}Name"] for entity in page[f"Policy{kind}s"]]
                findings += [
                    ("attached-policies", (
                        f"{arn.rsplit('/', 1)[-1]} is attached to the {kind.lower()} {name}. aws iam "
                        f"detach-{kind.lower()}-policy --{kind.lower()}-name {name} --policy-arn {arn}"
                    ))
                    for name in names if name not in own
                ]
    return findings


def foreign_rules(stack: Stack, resources: list[dict]) -> list[Finding]:
    """Rules of consumers on the stack's bus. EventBridge deletes no bus that has rules."""
    events = stack.client("events")
    own = {id_.rsplit("|", 1)[-1].rsplit("/", 1)[-1] for id_ in of_type(resources, "AWS::Events::Rule")}
    findings = []
    buses = {*of_type(resources, "AWS::Events::EventBus"), stack.outputs().get("EventBusName", "")} - {""}
    for bus in sorted(buses):
        for rule in rules(events, bus):
            # The archive's rule belongs to EventBridge and goes with the archive.
            if rule.get("ManagedBy") or rule["Name"] in own:
                continue
            at = f"--event-bus-name {bus} --rule {rule['Name']}"
            targets = events.list_targets_by_rule(EventBusName=bus, Rule=rule["Name"])["Targets"]
            ids = " ".join(target["Id"] for target in targets)
            remove = f"aws events remove-targets {at} --ids {ids} && " if ids else ""
            findings.append(("foreign-rules", (
                f"the rule {rule['Name']} is on the bus {bus}. {remove}"
                f"aws events delete-rule --event-bus-name {bus} --name {rule['Name']}"
            )))
    return findings


def rules(events, bus: str) -> list[dict]:
    found, page = [], {}
    while True:
        page = events.list_rules(EventBusName=bus, **({"NextToken": page["NextToken"]} if page else {}))
        found += page["Rules"]
        if not page.get("NextToken"):
            return found
