"""Task messages in Celery's protocol 2, written without Celery.

Importing Celery and sending through it would take a fifth of a cold start, and half a millisecond
of each write.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any

NO_FOLLOW_UPS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
HEADERS = {
    "lang": "py",
    "parent_id": None,
    "group": None,
    "argsrepr": "()",
    "retries": 0,
    "eta": None,
    "expires": None,
    "timelimit": [None, None],
    "origin": "products",
    "ignore_result": True,
}
PROPERTIES = {"reply_to": "", "delivery_mode": 2, "priority": 0, "body_encoding": "base64"}


def task_message(
    task_id: str,
    task: str,
    kwargs: dict[str, Any],
    headers: Mapping[str, str],
    *,
    queue: str,
) -> str:
    """Return the body of an SQS message that runs a task, in kombu's envelope.

    https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2
    """
    body = json.dumps([[], kwargs, NO_FOLLOW_UPS])
    identity = {"task": task, "id": task_id, "root_id": task_id, "kwargsrepr": repr(kwargs)}
    delivery = {
        "correlation_id": task_id,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "delivery_tag": str(uuid.uuid4()),
    }
    envelope = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {**HEADERS, **identity, **headers},
        "properties": {**PROPERTIES, **delivery},
    }
    return json.dumps(envelope)
