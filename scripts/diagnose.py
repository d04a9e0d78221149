#!/usr/bin/env python3
"""Checks a deployed stack, from the credentials to a real code, and each egress address. Prints a table.

Ends with 0 when everything is proven, with 1 when a check failed, and with 2 when none failed but an address was not
seen. Nobody uses the code that the diagnosis requests.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pages
import probes
from stack import Stack, arguments, outputs, parameters, run
from stop import Stop

MARKS = {"ok": "ok", "failed": "FAILED", "unknown": "unknown", "skipped": "skipped"}


class Failure(Exception):
    """A function's error, as a direct invocation answers it."""

    def __init__(self, payload: dict[str, Any]):
        self.type = payload.get("errorType") or "unknown"
        self.message = payload.get("errorMessage") or ""
        super().__init__(f"{self.type}: {self.message}")

    def problem(self) -> dict[str, Any]:
        try:
            found = json.loads(self.message)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Functions:
    """Invokes the stack's functions, from several threads if need be."""

    def __init__(self, stack: Stack):
        self._lambda = stack.client("lambda")

    def invoke(self, function: str, action: str) -> Any:
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps({"action": action}).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise Failure(payload or {})
        return payload


def own_check(functions: Functions, function: str, action: str, link: str) -> dict[str, Any] | None:
    """A function's check of what the keeper cannot see. ``None`` from a version that has no such check."""
    try:
        return functions.invoke(function, action)
    except Failure as failure:
        if failure.type == "Request.Invalid":
            return None
        problem = failure.problem()
        check = {"link": link, "status": "failed", "detail": problem.get("detail") or str(failure)}
        return check | ({"remedy": problem["remedy"]} if problem.get("remedy") else {})


def checks_of_pages(functions: Functions, known: dict[str, str], given: dict[str, str]) -> list[dict[str, Any]]:
    """The function's own check, and what is at PagesOrigin. Nothing from a version that has no pages."""
    if "PagesOrigin" not in given:
        return []
    if "AuthorizeFunctionArn" not in known:
        return [{"link": "pages", "status": "skipped", "detail": "off: PagesOrigin is empty"}]
    own = own_check(functions, known["AuthorizeFunctionArn"], "check_pages", "pages")
    return [check for check in (own, pages.check(given["PagesOrigin"])) if check]


def merged(report: dict[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    """The keeper's report with checks that take the place of its own, or follow them."""
    replaced = {check["link"]: check for check in checks}
    links = [replaced.pop(link["link"], link) for link in report["links"]] + list(replaced.values())
    failed = [link["link"] for link in links if link["status"] == "failed"]
    return report | {"links": links, "failed": failed, "ok": not failed}


def unseen(report: dict[str, Any]) -> list[str]:
    """The addresses that were not proven. (A `ticket` is unknown when none is needed, which is no gap.)"""
    prefix = probes.PREFIX
    return [l["link"].removeprefix(prefix) for l in report["links"]
            if l["link"].startswith(prefix) and l["status"] == "unknown"]


def table(report: dict[str, Any]) -> str:
    """The report as text: one line for each check, and below a failed one what to do."""
    links = report["links"]
    width = max(len(link["link"]) for link in links)
    lines = [
        f"component  {report.get('component_appid') or 'unknown'}    minting {report['minting']}    {report['checked_at']}",
        "",
    ]
    for link in links:
        lines.append(f"{link['link']:{width}}  {MARKS.get(link['status'], link['status']):8}  {link['detail']}".rstrip())
        if remedy := link.get("remedy"):
            lines.append(f"{'':{width}}  {'':8}  → {remedy}")
    lines.append("")
    if report["failed"]:
        lines.append(f"Failed: {', '.join(report['failed'])}.")
    elif not_seen := unseen(report):
        lines.append(f"Not proven: no call was seen from {', '.join(not_seen)}. Every other check passed.")
    else:
        lines.append("All checks passed.")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    parser = arguments("Diagnose a deployed stack.")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv)
    stack = Stack(options)
    described = stack.describe()
    known = outputs(described)
    if "KeeperFunctionArn" not in known:
        raise Stop(f"The stack {stack.name} has no output KeeperFunctionArn: is it wechat-preauth's?")
    functions, keeper = Functions(stack), known["KeeperFunctionArn"]
    egress_ips = [ip for ip in known.get("EgressIps", "").split(";") if ip]
    try:
        with ThreadPoolExecutor(3) as threads:
            callback = known.get("CallbackFunctionArn", keeper)
            keys = threads.submit(own_check, functions, callback, "check_push_keys", "push_keys")
            of_pages = threads.submit(checks_of_pages, functions, known, parameters(described))
            report = threads.submit(functions.invoke, keeper, "diagnose").result()
            checks = [check for check in [keys.result()] if check] + of_pages.result()
    except Failure as failure:
        raise Stop(f"The keeper failed: {failure}") from failure
    network, carried = probes.network(stack.client("ec2"), parameters(described), egress_ips)
    checks += network
    seen = probes.probe(lambda: functions.invoke(keeper, "probe_address"), egress_ips, carried)
    seen.addresses |= (refused := probes.refused_by(report))
    seen.refused |= refused & set(egress_ips)
    report = merged(report, checks + probes.judge(seen, egress_ips, carried))
    print(json.dumps(report, ensure_ascii=False, indent=2) if options.json else table(report))
    return 1 if report["failed"] else 2 if unseen(report) else 0


if __name__ == "__main__":
    run(main)
