"""The function in one network namespace, the simulator of WeChat in another."""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
import trustme
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import netns  # noqa: E402
import runtime_api  # noqa: E402
from netns import inside  # noqa: E402

# The programs under test. These variables name others, for example a release build.
PREAUTHCODE = Path(os.environ.get("PREAUTHCODE", ROOT / "target/debug/preauthcode"))
WECHAT_SIM = Path(os.environ.get("WECHAT_SIM", ROOT / "target/debug/wechat-sim"))

# The function's time limit in the template.
FUNCTION_TIMEOUT = 15
AWS = "http://127.0.0.1:5000"
TABLE, SECRET = "state", "credentials"
CREDENTIALS = {
    "component_appid": "wx0123456789abcdef",
    "component_appsecret": "0123456789abcdef0123456789abcdef",
    "push_keys": [],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(item.fspath).parent == Path(__file__).parent]
    if here and (reason := netns.why_not()):
        if os.environ.get("EGRESS") == "required":
            pytest.exit(f"the egress tests are required, but this machine {reason}", returncode=1)
        for item in here:
            item.add_marker(pytest.mark.skip(reason=f"this machine {reason}"))


class WeChat:
    """The simulator, which enforces its whitelist on the address of each caller."""

    def __init__(self, network: netns.Network, directory: Path):
        self.network = network
        ca = trustme.CA()
        server = ca.issue_cert(*netns.HOSTS)
        self.ca_file, cert, key, secret = (directory / name for name in ("ca.pem", "cert.pem", "key.pem", "secret"))
        ca.cert_pem.write_to_path(self.ca_file)
        server.cert_chain_pems[0].write_to_path(cert)
        server.private_key_pem.write_to_path(key)
        secret.write_text(CREDENTIALS["component_appsecret"], encoding="utf-8")
        self._tls = ssl.create_default_context(cafile=self.ca_file)
        with open(directory / "wechat-sim.log", "wb") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", network.wechat, WECHAT_SIM, "--listen", "[::]:443",
                 "--appid", CREDENTIALS["component_appid"], "--secret-file", secret, "--push-interval", "0",
                 "--tls-cert", cert, "--tls-key", key],
                stdout=log, stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        for _ in range(100):
            assert self._process.poll() is None, "the simulator has ended"
            try:
                self.call("GET", "/_sim/state")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the simulator does not answer")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the simulator's control surface."""
        connection = HTTPSConnection(netns.HOSTS[0], 443, context=self._tls, timeout=10)
        connection._create_connection = lambda _, *rest: socket.create_connection(("127.0.0.1", 443), *rest)
        with inside(self.network.wechat):
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
        return json.loads(text)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Harness:
    """The `preauthcode` program with the AWS services and the Lambda runtime around it, and WeChat."""

    def __init__(self, network: netns.Network, directory: Path):
        for program in (PREAUTHCODE, WECHAT_SIM):
            assert program.is_file(), f"{program} is missing: make test-egress builds it"
        self.network = network
        self.wechat = WeChat(network, directory)
        self._log = directory / "function.log"
        self._program: subprocess.Popen[bytes] | None = None
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        with inside(network.function):
            ThreadedMotoServer(ip_address="127.0.0.1", port=5000, verbose=False).start()
            self._runtime = runtime_api.RuntimeApi()

    def close(self) -> None:
        self._stop()
        self.wechat.close()

    def start(self, whitelist: list[str], egress_ips: list[str]) -> None:
        """Starts a cold function, for a platform whose whitelist holds these addresses."""
        self._stop()
        self.wechat.call("POST", "/_sim/whitelist", {"addresses": whitelist})
        self.wechat.call("POST", "/_sim/revoke")
        self.wechat.call("DELETE", "/_sim/requests")
        ticket = self.wechat.call("POST", "/_sim/ticket")["component_verify_ticket"]
        with inside(self.network.function):
            self._reset_account(ticket)
        environment = {
            # As Lambda sets them.
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_api.PORT}",
            "AWS_LAMBDA_FUNCTION_NAME": "preauth-preauthcode",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # As the template sets them.
            "CREDENTIALS_SECRET_ID": SECRET,
            "STATE_TABLE": TABLE,
            "MINTING": "on",
            "WECHAT_API_HOSTS": ",".join(f"https://{host}" for host in netns.HOSTS),
            "EGRESS_IPS": ",".join(egress_ips),
            "METRICS_NAMESPACE": "WechatPreauth",
            "SERVICE_NAME": "preauth",
            # Only for the test.
            "AWS_ENDPOINT_URL": AWS,
            "TLS_EXTRA_CA_FILE": str(self.wechat.ca_file),
            "PATH": os.environ["PATH"],
        }
        with open(self._log, "wb") as log:
            command = ["ip", "netns", "exec", self.network.function, PREAUTHCODE]
            self._program = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def _stop(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait()
            self._program = None
        self._runtime.drop_waiting_request()

    def _reset_account(self, ticket: str) -> None:
        """Makes an account that holds the secret, the table and a new ticket."""
        def client(service: str):
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            return boto3.client(service, region_name="us-east-1", endpoint_url=AWS, **keys)

        urlopen(Request(f"{AWS}/moto-api/reset", method="POST")).read()
        client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(CREDENTIALS))
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        now = {"N": str(int(time.time()))}
        dynamodb.put_item(TableName=TABLE, Item={
            "pk": {"S": f"ticket#{CREDENTIALS['component_appid']}"},
            "value": {"S": ticket}, "create_time": now, "received_at": now,
        })

    def ask(self) -> dict[str, Any]:
        """Invokes the function directly: the answer or the problem, and how long it took."""
        answer = self._runtime.invoke({}, FUNCTION_TIMEOUT)
        assert "timed_out" not in answer, f"no answer within {FUNCTION_TIMEOUT} s\n{self._log.read_text()}"
        body = answer["body"]
        if answer["kind"] == "error":
            body = json.loads(body["errorMessage"])
        return body | {"seconds": answer["seconds"]}

    def reaches(self, address: str) -> bool:
        """Whether the function's network can connect to port 443 of an address within two seconds."""
        with inside(self.network.function):
            try:
                socket.create_connection((address, 443), timeout=2).close()
            except OSError:
                return False
        return True

    def seen_addresses(self) -> set[str]:
        """The addresses from which API calls arrived at WeChat."""
        return {r["client_ip"] for r in self.wechat.call("GET", "/_sim/requests?last=500")["requests"]}


@pytest.fixture(scope="session")
def harness(tmp_path_factory):
    with netns.Network() as network:
        harness = Harness(network, tmp_path_factory.mktemp("egress"))
        try:
            yield harness
        finally:
            harness.close()
