"""What must hold of every stack that template.yaml can make.

Each function takes a :class:`cfn.Stack` and raises ``AssertionError``. ``test_template.py`` runs all of
them over the real template, ``test_mutations.py`` over broken ones, so that no check is one that
cannot fail.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any

from cfn import ACCOUNT, STACK, Stack, placeholders, strings

IN_VPC = {"PreauthcodeFunction", "KeeperFunction"}
FUNCTIONS = IN_VPC | {"CallbackFunction"}
BINARIES = {"PreauthcodeFunction": "preauthcode", "CallbackFunction": "callback", "KeeperFunction": "keeper"}
ANYWHERE = "0.0.0.0/0"


def given(stack: Stack, name: str) -> str:
    return stack.parameters[name]


def creates_network(stack: Stack) -> bool:
    return given(stack, "ExistingSubnetIds") == ""


def zones(stack: Stack) -> int:
    return int(given(stack, "ZoneCount"))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def only(found: dict[str, Any]) -> tuple[str, Any]:
    """The one entry of a mapping."""
    assert len(found) == 1, f"one expected: {sorted(found)}"
    return next(iter(found.items()))


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AssertionError(f"not JSON: {error}: {text[:80]}") from error


def resource_of(placeholder: str) -> str:
    """``Vpc`` of ``${Vpc}`` or ``${Vpc.Arn}``."""
    match = re.fullmatch(r"\$\{(\w+)(?:\.\w+)?\}", placeholder)
    assert match, f"{placeholder!r} refers to no resource"
    return match[1]


# ── Whole stack ──────────────────────────────────────────────────────────────────────────────────────

def every_reference_exists(stack: Stack) -> None:
    """No resource or output refers to one that these parameters leave out."""
    missing = placeholders([stack.resources, stack.outputs]) - set(stack.resources)
    assert not missing, f"referred to but absent: {sorted(missing)}"


def stays_in_its_partition(stack: Stack) -> None:
    """No ARN and no host name of another partition."""
    for text in strings([stack.resources, stack.outputs]):
        for arn in re.findall(r"\barn:(aws[a-z-]*):", text):
            assert arn == stack.partition, f"arn:{arn}: in {text!r}"
        for host in re.findall(r"[a-z0-9${}.A-Z-]+\.amazonaws\.com(?:\.cn)?\b", text):
            service_principal = re.fullmatch(r"[a-z]+\.amazonaws\.com", host)
            assert service_principal or host.endswith("." + stack.suffix), f"host {host}"


def minting_is_decided_by_the_deployer(stack: Stack) -> None:
    parameter = stack.template["Parameters"]["Minting"]
    assert "Default" not in parameter, "Minting must have no default"
    assert parameter["AllowedValues"] == ["on", "off"]
    assert "WARNING" in parameter["Description"]


def has_no_function_url(stack: Stack) -> None:
    assert not stack.of_type("AWS::Lambda::Url")


# ── Network ──────────────────────────────────────────────────────────────────────────────────────────

def routes_of_subnet(stack: Stack, subnet: str) -> tuple[str, list[dict[str, Any]]]:
    """The route table of a subnet, and its routes."""
    tables = [
        resource_of(a["RouteTableId"])
        for a in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if a["SubnetId"] == f"${{{subnet}}}"
    ]
    assert len(tables) == 1, f"{subnet} has {len(tables)} route tables of its own"
    routes = [r for r in stack.of_type("AWS::EC2::Route").values() if r["RouteTableId"] == f"${{{tables[0]}}}"]
    return tables[0], routes


def functions_that_call_wechat_are_behind_nat(stack: Stack) -> None:
    """Their subnets' only way out is one default route, to a NAT gateway in a public subnet."""
    functions = stack.of_type("AWS::Lambda::Function")
    assert set(functions) == FUNCTIONS
    for name, function in functions.items():
        if name not in IN_VPC:
            assert "VpcConfig" not in function, f"{name} must not be in the VPC"
            continue
        subnets = function["VpcConfig"]["SubnetIds"]
        if not creates_network(stack):
            assert subnets == given(stack, "ExistingSubnetIds").split(",")
            assert function["VpcConfig"]["SecurityGroupIds"] == [given(stack, "ExistingSecurityGroupId")]
            continue
        assert len(subnets) == len(set(subnets)) == zones(stack), f"{name}: {subnets}"
        places = set()
        for subnet in map(resource_of, subnets):
            properties = stack.properties(subnet)
            places.add(properties["AvailabilityZone"])
            assert properties["MapPublicIpOnLaunch"] is False
            _, routes = routes_of_subnet(stack, subnet)
            assert len(routes) == 1, f"{subnet} has {len(routes)} routes"
            (route,) = routes
            assert route["DestinationCidrBlock"] == ANYWHERE
            assert set(route) == {"RouteTableId", "DestinationCidrBlock", "NatGatewayId"}, f"{subnet}: {route}"
            nat = stack.properties(resource_of(route["NatGatewayId"]))
            public = resource_of(nat["SubnetId"])
            if given(stack, "NatMode") == "per-az":
                assert stack.properties(public)["AvailabilityZone"] == properties["AvailabilityZone"], "NAT of another zone"
            _, way_out = routes_of_subnet(stack, public)
            assert [r.get("GatewayId") for r in way_out] == ["${InternetGateway}"], f"{public} is not public"
        assert len(places) == len(subnets), f"{name}: zones {places}"


