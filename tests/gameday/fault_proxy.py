"""A loopback HTTP proxy between the application and one engine, which can fail in every way an engine can.

Connections are kept alive on both sides, and heads are read by hand: a game day sends a quarter of a million requests
through it, on the machine that also runs everything else.
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

PASS, RESET, HANG, LOSE = "pass", "reset", "hang", "lose"
PATIENCE = 30  # seconds after which a condition that was waited for counts as never coming
OWN_HEADERS = {"content-length", "transfer-encoding", "connection", "keep-alive", "expect"}
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    operation: str  # of AWS's JSON protocols, e.g. SendMessage
    body: bytes
    headers: Headers = field(default_factory=list)


@dataclass(frozen=True)
class Instead:
    """Send these bodies in place of the one that came, in this order; the answer to the last is the answer. With none,
    the engine is told nothing and ``answer`` is made up."""

    bodies: tuple[bytes, ...]
    answer: bytes = b""


Fate = str | int | float | Instead
"""PASS it on, RESET or HANG the connection, LOSE the answer, answer with a status (int), pass it on later (float,
seconds), or pass on something else."""
Fault = Callable[[Request], Fate]


class Gone(Exception):
    """The other side has closed its connection."""


@dataclass
class Message:
    """A request or an answer: its first line, its headers in order, its body."""

    start: str
    headers: Headers
    body: bytes = b""

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self, start: str, length: str, *more: tuple[str, str]) -> bytes:
        kept = [(name, value) for name, value in self.headers if name.lower() not in OWN_HEADERS]
        lines = [
            f"{name}: {value}\r\n" for name, value in (*kept, ("Content-Length", length), *more)
        ]
        return (f"{start}\r\n{''.join(lines)}\r\n").encode("latin-1") + self.body


def read_head(reader: Any) -> Message:
    """Gone when the connection has ended."""
    start = reader.readline(65537)
    if not start.endswith(b"\n"):
        raise Gone
    headers: Headers = []
    while (line := reader.readline(65537)) not in (b"\r\n", b"\n"):
        if not line:
            raise Gone
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    return Message(start.decode("latin-1").strip(), headers)


def read_body(reader: Any, head: Message, *, to_the_end: bool = False) -> bytes:
    if "chunked" in head.get("transfer-encoding").lower():
        parts = []
        while size := int(reader.readline(100).split(b";")[0] or b"0", 16):
            parts.append(reader.read(size))
            reader.readline(10)
        reader.readline(10)
        return b"".join(parts)
    if length := head.get("content-length"):
        body = reader.read(int(length))
        if len(body) < int(length):
            raise Gone
        return bytes(body)
    return bytes(reader.read()) if to_the_end else b""


class Engine:
    """One connection to the engine, made anew when the engine has closed it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.reader: Any = None

    def ask(self, sent: bytes, client: socket.socket, *, head_only: bool) -> Message:
        """OSError or Gone when there is no answer; Gone also when the client does not wait for it any more."""
        if self.socket and select.select([self.socket], [], [], 0)[0]:
            self.close()
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=PATIENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.reader = self.socket.makefile("rb")
        self.socket.sendall(sent)
        readable = select.select([self.socket, client], [], [], PATIENCE)[0]
        if self.socket not in readable:
            raise Gone
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
    """``url`` stands for the engine at ``target``; ``fault`` may be changed at any time. ``remembers`` all requests
    unless told otherwise."""

    def __init__(self, target: str, *, remembers: bool = True) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.fault: Fault = lambda request: PASS
        self.remembers = remembers
        self.seen: list[Request] = []
        self.released = threading.Event()
        self._came = threading.Condition()
        self._listener: socket.socket | None = None
        self._standing: set[socket.socket] = set()
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Take connections, on the same port each time."""
        self._listener = socket.create_server(
            ("127.0.0.1", self.port), backlog=128, reuse_port=False
        )
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Refuse connections until ``listen``; connections that stand are cut at their next request."""
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def cut(self) -> None:
        """Refuse, and cut what stands at once: whoever waits for an answer never learns what came of it."""
        self.refuse()
        for client in list(self._standing):
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
        """All requests of one connection. Whoever hangs up is part of the game."""
        engine, reader = Engine(self.target), client.makefile("rb")
        self._standing.add(client)
        try:
            while self._one(client, reader, engine):
                pass
        except (OSError, Gone, ValueError):
            _reset_at_close(client)
        finally:
            self._standing.discard(client)
            engine.close()
            with suppress(OSError):
                reader.close()
            client.close()

    def _one(self, client: socket.socket, reader: Any, engine: Engine) -> bool:
        """Read, and do what is to become of it; False when that was the last on this connection."""
        try:
            head = read_head(reader)
        except Gone:
            return False
        if head.get("expect"):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        head.body = read_body(reader, head)
        method, path, _ = head.start.split(" ", 2)
        request = Request(
            method, path, head.get("x-amz-target").rpartition(".")[2], head.body, head.headers
        )
        self._note(request)
        fate = RESET if self._listener is None else self.fault(request)
        return self._done(fate, request, head, client, engine)

    def _note(self, request: Request) -> None:
        if self.remembers:
            with self._came:
                self.seen.append(request)
                self._came.notify_all()

    def _done(
        self, fate: Fate, request: Request, head: Message, client: socket.socket, engine: Engine
    ) -> bool:
        last = head.get("connection").lower() == "close"
        if isinstance(fate, float):
            time.sleep(fate)
        elif isinstance(fate, int):
            client.sendall(_made_up(fate, b'{"__type":"InternalFailure","message":"made up"}'))
            return not last
        if fate == HANG:
            self.released.wait(PATIENCE)
        if fate in (HANG, RESET):
            _reset_at_close(client)
            return False
        bodies = fate.bodies if isinstance(fate, Instead) else (head.body,)
        answer = _made_up(200, fate.answer) if isinstance(fate, Instead) else b""
        for body in bodies:
            sent = Message(head.start, head.headers, body).encoded(head.start, str(len(body)))
            got = engine.ask(sent, client, head_only=request.method == "HEAD")
            length = (
                (got.get("content-length") or "0")
                if request.method == "HEAD"
                else str(len(got.body))
            )
            answer = got.encoded(got.start, length, *([("Connection", "close")] if last else []))
        if fate == LOSE:
            _reset_at_close(client)
            return False
        client.sendall(answer)
        return not last

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


def _made_up(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Made up\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _reset_at_close(client: socket.socket) -> None:
    """Let the connection end as it does in a crash, once its thread closes it."""
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
