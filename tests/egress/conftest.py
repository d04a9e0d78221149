"""The egress test's world: namespaces, the simulator in one, the function in another."""

from __future__ import annotations

import datetime
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/template")]

import netns  # noqa: E402

# Programs to test. A release build, or one from elsewhere, by these variables.
PREAUTHCODE = Path(os.environ.get("PREAUTHCODE", ROOT / "target/debug/preauthcode"))
WECHAT_SIM = Path(os.environ.get("WECHAT_SIM", ROOT / "target/debug/wechat-sim"))

# What the template gives the function.
FUNCTION_TIMEOUT = 15


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(item.fspath).parent == Path(__file__).parent]
    if here and (reason := netns.why_not()):
        if os.environ.get("EGRESS") == "required":
            pytest.exit(f"egress must be proven here, but: {reason}", returncode=1)
        for item in here:
            item.add_marker(pytest.mark.skip(reason=f"egress not proven here: {reason}"))


class Side:
    """A helper process inside a namespace; its methods are the helper's."""

    def __init__(self, namespace: str, *arguments: str, environment: dict[str, str] | None = None):
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, str(Path(__file__).with_name("helper.py")), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=os.environ | (environment or {}),
        )
        self._answer(30)

    def _answer(self, timeout: float) -> Any:
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        assert ready, f"the helper did not answer within {timeout} s"
        answer = json.loads(self._process.stdout.readline() or '{"error": "the helper has ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def __getattr__(self, name: str):
        def call(*arguments: Any) -> Any:
            self._process.stdin.write(json.dumps([name, arguments]) + "\n")
            return self._answer(60)
        return call

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()


def certificates(directory: Path) -> dict[str, Path]:
    """A CA, and a certificate of it for WeChat's names."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])

    def builder(subject: str, key) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Egress test CA"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca = (
        builder("Egress test CA", ca_key).add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False).sign(ca_key, hashes.SHA256())
    )
    server = (
        builder("WeChat, simulated", key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in netns.HOSTS]), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = {"ca": directory / "ca.pem", "cert": directory / "server.pem", "key": directory / "server.key"}
    files["ca"].write_bytes(ca.public_bytes(pem))
    files["cert"].write_bytes(server.public_bytes(pem))
    files["key"].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


CREDENTIALS = {
    "component_appid": "wx0123456789abcdef",
    "component_appsecret": "0123456789abcdef0123456789abcdef",
    "push_keys": [],
}


class World:
    """Everything a test needs."""

    def __init__(self, network: netns.Network, directory: Path):
        for program in (PREAUTHCODE, WECHAT_SIM):
            assert program.is_file(), f"{program} is not built: make test-egress builds it"
        self.network = network
        self.ca = certificates(directory)
        secret = directory / "secret"
        secret.write_text(CREDENTIALS["component_appsecret"], encoding="utf-8")
        self.log = directory / "function.log"
        self._sim_log = open(directory / "wechat-sim.log", "wb")
        self.simulator = subprocess.Popen(
            ["ip", "netns", "exec", network.wechat, str(WECHAT_SIM), "--listen", "[::]:443",
             "--appid", CREDENTIALS["component_appid"], "--secret-file", str(secret), "--push-interval", "0",
             "--tls-cert", str(self.ca["cert"]), "--tls-key", str(self.ca["key"])],
            stdout=self._sim_log, stderr=subprocess.STDOUT,
        )
        self.wechat = Side(network.wechat, "wechat", str(self.ca["ca"]))
        self._wait_for_simulator()
        self.function = Side(network.function, "function", environment={"FUNCTION_LOG": str(self.log)})

    def _wait_for_simulator(self) -> None:
        for _ in range(100):
            assert self.simulator.poll() is None, "the simulator has ended"
            try:
                self.wechat.call("GET", "/_sim/state")
                return
            except RuntimeError:
                time.sleep(0.1)
        raise AssertionError("the simulator does not answer")

    def close(self) -> None:
        self.function.close()
        self.wechat.close()
        self.simulator.terminate()
        self.simulator.wait()
        self._sim_log.close()

    def start(self, whitelist: list[str], egress_ips: list[str]) -> None:
        """A cold function, and a platform whose whitelist holds these addresses."""
        self.wechat.call("POST", "/_sim/whitelist", {"addresses": whitelist})
        self.wechat.call("POST", "/_sim/revoke")
        self.wechat.call("DELETE", "/_sim/requests")
        ticket = self.wechat.call("POST", "/_sim/ticket")["component_verify_ticket"]
        self.function.reset(CREDENTIALS, ticket)
        self.log.write_bytes(b"")
        self.function.start(str(PREAUTHCODE), {
            # The names that the template sets, and one more CA.
            "CREDENTIALS_SECRET_ID": "credentials",
            "STATE_TABLE": "state",
            "MINTING": "on",
            "WECHAT_API_HOSTS": ",".join(f"https://{host}" for host in netns.HOSTS),
            "EGRESS_IPS": ",".join(egress_ips),
            "METRICS_NAMESPACE": "WechatPreauth",
            "SERVICE_NAME": "preauth",
            "TLS_EXTRA_CA_FILE": str(self.ca["ca"]),
        })

    def ask(self) -> dict[str, Any]:
        """One direct invocation: the success, or the problem, and how long it took."""
        answer = self.function.invoke({}, FUNCTION_TIMEOUT)
        assert "timed_out" not in answer, f"no answer within the function's {FUNCTION_TIMEOUT} s\n{self.log.read_text()}"
        body = answer["body"]
        if answer["kind"] == "error":
            body = json.loads(body["errorMessage"])
        return body | {"seconds": answer["seconds"]}

    def seen_addresses(self) -> set[str]:
        """The peers of every API call that arrived at WeChat."""
        return {r["client_ip"] for r in self.wechat.call("GET", "/_sim/requests?last=500")["requests"]}


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    with netns.Network() as network:
        world = World(network, tmp_path_factory.mktemp("egress"))
        try:
            yield world
        finally:
            world.close()
