"""Send many requests over a few open connections from one thread, with little CPU time."""

import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 60.0  # without any response


class Unanswered(Exception):
    """The server sent no complete response, or one with an unexpected status."""


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a request. Header names are written with ``_`` for ``-``."""
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
        """Read the available bytes, and return the status when the response is complete."""
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
    """Send each request as soon as a connection is free, and return the seconds of each.

    Raise Unanswered when a status is not ``expected``.
    """
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
    ready = selector.select(TIMEOUT_SECONDS)
    if not ready:
        raise Unanswered(f"no response for {TIMEOUT_SECONDS:g} s")
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
