"""Jobs: many writes that are planned, looked at, applied a chunk at a time, and taken back. Pure.

A job is written down with all its rows before anything happens; a message only says that it goes on. So a message that
is lost, doubled or late does no harm: each row is written under a key of its own and takes effect once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from products.acceptance import Acceptance
from products.bulk.rows import CHUNK, Row, RowState, undo_row
from products.changes import Origin
from products.errors import CatalogueError, Conflict, CorruptChange, Invalid, NotFound, Unavailable
from products.idempotency import IdempotencyKey
from products.merging import VersionMismatch, differences

MAX_ROWS = 10_000
RETENTION = timedelta(days=30)
TIME_BUDGET = timedelta(seconds=5)
"""How long a job works before it lets others have their turn; far below the time limit of a task."""


class JobKind(StrEnum):
    """What a job is; it is also the source of its changes."""

    BULK = "bulk"
    CSV = "csv"
    UNDO = "undo"


class JobState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class JobNotFound(NotFound):
    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}; jobs are kept for {RETENTION.days} days.")


class JobStateConflict(Conflict):
    """The job is no longer in the state in which this could be done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done, by whom and why, and how far it has come. ``turn`` counts the steps it has made."""

    job_id: str
    kind: JobKind
    title: str
    actor: str
    created_at: datetime
    rows: int
    counts: Mapping[RowState, int]
    reason: str = ""
    state: JobState = JobState.PLANNED
    chunk: int = 0
    sequence: int = 0
    updated_at: datetime
    undo_of: str | None = None

    @property
    def chunks(self) -> int:
        return -(-self.rows // CHUNK)

    @property
    def done(self) -> int:
        """Rows that will not change any more."""
        return self.rows - self.counts.get(RowState.WAITING, 0)


class JobTable(Protocol):
    """Each method may raise EngineAway."""

    def put_job(self, job: Job, rows: Sequence[Row]) -> None:
        """Write the rows down, and then the job, so that a job that can be seen is whole."""

    def job(self, job_id: str) -> Job | None: ...

    def rows(self, job_id: str, chunk: int) -> list[Row]: ...

    def jobs(self, limit: int) -> list[Job]:
        """Newest first."""

    def save_step(self, job: Job, rows: Sequence[Row] | None = None) -> bool:
        """Write down the job's next step, with the rows of the chunk it worked on; False when it has moved on."""

    def running_jobs(self, updated_before: datetime) -> Iterator[Job]: ...


