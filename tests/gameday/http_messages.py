"""Read and write HTTP/1.1 messages on sockets, with headers in their original order."""

from dataclasses import dataclass
from typing import Any

OWN_HEADERS = {"content-length", "transfer-encoding", "connection", "keep-alive", "expect"}
Headers = list[tuple[str, str]]


class ConnectionClosed(Exception):
    """The other side closed the connection."""


@dataclass
class HttpMessage:
    """A request or a response: its first line, its headers in order and its body."""

    start: str
    headers: Headers
    body: bytes = b""

    def get(self, name: str) -> str:
        """Return a header's value, or "" when it is absent."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self, start: str, length: str, *more: tuple[str, str]) -> bytes:
        """Return the bytes of the message with this first line and content length."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in OWN_HEADERS]
        lines = [
            f"{name}: {value}\r\n" for name, value in (*kept, ("Content-Length", length), *more)
        ]
        return (f"{start}\r\n{''.join(lines)}\r\n").encode("latin-1") + self.body


def read_head(reader: Any) -> HttpMessage:
    """Read the first line and the headers. Raise ConnectionClosed at the end of the stream."""
    start = reader.readline(65537)
    if not start.endswith(b"\n"):
        raise ConnectionClosed
    headers: Headers = []
    while (line := reader.readline(65537)) not in (b"\r\n", b"\n"):
        if not line:
            raise ConnectionClosed
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    return HttpMessage(start.decode("latin-1").strip(), headers)


def read_body(reader: Any, head: HttpMessage, *, to_the_end: bool = False) -> bytes:
    """Read a body by its length or chunks, or up to the end of the stream."""
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
            raise ConnectionClosed
        return bytes(body)
    return bytes(reader.read()) if to_the_end else b""
