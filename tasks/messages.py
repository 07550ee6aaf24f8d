"""Read a task message from SQS without Celery: kombu's envelope with Celery's protocol 2.

https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from products.changes import ChangeKey
from products.identifiers import MAX_VERSION
from tasks.products import EFFECT_TASKS, SINGLE_TASKS


class InvalidMessage(Exception):
    """The message is not a task that can run; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A task with its arguments. It must not start before ``eta``, nor after ``expires``."""

    name: str
    task_id: str
    headers: Mapping[str, Any]
    kwargs: Mapping[str, Any]
    eta: datetime | None
    expires: datetime | None

    @property
    def key(self) -> ChangeKey:
        """The change that an effect's task is about."""
        return self.kwargs["product_id"], self.kwargs["version"]


def read_message(body: str) -> TaskMessage:
    """Return the task in the body of an SQS message.

    Raises: InvalidMessage.
    """
    try:
        return _decoded(body)
    except Exception as fault:  # no fault of one message may fail its batch
        raise InvalidMessage(f"It is no task message: {fault!r}") from fault


def _decoded(body: str) -> TaskMessage:
    # Base64 is Celery's default.
    text = body if body.startswith("{") else base64.b64decode(body, validate=True)
    envelope = json.loads(text)
    headers, content = envelope["headers"], envelope["body"]
    name = headers["task"]
    if name not in EFFECT_TASKS and name not in SINGLE_TASKS:
        raise ValueError(f"unknown task {name!r}")
    if envelope["content-type"] != "application/json":
        raise ValueError(f"content type {envelope['content-type']!r}")
    if envelope["properties"].get("body_encoding") == "base64":
        content = base64.b64decode(content, validate=True)
    args, kwargs, _ = json.loads(content)
    if args:
        raise ValueError("positional arguments")
    if name in EFFECT_TASKS:
        _validate_key(kwargs)
    return TaskMessage(
        name=name,
        task_id=headers["id"],
        headers=headers,
        kwargs=kwargs,
        eta=_time(headers.get("eta")),
        expires=_time(headers.get("expires")),
    )


def _validate_key(kwargs: Mapping[str, Any]) -> None:
    product_id, version = kwargs["product_id"], kwargs["version"]
    if not (isinstance(product_id, str) and product_id):
        raise ValueError(f"product id {product_id!r}")
    if not (type(version) is int and 0 < version <= MAX_VERSION):
        raise ValueError(f"version {version!r}")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
