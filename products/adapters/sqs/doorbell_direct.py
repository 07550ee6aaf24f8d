"""The doorbell without Celery: it writes messages in Celery's protocol 2 and sends them to SQS.

The API on Lambda uses it, because importing Celery and opening its connection would take a
fifth of a cold start.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class SqsSender:
    """Sends task messages with an SQS client. ``urls`` holds the queue's URL of each task."""

    client: Any
    urls: Mapping[str, str]

    def send(self, task: str, kwargs: dict[str, Any], headers: dict[str, str], delay: int) -> None:
        """Send one task message to the queue of its task, delivered after ``delay`` seconds.

        Raises: BotoCoreError or ClientError.
        """
        url = self.urls[task]
        queue = url.rpartition("/")[2]
        body = task_message(str(uuid.uuid4()), task, kwargs, headers, queue=queue)
        self.client.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)


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
