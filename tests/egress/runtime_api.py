"""The Lambda Runtime API for one execution environment."""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 9001


class RuntimeApi:
    """Hands an event to the program and waits for its answer."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes, int]] = queue.Queue()
        self.answers: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        server.api = self
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def invoke(self, event: Any, timeout: float) -> dict[str, Any]:
        """The answer, or that there was none within `timeout` seconds: Lambda would then end the function."""
        while not self.answers.empty():
            self.answers.get_nowait()
        request_id, began = str(uuid.uuid4()), time.monotonic()
        self.events.put((request_id, json.dumps(event).encode(), int((time.time() + timeout) * 1000)))
        try:
            answered, kind, body = self.answers.get(timeout=timeout)
        except queue.Empty:
            return {"timed_out": True, "seconds": time.monotonic() - began}
        assert answered in (request_id, "init"), f"the program answered {answered} instead of {request_id}"
        return {"kind": kind, "body": body, "seconds": time.monotonic() - began}

    def drop_waiting_request(self) -> None:
        """Answers the request for the next event that a stopped program has left, so that it takes no event."""
        self.events.put(("gone", b"{}", 0))
        time.sleep(0.05)
        while not self.events.empty():
            self.events.get_nowait()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:  # …/invocation/next
        request_id, body, deadline_ms = self.server.api.events.get()
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
        self.server.api.answers.put((request_id, kind, json.loads(body)))
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