def an_existing_network_creates_none(stack: Stack) -> None:
    ec2 = {n for n, r in stack.resources.items() if r["Type"].startswith("AWS::EC2::")}
    assert creates_network(stack) or not ec2, f"created beside the existing network: {ec2}"


def subnets_do_not_overlap(stack: Stack) -> None:
    blocks = [ipaddress.ip_network(s["CidrBlock"]) for s in stack.of_type("AWS::EC2::Subnet").values()]
    assert len(set(blocks)) == len(blocks)
    vpcs = [ipaddress.ip_network(v["CidrBlock"]) for v in stack.of_type("AWS::EC2::VPC").values()]
    assert all(any(b.subnet_of(v) for v in vpcs) for b in blocks)


def nat_addresses(stack: Stack) -> list[str]:
    """The address of each NAT gateway, in order of the gateways."""
    brought = {given(stack, f"EipAllocationId{i}"): given(stack, f"EipAddress{i}") for i in "123"}
    addresses = []
    for _, nat in sorted(stack.of_type("AWS::EC2::NatGateway").items()):
        allocation = nat["AllocationId"]
        if allocation in brought:
            addresses.append(brought[allocation])
        else:
            eip = resource_of(allocation)
            assert allocation == f"${{{eip}.AllocationId}}" and stack.resources[eip]["Type"] == "AWS::EC2::EIP"
            addresses.append(f"${{{eip}}}")
    return addresses


def every_nat_address_is_announced(stack: Stack) -> None:
    """EGRESS_IPS and the output hold each NAT gateway's address, once, and nothing else."""
    if creates_network(stack):
        expected = nat_addresses(stack)
        assert len(expected) == (zones(stack) if given(stack, "NatMode") == "per-az" else 1)
        used = {resource_of(a) for a in expected if a.startswith("$")}
        assert set(stack.of_type("AWS::EC2::EIP")) == used, "an Elastic IP without a NAT gateway"
    else:
        expected = given(stack, "ExistingEgressIps").split(",")
    assert len(expected) == len(set(expected))
    for name in IN_VPC:
        assert environment(stack, name)["EGRESS_IPS"].split(",") == expected, f"EGRESS_IPS of {name}"
    assert stack.outputs["EgressIps"].split(";") == expected, "output EgressIps"


def no_ipv6_anywhere(stack: Stack) -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "Ipv6AllowedForDualStack":
                    assert value is False, f"{path}.{key} is {value}"
                    continue
                assert "ipv6" not in key.lower(), f"{path}.{key}"
                walk(value, f"{path}.{key}")
        elif isinstance(node, list):
            for i, value in enumerate(node):
                walk(value, f"{path}[{i}]")
        elif isinstance(node, str):
            assert "::/" not in node and "dualstack" not in node.lower() and node.lower() != "ipv6", f"{path}: {node}"

    for name, resource in stack.resources.items():
        assert resource["Type"] != "AWS::EC2::EgressOnlyInternetGateway", name
        walk(resource.get("Properties", {}), name)
    for name in IN_VPC:
        assert stack.properties(name)["VpcConfig"]["Ipv6AllowedForDualStack"] is False, name


