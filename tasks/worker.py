"""The worker: ``python -m tasks.worker``. It polls the queues and runs their tasks in batches.

It outlives every answer of SQS: a poll that fails is logged and repeated. If a lane hangs, the
process ends, so that its supervisor starts a new one.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from products.bootstrap import jobs, pipeline, polling_sqs, sqs
from tasks.queues import BACKOFF_SECONDS, POLL_GRACE_SECONDS, SWITCH, queue_names
from tasks.running import Delivery, Task, read_deliveries, run_effects, run_other, run_single

logger = logging.getLogger("tasks.worker")  # also when it is run as __main__

BATCH_SIZE = 10  # messages in one call, a limit of SQS
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 8.0  # after a failed poll
MAX_STEP_SECONDS = 90
"""The longest step of a lane: a long poll that timed out, and a batch at its time limits."""
STEP_SECONDS = 1.0
"""How often the worker looks for steps of plans that are due soon."""
OTHER_THREADS = 2
"""Threads for the tasks that take seconds: the relay, a step of a job or of the drift scan."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """Polls one queue, and runs the tasks of each batch before the next poll."""

    queue: str
    url: str
    polls: Any
    wait_seconds: int
    heartbeat: Path
    others: ThreadPoolExecutor
    free_threads: threading.Semaphore
    stopping: threading.Event
    has_edits: bool = False  # jobs give way to the messages of this queue
    stepped_at: float = field(default_factory=time.monotonic)
    min_pause_seconds: float = MIN_PAUSE_SECONDS  # after a failed poll

    def run(self) -> None:
        """Poll until the worker stops."""
        pause = self.min_pause_seconds
        while not self.stopping.is_set():
            self.stepped_at = time.monotonic()
            try:
                self._step()
                pause = self.min_pause_seconds
            except Exception:  # the next poll may work
                logger.exception("poll failed", extra={"queue": self.queue})
                self.stopping.wait(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _step(self) -> None:
        response = self.polls.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH_SIZE,
            WaitTimeSeconds=self.wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        self.heartbeat.touch()
        deliveries = []
        for message in response.get("Messages") or []:
            try:
                deliveries.append(_delivery(message, self.queue))
            except (KeyError, TypeError, ValueError) as fault:
                facts = {"queue": self.queue, "fault": repr(fault)}
                logger.error("delivery not understood", extra=facts)
        if deliveries:
            self._run(deliveries)

    def _run(self, deliveries: Sequence[Delivery]) -> None:
        of_effects, others, invalid = read_deliveries(deliveries)
        own = [task for task in others if not self._submit(task)]
        of_others = {delivery.message_id for delivery, _ in others}
        if of_effects and self.has_edits:
            jobs().pace.note_edit()
        failed = invalid | run_effects(of_effects)
        self._finish(
            [delivery for delivery in deliveries if delivery.message_id not in of_others], failed
        )
        # Without a free thread, the lane works itself: a message must not wait for one here.
        for task in own:
            self._run_other(task)

    def _submit(self, task: Task) -> bool:
        """Let a free thread run the task; return False if there is none."""
        is_free = self.free_threads.acquire(blocking=False)
        if is_free:
            future = self.others.submit(self._run_other, task)
            future.add_done_callback(lambda _: self.free_threads.release())
        return is_free

    def _run_other(self, task: Task) -> None:
        delivery, _ = task
        is_done = run_other(task)
        self._finish([delivery], set() if is_done else {delivery.message_id})

    def _finish(self, deliveries: Sequence[Delivery], failed: set[str]) -> None:
        """Delete the messages that are done. Let failed ones return after their backoff.

        If SQS refuses either, a message returns after its visibility time-out.
        """
        try:
            self._delete(deliveries, failed)
            self._return_soon(deliveries, failed)
        except Exception:  # SQS may answer anything
            facts = {"queue": self.queue}
            message = "messages will return after their visibility time-out"
            logger.warning(message, extra=facts, exc_info=True)

    def _delete(self, deliveries: Sequence[Delivery], failed: set[str]) -> None:
        done = [
            {"Id": str(position), "ReceiptHandle": delivery.receipt_handle}
            for position, delivery in enumerate(deliveries)
            if delivery.message_id not in failed
        ]
        if done:
            sqs().delete_message_batch(QueueUrl=self.url, Entries=done)

    def _return_soon(self, deliveries: Sequence[Delivery], failed: set[str]) -> None:
        returning = [
            {
                "Id": str(position),
                "ReceiptHandle": delivery.receipt_handle,
                "VisibilityTimeout": BACKOFF_SECONDS[delivery.receive_count],
            }
            for position, delivery in enumerate(deliveries)
            if delivery.message_id in failed and delivery.receive_count in BACKOFF_SECONDS
        ]
        if returning:
            sqs().change_message_visibility_batch(QueueUrl=self.url, Entries=returning)


def _delivery(message: dict[str, Any], queue: str) -> Delivery:
    return Delivery(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
        queue=queue,
    )


def create_lanes(stopping: threading.Event) -> list[Lane]:
    """Return a lane for each queue in QUEUES, and several for the queue of changes."""
    heartbeats = Path(settings.HEARTBEAT_DIR)
    heartbeats.mkdir(parents=True, exist_ok=True)
    others = ThreadPoolExecutor(OTHER_THREADS, "other")
    free_threads = threading.Semaphore(OTHER_THREADS)
    change_queue = queue_names(settings.ENVIRONMENT)["products.persist"]
    return [
        Lane(
            queue=queue,
            url=settings.QUEUE_URLS[queue][0],
            polls=polling_sqs(settings.SQS_WAIT_SECONDS + POLL_GRACE_SECONDS),
            wait_seconds=settings.SQS_WAIT_SECONDS,
            heartbeat=heartbeats / queue,
            others=others,
            free_threads=free_threads,
            stopping=stopping,
            has_edits=queue == change_queue,
        )
        for queue in settings.QUEUES
        for _ in range(settings.WORKER_CONCURRENCY if queue == change_queue else 1)
    ]


def hung_queues(lanes: Sequence[Lane], stopping: threading.Event) -> list[str]:
    """Wait until the worker stops, or a lane hangs. Return the queues of the lanes that hang.

    A lane whose polls fail does not hang: a new process could not poll either.
    """
    while not stopping.wait(1):
        now = time.monotonic()
        hung = [lane.queue for lane in lanes if now - lane.stepped_at > MAX_STEP_SECONDS]
        if hung:
            return hung
    return []


def make_steps(stopping: threading.Event) -> None:
    """Make the steps of plans at their times, until the worker stops.

    This does not wait for a message, so that a flood of changes delays no plan.
    """
    while not stopping.wait(STEP_SECONDS):
        error = run_single(SWITCH, {})
        if error:
            logger.error("steps of plans failed", exc_info=error)


def main() -> None:
    """Run the worker until SIGTERM or SIGINT. Then finish the batches that were received."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    pipeline()
    lanes = create_lanes(stopping)
    threads = [threading.Thread(target=lane.run, name=lane.queue, daemon=True) for lane in lanes]
    steps = threading.Thread(target=make_steps, args=[stopping], name="plans", daemon=True)
    for thread in [*threads, steps]:
        thread.start()
    logger.info("worker started", extra={"queues": [lane.queue for lane in lanes]})
    if hung := hung_queues(lanes, stopping):
        logger.critical("worker ends: lanes hang", extra={"queues": hung})
        os._exit(1)  # a hung thread can't be ended in any other way
    deadline = time.monotonic() + settings.SQS_WAIT_SECONDS + POLL_GRACE_SECONDS + 25
    for thread in [*threads, steps]:
        thread.join(max(0.0, deadline - time.monotonic()))
    lanes[0].others.shutdown()
    logger.info("worker stopped")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
    django.setup()
    main()
