"""A loopback HTTP proxy between the application and one engine, which can fail in every way an engine can."""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PASS, RESET, HANG = "pass", "reset", "hang"
PATIENCE = 30  # seconds after which a condition that was waited for counts as never coming


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    operation: str  # of AWS's JSON protocols, e.g. SendMessage
    body: bytes


Fault = Callable[[Request], str | int]
"""What becomes of a request: PASS it on, RESET or HANG the connection, or answer with a status."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the game."""


class Proxy:
    """``url`` stands for the engine at ``target``; ``fault`` may be changed at any time."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.fault: Fault = lambda request: PASS
        self.seen: list[Request] = []
        self.released = threading.Event()
        self._came = threading.Condition()
        self._server: _Server | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Take connections, on the same port each time."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                proxy.handle(self)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def refuse(self) -> None:
        """Refuse connections until ``listen``; connections that stand are cut at their next request."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        self.released.set()
        self.refuse()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        operation = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        request = Request(handler.command, handler.path, operation, body)
        with self._came:
            self.seen.append(request)
            self._came.notify_all()
        fate = RESET if self._server is None else self.fault(request)
        if fate == HANG:
            self.released.wait(PATIENCE)
        if fate in (HANG, RESET):
            self._reset(handler)
        elif fate == PASS:
            self._forward(handler, body)
        else:
            self._answer(handler, int(fate), b'{"__type":"InternalFailure","message":"made up"}', {})

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        engine = http.client.HTTPConnection(self.target, timeout=PATIENCE)
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "expect"}
        try:
            engine.request(handler.command, handler.path, body, headers)
            answer = engine.getresponse()
            self._answer(handler, answer.status, answer.read(), dict(answer.getheaders()))
        except OSError:
            self._reset(handler)
        finally:
            engine.close()

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                handler.send_header(name, value)
        length = headers.get("content-length", len(body)) if handler.command == "HEAD" else len(body)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        with suppress(OSError):
            handler.wfile.write(body)

    def _reset(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()

    def wait_for(self, matches: Callable[[Request], bool], *, after: int = 0) -> int:
        """Until a request that ``matches`` has come at place ``after`` or later; returns the place behind it."""
        deadline = time.monotonic() + PATIENCE
        with self._came:
            while True:
                for place, request in enumerate(self.seen[after:], after):
                    if matches(request):
                        return place + 1
                if not self._came.wait(max(0.0, deadline - time.monotonic())):
                    raise AssertionError("the request that was waited for never came")
