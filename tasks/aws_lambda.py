"""The Lambda handler of the consumers: it runs the tasks of a Celery worker, with the same results.

SQS invokes it with a batch, and takes back the messages named in ``batchItemFailures``; so each
message succeeds or fails on its own. A schedule invokes it with ``{"task": name}``.
"""

import gc
import logging
import os
from collections.abc import Mapping
from typing import Any

# Nothing that is imported here is ever freed, so the collector would only take an eighth of the
# start's time.
gc.disable()

import django
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from products.bootstrap import new_id, now, pipeline, sqs
from tasks.messages import InvalidMessage, TaskMessage, read_message
from tasks.products import TASKS
from tasks.queues import BACKOFF_SECONDS, SCHEDULED
from tasks.running import run_logged

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.worker")

logger = logging.getLogger(__name__)

MIN_REMAINING_MILLISECONDS = 5000
"""The time that must be left to start another message: the slowest call of an effect."""

# Everything a message needs is loaded at import: a small function has a whole processor at its
# start, and only a seventh of one for a message.
django.setup()
pipeline()
gc.freeze()
gc.enable()


class TaskNotScheduled(Exception):
    """The event does not start a task that a schedule may start."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Process a batch from SQS, or start the task of a schedule.

    Raises: TaskNotScheduled for any other event, and the error of a scheduled task.
    """
    if "Records" not in event:
        _start_scheduled(event.get("task"))
        return None
    failed_ids = []
    for record in event["Records"]:
        if not _process(record, context):
            failed_ids.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed_ids]}


def _start_scheduled(name: Any) -> None:
    if name not in SCHEDULED:
        raise TaskNotScheduled(f"A schedule may start {', '.join(SCHEDULED)}, but not {name!r}.")
    run_logged(TASKS[name], name, new_id(), headers={})


def _process(record: Mapping[str, Any], context: Any) -> bool:
    """Process one message; return whether SQS may delete it."""
    facts = {"message_id": record["messageId"], "queue": record["eventSourceARN"]}
    try:
        url = _queue_url(record)
        message = _read_startable(record)
    except InvalidMessage as fault:
        # SQS delivers it again, and finally moves it to the dead-letter queue.
        logger.error("message rejected", extra={**facts, "fault": str(fault)})
        return False
    if context.get_remaining_time_in_millis() < MIN_REMAINING_MILLISECONDS:
        logger.warning("no time left for a message", extra=facts)
        _shorten_visibility(record, url)
        return False
    if message.expires and message.expires < now():
        logger.info("message expired", extra=facts)
        return True
    if not _run(message, _receive_count(record)):
        _shorten_visibility(record, url)
        return False
    return True


def _queue_url(record: Mapping[str, Any]) -> str:
    queue = record["eventSourceARN"].rpartition(":")[2]
    if queue not in settings.QUEUE_URLS:
        raise InvalidMessage(f"{queue} is no queue of this environment.")
    url, _ = settings.QUEUE_URLS[queue]
    return str(url)


def _read_startable(record: Mapping[str, Any]) -> TaskMessage:
    message = read_message(record["body"])
    if message.eta and message.eta > now():
        raise InvalidMessage("It has a later start time; messages must use DelaySeconds instead.")
    return message


def _receive_count(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _run(message: TaskMessage, attempt: int) -> bool:
    """Run a task; return whether it succeeded."""
    headers = {**message.headers, "attempt": attempt}
    try:
        run_logged(
            message.run, message.name, message.task_id, headers, message.args, message.kwargs
        )
    except Exception:  # it is logged, and must not fail the rest of its batch
        return False
    return True


def _shorten_visibility(record: Mapping[str, Any], url: str) -> None:
    """Let a failed message return after the same delay as on a worker.

    If SQS refuses, or after many attempts, it returns after its visibility timeout.
    """
    seconds = BACKOFF_SECONDS.get(_receive_count(record))
    if seconds is None:
        return
    try:
        sqs().change_message_visibility(
            QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError) as fault:
        facts = {"fault": repr(fault)}
        logger.warning("message will return after its visibility time-out", extra=facts)
