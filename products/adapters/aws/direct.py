"""AWS's JSON protocol without boto3: a fraction of the CPU time of a call, and no slow import.

Only successful responses are handled here, and two refusals that callers expect. After any
other response - a fault, throttling, expired credentials, a time-out - boto3 makes the same
call again, with its own retries and errors.
"""

import json
import os
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from django.utils.functional import SimpleLazyObject

from products.adapters.aws.clients import client, new_session
from products.adapters.aws.connection import SignedConnection
from products.adapters.aws.endpoints import endpoint_from, endpoint_of
from products.adapters.aws.thread_connections import ThreadConnections

EXPECTED_ERRORS = {"ConditionalCheckFailedException", "TransactionCanceledException"}
NOT_OPERATIONS = {
    "can_paginate",
    "close",
    "exceptions",
    "generate_presigned_url",
    "get_paginator",
    "get_waiter",
    "meta",
    "waiter_names",
}
"""The attributes of a boto3 client that are not operations of its service."""


class Connection(Protocol):
    """Signs and sends calls, those of one thread."""

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Send one call; return the HTTP status and the body of the response.

        Raises: HTTPClientError when there was no response in time.
        """


class DirectClient:
    """A client with the operations of a boto3 client, for DynamoDB and SQS.

    ``client`` is the boto3 client it falls back to; it is not touched before it is needed.
    After a time-out the call is made again only with ``retry_timeouts``.
    """

    def __init__(
        self, client: Any, connect: Callable[[], Connection], *, retry_timeouts: bool = True
    ) -> None:
        self.client = client
        self._connections = ThreadConnections(connect)
        self._retry_timeouts = retry_timeouts

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in NOT_OPERATIONS:
            return getattr(self.client, name)
        return partial(self._call, name)

    def _call(self, name: str, **arguments: Any) -> Any:
        operation = operation_name(name)
        if operation == "TransactWriteItems":
            # As boto3 does: with one token for both tries, a retried transaction is the same one.
            arguments.setdefault("ClientRequestToken", str(uuid.uuid4()))
        try:
            status, body = self._send(operation, json.dumps(arguments).encode())
        except HTTPClientError:
            if not self._retry_timeouts:
                raise
            status, body = 0, b""
        content = _parsed(body)
        if status == 200 and content is not None:
            return content
        if status == 400 and content is not None:
            _raise_expected_error(operation, content)
        return getattr(self.client, name)(**arguments)

    def _send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        connection: Connection = self._connections.current()
        return connection.send(operation, body)


def direct_client(
    service: str, create_client: Callable[..., Any] = client, *, attempts: int
) -> Any:
    """Return a client that makes the first attempt directly, and the others with botocore.

    ``create_client`` makes its botocore client, for keys in the environment only when it is needed.
    Where direct calls are impossible, that client makes all attempts.
    """
    fallback: Any
    limits = {"attempts": max(1, attempts - 1)}
    endpoint = endpoint_from(service, os.environ)
    if endpoint:
        fallback = SimpleLazyObject(partial(create_client, service, **limits))
    else:
        session = new_session()
        fallback = create_client(service, **limits, session=session)
        endpoint = endpoint_of(fallback, session.get_credentials())
    if endpoint is None:
        return create_client(service, attempts=attempts)
    connect = partial(SignedConnection, endpoint)
    return DirectClient(fallback, connect, retry_timeouts=attempts > 1)


def _parsed(body: bytes) -> dict[str, Any] | None:
    """Return the content of a response, None if it is not AWS's JSON.

    SQS answers DeleteMessage with an empty body, which has no content.
    """
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _raise_expected_error(operation: str, response: dict[str, Any]) -> None:
    """Raise boto3's ClientError if the response is one of EXPECTED_ERRORS."""
    code = str(response.get("__type", "")).rpartition("#")[2]
    if code not in EXPECTED_ERRORS:
        return
    message = response.get("message", response.get("Message", ""))
    content = {
        **response,
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    raise ClientError(content, operation)  # type: ignore[arg-type] # boto3 builds it the same way


def operation_name(method: str) -> str:
    """Return AWS's name of a boto3 method, for example ``PutItem`` for ``put_item``."""
    return method.title().replace("_", "")
