"""A merchant's browser, as far as the pages need one: links, forms, redirects, and the Referer by each page's policy."""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass, field
from html.parser import HTMLParser

from service import Service

COMPUTER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
IN_WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50"


@dataclass
class Form:
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Page(HTMLParser):
    """An answer, and the forms in it."""

    def __init__(self, url: str, status: int, headers: dict[str, str], text: str):
        super().__init__()
        self.url, self.status, self.headers, self.text = url, status, headers, text
        self.name, self.forms = "", []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag == "body":
            self.name = given.get("data-page", "")
        elif tag == "form":
            self.forms.append(Form(given.get("method", "get").upper(), given["action"]))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons[given.get("id", "")] = (given.get("name", ""), given.get("value", ""))
        elif tag == "input" and self.forms and (given.get("type") != "checkbox" or "checked" in given):
            self.forms[-1].fields.append((given["name"], given.get("value", "on")))


class Merchant:
    """One browser. It knows two servers: the emulator's front door as the pages' host, and the simulator as WeChat."""

    def __init__(self, service: Service, agent: str = COMPUTER):
        self._service, self._agent = service, agent
        self.visited: list[str] = []
        self.referers: dict[str, str] = {}

    def open(self, url: str) -> Page:
        return self._go("GET", url, "", "")

    def post(self, url: str, body: str) -> Page:
        """What no page asks for."""
        return self._go("POST", url, body, "")

    def click(self, page: Page, button: str = "") -> Page:
        """Sends the form of a button. Redirects are followed, as far as there is a server."""
        form = next(form for form in page.forms if button in form.buttons)
        fields = form.fields + [pair for pair in [form.buttons[button]] if pair[0]]
        url, data = urllib.parse.urljoin(page.url, form.action), urllib.parse.urlencode(fields)
        if form.method == "GET":
            url, data = f"{url}?{data}", ""
        return self._go(form.method, url, data, page.headers.get("referrer-policy", ""), page.url)

    def _go(self, method: str, url: str, data: str, policy: str, come_from: str = "") -> Page:
        for _ in range(5):
            referer = _referer(policy, come_from)
            self.visited.append(url)
            self.referers[url] = referer
            if not (connection := self._server(url)):
                return Page(url, 0, {}, "")
            where = urllib.parse.urlsplit(url)
            headers = {"Host": where.netloc, "User-Agent": self._agent, "Accept-Language": "en"}
            headers |= {"Referer": referer} if referer else {}
            headers |= {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
            connection.request(method, urllib.parse.urlunsplit(("", "", where.path, where.query, "")), data or None, headers)
            answer = connection.getresponse()
            page = Page(url, answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
            connection.close()
            if page.status not in (302, 303):
                return page
            policy = page.headers.get("referrer-policy", policy)
            method, data, url = "GET", "", urllib.parse.urljoin(url, page.headers["location"])
        raise AssertionError(f"too many redirects: {self.visited}")

    def _server(self, url: str) -> http.client.HTTPConnection | None:
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
        if origin == self._service.pages_origin:
            return http.client.HTTPConnection("127.0.0.1", self._service.aws.port, timeout=40)
        if origin == self._service.wechat.origin:
            return self._service.wechat.connection()
        return None


def _referer(policy: str, url: str) -> str:
    """What a browser says. Without a policy it is the origin too, wherever the next page is another's."""
    if not url or policy == "no-referrer":
        return ""
    return "{0.scheme}://{0.netloc}/".format(urllib.parse.urlsplit(url))
