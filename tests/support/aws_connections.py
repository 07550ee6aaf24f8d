"""AWS connections of both kinds, and a server that records what they send."""

import os
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from deploy.local.engines import free_port
from products.adapters.aws.curl import CurlConnection
from products.adapters.aws.direct import Connection
from products.adapters.aws.sigv4 import SignedConnection, endpoint_from

Connect = Callable[[Any], Connection]
"""Opens a connection with the settings of a boto3 client."""


def connect_with_libcurl(boto3_client: Any) -> Connection:
    return CurlConnection(boto3_client)


def connect_with_http_client(boto3_client: Any) -> Connection:
    service = boto3_client.meta.service_model.service_name
    aws_variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    endpoint = endpoint_from(service, aws_variables | {"HOME": "/nobody"})
    assert endpoint
    return SignedConnection(replace(endpoint, connect=0.5, read=0.5))


class RecordingServer(HTTPServer):
    """Answers every request with ``{}`` and closes the connection without announcing it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", free_port()), _Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    handle = BaseHTTPRequestHandler.handle_one_request
    server: RecordingServer

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((headers, body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Print nothing."""
