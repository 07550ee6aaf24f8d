"""AWS connections with both kinds of credentials, and a server that records what they send."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from deploy.local.engines import free_port
from products.adapters.aws.connection import SignedConnection
from products.adapters.aws.direct import Connection
from products.adapters.aws.endpoints import endpoint_from, endpoint_of

Connect = Callable[[Any], Connection]
"""Opens a connection with the settings of a boto3 client."""


def connect_with_credentials(boto3_client: Any) -> Connection:
    """Connect as in a container, whose role gives botocore credentials."""
    endpoint = endpoint_of(boto3_client, boto3_client._request_signer._credentials)
    assert endpoint
    return SignedConnection(endpoint)


def connect_with_variables(boto3_client: Any) -> Connection:
    """Connect as on Lambda, where the keys are environment variables."""
    service = boto3_client.meta.service_model.service_name
    aws_variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    endpoint = endpoint_from(service, aws_variables | {"HOME": "/nobody"})
    assert endpoint
    return SignedConnection(replace(endpoint, connect=0.5, read=0.5))


class RecordingServer(HTTPServer):
    """Answers every call, with ``{}`` by default, and closes the connection unannounced.

    ``answers`` are the status and body of the next calls, which get ``more_headers``.

    A GET is answered with new credentials, as by the credentials endpoint of a container. They
    expire so soon that botocore asks again before each use.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", free_port()), _Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.more_headers: dict[str, str] = {}
        self.answers: list[tuple[int, bytes]] = []
        self.given_keys = 0

    def new_credentials(self) -> dict[str, str]:
        self.given_keys += 1
        expiration = datetime.now(UTC) + timedelta(minutes=5)
        return {
            "AccessKeyId": f"AKIDROTATED{self.given_keys}",
            "SecretAccessKey": "secret",
            "Token": f"token{self.given_keys}",
            "Expiration": expiration.isoformat(),
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    handle = BaseHTTPRequestHandler.handle_one_request
    server: RecordingServer

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((headers, body))
        self.server.paths.append(self.path)
        answers = self.server.answers
        self._answer(*(answers.pop(0) if answers else (200, b"{}")))

    def do_PUT(self) -> None:
        self.do_POST()

    def do_GET(self) -> None:
        self._answer(200, json.dumps(self.server.new_credentials()).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in self.server.more_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Print nothing."""
