"""The stack as a whole."""

from __future__ import annotations

import re

from cfn import Stack, placeholders, strings
from checks.common import check


@check
def every_reference_exists(stack: Stack) -> None:
    """No resource or output refers to one that these parameters leave out."""
    missing = placeholders([stack.resources, stack.outputs]) - set(stack.resources)
    assert not missing, f"referred to but absent: {sorted(missing)}"


@check
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
def has_no_function_url(stack: Stack) -> None:
    assert not stack.of_type("AWS::Lambda::Url")
