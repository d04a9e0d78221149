"""`make diagnose` of the merchant's pages: the function's own check, and what stands at PagesOrigin."""

from __future__ import annotations

import datetime
import http.client
import http.server
import json
import socket
import ssl
import threading

import boto3
import diagnose
import pages
import pytest
from conftest import AT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from test_diagnose import ONE, TWO, Functions, error

ORIGIN = "https://auth.example.com"
OURS = {"x-robots-tag": "noindex, nofollow", "cache-control": "no-store", "content-language": "en"}
ZH = OURS | {"content-language": "zh-CN"}
GREEN = {"link": "pages", "status": "ok", "detail": f"the table answers, preauthcode may be invoked; the pages are at {ORIGIN}", "origin": ORIGIN}


def at(first: tuple, second: tuple = (404, ZH)) -> dict:
    """The check of an origin that gives these two answers."""
    asked = []

    def fetch(url: str):
        asked.append(url)
        return (first, second)[len(asked) - 1]

    found = pages.check(ORIGIN, fetch)
    assert asked[0] == f"{ORIGIN}/authorize/AAAAAAAAAAAAAAAAAAAAAA"
    return found


def test_this_services_page_is_green():
    assert at((404, OURS)) == {"link": "pages_origin", "status": "ok", "detail": f"{ORIGIN} leads to this service"}


@pytest.mark.parametrize("first, second, says, do", [
    ((404, {}), (404, ZH), "not this service's", "forward /authorize/*"),
    ((200, {"content-type": "text/html"}), (404, ZH), "answers 200: another site", "forward /authorize/*"),
    ((403, {}), (404, ZH), "answers 403", "keep the path"),
    ((301, {"location": "https://www.example.com/"}), (404, ZH), "redirects to https://www.example.com/", "PagesOrigin itself"),
    ((503, OURS), (404, ZH), "answers 503", "log of the function authorize"),
    ((404, OURS | {"age": "17"}), (404, ZH), "comes from a cache", "turn the proxy's cache off"),
    ((404, OURS | {"cache-control": "max-age=60"}), (404, ZH), "comes from a cache", "turn the proxy's cache off"),
    ((404, ZH), (404, ZH), "not in the language", "pass Accept-Language and User-Agent on"),
    ((404, OURS), (404, OURS), "query string does not arrive", "pass the query on"),
    ((404, OURS), (400, {}), "query string does not arrive", "pass the query on"),
])
def test_what_stands_in_the_way_is_named_with_what_to_do(first, second, says, do):
    found = at(first, second)
    assert found["status"] == "failed" and says in found["detail"] and found["detail"].startswith(ORIGIN)
    assert do in found["remedy"] and "DEPLOY.md" in found["remedy"]


def test_a_name_without_an_address_is_named(monkeypatch):
    def nowhere(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    found = pages.check(ORIGIN)
    assert found["status"] == "failed" and "has no address" in found["detail"] and "DNS record" in found["remedy"]


def test_what_is_no_http_is_named():
    def garbage(_):
        raise http.client.BadStatusLine("SSH-2.0-OpenSSH")

    found = pages.check(ORIGIN, garbage)
    assert found["status"] == "failed" and "does not answer (SSH-2.0-OpenSSH)" in found["detail"]


def test_a_closed_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        found = pages.check(f"https://127.0.0.1:{taken.getsockname()[1]}")
    assert found["status"] == "failed" and "does not answer" in found["detail"] and "port 443" in found["remedy"]


class Site(http.server.BaseHTTPRequestHandler):
    """Answers as the service does."""

    def do_GET(self):
        self.send_response(404)
        chosen = ZH if "lang=zh" in self.path else OURS
        for name, value in (chosen if self.headers["accept-language"] == "en" else ZH).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    """A site on loopback, with a certificate that no authority has signed. Its origin and the certificate's file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "site.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}", file
    server.shutdown()
    server.server_close()


def test_a_certificate_that_browsers_refuse_is_named(site):
    found = pages.check(site[0])
    assert found["status"] == "failed" and "certificate is not accepted" in found["detail"]
    assert "a certificate for exactly this host" in found["remedy"]


def test_the_page_is_asked_for_over_https_in_english(site, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(site[1]))
    assert pages.check(site[0])["status"] == "ok"


class WithPages(Functions):
    def __init__(self, own=GREEN):
        super().__init__()
        self.own = own

    def invoke(self, FunctionName, Payload):
        if json.loads(Payload)["action"] != "check_pages":
            return super().invoke(FunctionName, Payload)
        self.calls.append((FunctionName, "check_pages"))
        return Functions(keys=self.own).invoke(FunctionName, b'{"action":"check_push_keys"}')


@pytest.fixture
def run(aws, monkeypatch, capsys):
    """Diagnoses a stack with this PagesOrigin. Its status and its lines."""
    import stack

    patched = stack.Account.client
    monkeypatch.setattr(pages, "check", lambda origin: pytest.fail("no test asks the Internet"))

    def run(origin: str | None, functions: Functions) -> tuple[int, list[str]]:
        arn = "arn:aws:lambda:r:1:function:preauth-"
        outputs = {"KeeperFunctionArn": f"{arn}keeper:live", "CallbackFunctionArn": f"{arn}callback:live", "EgressIps": f"{ONE};{TWO}"}
        outputs |= {"AuthorizeFunctionArn": f"{arn}authorize:live"} if origin else {}
        body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {n: {"Value": v} for n, v in outputs.items()}}
        body |= {} if origin is None else {"Parameters": {"PagesOrigin": {"Type": "String", "Default": origin}}}
        boto3.client("cloudformation").create_stack(StackName="preauth", TemplateBody=json.dumps(body))
        monkeypatch.setattr(
            stack.Account, "client",
            lambda account, service: functions if service == "lambda" else patched(account, service),
        )
        status = diagnose.main(AT)
        return status, capsys.readouterr().out.splitlines()

    return run


def answering(monkeypatch, status: int = 404):
    monkeypatch.setattr(pages, "check", lambda origin: {
        "link": "pages_origin", "status": "ok" if status == 404 else "failed", "detail": f"{origin} answers {status}"})


def test_the_report_has_the_functions_check_and_the_origins(run, monkeypatch):
    answering(monkeypatch)
    functions = WithPages()
    status, lines = run(ORIGIN, functions)
    assert status == 0 and lines[-1] == "All checks passed."
    assert ("arn:aws:lambda:r:1:function:preauth-authorize:live", "check_pages") in functions.calls
    shown = [line.split()[:2] for line in lines]
    assert ["pages", "ok"] in shown and ["pages_origin", "ok"] in shown


def test_each_of_the_two_can_fail(run, monkeypatch):
    answering(monkeypatch, 503)
    failed = error("State.Unavailable", detail="the table cannot be read", remedy="look at the role")
    status, lines = run(ORIGIN, WithPages(failed))
    assert status == 1 and lines[-1] == "Failed: pages, pages_origin."
    assert any(line.startswith("pages ") and line.endswith("the table cannot be read") for line in lines)


def test_pages_that_are_off_are_skipped(run):
    status, lines = run("", WithPages())
    assert status == 0
    assert [line for line in lines if line.startswith("pages")] == [next(line for line in lines if "off: PagesOrigin is empty" in line)]


def test_a_version_without_pages_has_no_such_line(run):
    status, lines = run(None, WithPages())
    assert status == 0 and not [line for line in lines if line.startswith("pages")]
