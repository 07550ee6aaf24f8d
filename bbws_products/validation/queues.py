"""Check the queues and their dead-letter queues against ``tasks.queues``."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import CallResult, Finding, aws_client, call_aws, compared
from tasks.queues import dead_letter_attributes, queue_attributes

NO_QUEUE_CODES = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
NAMES = {
    "VisibilityTimeout": "visibility timeout in seconds",
    "MessageRetentionPeriod": "retention in seconds",
    "ReceiveMessageWaitTimeSeconds": "long poll in seconds",
    "RedrivePolicy": "redrive",
}
"""The attributes on which the tasks rely; Terraform keeps the others."""


def validate() -> Iterator[Finding]:
    sqs = aws_client("sqs")
    for name, (url, dead_letter_url) in settings.QUEUE_URLS.items():
        queue = _attributes(sqs, url)
        dead_letters = _attributes(sqs, dead_letter_url)
        dead_letter_name = dead_letter_url.rpartition("/")[2]
        yield from _validate_queue(name, queue, queue_attributes(_arn(dead_letters)))
        yield from _validate_queue(
            dead_letter_name, dead_letters, dead_letter_attributes(_arn(queue))
        )


def _attributes(sqs: Any, url: str) -> CallResult:
    return call_aws(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])


def _arn(queue: CallResult) -> str:
    return str(queue.content.get("Attributes", {}).get("QueueArn", "a queue that does not exist"))


def _validate_queue(name: str, answer: CallResult, design: dict[str, str]) -> Iterator[Finding]:
    if failure := answer.failure(name, "queue", absent=NO_QUEUE_CODES):
        yield failure
        return
    found = answer.content["Attributes"]
    for attribute, what in NAMES.items():
        if attribute in design:
            value, expected = _parsed(found.get(attribute)), _parsed(design[attribute])
            yield compared(name, what, value, expected)


def _parsed(value: str | None) -> Any:
    """Return an attribute with JSON policies parsed; SQS may return their numbers as strings."""
    if value is None or not value.startswith("{"):
        return value
    policy = json.loads(value)
    return {key: str(part) if isinstance(part, int) else part for key, part in policy.items()}
