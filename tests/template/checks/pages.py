"""The merchant's pages: their API, which everybody may call, and that nothing of it is there while they are off."""

from __future__ import annotations

import base64
import hashlib
import re

from cfn import Stack, placeholders
from checks.common import as_list, check, given, has_pages, parsed, stage_of

# What exists for the pages alone.
OWN = {
    "AuthorizeFunction", "AuthorizeAlias", "AuthorizeApiPermission", "AuthorizePagesPermission", "AuthorizeLogGroup",
    "AuthorizeRole", "PagesApi", "PagesApiliveStage", "PagesFloodAlarm",
}
MAPPINGS = {"PagesDomainMapping": "authorize", "PagesReturnMapping": "authorized"}
OUTPUTS = {"AuthorizationLinksUrl", "PagesEndpoint", "AuthorizeFunctionArn"}


@check
def without_an_origin_nothing_of_the_pages_exists(stack: Stack) -> None:
    own = {name for name in stack.resources if re.match(r"Authorize|Pages", name)}
    own = {name for name in own if stack.resources[name]["Type"] != "AWS::ApiGateway::Deployment"}
    if has_pages(stack):
        mappings = set(MAPPINGS) if given(stack, "CustomDomainName") else set()
        assert own == OWN | mappings, f"pages: {own ^ (OWN | mappings)}"
        assert OUTPUTS <= set(stack.outputs)
    else:
        assert not own and not OUTPUTS & set(stack.outputs), f"without pages: {sorted(own)}"
        assert not re.search(r"AuthorizeAlias|PagesApi", str(stack.resources))


@check
def the_pages_are_one_open_route_to_authorize(stack: Stack) -> None:
    """A merchant has no IAM credentials: the link's id is what lets them in. No other function is behind this API."""
    if not has_pages(stack):
        return
    api = stack.properties("PagesApi")
    body = api["Body"]
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]} and "Policy" not in api
    assert not body.get("components", {}).get("securitySchemes") and "x-amazon-apigateway-policy" not in body
    assert set(body["paths"]) == {"/{proxy+}"} and set(body["paths"]["/{proxy+}"]) == {"x-amazon-apigateway-any-method"}
    operation = body["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"]
    assert "security" not in operation and "security" not in body, "merchants would have to sign"
    assert operation["x-amazon-apigateway-integration"] == {
        "type": "aws_proxy", "httpMethod": "POST",
        "uri": stack.arn("apigateway", "path/2015-03-31/functions/${AuthorizeAlias}/invocations", account="lambda"),
    }
    endpoint = f"https://${{PagesApi}}.execute-api.{stack.region}.{stack.suffix}/live"
    assert stack.outputs["PagesEndpoint"] == endpoint


@check
def the_pages_have_a_limit_of_their_own(stack: Stack) -> None:
    """Lower than the callers', so that a flood of visitors leaves the account's limit to them."""
    if not has_pages(stack):
        return
    stage = stage_of(stack, "PagesApi")
    assert stage["StageName"] == "live" and stage.get("TracingEnabled", False) is False
    settings = {(s["ResourcePath"], s["HttpMethod"]): s for s in as_list(stage.get("MethodSettings", []))}
    assert set(settings) == {("/*", "*")}, f"limits of the pages: {sorted(settings)}"
    setting = settings["/*", "*"]
    callers = next(s for s in stage_of(stack, "Api")["MethodSettings"] if s["ResourcePath"] == "/*")
    for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        assert 0 < int(setting[limit]) <= int(callers[limit]), limit
    assert setting["DataTraceEnabled"] is False and setting["LoggingLevel"] == "OFF", "links would be logged"


@check
def access_logs_of_the_pages_hold_no_link(stack: Stack) -> None:
    """A path has a link's id, a query has an authorization code: whoever reads one can use it."""
    if not has_pages(stack):
        return
    stage = stage_of(stack, "PagesApi")
    if given(stack, "AccessLogs") == "off":
        assert "AccessLogSetting" not in stage
        return
    setting = stage["AccessLogSetting"]
    assert "\n" not in setting["Format"] and setting["DestinationArn"] == stack.arn("logs", "log-group:${ApiLogGroup}")
    allowed = {
        "$context.requestTime", "$context.requestId", "$context.identity.sourceIp", "$context.httpMethod",
        "$context.resourcePath", "$context.status", "$context.responseLatency", "$context.error.responseType",
    }
    values = set(parsed(setting["Format"]).values())
    assert values <= allowed, f"in the access log of the pages: {values - allowed}"


@check
def gateway_errors_of_the_pages_are_pages(stack: Stack) -> None:
    """tests/gateway_pages.rs compares their text with the source."""
    if not has_pages(stack):
        return
    responses = stack.properties("PagesApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert set(responses) == {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"}
    for kind, response in responses.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'text/html; charset=utf-8'", kind
        assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'", kind
        assert headers["gatewayresponse.header.X-Frame-Options"] == "'DENY'", kind
        assert ("gatewayresponse.header.Retry-After" in headers) is (kind != "DEFAULT_4XX"), kind
        assert "statusCode" not in response, f"{kind}: a fixed status"
        ((_, page),) = response["responseTemplates"].items()
        assert page.startswith("<!DOCTYPE html>") and "\n" not in page and "$" not in page, kind
        # Folding the template's lines changes the style's spaces, and so its hash.
        (style,) = re.findall(r"<style>(.*?)</style>", page)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page, f"{kind}: the browser refuses the style"


@check
def the_pages_are_on_the_domain_when_there_is_one(stack: Stack) -> None:
    mappings = {n: m for n, m in stack.of_type("AWS::ApiGateway::BasePathMapping").items() if n != "ApiDomainMapping"}
    if not (has_pages(stack) and given(stack, "CustomDomainName")):
        assert not mappings, f"mapped: {sorted(mappings)}"
        return
    assert {name: mapping["BasePath"] for name, mapping in mappings.items()} == MAPPINGS
    for name, mapping in mappings.items():
        assert mapping["DomainName"] == "${ApiDomain}" and mapping["RestApiId"] == "${PagesApi}", name
        assert placeholders(mapping["Stage"]) == {"PagesApiliveStage"}, name
