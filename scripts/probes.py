"""Which address does WeChat see? Invokes the keeper's probe until each egress address was seen.

Lambda chooses the subnet of each execution environment, so only several at once reach every NAT gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import routes
from botocore.exceptions import ClientError
from stack import split
from stop import Refused, Stop

PREFIX = "address:"
# Each probe costs one refused call of WeChat's quota.
AT_ONCE, ROUNDS = 5, 4
REFUSED = "Config.EgressIpNotRegistered"
REGISTER = "append it to the platform's 白名单IP地址列表 (修改)"

Check = dict[str, Any]


@dataclass
class Seen:
    """What the probes found."""

    addresses: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    supported: bool = True


def network(ec2, parameters: Mapping[str, str], egress_ips: list[str]) -> tuple[list[Check], set[str] | None]:
    """Looks at the routes. A check, and the addresses that NAT gateways carry; ``None`` where not all of them are known."""
    if "DynamoDbEndpointId" not in parameters:
        return [], None
    subnets = split(parameters["SubnetIds"])
    try:
        found = routes.check(ec2, subnets, egress_ips, parameters["DynamoDbEndpointId"])
    except Refused as refused:
        return [{"link": "network", "status": "failed", "detail": str(refused).removeprefix("refused: ")}], None
    except (ClientError, Stop) as error:
        # Whoever may invoke the keeper need not be able to read the network.
        return [{"link": "network", "status": "skipped", "detail": f"could not be read: {error}"}], None
    carried = set(found.addresses)
    detail = f"NAT gateways carry {', '.join(sorted(carried))}" if carried else ""
    if found.unseen:
        # Any address may be that of such a route, so none is in reserve. Only the probes can tell.
        return [{"link": "network", "status": "skipped", "detail": "; ".join(filter(None, [detail, *found.unseen]))}], None
    return [{"link": "network", "status": "ok", "detail": detail}], carried


def probe(invoke: Callable[[], Mapping[str, Any]], egress_ips: Iterable[str], carried: set[str] | None) -> Seen:
    """Probes in rounds, until every address that a gateway carries was seen."""
    seen = Seen()
    wanted = {ip for ip in egress_ips if carried is None or ip in carried}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(ROUNDS):
            if wanted <= seen.addresses or not seen.supported:
                break
            for future in [threads.submit(invoke) for _ in range(AT_ONCE)]:
                note(seen, future)
    return seen


def note(seen: Seen, future) -> None:
    try:
        answer = future.result()
    except Exception as failure:  # noqa: BLE001 (a function's error, or Lambda's own)
        kind, problem = getattr(failure, "type", None), getattr(failure, "problem", dict)()
        if kind == "Request.Invalid":
            seen.supported = False
        elif kind == REFUSED and problem.get("client_ip"):
            seen.addresses.add(problem["client_ip"])
            seen.refused.add(problem["client_ip"])
        else:
            seen.problems.append(kind or type(failure).__name__)
        return
    if address := answer.get("client_ip"):
        seen.addresses.add(address)
        if answer.get("accepted") is False:
            seen.refused.add(address)


def refused_by(report: Mapping[str, Any]) -> set[str]:
    """The addresses that the keeper's own diagnosis found to be refused."""
    return {
        link["client_ip"] for link in report["links"]
        if link["link"] == "egress_ip" and link["status"] == "failed" and link.get("client_ip")
    }


def judge(seen: Seen, egress_ips: list[str], carried: set[str] | None) -> list[Check]:
    """One check for each address."""
    if not seen.supported:
        return [{"link": "addresses", "status": "skipped", "detail": "this version of the keeper cannot probe them"}]
    checks = []
    for address in [*egress_ips, *sorted(seen.addresses - set(egress_ips))]:
        link = {"link": f"{PREFIX}{address}"}
        if address in seen.refused:
            checks.append(link | {"status": "failed", "detail": "WeChat refuses this address (61004)", "remedy": REGISTER})
        elif address not in egress_ips:
            detail = "WeChat sees it, and it is not one of EgressIps"
            remedy = "find the route that leads there: docs/DEPLOY.md, \"A network of your own\""
            checks.append(link | {"status": "failed", "detail": detail, "remedy": remedy})
        elif address in seen.addresses:
            checks.append(link | {"status": "ok", "detail": "WeChat sees it"})
        elif carried is not None and address not in carried:
            checks.append(link | {"status": "skipped", "detail": "in reserve: no NAT gateway carries it now"})
        else:
            why = f"; probes failed with {', '.join(sorted(set(seen.problems)))}" if seen.problems else ""
            checks.append(link | {"status": "unknown", "detail": f"not seen in {AT_ONCE * ROUNDS} probes{why}"})
    return checks
