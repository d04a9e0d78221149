"""WeChat, simulated, over TLS and with its whitelist on."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import trustme

from emulator import free_port, wait_until

APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
TOKEN, KEY = "stacktesttoken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PUSH_KEYS = [{"token": TOKEN, "encoding_aes_key": KEY}]
# The address that the functions call from here.
ADDRESS = "127.0.0.1"


class WeChat:
    """The simulator and its control surface."""

    def __init__(self, program: Path, directory: Path):
        ca = trustme.CA()
        cert = ca.issue_cert("localhost", "127.0.0.1")
        self.ca_file = directory / "ca.pem"
        files = {name: directory / name for name in ("cert.pem", "key.pem", "secret", "token", "aes")}
        ca.cert_pem.write_to_path(self.ca_file)
        cert.cert_chain_pems[0].write_to_path(files["cert.pem"])
        cert.private_key_pem.write_to_path(files["key.pem"])
        for name, value in (("secret", SECRET), ("token", TOKEN), ("aes", KEY)):
            files[name].write_text(value, encoding="utf-8")
        port = free_port()
        self.origin = f"https://localhost:{port}"
        self._tls = ssl.create_default_context(cafile=str(self.ca_file))
        log_file = directory / "wechat-sim.log"
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "--listen", f"127.0.0.1:{port}", "--appid", APPID, "--secret-file", files["secret"],
                 "--push-token-file", files["token"], "--aes-key-file", files["aes"], "--push-interval", "0",
                 "--whitelist", ADDRESS, "--tls-cert", files["cert.pem"], "--tls-key", files["key.pem"]],
                stdout=log, stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self.control("state"), self.stop, log_file)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def control(self, name: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.origin}/_sim/{name}", data, timeout=10, context=self._tls) as answer:
            return json.load(answer)

    def connection(self) -> http.client.HTTPSConnection:
        """For a merchant's browser."""
        where = urllib.parse.urlsplit(self.origin)
        return http.client.HTTPSConnection(where.hostname, where.port, timeout=10, context=self._tls)

    def calls(self) -> list[str]:
        """The paths of the API calls so far. A probe of the host is none."""
        requests = self.control("requests?last=1000000")
        return [r["path"] for r in requests["requests"] if r["path"].startswith("/cgi-bin/")]

    def push(self, **what: Any) -> tuple[str, str]:
        """The query and the body of a push, encrypted and signed."""
        built = self.control("push", {"only_build": True} | what)
        query = built["query"]
        return query if isinstance(query, str) else urllib.parse.urlencode(query), built["body"]
