"""Messages that no part of the product sends, in the queues of its tasks."""

import json
from typing import Any

HEADERS = {"task": "products.persist", "id": "damaged"}


def _message(**parts: Any) -> str:
    message = {
        "body": json.dumps([[], {"product_id": "gd-00", "version": 1}, {}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": HEADERS,
        "properties": {"body_encoding": "utf-8"},
    }
    return json.dumps(message | parts)


DAMAGED = (
    "no JSON",
    "null",
    "[]",
    "{}",
    _message(body=None),
    _message(body="not base64 and no JSON"),
    _message(properties=None),
    _message(headers=None),
    _message(headers=HEADERS | {"task": ["products.persist"]}),
    _message(headers=HEADERS | {"task": "celery.chord_unlock"}),
    _message(headers=HEADERS | {"timelimit": "junk"}),
    _message(headers=HEADERS | {"eta": "2099-01-01T00:00:00Z"}),
    _message(body=json.dumps([[], {"product_id": "gd-00", "version": 10**30}, {}])),
    _message(body=json.dumps([[], {"product_id": None, "version": "x"}, {}])),
    _message(**{"content-type": "application/x-python-serialize"}),
)


def send_damaged_messages(sqs: Any, urls: list[str]) -> int:
    """Send every damaged message to every queue; return how many were sent."""
    for url in urls:
        for body in DAMAGED:
            sqs.send_message(QueueUrl=url, MessageBody=body)
    return len(urls) * len(DAMAGED)
