"""Run a task with its log lines: when it starts, how it ends, and whose it is.

The Celery worker and the functions on Lambda both run tasks through this module.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from products.errors import Unavailable
from products.log_context import log_fields
from tasks.queues import MAX_RECEIVE_COUNT, RELAY

logger = logging.getLogger(__name__)

HEADER_FIELDS = ("request_id", "change_id", "attempt")
ARGUMENT_FIELDS = ("product_id", "version", "job_id")


def run_logged(
    run: Callable[..., None],
    name: str,
    task_id: str | None,
    headers: Mapping[str, Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> None:
    """Call ``run`` with the arguments of a message.

    Its log lines, and those of the libraries it calls, carry the message's ids.

    A dependency that is still unavailable at the last receive is no error: the relay requeues the
    change, and the message must not become a dead letter.

    Raises: every other error of ``run``, after logging it.
    """
    kwargs = kwargs or {}
    fields = {field: headers.get(field) for field in HEADER_FIELDS}
    fields |= {field: kwargs.get(field) for field in ARGUMENT_FIELDS}
    # The relay runs every few seconds, and logs what it found.
    level = logging.DEBUG if name == RELAY else logging.INFO
    with log_fields(task=name, task_id=task_id, **fields):
        began = perf_counter()
        logger.log(level, "task received")
        try:
            run(*args, **kwargs)
        except Exception as error:
            is_unavailable = isinstance(error, Unavailable)
            is_left = is_unavailable and (fields["attempt"] or 0) >= MAX_RECEIVE_COUNT
            facts = {"duration_ms": _milliseconds_since(began), "left_to_relay": is_left}
            failure_level = logging.WARNING if is_unavailable else logging.ERROR
            logger.log(failure_level, "task failed", extra=facts, exc_info=True)
            if is_left:
                return
            raise
        logger.log(level, "task done", extra={"duration_ms": _milliseconds_since(began)})


def _milliseconds_since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 1)
