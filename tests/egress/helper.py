"""What runs inside a namespace on the tests' behalf: one JSON command per line on standard input, one
JSON answer per line on standard output. Pipes cross namespaces; sockets do not.

    python helper.py function    moto, and the Lambda Runtime API
    python helper.py wechat CA   the simulator's control surface
"""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

AWS_PORT, RUNTIME_PORT = 5000, 9001
TABLE, SECRET = "state", "credentials"


class RuntimeApi:
    """The Lambda Runtime API for one environment: an event in, its answer out."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes, int]] = queue.Queue()
        self.answers: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:  # …/invocation/next
                request_id, body, deadline_ms = api.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline_ms))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111122223333:function:preauth:live")
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # The program that asked has been stopped.

            def do_POST(self) -> None:  # …/invocation/{id}/response, …/error, …/init/error
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = self._chunks()
                *_, request_id, kind = self.path.split("/")
                api.answers.put((request_id, kind, json.loads(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        server = ThreadingHTTPServer(("127.0.0.1", RUNTIME_PORT), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def invoke(self, event: Any, timeout: float) -> dict[str, Any]:
        """The answer within `timeout` seconds, or that there was none: Lambda would end the function."""
        while not self.answers.empty():
            self.answers.get_nowait()
        request_id, began = str(uuid.uuid4()), time.monotonic()
        self.events.put((request_id, json.dumps(event).encode(), int((time.time() + timeout) * 1000)))
        try:
            answered, kind, body = self.answers.get(timeout=timeout)
        except queue.Empty:
            return {"timed_out": True, "seconds": time.monotonic() - began}
        assert answered in (request_id, "init"), f"{answered} was answered in place of {request_id}"
        return {"kind": kind, "body": body, "seconds": time.monotonic() - began}


class FunctionSide:
    """AWS and Lambda, on the loopback of the function's namespace."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        ThreadedMotoServer(ip_address="127.0.0.1", port=AWS_PORT, verbose=False).start()
        self.runtime = RuntimeApi()
        self.program: subprocess.Popen[bytes] | None = None
        self.log = open(os.environ["FUNCTION_LOG"], "ab")

    @staticmethod
    def _client(service: str):
        import boto3

        return boto3.client(
            service, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{AWS_PORT}",
            aws_access_key_id="test", aws_secret_access_key="test",
        )

    def reset(self, credentials: dict[str, Any], ticket: str) -> None:
        """An empty account, but for the secret, the table and a ticket that has just arrived."""
        from urllib.request import Request, urlopen

        urlopen(Request(f"http://127.0.0.1:{AWS_PORT}/moto-api/reset", method="POST")).read()
        self._client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(credentials))
        dynamodb = self._client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        now = {"N": str(int(time.time()))}
        dynamodb.put_item(TableName=TABLE, Item={
            "pk": {"S": f"ticket#{credentials['component_appid']}"},
            "value": {"S": ticket}, "create_time": now, "received_at": now,
        })

    def start(self, program: str, environment: dict[str, str]) -> None:
        """A new execution environment of the function."""
        self.stop()
        fixed = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{RUNTIME_PORT}",
            "AWS_LAMBDA_FUNCTION_NAME": "preauth-preauthcode",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{AWS_PORT}",
        }
        self.program = subprocess.Popen([program], env=fixed | environment, stdout=self.log, stderr=self.log)

    def stop(self) -> None:
        if self.program is not None:
            self.program.kill()
            self.program.wait()
            self.program = None
        # A stopped program may have left a request for the next event waiting: it must not take one.
        self.runtime.events.put(("gone", b"{}", 0))
        time.sleep(0.05)
        while not self.runtime.events.empty():
            self.runtime.events.get_nowait()

    def invoke(self, event: Any, timeout: float) -> dict[str, Any]:
        return self.runtime.invoke(event, timeout)

    def reaches(self, address: str, port: int) -> bool:
        """Whether a TCP connection comes about within two seconds."""
        try:
            socket.create_connection((address, port), timeout=2).close()
        except OSError:
            return False
        return True

    def resolve(self, host: str) -> list[str]:
        return [found[4][0] for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


class WechatSide:
    """The simulator's control surface, from its own namespace."""

    def __init__(self, ca: str):
        self.context = ssl.create_default_context(cafile=ca)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPSConnection("api.weixin.qq.com", 443, context=self.context, timeout=10)
        connection._create_connection = lambda _, *rest: socket.create_connection(("127.0.0.1", 443), *rest)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
        return json.loads(text)


def main() -> None:
    side = FunctionSide() if sys.argv[1] == "function" else WechatSide(sys.argv[2])
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing else may write into the answers
    print(json.dumps({"result": "ready"}), file=answers, flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"result": getattr(side, name)(*arguments)}
        except Exception as error:  # noqa: BLE001 - the test on the other side raises it again
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
    if isinstance(side, FunctionSide):
        side.stop()


if __name__ == "__main__":
    main()
