"""The doorbell: a message on SQS that says which version a product has, or that a job goes on."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from products.changes import Change

logger = logging.getLogger(__name__)

SLOW_SECONDS, PAUSE_SECONDS = 0.5, 5.0


class MessageNotSent(Exception):
    """The queue did not take the message."""


@dataclass(slots=True)
class Doorbell(ABC):
    """Rings by sending a task; how long that may take is bounded by whoever sends it.

    After a failure that took long, as from an SQS that takes connections and never answers, it does not try again for
    PAUSE_SECONDS: else each request of that time would wait as long, for nothing.
    """

    clock: Callable[[], float] = time.monotonic
    paused_until: float = 0.0

    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Say that the product has this version."""
        about = {"product_id": change.product_id, "version": change.version}
        ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
        self._publish(task, about, ids, delay)

    def notify_job(self, job_id: str) -> None:
        """Say that the job goes on."""
        self._publish("job", {"job_id": job_id}, {"request_id": job_id})

    def _publish(
        self, task: str, about: dict[str, Any], ids: dict[str, str], delay: int = 0
    ) -> None:
        """A queue that is away is only logged, because the relay rings again for everything that is open."""
        began = self.clock()
        if began < self.paused_until:
            return
        facts = {"task": f"products.{task}", **about, **ids}
        try:
            self.send(f"products.{task}", about, ids, delay)
        except (MessageNotSent, BotoCoreError, ClientError) as fault:
            if self.clock() - began > SLOW_SECONDS:
                self.paused_until = self.clock() + PAUSE_SECONDS
            logger.warning(
                "message not sent; the relay will requeue it", extra={**facts, "fault": repr(fault)}
            )
        else:
            logger.info("message sent", extra={**facts, "delay_seconds": delay})

    @abstractmethod
    def send(self, task: str, kwargs: dict[str, Any], headers: dict[str, str], delay: int) -> None:
        """Send the task, ``delay`` seconds late; NotHeard, BotoCoreError or ClientError."""
