"""The REST API: routes, resource policy, throttling, logs, errors, domain."""

from __future__ import annotations

import re

from cfn import Stack
from checks.common import check, given, has_pages, only, parsed, stage_of


@check
def only_the_callback_is_open(stack: Stack) -> None:
    public = given(stack, "PublicCallback") == "true"
    assert set(stack.of_type("AWS::ApiGateway::RestApi")) == {"Api"} | ({"PagesApi"} if has_pages(stack) else set())
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
            functions = [f for f in ("Preauthcode", "Callback", "Keeper", "Authorize") if f"${{{f}Alias}}" in integration["uri"]]
            assert integration["uri"] == stack.arn(
                "apigateway", f"path/2015-03-31/functions/${{{functions[0]}Alias}}/invocations", account="lambda"
            )
            routes[method, path] = functions[0], operation.get("security")
    expected = {("post", "/preauthcode"): ("Preauthcode", [{"AWS_IAM": []}])}
    if has_pages(stack):
        expected["post", "/authorization-links"] = "Authorize", [{"AWS_IAM": []}]
    if public:
        expected["post", "/wechat/callback"] = expected["get", "/wechat/callback"] = ("Callback", [{"NONE": []}])
    assert routes == expected, f"routes: {routes}"
    assert ("CallbackUrl" in stack.outputs) is public


@check
def the_resource_policy_allows_callers_and_wechat(stack: Stack) -> None:
    """Without callers in other accounts there is no policy. With them the callback must stay open."""
    policy = stack.properties("Api")["Body"].get("x-amazon-apigateway-policy")
    assert "Policy" not in stack.properties("Api")
    if not given(stack, "CallerPrincipals"):
        assert policy is None
        return
    expected = [{
        "Effect": "Allow",
        "Principal": {"AWS": given(stack, "CallerPrincipals").split(",")},
        "Action": "execute-api:Invoke",
        "Resource": ["execute-api:/live/POST/preauthcode", "execute-api:/live/POST/authorization-links"],
    }]
    if given(stack, "PublicCallback") == "true":
        expected.append({
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": ["execute-api:/live/GET/wechat/callback", "execute-api:/live/POST/wechat/callback"],
        })
    assert policy["Statement"] == expected


@check
def the_stage_throttles_callers_and_pushes_separately(stack: Stack) -> None:
    stage = stage_of(stack, "Api")
    assert stage["StageName"] == "live"
    settings = {(s["ResourcePath"], s["HttpMethod"]): s for s in stage["MethodSettings"]}
    public = given(stack, "PublicCallback") == "true"
    pushes = {("/~1wechat~1callback", "POST"), ("/~1wechat~1callback", "GET")} if public else set()
    assert set(settings) == {("/*", "*")} | pushes
    if public:
        # WeChat pushes once in ten minutes. The limit must let its pushes pass during a flood of others.
        push = settings["/~1wechat~1callback", "POST"]
        assert int(push["ThrottlingRateLimit"]) >= 50 and int(push["ThrottlingBurstLimit"]) >= 100
    for key, setting in settings.items():
        assert int(setting["ThrottlingRateLimit"]) > 0 and int(setting["ThrottlingBurstLimit"]) > 0, key
        # Without these a method's setting has API Gateway's defaults: false and OFF.
        assert setting.get("DataTraceEnabled", False) is False, f"{key} would log codes and tickets"
        assert setting.get("LoggingLevel", "OFF") == "OFF"
    assert stage.get("TracingEnabled", False) is False, "a stranger's header could force traces"


@check
def access_logs_hold_no_query(stack: Stack) -> None:
    stage = stage_of(stack, "Api")
    if given(stack, "AccessLogs") == "off":
        assert "AccessLogSetting" not in stage and "ApiLogGroup" not in stack.resources
    else:
        setting = stage["AccessLogSetting"]
        assert "\n" not in setting["Format"], "API Gateway takes a format of one line"
        assert setting["DestinationArn"] == stack.arn("logs", "log-group:${ApiLogGroup}")
        line = parsed(setting["Format"])
        allowed = {
            "$context.requestTime", "$context.requestId", "$context.identity.sourceIp", "$context.identity.userArn",
            "$context.httpMethod", "$context.path", "$context.status", "$context.responseLatency",
            "$context.integration.status", "$context.integration.latency", "$context.responseLength",
            "$context.error.responseType", "$context.xrayTraceId",
        }
        assert set(line.values()) <= allowed, f"in the access log: {set(line.values()) - allowed}"
    # The account's role is shared by all APIs of the region: no stack may set or remove it.
    assert not stack.of_type("AWS::ApiGateway::Account")


# The statuses that API Gateway gives these by default (AWS, "Gateway response types"), and 502 for the function's.
GATEWAY_STATUS = {
    "ACCESS_DENIED": 403, "MISSING_AUTHENTICATION_TOKEN": 403, "INVALID_SIGNATURE": 403, "EXPIRED_TOKEN": 403,
    "WAF_FILTERED": 403, "REQUEST_TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415, "THROTTLED": 429,
    "INTEGRATION_FAILURE": 502, "INTEGRATION_TIMEOUT": 504,
}


@check
def gateway_errors_are_problems(stack: Stack) -> None:
    responses = stack.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert set(responses) == {"DEFAULT_4XX", "DEFAULT_5XX"} | set(GATEWAY_STATUS)
    for kind, response in responses.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", kind
        problem = parsed(response["responseTemplates"]["application/json"])
        members = {"type", "title", "detail", "code", "retryable", "request_id"}
        if kind.startswith("DEFAULT_"):
            # These stand for several statuses. A fixed one would rewrite them, and a template cannot show the real one.
            assert "statusCode" not in response and set(problem) - {"retry_after"} == members, kind
        else:
            assert set(problem) - {"retry_after"} == members | {"status"}, kind
            assert problem["status"] == GATEWAY_STATUS[kind] == int(response.get("statusCode", GATEWAY_STATUS[kind])), kind
        assert "\n" not in response["responseTemplates"]["application/json"], kind
        assert re.fullmatch(r"Gateway\.[A-Z][A-Za-z]+", problem["code"])
        assert problem["type"] == f"urn:wechat-preauth:problem:{problem['code']}"
        waits = headers.get("gatewayresponse.header.Retry-After")
        assert problem["retryable"] is (waits is not None) is ("retry_after" in problem), kind
        assert waits in (None, f"'{problem.get('retry_after')}'"), kind
        assert problem["request_id"] == "$context.requestId"


@check
def the_stage_uses_the_newest_deployment(stack: Stack) -> None:
    """SAM names a deployment after the definition's text, which conditions do not change."""
    deployments = stack.of_type("AWS::ApiGateway::Deployment")
    for api in stack.of_type("AWS::ApiGateway::RestApi"):
        name, _ = only({name: d for name, d in deployments.items() if d["RestApiId"] == f"${{{api}}}"})
        assert stage_of(stack, api)["DeploymentId"] == f"${{{name}}}"


@check
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
        mappings = stack.of_type("AWS::ApiGateway::BasePathMapping").values()
        (mapping,) = (mapping for mapping in mappings if mapping["RestApiId"] == "${Api}")
        assert "BasePath" not in mapping
        base = f"https://{given(stack, 'CustomDomainName')}"
    assert stack.properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert stack.outputs["PreauthcodeUrl"] == base + "/preauthcode"
    links = base + "/authorization-links" if has_pages(stack) else None
    assert stack.outputs.get("AuthorizationLinksUrl") == links
    assert stack.outputs.get("CallbackUrl", base + "/wechat/callback") == base + "/wechat/callback"