def security_groups_let_out_https_and_in_nothing(stack: Stack) -> None:
    groups = stack.of_type("AWS::EC2::SecurityGroup")
    assert not stack.of_type("AWS::EC2::SecurityGroupIngress") and not stack.of_type("AWS::EC2::SecurityGroupEgress")
    if not creates_network(stack):
        return
    for name in IN_VPC:
        assert stack.properties(name)["VpcConfig"]["SecurityGroupIds"] == ["${FunctionSecurityGroup}"]
    for name, group in groups.items():
        for rule in group["SecurityGroupEgress"]:
            assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443), f"{name}: {rule}"
        if name == "FunctionSecurityGroup":
            assert [r["CidrIp"] for r in group["SecurityGroupEgress"]] == [ANYWHERE]
            assert "SecurityGroupIngress" not in group
        else:
            assert name == "EndpointSecurityGroup"
            assert [r["CidrIp"] for r in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
            (ingress,) = group["SecurityGroupIngress"]
            assert ingress["SourceSecurityGroupId"] == "${FunctionSecurityGroup}"
            assert (ingress["IpProtocol"], ingress["FromPort"], ingress["ToPort"]) == ("tcp", 443, 443)


def dynamodb_has_its_free_endpoint(stack: Stack) -> None:
    endpoints = stack.of_type("AWS::EC2::VPCEndpoint")
    wanted = set()
    if creates_network(stack):
        wanted.add("DynamoDbEndpoint")
        endpoint = endpoints["DynamoDbEndpoint"]
        assert endpoint["VpcEndpointType"] == "Gateway"
        assert endpoint["ServiceName"] == f"com.amazonaws.{stack.region}.dynamodb"
        private = {routes_of_subnet(stack, resource_of(s))[0] for s in stack.properties("KeeperFunction")["VpcConfig"]["SubnetIds"]}
        assert {resource_of(t) for t in endpoint["RouteTableIds"]} == private
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert set(statement["Action"]) == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
        assert statement["Resource"] == stack.arn("dynamodb", "table/*")
    if given(stack, "SecretsManagerEndpoint") == "true":
        wanted.add("SecretsManagerVpcEndpoint")
        endpoint = endpoints["SecretsManagerVpcEndpoint"]
        assert (endpoint["VpcEndpointType"], endpoint["PrivateDnsEnabled"]) == ("Interface", True)
        assert endpoint["SubnetIds"] == stack.properties("KeeperFunction")["VpcConfig"]["SubnetIds"]
        assert endpoint["SecurityGroupIds"] == ["${EndpointSecurityGroup}"]
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert set(endpoints) == wanted


# ── Permissions ──────────────────────────────────────────────────────────────────────────────────────

def secret_arn(stack: Stack) -> str:
    return given(stack, "CredentialsSecretArn") or "${CredentialsSecret}"


TABLE = "${StateTable.Arn}"
VPC_DESCRIBE = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
VPC_CHANGE = {
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}


def keys(*patterns: str) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}}


def via(stack: Stack, *services: str) -> dict[str, Any]:
    hosts = [f"{service}.{stack.region}.{stack.suffix}" for service in services]
    return {"StringEquals": {"kms:ViaService": hosts}}


Statement = tuple[str, tuple[str, ...], tuple[str, ...], str]


def statement(effect: str, actions: Any, resources: Any, condition: Any = None) -> Statement:
    """A policy statement in a form that can be compared."""
    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: plain(v) for k, v in node.items()}
        return sorted(as_list(node))

    return (
        effect,
        tuple(sorted(actions if isinstance(actions, set) else as_list(actions))),
        tuple(sorted(as_list(resources))),
        json.dumps(plain(condition or {}), sort_keys=True),
    )


def statements(document: dict[str, Any]) -> list[Statement]:
    known = {"Sid", "Effect", "Action", "Resource", "Condition"}
    for each in document["Statement"]:
        assert set(each) <= known, f"unexpected in a statement: {set(each) - known}"
    return sorted(statement(s["Effect"], s["Action"], s["Resource"], s.get("Condition")) for s in document["Statement"])


