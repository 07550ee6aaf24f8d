"""The doorbell: a message on SQS, sent by task name, which Celery's routes turn into a queue."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import current_app
from kombu.exceptions import OperationalError

from products.changes import Change

logger = logging.getLogger(__name__)


SLOW_SECONDS, PAUSE_SECONDS = 0.5, 5.0


@dataclass(slots=True)
class CeleryDoorbell:
    """Rings by publishing a task; how long a publish may take is bounded in the Celery settings.

    After a failure that took long, as from an SQS that takes connections and never answers, it does not try again for
    PAUSE_SECONDS: else each request of that time would wait as long, for nothing.
    """

    clock: Callable[[], float] = time.monotonic
    paused_until: float = 0.0

    def ring(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Say that the product has this version."""
        options: dict[str, Any] = {"delay_seconds": delay} if delay else {}
        about = {"product_id": change.product_id, "version": change.version}
        ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
        self._publish(task, about, ids, **options)

    def ring_job(self, job_id: str) -> None:
        """Say that the job goes on."""
        self._publish("job", {"job_id": job_id}, {"request_id": job_id})

    def _publish(self, task: str, about: dict[str, Any], ids: dict[str, str], **options: Any) -> None:
        """A queue that is away is only logged, because the relay rings again for everything that is open."""
        began = self.clock()
        if began < self.paused_until:
            return
        facts = {"rung_for": f"products.{task}", **about, **ids}
        try:
            current_app.send_task(f"products.{task}", kwargs=about, headers=ids, **options)
        except (OperationalError, BotoCoreError, ClientError) as fault:
            if self.clock() - began > SLOW_SECONDS:
                self.paused_until = self.clock() + PAUSE_SECONDS
            logger.warning("doorbell not rung; the relay will", extra={**facts, "fault": repr(fault)})
        else:
            logger.info("doorbell rung", extra={**facts, "delay_seconds": options.get("delay_seconds", 0)})
