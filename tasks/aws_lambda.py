"""Workers on Lambda: the tasks of a Celery worker, from the same messages, with the same ends.

SQS invokes with a batch and takes back what is named in ``batchItemFailures``, so each message succeeds or fails by
itself. Celery's own ``Request`` and tracer run it, as in a worker; celery is pinned exactly, and one suite of tests
runs here and on a worker. A schedule invokes with ``{"task": name}``.
"""

import base64
import gc
import logging
import os
from collections.abc import Mapping
from typing import Any

gc.disable()  # what is loaded here stays: to look through it for garbage would take an eighth of the start

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
from tasks.queues import BACKOFF, SCHEDULED

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.worker")

logger = logging.getLogger(__name__)

ENOUGH_MILLISECONDS = 5000
"""What must be left to begin another message: as long as the slowest call of an effect may take."""

# All that any message needs, at import: Lambda gives the start of a small function a whole processor, and a message a
# seventh of one.
django.setup()
current_app.loader.import_default_modules()
pipeline()
_decoder = Connection("memory://").channel()
gc.freeze()
gc.enable()


class NotTaken(Exception):
    """The message is no task that can be run here and now; the sentence says why."""


class TaskFailed(Exception):
    """The task ran and raised; Celery has logged it."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """A batch from SQS, or a task that a schedule starts; NotTaken for everything else."""
    if "Records" not in event:
        _start(event.get("task"))
        return None
    failed = [record["messageId"] for record in event["Records"] if not _succeeds(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _start(name: Any) -> None:
    if name not in SCHEDULED:
        raise NotTaken(f"A schedule may start {', '.join(SCHEDULED)}, but not {name!r}.")
    current_app.tasks[name].apply(throw=True)


def _succeeds(record: Mapping[str, Any], context: Any) -> bool:
    """Whether SQS may forget the message."""
    about = {"message_id": record["messageId"], "queue": record.get("eventSourceARN")}
    try:
        url, _ = settings.QUEUE_URLS[record["eventSourceARN"].rpartition(":")[2]]
        request = _request(record)
        if context.get_remaining_time_in_millis() < ENOUGH_MILLISECONDS:
            logger.warning("no time left for a message", extra=about)
            return _comes_back_soon(record, url)
        if request.revoked():  # it has expired
            return True
        _run(request)
    except TaskFailed:
        return _comes_back_soon(record, url)
    except Exception as fault:
        # Whatever is wrong with one message, only this one fails: SQS has it again, and at last among its dead letters.
        logger.error("message not taken", extra={**about, "fault": repr(fault)})
        return False
    return True


def _request(record: Mapping[str, Any]) -> Request:
    """What Celery makes of a message, through kombu's own decoding; raises whatever that does for what is none."""
    text = (
        record["body"]
        if record["body"].startswith("{")
        else base64.b64decode(record["body"], validate=True)
    )
    envelope = loads(text)
    envelope["properties"]["delivery_tag"] = record["receiptHandle"]
    envelope["headers"]["attempt"] = int(record["attributes"]["ApproximateReceiveCount"])
    message: Message = _decoder.message_to_python(envelope)
    message.accept = prepare_accept_content(current_app.conf.accept_content)
    request = Request(
        message, app=current_app, hostname=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "lambda")
    )
    if request.eta and request.eta > now():
        raise NotTaken("It is to be run later, for which there is DelaySeconds.")
    return request


def _run(request: Request) -> None:
    about = {**request.request_dict, "is_eager": False}
    options = {"app": current_app, "loader": current_app.loader, "hostname": request.hostname}
    _, info, _, _ = trace_task(
        request.task, request.id, request.args, request.kwargs, about, **options
    )
    if info is not None and info.state in {states.FAILURE, states.REJECTED}:
        raise TaskFailed(request.name)


def _comes_back_soon(record: Mapping[str, Any], url: str) -> bool:
    """SQS keeps it, for as long as the transport of a worker would have it wait; else for its visibility time-out."""
    seconds = BACKOFF.get(int(record["attributes"]["ApproximateReceiveCount"]))
    if seconds is not None:
        try:
            sqs().change_message_visibility(
                QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as fault:
            logger.warning(
                "message will return after its visibility time-out", extra={"fault": repr(fault)}
            )
    return False