def expected_role(stack: Stack, function: str) -> list[Statement]:
    """Everything this function's role may do, and nothing else."""
    name = BINARIES[function]
    allow = [
        statement("Allow", {"logs:CreateLogStream", "logs:PutLogEvents"}, f"${{{function.removesuffix('Function')}LogGroup.Arn}}"),
        statement("Allow", "secretsmanager:GetSecretValue", secret_arn(stack)),
    ]
    if key := given(stack, "KmsKeyArn"):
        allow.append(statement("Allow", "kms:Decrypt", key, via(stack, "secretsmanager", "dynamodb")))
    if stack.partition != "aws-cn":
        allow.append(statement("Allow", {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*"))
    if function == "CallbackFunction":
        allow += [
            statement("Allow", {"dynamodb:GetItem", "dynamodb:UpdateItem"}, TABLE, keys("ticket#*")),
            statement("Allow", "events:PutEvents", "${EventBus.Arn}"),
        ]
    else:
        own = stack.arn("lambda", f"function:{STACK}-{name}")
        allow += [
            statement("Allow", "dynamodb:GetItem", TABLE, keys("ticket#*", "token#*", "component")),
            statement("Allow", "dynamodb:UpdateItem", TABLE, keys("token#*", "component")),
            statement("Allow", VPC_DESCRIBE, "*"),
            statement("Allow", VPC_CHANGE, stack.arn("ec2", "*/*", account="*")),
            statement("Deny", VPC_DESCRIBE | VPC_CHANGE, "*", {"ArnLike": {"lambda:SourceFunctionArn": [own, own + ":*"]}}),
        ]
    if function == "KeeperFunction":
        allow.append(statement("Allow", "dynamodb:UpdateItem", TABLE, keys("ticket#*")))
    return sorted(allow)


def each_role_holds_exactly_what_is_listed(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    wanted = {"PreauthcodeRole", "CallbackRole", "KeeperRole"}
    if given(stack, "AccessLogs") == "on-and-set-account-role":
        wanted.add("ApiGatewayLogsRole")
        logs = roles["ApiGatewayLogsRole"]
        assert logs["ManagedPolicyArns"] == [
            f"arn:{stack.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        ]
        assert "Policies" not in logs
    assert set(roles) == wanted, f"roles: {sorted(roles)}"
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::UserPolicy"):
        assert not stack.of_type(kind), kind
    for function in FUNCTIONS:
        role_name = f"{function.removesuffix('Function')}Role"
        assert stack.properties(function)["Role"] == f"${{{role_name}.Arn}}"
        role = roles[role_name]
        assert "ManagedPolicyArns" not in role and "PermissionsBoundary" not in role
        trust = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        (policy,) = role["Policies"]
        found, expected = statements(policy["PolicyDocument"]), expected_role(stack, function)
        assert found == expected, f"{role_name}: surplus {set(found) - set(expected)}, missing {set(expected) - set(found)}"


def managed_policies_grant_exactly_their_purpose(stack: Stack) -> None:
    expected = {
        "CallerPolicy": [
            statement("Allow", "lambda:InvokeFunction", "${PreauthcodeAlias}"),
            statement("Allow", "execute-api:Invoke", stack.arn("execute-api", "${Api}/live/POST/preauthcode")),
        ],
        "PushForwarderPolicy": [statement("Allow", "lambda:InvokeFunction", "${CallbackAlias}")],
        "TokenReaderPolicy": [statement("Allow", "dynamodb:GetItem", TABLE, keys("token#*"))],
    }
    if key := given(stack, "KmsKeyArn"):
        expected["TokenReaderPolicy"].append(statement("Allow", "kms:Decrypt", key, via(stack, "dynamodb")))
    policies = stack.of_type("AWS::IAM::ManagedPolicy")
    assert set(policies) == set(expected)
    for name, policy in policies.items():
        assert statements(policy["PolicyDocument"]) == sorted(expected[name]), name
        assert not {"Users", "Roles", "Groups"} & set(policy), f"{name} is attached by itself"
        assert stack.outputs[f"{name}Arn"] == f"${{{name}}}"


def only_these_services_may_invoke(stack: Stack) -> None:
    """Lambda's own resource policies: who may invoke without an IAM policy of theirs."""
    api = stack.arn("execute-api", "${Api}/live/")
    expected = {
        ("${PreauthcodeAlias}", "apigateway.amazonaws.com", api + "POST/preauthcode"),
        ("${KeeperAlias}", "events.amazonaws.com", "${KeeperSchedule.Arn}"),
    }
    if given(stack, "PublicCallback") == "true":
        expected.add(("${CallbackAlias}", "apigateway.amazonaws.com", api + "*/wechat/callback"))
    found = set()
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert set(permission) == {"Action", "FunctionName", "Principal", "SourceArn"}, name
        assert permission["Action"] == "lambda:InvokeFunction"
        found.add((permission["FunctionName"], permission["Principal"], permission["SourceArn"]))
    assert found == expected


# ── API ──────────────────────────────────────────────────────────────────────────────────────────────

def only_the_callback_is_open(stack: Stack) -> None:
    public = given(stack, "PublicCallback") == "true"
    assert set(stack.of_type("AWS::ApiGateway::RestApi")) == {"Api"}
    assert not stack.of_type("AWS::ApiGatewayV2::Api")
    body = stack.properties("Api")["Body"]
    schemes = body.get("components", {}).get("securitySchemes", {})
    assert set(schemes) == {"AWS_IAM"}, f"security schemes: {sorted(schemes)}"
    scheme = schemes["AWS_IAM"]
    assert (scheme["x-amazon-apigateway-authtype"], scheme["name"], scheme["in"]) == ("awsSigv4", "Authorization", "header")
    routes = {}
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
            assert "credentials" not in integration, f"{method} {path} passes the caller's credentials on"
            functions = [f for f in ("Preauthcode", "Callback", "Keeper") if f"${{{f}Alias}}" in integration["uri"]]
            assert integration["uri"] == stack.arn(
                "apigateway", f"path/2015-03-31/functions/${{{functions[0]}Alias}}/invocations", account="lambda"
            )
            routes[method, path] = functions[0], operation.get("security")
    expected = {("post", "/preauthcode"): ("Preauthcode", [{"AWS_IAM": []}])}
    if public:
        expected["post", "/wechat/callback"] = expected["get", "/wechat/callback"] = ("Callback", [{"NONE": []}])
    assert routes == expected, f"routes: {routes}"
    assert ("CallbackUrl" in stack.outputs) is public


def the_resource_policy_admits_callers_and_wechat(stack: Stack) -> None:
    """No policy without callers of other accounts; with one, the callback must stay open."""
    policy = stack.properties("Api")["Body"].get("x-amazon-apigateway-policy")
    assert "Policy" not in stack.properties("Api")
    if not given(stack, "CallerPrincipals"):
        assert policy is None
        return
    expected = [{
        "Effect": "Allow",
        "Principal": {"AWS": given(stack, "CallerPrincipals").split(",")},
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/live/POST/preauthcode",
    }]
    if given(stack, "PublicCallback") == "true":
        expected.append({
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": ["execute-api:/live/GET/wechat/callback", "execute-api:/live/POST/wechat/callback"],
        })
    assert policy["Statement"] == expected


def the_stage_throttles_callers_and_pushes_apart(stack: Stack) -> None:
    _, stage = only(stack.of_type("AWS::ApiGateway::Stage"))
    assert stage["StageName"] == "live"
    settings = {(s["ResourcePath"], s["HttpMethod"]): s for s in stage["MethodSettings"]}
    public = given(stack, "PublicCallback") == "true"
    pushes = {("/~1wechat~1callback", "POST"), ("/~1wechat~1callback", "GET")} if public else set()
    assert set(settings) == {("/*", "*")} | pushes
    if public:
        # WeChat pushes once in ten minutes; the limit is there for the flood, not for WeChat.
        push = settings["/~1wechat~1callback", "POST"]
        assert int(push["ThrottlingRateLimit"]) >= 50 and int(push["ThrottlingBurstLimit"]) >= 100
    for key, setting in settings.items():
        assert int(setting["ThrottlingRateLimit"]) > 0 and int(setting["ThrottlingBurstLimit"]) > 0, key
        assert setting["DataTraceEnabled"] is False, f"{key} would log codes and tickets"
        assert setting["LoggingLevel"] == "OFF"
    assert stage.get("TracingEnabled", False) is (stack.partition != "aws-cn")


def access_logs_hold_no_query(stack: Stack) -> None:
    _, stage = only(stack.of_type("AWS::ApiGateway::Stage"))
    if given(stack, "AccessLogs") == "off":
        assert "AccessLogSetting" not in stage and "ApiLogGroup" not in stack.resources
    else:
        setting = stage["AccessLogSetting"]
        assert setting["DestinationArn"] == stack.arn("logs", "log-group:${ApiLogGroup}")
        line = parsed(setting["Format"])
        allowed = {
            "$context.requestTime", "$context.requestId", "$context.identity.sourceIp", "$context.identity.userArn",
            "$context.httpMethod", "$context.path", "$context.status", "$context.responseLatency",
            "$context.integration.status", "$context.integration.latency", "$context.responseLength",
            "$context.error.responseType", "$context.xrayTraceId",
        }
        assert set(line.values()) <= allowed, f"in the access log: {set(line.values()) - allowed}"
    sets_role = given(stack, "AccessLogs") == "on-and-set-account-role"
    assert bool(stack.of_type("AWS::ApiGateway::Account")) is sets_role


def gateway_errors_are_problems(stack: Stack) -> None:
    responses = stack.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "ACCESS_DENIED", "MISSING_AUTHENTICATION_TOKEN"} <= set(responses)
    for kind, response in responses.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", kind
        problem = parsed(response["responseTemplates"]["application/json"])
        members = {"type", "title", "status", "detail", "code", "retryable", "request_id"}
        assert set(problem) - {"retry_after"} == members, kind
        assert str(problem["status"]) == response["statusCode"], kind
        assert re.fullmatch(r"Gateway\.[A-Z][A-Za-z]+", problem["code"])
        assert problem["type"] == f"urn:wechat-preauth:problem:{problem['code']}"
        waits = headers.get("gatewayresponse.header.Retry-After")
        assert problem["retryable"] is (waits is not None) is ("retry_after" in problem), kind
        assert waits in (None, f"'{problem.get('retry_after')}'"), kind
        assert problem["request_id"] == "$context.requestId"


def the_api_is_redeployed_with_its_parameters(stack: Stack) -> None:
    """SAM names a deployment after the definition's text, which conditions do not change."""
    name, _ = only(stack.of_type("AWS::ApiGateway::Deployment"))
    _, stage = only(stack.of_type("AWS::ApiGateway::Stage"))
    assert stage["DeploymentId"] == f"${{{name}}}"


def the_api_has_its_domain(stack: Stack) -> None:
    domains = stack.of_type("AWS::ApiGateway::DomainName")
    if not given(stack, "CustomDomainName"):
        assert not domains and "CustomDomainTarget" not in stack.outputs
        base = f"https://${{Api}}.execute-api.{stack.region}.{stack.suffix}/live"
    else:
        (domain,) = domains.values()
        assert domain["DomainName"] == given(stack, "CustomDomainName")
        assert domain["RegionalCertificateArn"] == given(stack, "CertificateArn")
        assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
        assert domain["SecurityPolicy"] == "TLS_1_2"
        _, mapping = only(stack.of_type("AWS::ApiGateway::BasePathMapping"))
        assert mapping["RestApiId"] == "${Api}" and "BasePath" not in mapping
        base = f"https://{given(stack, 'CustomDomainName')}"
    assert stack.properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert stack.outputs["PreauthcodeUrl"] == base + "/preauthcode"
    assert stack.outputs.get("CallbackUrl", base + "/wechat/callback") == base + "/wechat/callback"


# ── Functions ────────────────────────────────────────────────────────────────────────────────────────

def environment(stack: Stack, function: str) -> dict[str, str]:
    return stack.properties(function)["Environment"]["Variables"]


EVERYWHERE = {"CREDENTIALS_SECRET_ID", "STATE_TABLE", "SERVICE_NAME", "METRICS_NAMESPACE"}
VARIABLES = {
    "PreauthcodeFunction": EVERYWHERE | {"MINTING", "WECHAT_API_HOSTS", "EGRESS_IPS"},
    "KeeperFunction": EVERYWHERE | {"MINTING", "WECHAT_API_HOSTS", "EGRESS_IPS"},
    "CallbackFunction": EVERYWHERE | {"EVENT_BUS_NAME"},
}


def environment_is_what_the_binaries_read(stack: Stack) -> None:
    values = {
        "CREDENTIALS_SECRET_ID": secret_arn(stack),
        "STATE_TABLE": "${StateTable}",
        "SERVICE_NAME": STACK,
        "METRICS_NAMESPACE": given(stack, "MetricsNamespace"),
        "MINTING": given(stack, "Minting"),
        "WECHAT_API_HOSTS": given(stack, "WechatApiHosts"),
        "EVENT_BUS_NAME": "${EventBus}",
    }
    for function, names in VARIABLES.items():
        variables = environment(stack, function)
        assert set(variables) == names, f"{function}: {set(variables) ^ names}"
        for name, value in variables.items():
            assert value == values.get(name, value), f"{function}: {name}={value}"
            assert value != "", f"{function}: {name} is empty"


def functions_run_as_designed(stack: Stack) -> None:
    timeouts = {"PreauthcodeFunction": 15, "CallbackFunction": 6, "KeeperFunction": 30}
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        assert function["Runtime"] == "provided.al2023" and function["Handler"] == "bootstrap"
        assert function["FunctionName"] == f"{STACK}-{BINARIES[name]}"
        assert function["Timeout"] == timeouts[name]
        assert function["Architectures"] == [given(stack, "Architecture")]
        assert str(function["MemorySize"]) == given(stack, "MemorySize")
        assert function.get("KmsKeyArn", "") == given(stack, "KmsKeyArn")
        # X-Ray does not exist for Lambda in China; PassThrough is what Lambda takes there by itself.
        assert function["TracingConfig"] == {"Mode": "PassThrough" if stack.partition == "aws-cn" else "Active"}
    reserved = {"PreauthcodeFunction": "ReservedConcurrency", "CallbackFunction": "CallbackReservedConcurrency"}
    for name in FUNCTIONS:
        wanted = given(stack, reserved[name]) if name in reserved else "-1"
        assert str(stack.properties(name).get("ReservedConcurrentExecutions", "-1")) == wanted


def logs_are_kept_for_a_time_and_lose_no_metric(stack: Stack) -> None:
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        logging = function["LoggingConfig"]
        group = resource_of(logging["LogGroup"])
        assert group == f"{name.removesuffix('Function')}LogGroup"
        assert logging["LogFormat"] == "JSON"
        # Metric lines are INFO. A higher level would drop them.
        assert logging["ApplicationLogLevel"] in ("INFO", "DEBUG") and logging["ApplicationLogLevel"] == given(stack, "LogLevel")
        assert stack.properties(group)["LogGroupName"] == f"/aws/lambda/{STACK}-{BINARIES[name]}"
    for name, group in stack.of_type("AWS::Logs::LogGroup").items():
        assert str(group["RetentionInDays"]) == given(stack, "LogRetentionDays"), name
        assert group.get("KmsKeyId", "") == given(stack, "KmsKeyArn"), name


def callers_invoke_an_alias_that_is_never_behind(stack: Stack) -> None:
    """An alias on a published version would miss changes of parameters."""
    aliases = stack.of_type("AWS::Lambda::Alias")
    assert set(aliases) == {"PreauthcodeAlias", "CallbackAlias", "KeeperAlias"}
    for name, alias in aliases.items():
        assert alias["Name"] == "live"
        assert alias["FunctionName"] == f"${{{name.removesuffix('Alias')}Function}}"
        assert alias["FunctionVersion"] == "$LATEST"
    for name in ("Preauthcode", "Callback", "Keeper"):
        assert stack.outputs[f"{name}FunctionArn"] == f"${{{name}Alias}}"


def asynchronous_retries_burn_no_codes(stack: Stack) -> None:
    configs = {c["FunctionName"]: c for c in stack.of_type("AWS::Lambda::EventInvokeConfig").values()}
    for function in ("PreauthcodeFunction", "KeeperFunction"):
        config = configs[f"${{{function}}}"]
        assert (config["Qualifier"], config["MaximumRetryAttempts"]) == ("live", 0), function


def the_keeper_wakes_every_minute(stack: Stack) -> None:
    _, rule = only(stack.of_type("AWS::Events::Rule"))
    assert rule["ScheduleExpression"] == "rate(1 minute)" and rule.get("State", "ENABLED") == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == "${KeeperAlias}"
    assert parsed(target["Input"]) == {"action": "refresh"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0


# ── State ────────────────────────────────────────────────────────────────────────────────────────────

def stateful_resources_are_retained(stack: Stack) -> None:
    kinds = {"AWS::EC2::EIP", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"}
    for name, resource in stack.resources.items():
        if resource["Type"] in kinds:
            assert resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), f"{name} goes with the stack"
            assert resource.get("UpdateReplacePolicy") == "Retain", f"{name} goes with a replacement"


def the_secret_is_never_written(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    assert set(secrets) == ({"CredentialsSecret"} if not given(stack, "CredentialsSecretArn") else set())
    for name, secret in secrets.items():
        assert set(secret) <= {"Description", "KmsKeyId", "Tags"}, f"{name}: {set(secret)}"
        assert secret.get("KmsKeyId", "") == given(stack, "KmsKeyArn")
    assert stack.outputs["CredentialsSecretArn"] == secret_arn(stack)


def the_table_is_encrypted_recoverable_and_on_demand(stack: Stack) -> None:
    _, table = only(stack.of_type("AWS::DynamoDB::Table"))
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["SSESpecification"].get("KMSMasterKeyId", "") == given(stack, "KmsKeyArn")
    assert "TableName" not in table, "a kept table with a fixed name would stop the next deployment"


def events_are_archived(stack: Stack) -> None:
    assert stack.properties("EventBus")["Name"] == STACK
    archive = stack.properties("EventArchive")
    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert archive["EventPattern"] == {"source": ["wechat.component"]}
    assert int(archive["RetentionDays"]) > 0
    assert not stack.of_type("AWS::Events::EventBusPolicy")


# ── Alarms ───────────────────────────────────────────────────────────────────────────────────────────

def own(stack: Stack, metric: str) -> tuple[str, str, str]:
    return given(stack, "MetricsNamespace"), metric, f"service={STACK}"


def metric_of(alarm: dict[str, Any]) -> tuple[str, str, str]:
    dimensions = ",".join(f"{d['Name']}={d['Value']}" for d in alarm["Dimensions"])
    return alarm["Namespace"], alarm["MetricName"], dimensions


def alarms_watch_what_matters(stack: Stack) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    function = lambda name: f"FunctionName=${{{name}Function}}"  # noqa: E731
    expected = {
        "EgressIpRefusedAlarm": (own(stack, "EgressIpRefused"), "notBreaching"),
        "TicketHeartbeatAlarm": (own(stack, "TicketPush"), "breaching"),
        "TokenAgeAlarm": (own(stack, "TokenSecondsLeft"), "breaching"),
        "ForeignMintAlarm": (own(stack, "ForeignMint"), "notBreaching"),
        "PreauthcodeThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Preauthcode")), "notBreaching"),
        "CallbackThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Callback")), "notBreaching"),
        "KeeperThrottlesAlarm": (("AWS/Lambda", "Throttles", function("Keeper")), "notBreaching"),
        "LatencyAlarm": (("AWS/Lambda", "Duration", function("Preauthcode")), "notBreaching"),
    }
    for nat in stack.of_type("AWS::EC2::NatGateway"):
        expected[f"{nat}PortsAlarm"] = (("AWS/NATGateway", "ErrorPortAllocation", f"NatGatewayId=${{{nat}}}"), "notBreaching")
    for name, (metric, missing) in expected.items():
        assert name in alarms, f"no {name}"
        assert metric_of(alarms[name]) == metric, name
        assert alarms[name]["TreatMissingData"] == missing, f"{name}: missing data is {alarms[name]['TreatMissingData']}"
    assert set(alarms) == set(expected) | {"FailuresAlarm", "CrashesAlarm"}

    at_once = alarms["EgressIpRefusedAlarm"]
    assert (at_once["Period"], at_once["EvaluationPeriods"], at_once["DatapointsToAlarm"], at_once["Threshold"]) == (60, 1, 1, 1)
    heartbeat = alarms["TicketHeartbeatAlarm"]
    assert (heartbeat["Statistic"], heartbeat["ComparisonOperator"], heartbeat["Threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert heartbeat["Period"] == 600
    assert heartbeat["ActionsEnabled"] is (given(stack, "Minting") == "on")

    failures = {m["Id"]: m for m in alarms["FailuresAlarm"]["Metrics"]}
    assert failures["result"]["Expression"] == "FILL(failures, 0) - FILL(bad_requests, 0)"
    for id_, name in (("failures", "Failure"), ("bad_requests", "Failure.Request.Invalid")):
        assert metric_of(failures[id_]["MetricStat"]["Metric"]) == own(stack, name)
        assert failures[id_]["ReturnData"] is False

    topic = given(stack, "AlarmTopicArn")
    for name, alarm in alarms.items():
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == ([topic] if topic else []), name
        assert alarm["AlarmName"].startswith(f"{STACK}-") and alarm["AlarmDescription"].strip()


def the_dashboard_is_json_and_shows_every_metric(stack: Stack) -> None:
    body = stack.properties("Dashboard")["DashboardBody"]
    widgets = parsed(body)["widgets"]
    shown = set()
    for widget in widgets:
        assert widget["properties"].get("region", stack.region) == stack.region
        for metric in widget["properties"].get("metrics", []):
            shown.add(tuple(metric[:2]))
    namespace = given(stack, "MetricsNamespace")
    wanted = {
        "CodeIssued", "Failure", "TokenMinted", "TicketPush", "TicketAge", "TokenSecondsLeft", "EgressIpRefused",
        "ForeignMint", "SignatureRefused", "MisroutedMessage", "LeaseLost", "ColdStart", "EventForwarded",
        "WechatLatency.component_token", "WechatLatency.create_preauthcode", "WechatLatency.start_push_ticket",
        "QuotaUsed.component_token", "QuotaUsed.create_preauthcode", "Failure.Ticket.Missing",
        "Failure.Config.EgressIpNotRegistered", "Failure.Internal",
    }
    assert {(namespace, name) for name in wanted} <= shown
    nats = {m[3] for w in widgets for m in w["properties"].get("metrics", []) if m[0] == "AWS/NATGateway"}
    assert nats == {f"${{{nat}}}" for nat in stack.of_type("AWS::EC2::NatGateway")}
    places = [(w["x"], w["y"], w["width"], w["height"]) for w in widgets]
    assert len(set(places)) == len(places) and all(x + w <= 24 for x, _, w, _ in places)


CHECKS = [
    every_reference_exists,
    stays_in_its_partition,
    minting_is_decided_by_the_deployer,
    has_no_function_url,
    functions_that_call_wechat_are_behind_nat,
    an_existing_network_creates_none,
    subnets_do_not_overlap,
    every_nat_address_is_announced,
    no_ipv6_anywhere,
    security_groups_let_out_https_and_in_nothing,
    dynamodb_has_its_free_endpoint,
    each_role_holds_exactly_what_is_listed,
    managed_policies_grant_exactly_their_purpose,
    only_these_services_may_invoke,
    only_the_callback_is_open,
    the_resource_policy_admits_callers_and_wechat,
    the_stage_throttles_callers_and_pushes_apart,
    access_logs_hold_no_query,
    gateway_errors_are_problems,
    the_api_is_redeployed_with_its_parameters,
    the_api_has_its_domain,
    environment_is_what_the_binaries_read,
    functions_run_as_designed,
    logs_are_kept_for_a_time_and_lose_no_metric,
    callers_invoke_an_alias_that_is_never_behind,
    asynchronous_retries_burn_no_codes,
    the_keeper_wakes_every_minute,
    stateful_resources_are_retained,
    the_secret_is_never_written,
    the_table_is_encrypted_recoverable_and_on_demand,
    events_are_archived,
    alarms_watch_what_matters,
    the_dashboard_is_json_and_shows_every_metric,
]
