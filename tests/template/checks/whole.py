"""Each stack as a whole."""

from __future__ import annotations

import re

from cfn import Stack, placeholders, strings
from checks.common import as_list, check, check_both


@check_both
def every_reference_exists(stack: Stack) -> None:
    """No output refers to a resource that these parameters leave out. The evaluator refuses such resources."""
    missing = placeholders([stack.resources, stack.outputs]) - set(stack.resources)
    assert not missing, f"referred to but absent: {sorted(missing)}"


@check_both
def nothing_depends_on_a_conditional_resource(stack: Stack) -> None:
    """By DependsOn, unless both have the same condition: it cannot be wrapped in an Fn::If."""
    resources = stack.template["Resources"]
    for name, resource in resources.items():
        for needed in as_list(resource.get("DependsOn", [])):
            condition = resources[needed].get("Condition")
            assert condition in (None, resource.get("Condition")), f"{name} depends on {needed}, which is conditional"


@check_both
def stays_in_its_partition(stack: Stack) -> None:
    """No ARN and no host name of another partition."""
    for text in strings([stack.resources, stack.outputs]):
        for arn in re.findall(r"\barn:(aws[a-z-]*):", text):
            assert arn == stack.partition, f"arn:{arn}: in {text!r}"
        for host in re.findall(r"[a-z0-9${}.A-Z-]+\.amazonaws\.com(?:\.cn)?\b", text):
            service_principal = re.fullmatch(r"[a-z]+\.amazonaws\.com", host)
            assert service_principal or host.endswith("." + stack.suffix), f"host {host}"


@check
def minting_is_decided_by_the_deployer(stack: Stack) -> None:
    parameter = stack.template["Parameters"]["Minting"]
    assert "Default" not in parameter, "Minting must have no default"
    assert parameter["AllowedValues"] == ["on", "off"]
    assert "WARNING" in parameter["Description"]


@check
def secrets_go_to_wechat_unless_somebody_says_otherwise(stack: Stack) -> None:
    """WechatApiHosts takes WeChat's hosts alone, and OtherApiHosts is empty until it is given."""
    wechat, other = (stack.template["Parameters"][name] for name in ("WechatApiHosts", "OtherApiHosts"))
    assert other["Default"] == "" and "WARNING" in other["Description"]
    takes = re.compile(wechat["AllowedPattern"])
    for host in ("https://api.weixin.qq.com", "https://hk.api.weixin.qq.com,https://api.weixin.qq.com"):
        assert takes.fullmatch(host), host
    for host in (
        "https://api.weixin.qq.com.example.com", "https://example.com", "https://weixin.qq.com.cn",
        "https://apiXweixin.qq.com", "http://api.weixin.qq.com", "https://example.com/api.weixin.qq.com",
        "https://api.weixin.qq.com,https://example.com", "https://user@api.weixin.qq.com",
        "https://api.weixin.qq.com:8443", "https://example.com#.weixin.qq.com", "",
    ):
        assert not takes.fullmatch(host), f"{host} would get the appsecret"


@check
def merchants_go_to_wechat_unless_somebody_says_otherwise(stack: Stack) -> None:
    origins = stack.template["Parameters"]["AuthorizationPageOrigins"]
    assert origins["Default"] == "https://mp.weixin.qq.com,https://open.weixin.qq.com", origins["Default"]
    assert "WARNING" in origins["Description"]
    takes = re.compile(origins["AllowedPattern"])
    assert takes.fullmatch("https://wechat.test:8443,https://wechat.test:8444")
    for pair in ("https://mp.weixin.qq.com", "http://a.test,http://b.test", "https://a.test/p,https://b.test", ""):
        assert not takes.fullmatch(pair), pair


@check
def has_no_function_url(stack: Stack) -> None:
    assert not stack.of_type("AWS::Lambda::Url")
