"""The doorbell as Celery rings it: a task sent by name, which Celery's routes turn into a queue."""

from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from products.adapters.sqs.doorbell import Doorbell, MessageNotSent


class CeleryDoorbell(Doorbell):
    def send(self, task: str, kwargs: dict[str, Any], headers: dict[str, str], delay: int) -> None:
        options: dict[str, Any] = {"delay_seconds": delay} if delay else {}
        try:
            current_app.send_task(task, kwargs=kwargs, headers=headers, **options)
        except OperationalError as fault:
            raise MessageNotSent(str(fault)) from fault