class JobDoorbell(Protocol):
    def notify_job(self, job_id: str) -> None:
        """Say that the job goes on. May be lost; never raises for a queue that is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The use-cases. Time and ids come from outside."""

    table: JobTable
    catalogue: Acceptance
    doorbell: JobDoorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    requeue_after: timedelta

    def plan(
        self,
        kind: JobKind,
        title: str,
        rows: Iterable[Row],
        *,
        actor: str,
        reason: str = "",
        undo_of: str | None = None,
    ) -> Job:
        """Write a job down, to be looked at. Invalid when it has no row, or more than ROWS_MOST."""
        kept = list(rows)
        if not 1 <= len(kept) <= MAX_ROWS:
            raise Invalid(
                {"rows": [f"A job has 1 to {MAX_ROWS} rows; this one would have {len(kept)}."]}
            )
        Origin(actor=actor, source=kind, request_id="", reason=reason)  # whether the reason is one
        now = self.clock()
        job = Job(
            job_id=self.new_id(),
            kind=kind,
            title=title,
            actor=actor,
            reason=reason,
            created_at=now,
            updated_at=now,
            rows=len(kept),
            counts=Counter(row.state for row in kept),
            undo_of=undo_of,
        )
        self.table.put_job(job, kept)
        return job

    def job(self, job_id: str) -> Job:
        """JobNotFound."""
        job = self.table.job(job_id)
        if job is None:
            raise JobNotFound(job_id)
        return job

    def rows(self, job: Job) -> Iterator[Row]:
        """All rows, read chunk by chunk as they are asked for."""
        for chunk in range(job.chunks):
            yield from self.table.rows(job.job_id, chunk)

    def start(self, job_id: str) -> Job:
        """JobMovedOn unless it is planned."""
        job = self._transition(job_id, JobState.PLANNED, JobState.RUNNING)
        self.doorbell.notify_job(job_id)
        return job

    def cancel(self, job_id: str) -> Job:
        """End a running job; what it has done stays. JobMovedOn when it has ended already."""
        return self._transition(job_id, JobState.RUNNING, JobState.CANCELLED)

    def _transition(self, job_id: str, expected: JobState, state: JobState) -> Job:
        for _ in range(3):  # a worker may just be making a step
            job = self.job(job_id)
            if job.state != expected:
                break
            moved = replace(job, state=state, sequence=job.sequence + 1, updated_at=self.clock())
            if self.table.save_step(moved):
                return moved
        raise JobStateConflict(f"The job is {self.job(job_id).state} already.")

    def work(self, job_id: str) -> None:
        """Go on with the job for one turn; EngineAway brings the message back, and nothing is done twice."""
        job = self.table.job(job_id)
        if job is None or job.state != JobState.RUNNING:
            return
        rows = self.table.rows(job_id, job.chunk)
        worked = self._worked(job, rows)
        counts = Counter(job.counts)
        counts.subtract(row.state for row in rows)
        counts.update(row.state for row in worked)
        whole = all(row.state != RowState.WAITING for row in worked)
        after = replace(
            job,
            counts=counts,
            chunk=job.chunk + whole,
            sequence=job.sequence + 1,
            updated_at=self.clock(),
        )
        if after.chunk >= job.chunks:
            after = replace(after, state=JobState.DONE)
        if self.table.save_step(after, worked) and after.state == JobState.RUNNING:
            self.doorbell.notify_job(job_id)

    def _worked(self, job: Job, rows: Sequence[Row]) -> list[Row]:
        """The chunk's rows, those done for which there was time."""
        deadline = self.clock() + TIME_BUDGET
        return [
            self._written(job, row)
            if row.state == RowState.WAITING and self.clock() <= deadline
            else row
            for row in rows
        ]

    def _written(self, job: Job, row: Row) -> Row:
        # A caller's own key holds no space, so these never meet.
        key = IdempotencyKey(f"job {job.job_id} {row.number}", job.job_id)
        origin = Origin(
            actor=job.actor,
            source=job.kind,
            request_id=job.job_id,
            reason=job.reason,
            idempotency_key=key,
        )
        try:
            accepted = self.catalogue.write(row.write, origin)
        except Unavailable:
            raise
        except VersionMismatch as moved:
            by = f"{moved.product.updated_by} saved version {moved.product.version} since."
            return replace(row, state=RowState.SKIPPED, message=by)
        except (CatalogueError, CorruptChange) as refusal:
            return replace(row, state=RowState.REFUSED, message=str(refusal))
        if accepted.change is None:
            return replace(row, state=RowState.UNCHANGED)
        made = accepted.change
        changed = differences(made.before, made.after)
        return replace(
            row,
            state=RowState.ACCEPTED,
            version=made.version,
            product_id=made.product_id,
            changed=changed,
        )

    def undo(self, job_id: str, *, actor: str) -> Job:
        """A planned job that takes back what this one did where nobody has saved since. JobMovedOn while it runs."""
        job = self.job(job_id)
        if job.state not in (JobState.DONE, JobState.CANCELLED):
            raise JobStateConflict(
                f"The job is {job.state}; only what it has done can be taken back."
            )
        made = (row for row in self.rows(job) if row.state == RowState.ACCEPTED)
        return self.plan(
            JobKind.UNDO,
            f"Undo: {job.title}",
            (undo_row(number, row) for number, row in enumerate(made, 1)),
            actor=actor,
            undo_of=job_id,
        )

    def requeue_stalled(self) -> int:
        """Ring for jobs that have stood still: their message was lost, or their worker is gone."""
        count = 0
        for job in self.table.running_jobs(self.clock() - self.requeue_after):
            self.doorbell.notify_job(job.job_id)
            count += 1
        return count
