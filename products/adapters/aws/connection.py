"""A kept HTTP connection for direct calls, over Python's own HTTP client."""

import os
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import cast
from urllib.parse import urlsplit

import botocore
from botocore.exceptions import HTTPClientError

from products.adapters.aws.endpoints import Endpoint
from products.adapters.aws.responses import Response, read_response
from products.adapters.aws.sigv4 import signed_headers, signed_put_headers
from products.adapters.deadlines import TimedSocket

CLOSED_BY_PEER = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Errors of a kept connection that the peer has closed, among them RemoteDisconnected."""


class SignedConnection:
    """An HTTP connection that signs calls and is kept open between them.

    If the peer has closed it since the last call, for example while a function was frozen, it is
    opened again immediately.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._kept: HTTPConnection | None = None

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Sign and send one call; return the HTTP status and the body of the response.

        Raises: HTTPClientError when there was no response in time, or botocore's error when there
        are no valid credentials.
        """
        headers = signed_headers(self.endpoint, operation, body, datetime.now(UTC))
        response = self._send(_to_request("POST /", headers, body))
        return response.status, response.content

    def put(self, path: str, headers: dict[str, str], body: bytes) -> Response:
        """Sign and send one PUT to S3. ``path`` is quoted, and ``headers`` are in lower case.

        Raises: as ``send``.
        """
        signed = signed_put_headers(self.endpoint, path, headers, body, datetime.now(UTC))
        return self._send(_to_request(f"PUT {path}", signed, body))

    def _send(self, request: bytes) -> Response:
        try:
            if kept := self._kept:
                with suppress(*CLOSED_BY_PEER):
                    return self._exchange(kept, request)
            return self._exchange(_open_connection(self.endpoint), request)
        except (OSError, HTTPException) as fault:
            raise HTTPClientError(error=fault) from fault

    def __del__(self) -> None:
        """Close the connection when its thread has ended."""
        if self._kept:
            self._kept.close()

    def _exchange(self, http: HTTPConnection, request: bytes) -> Response:
        self._kept = None  # until the call has succeeded
        try:
            cast("TimedSocket", http.sock).restart()
            http.sock.sendall(request)
            with http.sock.makefile("rb") as file:
                response = read_response(file)
        except (OSError, HTTPException):
            http.close()
            raise
        if response.keeps_open:
            self._kept = http
        else:
            http.close()
        return response


def _to_request(target: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return the whole request, to be sent in one piece.

    http.client sends the body separately, after checking each header. That takes as much time as
    the rest of a call.
    """
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{target} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def _open_connection(endpoint: Endpoint) -> HTTPConnection:
    http = _connection(endpoint)
    http.connect()
    http.sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
    http.sock = TimedSocket(http.sock)
    http.sock.settimeout(endpoint.read)
    return http


def _connection(endpoint: Endpoint) -> HTTPConnection:
    if urlsplit(endpoint.url).scheme == "https":
        return HTTPSConnection(endpoint.host, timeout=endpoint.connect, context=_ssl_context())
    return HTTPConnection(endpoint.host, timeout=endpoint.connect)


@cache
def _ssl_context() -> ssl.SSLContext:
    bundled = Path(botocore.__file__).with_name("cacert.pem")
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or bundled)
