"""The base of every task: it tells when work begins and what became of it, with what to find it by.

A class, and not Celery's signals, so that nothing happens that can't be seen from the task. Worker and Lambda both run
a task through Celery's tracer, which calls it as this class says.
"""

import logging
from time import perf_counter
from typing import Any

from celery import Task

from products.errors import Unavailable
from products.log_context import log_fields
from tasks.queues import RELAY

logger = logging.getLogger(__name__)


class LoggedTask(Task):
    """Binds the ids of the message to all that is logged meanwhile, libraries' lines among it."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        headers = request.headers or {}
        about = {name: headers.get(name) for name in ("request_id", "change_id", "attempt")}
        about |= {name: kwargs.get(name) for name in ("product_id", "version", "job_id")}
        with log_fields(task=self.name, task_id=request.id, **about):
            return self._told(args, kwargs)

    def _told(self, args: Any, kwargs: Any) -> Any:
        # The relay comes every few seconds and tells by itself what it found.
        level = logging.DEBUG if self.name == RELAY else logging.INFO
        began = perf_counter()
        logger.log(level, "task received")
        try:
            result = self.run(*args, **kwargs)
        except Exception as error:
            passing = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
            logger.log(passing, "task failed", extra={"duration_ms": _since(began)}, exc_info=True)
            raise
        logger.log(level, "task done", extra={"duration_ms": _since(began)})
        return result


def _since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 1)
