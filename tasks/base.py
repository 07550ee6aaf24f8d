"""The base class of every task, which logs when a task starts and how it ends.

It is a class, not a set of Celery signals, so that all a task does can be read from the task. The
worker and the Lambda handler both run tasks through Celery's tracer, which calls this class.
"""

import logging
from time import perf_counter
from typing import Any

from celery import Task

from products.errors import Unavailable
from products.log_context import log_fields
from tasks.queues import RELAY

logger = logging.getLogger(__name__)

HEADER_FIELDS = ("request_id", "change_id", "attempt")
ARGUMENT_FIELDS = ("product_id", "version", "job_id")


class LoggedTask(Task):
    """A task whose log lines, and those of the libraries it calls, carry the message's ids."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task with its ids as log fields."""
        request = self.request
        headers = request.headers or {}
        fields = {name: headers.get(name) for name in HEADER_FIELDS}
        fields |= {name: kwargs.get(name) for name in ARGUMENT_FIELDS}
        with log_fields(task=self.name, task_id=request.id, **fields):
            return self._run_logged(args, kwargs)

    def _run_logged(self, args: Any, kwargs: Any) -> Any:
        # The relay runs every few seconds, and logs what it found.
        level = logging.DEBUG if self.name == RELAY else logging.INFO
        began = perf_counter()
        logger.log(level, "task received")
        try:
            result = self.run(*args, **kwargs)
        except Exception as error:
            failure_level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
            facts = {"duration_ms": _milliseconds_since(began)}
            logger.log(failure_level, "task failed", extra=facts, exc_info=True)
            raise
        logger.log(level, "task done", extra={"duration_ms": _milliseconds_since(began)})
        return result


def _milliseconds_since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 1)
