"""The Lambda handler of the consumers: it runs the tasks of the worker, with the same results.

SQS invokes it with a batch, and takes back the messages named in ``batchItemFailures``; so each
message succeeds or fails on its own. A schedule invokes it with ``{"task": name}``.
"""

import gc
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

# Nothing that is imported here is ever freed, so the collector would only take an eighth of the
# start's time.
gc.disable()

import django
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from products.bootstrap import pipeline, sqs
from tasks.queues import BACKOFF_SECONDS, SCHEDULED
from tasks.running import Delivery, Task, read_deliveries, run_effects, run_other, run_single

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
    records = {record["messageId"]: record for record in event["Records"]}
    failed_ids = _run([_delivery(record) for record in records.values()], context)
    for message_id in failed_ids:
        _shorten_visibility(records[message_id])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed_ids]}


def _start_scheduled(name: Any) -> None:
    if name not in SCHEDULED:
        raise TaskNotScheduled(f"A schedule may start {', '.join(SCHEDULED)}, but not {name!r}.")
    error = run_single(name, {})
    if error:
        logger.error("task failed", extra={"task": name}, exc_info=error)
        raise error


def _run(deliveries: Sequence[Delivery], context: Any) -> list[str]:
    """Run the tasks of the deliveries; return the IDs of the messages that failed."""
    known = [delivery for delivery in deliveries if delivery.queue in settings.QUEUE_URLS]
    failed = {delivery.message_id for delivery in deliveries if delivery not in known}
    for message_id in failed:
        logger.error("message rejected", extra={"message_id": message_id, "fault": "unknown queue"})
    of_effects, others, invalid = read_deliveries(known)
    failed |= invalid
    if of_effects and _has_time(of_effects, context):
        failed |= run_effects(of_effects)
    elif of_effects:
        failed |= {delivery.message_id for delivery, _ in of_effects}
    for task in others:
        if not _has_time([task], context) or not run_other(task):
            failed.add(task[0].message_id)
    return [delivery.message_id for delivery in deliveries if delivery.message_id in failed]


def _has_time(tasks: Sequence[Task], context: Any) -> bool:
    if context.get_remaining_time_in_millis() >= MIN_REMAINING_MILLISECONDS:
        return True
    ids = [delivery.message_id for delivery, _ in tasks]
    logger.warning("no time left for messages", extra={"message_ids": ids})
    return False


def _delivery(record: Mapping[str, Any]) -> Delivery:
    return Delivery(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        body=record["body"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        queue=record["eventSourceARN"].rpartition(":")[2],
    )


def _shorten_visibility(record: Mapping[str, Any]) -> None:
    """Let a failed message return after the same delay as on a worker.

    If SQS refuses, or after many attempts, it returns after its visibility timeout.
    """
    delivery = _delivery(record)
    seconds = BACKOFF_SECONDS.get(delivery.receive_count)
    if seconds is None or delivery.queue not in settings.QUEUE_URLS:
        return
    url, _ = settings.QUEUE_URLS[delivery.queue]
    try:
        sqs().change_message_visibility(
            QueueUrl=url, ReceiptHandle=delivery.receipt_handle, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError) as fault:
        facts = {"fault": repr(fault)}
        logger.warning("message will return after its visibility time-out", extra=facts)
