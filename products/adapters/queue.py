"""The doorbell: a message on SQS, sent by task name, which Celery's routes turn into a queue."""

import logging
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import current_app
from kombu.exceptions import OperationalError

from products.changes import Change

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CeleryDoorbell:
    """Rings by publishing a task; how long a publish may take is bounded in the Celery settings."""

    def ring(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Publish; a queue that is away is only logged, because the relay rings again for every open change."""
        options: dict[str, Any] = {"delay_seconds": delay} if delay else {}
        try:
            current_app.send_task(
                f"products.{task}",
                kwargs={"product_id": change.product_id, "version": change.version},
                headers={"request_id": change.origin.request_id},
                **options,
            )
        except (OperationalError, BotoCoreError, ClientError) as fault:
            logger.warning(
                "doorbell not rung; the relay will",
                extra={"task": task, "product_id": change.product_id, "version": change.version, "fault": repr(fault)},
            )
