"""The queues and their dead-letter queues: all that ``tasks.queues`` says of how they must be made."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import CallResult, Finding, aws_client, call_aws, compared
from tasks.queues import dead_letter_attributes, queue_attributes

GONE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
WORDS = {
    "VisibilityTimeout": "visibility time-out in seconds",
    "MessageRetentionPeriod": "retention in seconds",
    "ReceiveMessageWaitTimeSeconds": "long poll in seconds",
    "RedrivePolicy": "redrive",
    "RedriveAllowPolicy": "whose dead it takes",
    "SqsManagedSseEnabled": "encryption",
}


def validate() -> Iterator[Finding]:
    sqs = aws_client("sqs")
    for name, (url, dead_url) in settings.QUEUE_URLS.items():
        queue, dead = (_attributes(sqs, address) for address in (url, dead_url))
        dead_name = dead_url.rpartition("/")[2]
        yield from _queue(name, queue, queue_attributes(_arn(dead)))
        yield from _queue(dead_name, dead, dead_letter_attributes(_arn(queue)))


def _attributes(sqs: Any, url: str) -> CallResult:
    return call_aws(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])


def _arn(queue: CallResult) -> str:
    return str(queue.content.get("Attributes", {}).get("QueueArn", "a queue that is not there"))


def _queue(name: str, answer: CallResult, design: dict[str, str]) -> Iterator[Finding]:
    if failure := answer.failure(name, "queue", absent=GONE):
        yield failure
        return
    found = answer.content["Attributes"]
    if found.get("KmsMasterKeyId"):  # a key of the company's own is more than is asked for
        found = found | {"SqsManagedSseEnabled": "true"}
    for attribute, expected in design.items():
        hardening = attribute in ("SqsManagedSseEnabled", "RedriveAllowPolicy")
        shown = _read(found.get(attribute)), _read(expected)
        yield compared(name, WORDS[attribute], *shown, hardening=hardening)


def _read(value: str | None) -> Any:
    """Policies are texts of JSON, in which numbers may have become texts."""
    if value is None or not value.startswith("{"):
        return value
    policy = json.loads(value)
    return {key: str(part) if isinstance(part, int) else part for key, part in policy.items()}
