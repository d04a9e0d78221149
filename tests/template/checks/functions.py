"""The functions: environment, limits, logs, aliases, schedule."""

from __future__ import annotations

from cfn import STACK, Stack
from checks.common import BINARIES, FUNCTIONS, check, environment, given, only, parsed, resource_of, secret_arn


EVERYWHERE = {"CREDENTIALS_SECRET_ID", "STATE_TABLE", "SERVICE_NAME", "METRICS_NAMESPACE"}
VARIABLES = {
    "PreauthcodeFunction": EVERYWHERE | {"MINTING", "WECHAT_API_HOSTS", "EGRESS_IPS"},
    "KeeperFunction": EVERYWHERE | {"MINTING", "WECHAT_API_HOSTS", "EGRESS_IPS"},
    "CallbackFunction": EVERYWHERE | {"EVENT_BUS_NAME"},
}


@check
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


@check
def functions_have_their_runtime_and_limits(stack: Stack) -> None:
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
        assert str(group["RetentionInDays"]) == given(stack, "LogRetentionDays"), name
        assert group.get("KmsKeyId", "") == given(stack, "KmsKeyArn"), name


@check
def callers_invoke_an_alias_on_the_latest_version(stack: Stack) -> None:
    """An alias on a published version would ignore changed parameters."""
    aliases = stack.of_type("AWS::Lambda::Alias")
    assert set(aliases) == {"PreauthcodeAlias", "CallbackAlias", "KeeperAlias"}
    for name, alias in aliases.items():
        assert alias["Name"] == "live"
        assert alias["FunctionName"] == f"${{{name.removesuffix('Alias')}Function}}"
        assert alias["FunctionVersion"] == "$LATEST"
    for name in ("Preauthcode", "Callback", "Keeper"):
        assert stack.outputs[f"{name}FunctionArn"] == f"${{{name}Alias}}"


@check
def asynchronous_invocations_are_not_retried(stack: Stack) -> None:
    configs = {c["FunctionName"]: c for c in stack.of_type("AWS::Lambda::EventInvokeConfig").values()}
    for function in ("PreauthcodeFunction", "KeeperFunction"):
        config = configs[f"${{{function}}}"]
        assert (config["Qualifier"], config["MaximumRetryAttempts"]) == ("live", 0), function


@check
def the_keeper_runs_every_minute(stack: Stack) -> None:
    _, rule = only(stack.of_type("AWS::Events::Rule"))
    assert rule["ScheduleExpression"] == "rate(1 minute)" and rule.get("State", "ENABLED") == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == "${KeeperAlias}"
    assert parsed(target["Input"]) == {"action": "refresh"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
