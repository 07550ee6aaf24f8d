"""The doorbell over Celery, whose routes map a task's name to its queue."""

from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from products.adapters.sqs.doorbell import MessageNotSent


def send_by_celery(task: str, kwargs: dict[str, Any], headers: dict[str, str], delay: int) -> None:
    """Send one task message, to be delivered after ``delay`` seconds. Raises: MessageNotSent."""
    options: dict[str, Any] = {"delay_seconds": delay} if delay else {}
    try:
        current_app.send_task(task, kwargs=kwargs, headers=headers, **options)
    except OperationalError as fault:
        raise MessageNotSent(str(fault)) from fault
