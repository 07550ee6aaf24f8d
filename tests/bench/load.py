"""Many requests over a few connections that stay open, from one thread, so that the load itself costs little."""

import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PATIENCE = 60.0  # seconds without any answer


class Unanswered(Exception):
    """The server closed a connection in the middle of an answer, or fell silent."""


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request; header names are written with ``_`` for ``-``."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Accept: application/json",
        "User-Agent: bench",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Connection:
    port: int
    received: bytes = b""
    asked_at: float = 0.0
    channel: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.channel = socket.create_connection(("127.0.0.1", self.port))
        self.channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, sent: bytes) -> None:
        self.received, self.asked_at = b"", time.perf_counter()
        self.channel.sendall(sent)

    def take(self) -> int | None:
        """Read what is there; the status once the answer is whole."""
        part = self.channel.recv(262_144)
        if not part:
            raise Unanswered(f"after {self.received[:200]!r}")
        self.received += part
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        lowered = head.lower()
        place = lowered.find(b"\r\ncontent-length:")
        length = int(lowered[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        return int(head[9:12]) if len(body) >= length else None


def drive(port: int, requests: Iterable[bytes], *, connections: int, expected: int) -> list[float]:
    """Send them all, each as soon as a connection is free; the seconds each took. Unanswered for another status."""
    left, took = iter(requests), list[float]()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            made = Connection(port)
            if _next(made, left):
                selector.register(made.channel, selectors.EVENT_READ, made)
        while selector.get_map():
            took += _answers(selector, left, expected)
    return took


def _answers(
    selector: selectors.BaseSelector, left: Iterator[bytes], expected: int
) -> Iterator[float]:
    ready = selector.select(PATIENCE)
    if not ready:
        raise Unanswered(f"nothing for {PATIENCE:g} s")
    for key, _ in ready:
        connection: Connection = key.data
        status = connection.take()
        if status is None:
            continue
        if status != expected:
            raise Unanswered(f"{status}, not {expected}: {connection.received[:800]!r}")
        yield time.perf_counter() - connection.asked_at
        if not _next(connection, left):
            selector.unregister(connection.channel)
            connection.channel.close()


def _next(connection: Connection, left: Iterator[bytes]) -> bool:
    sent = next(left, None)
    if sent is not None:
        connection.ask(sent)
    return sent is not None
