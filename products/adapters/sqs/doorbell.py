"""The doorbell: SQS messages that name a version of a product, or a job to continue.

A message carries no data. The change log is the truth, so a lost message does no harm: the
relay sends it again.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from products.adapters.aws.clients import translate_errors
from products.adapters.sqs.task_messages import task_message
from products.appending import Notification
from products.documents import format_timestamp

logger = logging.getLogger(__name__)

SLOW_SECONDS = 0.5
PAUSE_SECONDS = 5.0
MAX_BATCH = 10  # messages in one call, a limit of SQS


@dataclass(frozen=True, slots=True)
class Message:
    """A task message before it is encoded. ``ids`` become its headers."""

    task: str
    arguments: dict[str, Any]
    ids: dict[str, str]
    delay: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """The log fields of the message."""
        return {"task": self.task, **self.arguments, **self.ids}


@dataclass(slots=True)
class SqsDoorbell:
    """Sends task messages with an SQS client. ``urls`` holds the queue's URL of each task.

    After a failure that took longer than SLOW_SECONDS, nothing is sent for PAUSE_SECONDS.
    Otherwise every request would wait for a time-out while SQS accepts connections and never
    answers.
    """

    client: Any
    urls: Mapping[str, str]
    new_id: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    paused_until: float = 0.0

    def notify(self, notifications: Sequence[Notification]) -> None:
        """Send a message for each change's version."""
        messages = [_message_of(notification) for notification in notifications]
        messages.sort(key=lambda message: message.task)
        for task, of_task in groupby(messages, lambda message: message.task):
            for batch in batched(of_task, MAX_BATCH):
                self._try_to_send(self.urls[task], batch)

    def notify_job(self, job_id: str) -> None:
        """Send a message to continue a job."""
        message = Message("products.job", {"job_id": job_id}, {"request_id": job_id})
        self._try_to_send(self.urls[message.task], [message])

    def notify_switch(self, delay: int) -> None:
        """Send a message to make the steps of plans that are due by then."""
        message = Message("products.switch", {}, {}, delay)
        self._try_to_send(self.urls[message.task], [message])

    def notify_purge(self, delay: int, until: datetime, after: int | None = None) -> None:
        """Send a message to purge the CDN for a plan whose next step is due then."""
        arguments = {"until": format_timestamp(until), "after": after}
        message = Message("products.purge_for_plan", arguments, {}, delay)
        self._try_to_send(self.urls[message.task], [message])

    def ping(self) -> None:
        """Read an attribute of each queue, for the readiness check.

        Raises: DependencyUnavailable or ClientError.
        """
        with translate_errors("SQS"):
            for url in sorted(set(self.urls.values())):
                self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def _try_to_send(self, url: str, messages: Sequence[Message]) -> None:
        """Send messages to one queue, and only log a failure: the relay requeues every change."""
        began_at = self.clock()
        if began_at < self.paused_until:
            return
        try:
            faults = self._send(url, messages)
        except (BotoCoreError, ClientError) as fault:
            self._pause_after_slow_failure(began_at)
            faults = dict.fromkeys(range(len(messages)), repr(fault))
        for position, message in enumerate(messages):
            if position in faults:
                facts = {**message.facts, "fault": faults[position]}
                logger.warning("message not sent; the relay will requeue it", extra=facts)
            else:
                facts = {**message.facts, "delay_seconds": message.delay}
                logger.info("message sent", extra=facts)

    def _send(self, url: str, messages: Sequence[Message]) -> dict[int, str]:
        """Send messages in one call. Return the fault of each that failed, by position."""
        queue = url.rpartition("/")[2]
        bodies = [
            task_message(self.new_id(), message.task, message.arguments, message.ids, queue=queue)
            for message in messages
        ]
        if len(messages) == 1:
            delay = messages[0].delay
            self.client.send_message(QueueUrl=url, MessageBody=bodies[0], DelaySeconds=delay)
            return {}
        entries = [
            {"Id": str(position), "MessageBody": body, "DelaySeconds": message.delay}
            for position, (message, body) in enumerate(zip(messages, bodies, strict=True))
        ]
        response = self.client.send_message_batch(QueueUrl=url, Entries=entries)
        return {int(entry["Id"]): str(entry.get("Code")) for entry in response.get("Failed", [])}

    def _pause_after_slow_failure(self, began_at: float) -> None:
        if self.clock() - began_at > SLOW_SECONDS:
            self.paused_until = self.clock() + PAUSE_SECONDS


def _message_of(notification: Notification) -> Message:
    change = notification.change
    arguments = {"product_id": change.product_id, "version": change.version}
    ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
    return Message(f"products.{notification.task}", arguments, ids, notification.delay)
