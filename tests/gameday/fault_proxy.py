"""A loopback HTTP proxy between the application and one backing service, which injects faults.

A game day sends a quarter of a million requests through it on one machine. So connections are kept
alive on both sides, and a small reader of its own parses the headers.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.gameday.http_messages import (
    ConnectionClosed,
    Headers,
    HttpMessage,
    read_body,
    read_head,
)

PASS, RESET, HANG, LOSE = "pass", "reset", "hang", "lose"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """A request that came to the proxy."""

    method: str
    path: str
    operation: str  # of AWS's JSON protocols, e.g. SendMessage
    body: bytes
    headers: Headers = field(default_factory=list)


@dataclass(frozen=True)
class Replace:
    """Send these bodies instead of the request's own, and return the last response.

    Without bodies nothing is sent, and the proxy responds with 200 and ``answer``.
    """

    bodies: tuple[bytes, ...]
    answer: bytes = b""


@dataclass(frozen=True)
class Respond:
    """Respond with this status and body, and send nothing on."""

    status: int
    body: bytes


Action = str | int | float | Replace | Respond | Callable[[bytes], bytes]
"""What the proxy does with a request.

PASS forwards it. RESET and HANG end the connection without a response, immediately or after a wait.
LOSE forwards it and drops the response. An int is the status to respond with, and a float the
seconds to wait before the request is forwarded. A function changes the answer of the service, and
the connection ends.
"""
Fault = Callable[[Request], Action]


class UpstreamConnection:
    """A connection to the backing service, which is opened again when the service closed it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.reader: Any = None

    def exchange(self, sent: bytes, client: socket.socket, *, head_only: bool) -> HttpMessage:
        """Send a request and return the response.

        Raise OSError or ConnectionClosed when there is none, or when the client disconnects first.
        """
        if self.socket and select.select([self.socket], [], [], 0)[0]:
            self.close()
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.reader = self.socket.makefile("rb")
        self.socket.sendall(sent)
        readable = select.select([self.socket, client], [], [], TIMEOUT_SECONDS)[0]
        if self.socket not in readable:
            raise ConnectionClosed
        answer = read_head(self.reader)
        bodiless = head_only or answer.start.split(" ")[1] in ("204", "304")
        answer.body = b"" if bodiless else read_body(self.reader, answer, to_the_end=True)
        framed = bodiless or answer.get("content-length") or answer.get("transfer-encoding")
        if answer.get("connection").lower() == "close" or not framed:
            self.close()
        return answer

    def close(self) -> None:
        if self.socket:
            self.reader.close()
            self.socket.close()
            self.socket = None


class Proxy:
    """A proxy at ``url`` that forwards to ``target``. ``fault`` may be changed at any time.

    With ``remembers`` it keeps all requests in ``seen``.
    """

    def __init__(self, target: str, *, remembers: bool = True) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.fault: Fault = lambda request: PASS
        self.remembers = remembers
        self.seen: list[Request] = []
        self.released = threading.Event()
        self._arrived = threading.Condition()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Accept connections, always on the same port."""
        self._listener = socket.create_server(
            ("127.0.0.1", self.port), backlog=128, reuse_port=False
        )
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Refuse connections until ``listen``, and reset open ones at their next request."""
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def cut(self) -> None:
        """Refuse connections and reset all open ones immediately, before their responses arrive."""
        self.refuse()
        for client in list(self._connections):
            _reset_at_close(client)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.released.set()
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Serve all requests of one connection until either side closes it."""
        upstream, reader = UpstreamConnection(self.target), client.makefile("rb")
        self._connections.add(client)
        try:
            while self._serve_request(client, reader, upstream):
                pass
        except (OSError, ConnectionClosed, ValueError):
            _reset_at_close(client)
        finally:
            self._connections.discard(client)
            upstream.close()
            with suppress(OSError):
                reader.close()
            client.close()

    def _serve_request(
        self, client: socket.socket, reader: Any, upstream: UpstreamConnection
    ) -> bool:
        """Serve one request. Return whether the connection stays open."""
        try:
            head = read_head(reader)
        except ConnectionClosed:
            return False
        if head.get("expect"):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        head.body = read_body(reader, head)
        method, path, _ = head.start.split(" ", 2)
        request = Request(
            method, path, head.get("x-amz-target").rpartition(".")[2], head.body, head.headers
        )
        self._remember(request)
        action = RESET if self._listener is None else self.fault(request)
        return self._apply(action, request, head, client, upstream)

    def _remember(self, request: Request) -> None:
        if self.remembers:
            with self._arrived:
                self.seen.append(request)
                self._arrived.notify_all()

    def _apply(
        self,
        action: Action,
        request: Request,
        head: HttpMessage,
        client: socket.socket,
        upstream: UpstreamConnection,
    ) -> bool:
        """Carry out an action. Return whether the connection stays open."""
        is_last = head.get("connection").lower() == "close"
        if isinstance(action, float):
            time.sleep(action)
        elif isinstance(action, int | Respond):
            client.sendall(_injected_response(action))
            return not is_last
        if action == HANG:
            self.released.wait(TIMEOUT_SECONDS)
        if action in (HANG, RESET):
            _reset_at_close(client)
            return False
        answer = _fake_response(200, action.answer) if isinstance(action, Replace) else b""
        for body in action.bodies if isinstance(action, Replace) else (head.body,):
            answer = _forward(request, head, body, client, upstream)
        if action == LOSE:
            _reset_at_close(client)
            return False
        client.sendall(action(answer) if callable(action) else answer)
        return not (is_last or callable(action))

    def wait_for(self, matches: Callable[[Request], bool], *, after: int = 0) -> int:
        """Wait for a matching request at index ``after`` or later. Return the index after it."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with self._arrived:
            while True:
                for place, request in enumerate(self.seen[after:], after):
                    if matches(request):
                        return place + 1
                if not self._arrived.wait(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no matching request within {TIMEOUT_SECONDS} s")


def _forward(
    request: Request,
    head: HttpMessage,
    body: bytes,
    client: socket.socket,
    upstream: UpstreamConnection,
) -> bytes:
    """Send a request with this body to the backing service, and return the response's bytes."""
    message = HttpMessage(head.start, head.headers, body)
    head_only = request.method == "HEAD"
    sent = message.encoded(head.start, str(len(body)))
    response = upstream.exchange(sent, client, head_only=head_only)
    length = str(len(response.body))
    if head_only:
        length = response.get("content-length") or "0"
    more = []
    if head.get("connection").lower() == "close":
        more.append(("Connection", "close"))
    return response.encoded(response.start, length, *more)


def _injected_response(action: int | Respond) -> bytes:
    if isinstance(action, Respond):
        return _fake_response(action.status, action.body)
    return _fake_response(action, b'{"__type":"InternalFailure","message":"injected fault"}')


def _fake_response(status: int, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Injected",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _reset_at_close(client: socket.socket) -> None:
    """Make ``close`` send a TCP reset, as a crash does."""
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
