"""The merchant's pages, seen from outside: whether PagesOrigin leads to this service, and nothing on the way changes it.

The address that is asked for is nobody's link. The service answers with a page of its own: 404, not to be indexed, not to
be stored, in the language that was asked for.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

LINK, NOBODYS = "pages_origin", "/authorize/AAAAAAAAAAAAAAAAAAAAAA"
DOMAIN = "docs/DEPLOY.md, \"The merchant's pages\""
# A first request may wait for the function's start.
TIMEOUT_S = 20

Answer = tuple[int, Mapping[str, str]]


class Untouched(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the page itself must be there."""

    def redirect_request(self, *_):
        return None


def get(url: str) -> Answer:
    """The status and the headers, as a browser in English gets them."""
    request = urllib.request.Request(url, headers={"Accept-Language": "en", "User-Agent": "wechat-preauth diagnose"})
    try:
        with urllib.request.build_opener(Untouched).open(request, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def check(origin: str, fetch: Callable[[str], Answer] = get) -> dict[str, Any]:
    """One check, as the functions answer them."""
    try:
        problem = wrong(*fetch(origin + NOBODYS)) or wrong_query(*fetch(f"{origin}{NOBODYS}?lang=zh"))
    except urllib.error.URLError as error:
        problem = unreachable(origin, error.reason)
    except (OSError, http.client.HTTPException) as error:
        problem = unreachable(origin, error)
    if problem:
        detail, remedy = problem
        return {"link": LINK, "status": "failed", "detail": f"{origin}: {detail}", "remedy": f"{remedy}: {DOMAIN}"}
    return {"link": LINK, "status": "ok", "detail": f"{origin} leads to this service"}


def wrong(status: int, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with the answer, and what to do."""
    ours = "noindex" in headers.get("x-robots-tag", "")
    if 300 <= status < 400:
        return f"redirects to {headers.get('location')}", "serve the pages on PagesOrigin itself"
    if status == 404 and not ours:
        return ("answers a 404 that is not this service's, or without its headers",
                "let the proxy or the domain forward /authorize/* to PagesEndpoint, and let all headers pass")
    if status == 403:
        return ("answers 403, as API Gateway does for a path that it does not have",
                "let the proxy keep the path and set Host to that of PagesEndpoint")
    if status == 429 or status >= 500:
        return f"answers {status}", "read the log of the function authorize; is the pages' limit reached?"
    if status != 404:
        return (f"answers {status}: another site is there",
                "let the proxy or the domain forward /authorize/* to PagesEndpoint")
    if "no-store" not in headers.get("cache-control", "") or headers.get("age", "0") != "0":
        return "the answer comes from a cache, or may be stored in one", "turn the proxy's cache off for these paths"
    if headers.get("content-language") != "en":
        return ("the answer is not in the language that was asked for",
                "let the proxy pass Accept-Language and User-Agent on, and cache nothing")
    return None


def wrong_query(status: int, headers: Mapping[str, str]) -> tuple[str, str] | None:
    if status == 404 and headers.get("content-language") == "zh-CN":
        return None
    return "the query string does not arrive", "let the proxy pass the query on: WeChat's answer is in it"


def unreachable(origin: str, reason: Any) -> tuple[str, str]:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (f"its certificate is not accepted ({reason.verify_message})",
                "give the domain a certificate for exactly this host, from a public authority")
    if isinstance(reason, ssl.SSLError):
        return f"TLS fails ({reason.reason or reason})", "let the domain or the proxy speak TLS 1.2 or newer"
    if isinstance(reason, socket.gaierror):
        return "its name has no address", "make the DNS record: to CustomDomainTarget, or to your proxy"
    return f"does not answer ({reason})", "check the DNS record, and that port 443 is open there"
