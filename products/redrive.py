"""Dead letters: what lies there, and back to their queue with them. Pure.

A dead letter is never the only trace of anything: it may come twice, and be dropped once its effect has come about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from products.bulk.job import Job, JobState
from products.changes import Change, Effect
from products.errors import CorruptChange, NotFound
from products.pipeline import TASKS

MAX_SHOWN = 100  # dead letters a look lists
MAX_NOTED = 20  # of them the log of what was done names


class NoSuchQueue(NotFound):
    def __init__(self, queue: str, queues: list[str]) -> None:
        super().__init__(f"There is no queue {queue!r}; there are {', '.join(queues)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter. ``task`` is empty where it can't be read; ``about`` is what only the queue knows of it."""

    task: str = ""
    product_id: str = ""
    version: int = 0
    job_id: str = ""
    raw_message: Any = None

    def __str__(self) -> str:
        if not self.task:
            return "a message that can't be read"
        select_queues = f"{self.product_id} v{self.version}" if self.product_id else self.job_id
        return f"{self.task} {select_queues}".strip()


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """What became of one queue's dead letters. ``moving``: SQS moves them itself, from now on, and so many."""

    queue: str
    moved: int = 0
    dropped: int = 0
    moving: int | None = None

    def __str__(self) -> str:
        if self.moving is not None:
            return f"{self.queue}: {self.moving} being moved back by SQS"
        dropped = f", {self.dropped} dropped, being done" if self.dropped else ""
        return f"{self.queue}: {self.moved} sent back{dropped}"


class DeadLetters(Protocol):
    """Each method may raise EngineAway."""

    @property
    def queues(self) -> list[str]: ...
    def count(self, queue: str) -> int: ...
    def peek(self, queue: str, limit: int) -> list[DeadLetter]:
        """Some of them, which stay where they are."""

    def move_all(self, queue: str) -> bool:
        """Have SQS move them all by itself; False where it can't."""

    def receive(self, queue: str, limit: int) -> Iterator[DeadLetter]:
        """Take them one by one; what is neither sent back nor dropped comes to light again by itself."""

    def send_back(self, queue: str, letter: DeadLetter) -> None:
        """To the queue first, then away from here: a crash between the two doubles it, and loses nothing."""

    def drop(self, queue: str, letter: DeadLetter) -> None: ...


class Changes(Protocol):
    def change(self, product_id: str, version: int) -> Change | None: ...


class JobTable(Protocol):
    def job(self, job_id: str) -> Job | None: ...


class ActionLog(Protocol):
    def record_action(self, by: str, what: str, reason: str, changes: list[str]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    letters: DeadLetters
    changes: Changes
    jobs: JobTable
    log: ActionLog

    def select_queues(self, queue: str | None) -> list[str]:
        """The queue of this name, or all; NoSuchQueue."""
        if queue is not None and queue not in self.letters.queues:
            raise NoSuchQueue(queue, self.letters.queues)
        return [queue] if queue else self.letters.queues

    def peek(self, queue: str, limit: int | None) -> tuple[int, list[DeadLetter]]:
        """How many there are, and some of them."""
        return self.letters.count(queue), self.letters.peek(
            queue, min(limit or MAX_SHOWN, MAX_SHOWN)
        )

    def move_back(
        self,
        queue: str,
        *,
        by: str,
        limit: int | None = None,
        drop_done: bool = False,
        max_one_by_one: int | None = None,
    ) -> RedriveResult:
        """Back to their queue: all that lie there now, or ``limit`` of them. NoSuchQueue.

        SQS moves all of them by itself where it can; it knows no limit, and does not know what is done. ``by_hand`` is
        how many are sent back at most where it can't.
        """
        self.select_queues(queue)
        count = self.letters.count(queue)
        select_queues: list[str] = []
        if limit is None and not drop_done and count and self.letters.move_all(queue):
            done = RedriveResult(queue, moving=count)
        else:
            limit = min(bound for bound in (count, limit, max_one_by_one) if bound is not None)
            done = self._one_by_one(queue, limit, select_queues, drop_done=drop_done)
        if count:
            self.log.record_action(by, f"redrove dead letters of {done}", "", select_queues)
        return done

    def _one_by_one(
        self, queue: str, limit: int, select_queues: list[str], *, drop_done: bool
    ) -> RedriveResult:
        moved = dropped = 0
        for letter in islice(self.letters.receive(queue, limit), limit):
            if drop_done and self.is_done(letter):
                self.letters.drop(queue, letter)
                dropped += 1
            else:
                self.letters.send_back(queue, letter)
                moved += 1
            if len(select_queues) < MAX_NOTED:
                select_queues.append(str(letter))
        return RedriveResult(queue, moved, dropped)

    def is_done(self, letter: DeadLetter) -> bool:
        """Whether there is nothing left to do for it."""
        if letter.job_id:
            job = self.jobs.job(letter.job_id)
            return job is None or job.state != JobState.RUNNING
        if not letter.product_id:
            return letter.task in ("relay", "verify")  # the schedule brings the next one
        effects = [effect for effect, task in TASKS.items() if task == letter.task]
        try:
            change = self.changes.change(letter.product_id, letter.version)
        except CorruptChange:
            return False
        if change is None or not effects:
            return False
        return not change.open if effects == [Effect.STORED] else effects[0] not in change.open
