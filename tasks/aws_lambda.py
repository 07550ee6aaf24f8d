"""The Lambda handler of the consumers: it runs the tasks of a Celery worker, with the same results.

SQS invokes it with a batch, and takes back the messages named in ``batchItemFailures``; so each
message succeeds or fails on its own. A schedule invokes it with ``{"task": name}``.

Celery's own ``Request`` and tracer run a task, as in a worker. celery's exact version is pinned,
and one test suite runs both here and against a worker.
"""

import base64
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
from celery import current_app, states
from celery.app.trace import trace_task
from celery.worker.request import Request
from django.conf import settings
from kombu import Connection
from kombu.message import Message
from kombu.serialization import prepare_accept_content
from kombu.utils.json import loads

from products.bootstrap import now, pipeline, sqs
from tasks.queues import BACKOFF_SECONDS, SCHEDULED

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.worker")

logger = logging.getLogger(__name__)

MIN_REMAINING_MILLISECONDS = 5000
"""The time that must be left to start another message: the slowest call of an effect."""

# Everything a message needs is loaded at import: a small function has a whole processor at its
# start, and only a seventh of one for a message.
django.setup()
current_app.loader.import_default_modules()
pipeline()
_decoder = Connection("memory://").channel()
gc.freeze()
gc.enable()


class TaskNotRunnable(Exception):
    """The event or message is not a task that can run here and now."""


class TaskFailed(Exception):
    """The task raised an error, which Celery has logged."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Process a batch from SQS, or start the task of a schedule.

    Raises: TaskNotRunnable for any other event.
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
        raise TaskNotRunnable(f"A schedule may start {', '.join(SCHEDULED)}, but not {name!r}.")
    current_app.tasks[name].apply(throw=True)


def _process(record: Mapping[str, Any], context: Any) -> bool:
    """Process one message; return whether SQS may delete it."""
    facts = {"message_id": record["messageId"], "queue": record.get("eventSourceARN")}
    try:
        queue = record["eventSourceARN"].rpartition(":")[2]
        url, _ = settings.QUEUE_URLS[queue]
        request = _to_request(record)
        if context.get_remaining_time_in_millis() < MIN_REMAINING_MILLISECONDS:
            logger.warning("no time left for a message", extra=facts)
            _shorten_visibility(record, url)
            return False
        if request.revoked():  # it has expired
            return True
        _run(request)
    except TaskFailed:
        _shorten_visibility(record, url)
        return False
    except Exception as fault:
        # One bad message must not fail its batch. SQS delivers it again, and finally moves it to
        # the dead-letter queue.
        logger.error("message rejected", extra={**facts, "fault": repr(fault)})
        return False
    return True


def _to_request(record: Mapping[str, Any]) -> Request:
    """Return the Celery request in a message, decoded by kombu.

    Raises: TaskNotRunnable for a message with a later start time, and any error of kombu or
    Celery for one that can't be decoded.
    """
    body = record["body"]
    text = body if body.startswith("{") else base64.b64decode(body, validate=True)
    envelope = loads(text)
    envelope["properties"]["delivery_tag"] = record["receiptHandle"]
    envelope["headers"]["attempt"] = _receive_count(record)
    message: Message = _decoder.message_to_python(envelope)
    message.accept = prepare_accept_content(current_app.conf.accept_content)
    hostname = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "lambda")
    request = Request(message, app=current_app, hostname=hostname)
    if request.eta and request.eta > now():
        raise TaskNotRunnable("It has a later start time; messages must use DelaySeconds instead.")
    return request


def _receive_count(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _run(request: Request) -> None:
    """Run a task with Celery's tracer.

    Raises: TaskFailed.
    """
    _, info, _, _ = trace_task(
        request.task,
        request.id,
        request.args,
        request.kwargs,
        {**request.request_dict, "is_eager": False},
        app=current_app,
        loader=current_app.loader,
        hostname=request.hostname,
    )
    if info is not None and info.state in {states.FAILURE, states.REJECTED}:
        raise TaskFailed(request.name)


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
