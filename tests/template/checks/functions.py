"""The functions: environment, limits, logs, aliases, schedule."""

from __future__ import annotations

from cfn import STACK, Stack
from checks.common import (
    BINARIES, IN_VPC, callback_secret_arn, check, environment, functions_of, given, only, parsed, resource_of,
    secret_arn,
)


EVERYWHERE = {"STATE_TABLE", "SERVICE_NAME", "METRICS_NAMESPACE"}
CALLS_WECHAT = EVERYWHERE | {"CREDENTIALS_SECRET_ID", "MINTING", "WECHAT_API_HOSTS", "EGRESS_IPS"}
VARIABLES = {
    "PreauthcodeFunction": CALLS_WECHAT | {"AUTHORIZATION_PAGE_ORIGINS"},
    "KeeperFunction": CALLS_WECHAT,
    "CallbackFunction": EVERYWHERE | {"CREDENTIALS_SECRET_ID", "EVENT_BUS_NAME"},
    "AuthorizeFunction": EVERYWHERE
    | {"PREAUTHCODE_FUNCTION", "PAGES_ORIGIN", "PLATFORM_NAME", "AUTHORIZATION_PAGE_ORIGINS"},
}
MAY_BE_EMPTY = {"PLATFORM_NAME"}


@check
def environment_is_what_the_binaries_read(stack: Stack) -> None:
    values = {
        "STATE_TABLE": "${StateTable}",
        "SERVICE_NAME": STACK,
        "METRICS_NAMESPACE": "WechatPreauth",
        "MINTING": given(stack, "Minting"),
        "WECHAT_API_HOSTS": given(stack, "OtherApiHosts") or given(stack, "WechatApiHosts"),
        "EVENT_BUS_NAME": "${EventBus}",
        # The alias, which is what the role may invoke.
        "PREAUTHCODE_FUNCTION": "${PreauthcodeAlias}",
        "PAGES_ORIGIN": given(stack, "PagesOrigin"),
        "PLATFORM_NAME": given(stack, "PlatformName"),
        "AUTHORIZATION_PAGE_ORIGINS": given(stack, "AuthorizationPageOrigins"),
    }
    for function in functions_of(stack):
        names, variables = VARIABLES[function], environment(stack, function)
        assert set(variables) == names, f"{function}: {set(variables) ^ names}"
        if "CREDENTIALS_SECRET_ID" in names:
            secret = callback_secret_arn(stack) if function == "CallbackFunction" else secret_arn(stack)
            assert variables["CREDENTIALS_SECRET_ID"] == secret, f"{function} reads another secret"
        for name, value in variables.items():
            assert value == values.get(name, value), f"{function}: {name}={value}"
            assert value != "" or name in MAY_BE_EMPTY, f"{function}: {name} is empty"


@check
def functions_have_their_runtime_and_limits(stack: Stack) -> None:
    timeouts = {"PreauthcodeFunction": 15, "CallbackFunction": 6, "KeeperFunction": 30, "AuthorizeFunction": 22}
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        assert function["Runtime"] == "provided.al2023" and function["Handler"] == "bootstrap"
        assert function["FunctionName"] == f"{STACK}-{BINARIES[name]}"
        assert function["Timeout"] == timeouts[name]
        assert function["Architectures"] == [given(stack, "Architecture")]
        assert function["MemorySize"] == 256
        assert function.get("KmsKeyArn", "") == given(stack, "KmsKeyArn")
        # X-Ray does not exist for Lambda in China. PassThrough is Lambda's default. A stranger's header cannot force
        # a trace of callback or authorize.
        traced = name in IN_VPC and stack.partition != "aws-cn"
        mode = function.get("TracingConfig", {}).get("Mode", "PassThrough")
        assert mode == ("Active" if traced else "PassThrough"), f"{name}: tracing is {mode}"
    for name in functions_of(stack):
        wanted = "0" if name == "KeeperFunction" else given(stack, "ReservedConcurrency")
        assert str(stack.properties(name).get("ReservedConcurrentExecutions", "0")) == wanted, name


@check
def logs_expire_and_keep_every_metric(stack: Stack) -> None:
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        logging = function["LoggingConfig"]
        group = resource_of(logging["LogGroup"])
        assert group == f"{name.removesuffix('Function')}LogGroup"
        assert logging["LogFormat"] == "JSON"
        # Metric lines are INFO. A higher level would drop them.
        assert logging["ApplicationLogLevel"] in ("INFO", "DEBUG") and logging["ApplicationLogLevel"] == given(stack, "LogLevel")
        assert stack.properties(group)["LogGroupName"] == f"/aws/lambda/{STACK}-{BINARIES[name]}"
    for name, group in stack.of_type("AWS::Logs::LogGroup").items():
        assert str(group["RetentionInDays"]) == given(stack, "RetentionDays"), name
        assert group.get("KmsKeyId", "") == given(stack, "KmsKeyArn"), name


@check
def callers_invoke_an_alias_on_the_latest_version(stack: Stack) -> None:
    """An alias on a published version would ignore changed parameters."""
    aliases = stack.of_type("AWS::Lambda::Alias")
    names = [function.removesuffix("Function") for function in functions_of(stack)]
    expected = {f"{name}Alias": (f"${{{name}Function}}", "live") for name in names}
    if given(stack, "Minting") == "off":
        expected["HandoverAlias"] = ("${KeeperFunction}", "handover")
    assert {name: (alias["FunctionName"], alias["Name"]) for name, alias in aliases.items()} == expected
    for name, alias in aliases.items():
        assert alias["FunctionVersion"] == "$LATEST", name
    for name in names:
        assert stack.outputs[f"{name}FunctionArn"] == f"${{{name}Alias}}"
    handover = stack.outputs.get("TokenHandoverFunctionArn")
    assert handover == ("${HandoverAlias}" if given(stack, "Minting") == "off" else None), f"handover: {handover}"


@check
def asynchronous_invocations_are_not_retried(stack: Stack) -> None:
    """Neither through the alias nor without a qualifier: each attempt takes a code that nobody receives."""
    configs = {(c["FunctionName"], c["Qualifier"]): c for c in stack.of_type("AWS::Lambda::EventInvokeConfig").values()}
    for function in ("PreauthcodeFunction", "KeeperFunction"):
        for qualifier in ("live", "$LATEST"):
            config = configs.get((f"${{{function}}}", qualifier))
            assert config, f"{function}:{qualifier} keeps Lambda's two retries"
            assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60), function


@check
def the_keeper_runs_every_minute(stack: Stack) -> None:
    _, rule = only(stack.of_type("AWS::Events::Rule"))
    assert rule["ScheduleExpression"] == "rate(1 minute)" and rule.get("State", "ENABLED") == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == "${KeeperAlias}"
    assert parsed(target["Input"]) == {"action": "refresh"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
