"""The doorbell: SQS messages that name a version of a product, or a job to continue.

A message carries no data. The change log is the truth, so a lost message does no harm: the
relay sends it again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from products.changes import Change

logger = logging.getLogger(__name__)

SLOW_SECONDS = 0.5
PAUSE_SECONDS = 5.0


class MessageNotSent(Exception):
    """The queue did not accept the message."""


SendTask = Callable[[str, dict[str, Any], dict[str, str], int], None]
"""Sends one message: the task, its arguments, headers, and a delay in seconds. Its time is bounded.

Raises: MessageNotSent, BotoCoreError or ClientError.
"""


@dataclass(slots=True)
class QueueDoorbell:
    """Sends task messages with ``send_task``, over Celery or directly.

    After a failure that took longer than SLOW_SECONDS, nothing is sent for PAUSE_SECONDS.
    Otherwise every request would wait for a time-out while SQS accepts connections and never
    answers.
    """

    send_task: SendTask
    clock: Callable[[], float] = time.monotonic
    paused_until: float = 0.0

    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Send a message for a change's version, delivered after ``delay`` seconds."""
        arguments = {"product_id": change.product_id, "version": change.version}
        ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
        self._try_to_send(task, arguments, ids, delay)

    def notify_job(self, job_id: str) -> None:
        """Send a message to continue a job."""
        self._try_to_send("job", {"job_id": job_id}, {"request_id": job_id})

    def _try_to_send(
        self,
        task: str,
        arguments: dict[str, Any],
        ids: dict[str, str],
        delay: int = 0,
    ) -> None:
        """Send the message, and only log a failure: the relay requeues every open change."""
        began_at = self.clock()
        if began_at < self.paused_until:
            return
        task_name = f"products.{task}"
        facts = {"task": task_name, **arguments, **ids}
        try:
            self.send_task(task_name, arguments, ids, delay)
        except (MessageNotSent, BotoCoreError, ClientError) as fault:
            self._pause_after_slow_failure(began_at)
            facts["fault"] = repr(fault)
            logger.warning("message not sent; the relay will requeue it", extra=facts)
        else:
            logger.info("message sent", extra={**facts, "delay_seconds": delay})

    def _pause_after_slow_failure(self, began_at: float) -> None:
        if self.clock() - began_at > SLOW_SECONDS:
            self.paused_until = self.clock() + PAUSE_SECONDS
