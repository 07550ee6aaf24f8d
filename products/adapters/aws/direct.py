"""AWS's JSON protocol without boto3: a fraction of the CPU time of the same call, and none of its import.

Here is only what goes well, and the two refusals that are facts to us. Whatever else comes back - no answer, a fault,
throttling, credentials that ran out - boto3 makes the same call again, with its retries and its own errors.
"""

import json
import os
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import ClientError, HTTPClientError

FACTS = {"ConditionalCheckFailedException", "TransactionCanceledException"}
NO_OPERATIONS = {
    "can_paginate",
    "close",
    "exceptions",
    "generate_presigned_url",
    "get_paginator",
    "get_waiter",
    "meta",
    "waiter_names",
}
"""What else a boto3 client has."""


class Connection(Protocol):
    """Signs and sends for one thread; HTTPClientError where there is no answer in time."""

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]: ...


class DirectClient:
    """Has the operations of the boto3 ``client`` it stands before, for DynamoDB and SQS; ``client`` is not touched
    before it is needed. Where there was no answer in time, it tries again only if ``again``.
    """

    def __init__(
        self, client: Any, connect: Callable[[], Connection], *, again: bool = True
    ) -> None:
        self.client, self._connect, self._again = client, connect, again
        self._own = threading.local()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in NO_OPERATIONS:
            return getattr(self.client, name)
        return partial(self._call, name)

    def _call(self, name: str, **arguments: Any) -> Any:
        operation = operation_of(name)
        if operation == "TransactWriteItems":  # as boto3 does: the same transaction twice is one
            arguments.setdefault("ClientRequestToken", str(uuid.uuid4()))
        try:
            status, body = self._send(operation, json.dumps(arguments).encode())
        except HTTPClientError:
            if not self._again:
                raise
            status, body = 0, b""
        if status == 200:
            return json.loads(body)
        if status == 400 and (code := _code(answer := json.loads(body))) in FACTS:
            about = {"Code": code, "Message": answer.get("message", answer.get("Message", ""))}
            metadata = {"ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError({**answer, "Error": about, **metadata}, operation)  # type: ignore[typeddict-item] # boto's own form
        return getattr(self.client, name)(**arguments)

    def _send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        return self._connection().send(operation, body)

    def _connection(self) -> Connection:
        """One for each thread, and none that was made before a fork."""
        if getattr(self._own, "pid", None) != os.getpid():
            self._own.pid, self._own.connection = os.getpid(), self._connect()
        connection: Connection = self._own.connection
        return connection


def operation_of(name: str) -> str:
    """What AWS calls the operation to which boto3 gives this name."""
    return name.title().replace("_", "")


def _code(answer: Any) -> str:
    return str(answer.get("__type", "")).rpartition("#")[2]
