"""Run the tasks of messages with their log lines: how each ends, and whose it is.

The worker and the functions on Lambda both run tasks through this module.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import Any

from products.bootstrap import now
from products.effects import Failures
from products.errors import Unavailable
from products.log_context import log_fields
from tasks.messages import InvalidMessage, TaskMessage, read_message
from tasks.products import EFFECT_TASKS, SINGLE_TASKS
from tasks.queues import MAX_RECEIVE_COUNT, RELAY

logger = logging.getLogger(__name__)

HEADER_FIELDS = ("request_id", "change_id")
ARGUMENT_FIELDS = ("product_id", "version", "job_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as SQS delivered it. ``receive_count`` includes this time."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    queue: str


type Task = tuple[Delivery, TaskMessage]


def read_deliveries(deliveries: Iterable[Delivery]) -> tuple[list[Task], list[Task], set[str]]:
    """Return the tasks about effects, the other tasks, and the IDs of invalid messages.

    A message that has expired is in none of them: it is to be deleted.
    """
    of_effects: list[Task] = []
    others: list[Task] = []
    invalid: set[str] = set()
    for delivery in deliveries:
        facts = {"message_id": delivery.message_id, "queue": delivery.queue}
        try:
            message = _read_startable(delivery.body)
        except InvalidMessage as fault:
            # SQS delivers it again, and finally moves it to the dead-letter queue.
            logger.error("message rejected", extra={**facts, "fault": str(fault)})
            invalid.add(delivery.message_id)
            continue
        if message.expires and message.expires < now():
            logger.info("message expired", extra=facts)
        elif message.name in EFFECT_TASKS:
            of_effects.append((delivery, message))
        else:
            others.append((delivery, message))
    return of_effects, others, invalid


def _read_startable(body: str) -> TaskMessage:
    message = read_message(body)
    if message.eta and message.eta > now():
        raise InvalidMessage("It has a later start time; messages must use DelaySeconds instead.")
    return message


def run_effects(tasks: Sequence[Task]) -> set[str]:
    """Run tasks about effects, those of the same name together. Return the IDs of failed messages.

    Each message succeeds or fails on its own.
    """
    failed: set[str] = set()
    by_name = sorted(tasks, key=lambda task: task[1].name)
    for name, group in groupby(by_name, key=lambda task: task[1].name):
        of_name = list(group)
        began = perf_counter()
        with log_fields(**_fields_of_batch(name, of_name)):
            failures = _failures_of(name, of_name)
        for delivery, message in of_name:
            error = failures.get(message.key)
            if not _log_end(delivery, message, error, began):
                failed.add(delivery.message_id)
    return failed


def _failures_of(name: str, tasks: Sequence[Task]) -> Failures:
    keys = [message.key for _, message in tasks]
    try:
        return EFFECT_TASKS[name](keys)
    except Exception as error:  # each message of the batch logs it
        return dict.fromkeys(keys, error)


def run_other(task: Task) -> bool:
    """Run a task that is not about an effect; return whether its message is done."""
    delivery, message = task
    began = perf_counter()
    with log_fields(**_fields_of(delivery, message)):
        error = run_single(message.name, message.kwargs)
    return _log_end(delivery, message, error, began)


def run_single(name: str, kwargs: Mapping[str, Any]) -> Exception | None:
    """Run a task, and return its error."""
    run: Callable[..., None] = SINGLE_TASKS[name]
    try:
        run(**kwargs)
    except Exception as error:  # the caller logs it
        return error
    return None


def _fields_of_batch(name: str, tasks: Sequence[Task]) -> dict[str, Any]:
    """Return the fields of log lines while a batch runs: the IDs of its message if it has one."""
    if len(tasks) == 1:
        return _fields_of(*tasks[0])
    labels = [f"{product_id} v{version}" for product_id, version in (m.key for _, m in tasks)]
    return {"task": name, "changes": labels}


def _fields_of(delivery: Delivery, message: TaskMessage) -> dict[str, Any]:
    fields = {field: message.headers.get(field) for field in HEADER_FIELDS}
    fields |= {field: message.kwargs.get(field) for field in ARGUMENT_FIELDS}
    attempt = delivery.receive_count
    return {"task": message.name, "task_id": message.task_id, "attempt": attempt, **fields}


def _log_end(
    delivery: Delivery, message: TaskMessage, error: Exception | None, began: float
) -> bool:
    """Log how a task ended; return whether its message is done.

    A dependency that is still unavailable at the last receive is left to the relay, which
    requeues the change. The message must not become a dead letter.
    """
    facts: dict[str, Any] = {"duration_ms": round((perf_counter() - began) * 1000, 1)}
    with log_fields(**_fields_of(delivery, message)):
        if error is None:
            # The relay runs every few seconds, and logs what it found.
            level = logging.DEBUG if message.name == RELAY else logging.INFO
            logger.log(level, "task done", extra=facts)
            return True
        is_unavailable = isinstance(error, Unavailable)
        is_left = is_unavailable and delivery.receive_count >= MAX_RECEIVE_COUNT
        level = logging.WARNING if is_unavailable else logging.ERROR
        facts["left_to_relay"] = is_left
        logger.log(level, "task failed", extra=facts, exc_info=error)
    return is_left
