"""Redrive: list dead letters, and move them back to their queues. Pure.

A dead letter is never the only trace of a change, because the log has it. So a dead letter may
arrive twice, and may be dropped once its effect is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from products.bulk.job import JobNotFound, JobState
from products.bulk.jobs import Jobs
from products.changes import Effect, Origin
from products.effects import TASKS
from products.errors import CorruptChange, NotFound
from products.operations import Operations
from products.permissions import Permission, require_permissions
from products.planning import ChangeReader

MAX_SHOWN = 100  # dead letters that one look lists
MAX_LABELS = 20  # dead letters that an entry of the action log names
EFFECTS = {task: effect for effect, task in TASKS.items()}
REPEATED_TASKS = {
    "relay": "relay: look for open changes",
    "verify": "verify: continue the drift scan",
    "switch": "switch: make the steps of plans that are due",
}
"""Tasks that are about no change or job, in words.

Their next message comes anyway: from the schedule, or from the relay for each plan that is due.
"""
IN_WORDS = {
    **REPEATED_TASKS,
    "purge_for_plan": "purge_for_plan: purge the CDN before a planned change",
}


class NoSuchQueue(NotFound):
    def __init__(self, queue: str, queues: list[str]) -> None:
        super().__init__(f"There is no queue {queue!r}; there are {', '.join(queues)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter. ``task`` is empty when the message can't be parsed.

    ``raw_message`` is the adapter's own: only the adapter reads it.
    """

    task: str = ""
    product_id: str = ""
    version: int = 0
    job_id: str = ""
    raw_message: Any = None

    def __str__(self) -> str:
        if not self.task:
            return "a message that can't be read"
        if self.task in IN_WORDS:
            return IN_WORDS[self.task]
        subject = f"{self.product_id} v{self.version}" if self.product_id else self.job_id
        return f"{self.task} {subject}".strip()


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """What happened to the dead letters of one queue.

    ``moving`` is how many SQS has begun to move in the background, None when it does not.
    """

    queue: str
    moved: int = 0
    dropped: int = 0
    moving: int | None = None

    def __str__(self) -> str:
        if self.moving is not None:
            return f"{self.queue}: {self.moving} being moved back by SQS"
        dropped = f", {self.dropped} dropped as done" if self.dropped else ""
        return f"{self.queue}: {self.moved} sent back{dropped}"


class DeadLetters(Protocol):
    """The dead-letter queues. Each method may raise DependencyUnavailable."""

    @property
    def queues(self) -> list[str]: ...
    def count(self, queue: str) -> int: ...
    def peek(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return some dead letters, which stay in their queue."""

    def move_all(self, queue: str) -> bool:
        """Have SQS move all of them in the background. False when it does not support that."""

    def receive(self, queue: str, limit: int) -> Iterator[DeadLetter]:
        """Receive dead letters one by one.

        One that is neither sent back nor dropped becomes visible again after some time.
        """

    def send_back(self, queue: str, letter: DeadLetter) -> None:
        """Send the message to its queue, then delete the dead letter.

        A crash in between duplicates the message, and loses nothing.
        """

    def drop(self, queue: str, letter: DeadLetter) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """The use cases of dead letters."""

    letters: DeadLetters
    changes: ChangeReader
    jobs: Jobs
    operations: Operations

    def select_queues(self, queue: str | None) -> list[str]:
        """Return the queue of this name, or all queues for None. Raises: NoSuchQueue."""
        if queue is None:
            return self.letters.queues
        self._require_queue(queue)
        return [queue]

    def _require_queue(self, queue: str) -> None:
        if queue not in self.letters.queues:
            raise NoSuchQueue(queue, self.letters.queues)

    def peek(self, queue: str, limit: int | None) -> tuple[int, list[DeadLetter]]:
        """Return how many dead letters there are, and some of them."""
        count = self.letters.count(queue)
        return count, self.letters.peek(queue, min(limit or MAX_SHOWN, MAX_SHOWN))

    def move_back(
        self,
        queue: str,
        origin: Origin,
        *,
        limit: int | None = None,
        drop_done: bool = False,
        max_one_by_one: int | None = None,
    ) -> RedriveResult:
        """Move dead letters back to their queue: all that are there now, or ``limit`` of them.

        SQS moves all of them if it can. It knows no limit, and no effects that are done already.
        Otherwise they are sent one by one, at most ``max_one_by_one`` of them.

        Raises: NotAllowed, NoSuchQueue.
        """
        require_permissions(origin.permissions, {Permission.OPERATE})
        self._require_queue(queue)
        count = self.letters.count(queue)
        labels: list[str] = []
        moves_all = limit is None and not drop_done and count > 0
        if moves_all and self.letters.move_all(queue):
            result = RedriveResult(queue, moving=count)
        else:
            bounds = [bound for bound in (count, limit, max_one_by_one) if bound is not None]
            result = self._move_one_by_one(queue, min(bounds), labels, drop_done=drop_done)
        if count:
            self.operations.record_action(
                origin.actor, f"redrove dead letters of {result}", "", labels
            )
        return result

    def _move_one_by_one(
        self, queue: str, limit: int, labels: list[str], *, drop_done: bool
    ) -> RedriveResult:
        """Send back or drop each dead letter, and add the labels of the first to ``labels``."""
        moved = dropped = 0
        for letter in islice(self.letters.receive(queue, limit), limit):
            if drop_done and self.is_done(letter):
                self.letters.drop(queue, letter)
                dropped += 1
            else:
                self.letters.send_back(queue, letter)
                moved += 1
            if len(labels) < MAX_LABELS:
                labels.append(str(letter))
        return RedriveResult(queue, moved, dropped)

    def is_done(self, letter: DeadLetter) -> bool:
        """Whether the message would have no effect any more."""
        if letter.job_id:
            return not self._is_running(letter.job_id)
        if not letter.product_id:
            return letter.task in REPEATED_TASKS
        return self._is_effect_done(letter)

    def _is_running(self, job_id: str) -> bool:
        try:
            return self.jobs.job(job_id).state in (JobState.PLANNING, JobState.RUNNING)
        except JobNotFound:
            return False

    def _is_effect_done(self, letter: DeadLetter) -> bool:
        """Whether the effect of a change is done. False when the change can't be read."""
        try:
            change = self.changes.change(letter.product_id, letter.version)
        except CorruptChange:
            return False
        if change is None or letter.task not in EFFECTS:
            return False
        effect = EFFECTS[letter.task]
        if effect is Effect.STORED:
            return not change.open  # this task also notifies the workers of the other effects
        return effect not in change.open
