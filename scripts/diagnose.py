#!/usr/bin/env python3
"""Invokes the diagnosis of a deployed keeper, from the credentials to a real code, and prints a table.

Ends with 0 when every check passes, otherwise with 1. The code that the diagnosis requests is not used.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from stack import Stack, Stop, arguments, run

MARKS = {"ok": "ok", "failed": "FAILED", "unknown": "unknown", "skipped": "skipped"}


def table(report: dict[str, Any], egress_ips: str) -> str:
    """The report as text: one line for each check, and below a failed one what to do."""
    links = report["links"]
    width = max(len(link["link"]) for link in links)
    lines = [
        f"component  {report.get('component_appid') or 'unknown'}    minting {report['minting']}    {report['checked_at']}",
        f"addresses  {egress_ips}",
        "",
    ]
    for link in links:
        lines.append(f"{link['link']:{width}}  {MARKS.get(link['status'], link['status']):8}  {link['detail']}".rstrip())
        if remedy := link.get("remedy"):
            lines.append(f"{'':{width}}  {'':8}  → {remedy}")
    lines.append("")
    lines.append("All checks passed." if report["ok"] else f"Failed: {', '.join(report['failed'])}.")
    return "\n".join(lines)


def invoke(stack: Stack, function: str, event: dict[str, Any]) -> Any:
    """The function's answer. A failed function stops the script with its error."""
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise Stop(f"The keeper failed: {payload.get('errorType')}: {payload.get('errorMessage')}")
    return payload


def main(argv: list[str]) -> int:
    parser = arguments("Diagnose a deployed stack.")
    parser.add_argument("--json", action="store_true", help="print the keeper's report unchanged")
    options = parser.parse_args(argv)
    stack = Stack(options)
    outputs = stack.outputs()
    if "KeeperFunctionArn" not in outputs:
        raise Stop(f"The stack {stack.name} has no output KeeperFunctionArn: is it wechat-preauth's?")
    report = invoke(stack, outputs["KeeperFunctionArn"], {"action": "diagnose"})
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print(table(report, outputs.get("EgressIps", "unknown")))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    run(main)
