"""Jobs: many writes that are planned, previewed, applied chunk by chunk, and undone. Pure.

A job is stored with all its rows before any row is written; a message only says that work remains.
So a message that is lost, duplicated or delayed does no harm. Each row has its own idempotency key,
so its write takes effect once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from products.acceptance import Acceptance
from products.appending import Doorbell
from products.bulk.authorities import Authorities
from products.bulk.job import (
    MAX_ROWS,
    Job,
    JobKind,
    JobNotFound,
    JobState,
    JobStateConflict,
    NotYourJob,
)
from products.bulk.job_table import JobTable
from products.bulk.rows import Row, RowState, row_after, undo_row
from products.changes import Origin
from products.errors import Invalid, NotAllowed
from products.idempotency import IdempotencyKey
from products.identifiers import is_id
from products.permissions import Permission, require_any_permission_to_write, require_permissions

TIME_BUDGET = timedelta(seconds=5)
"""How long a worker spends on one chunk; well below the time limit of a task.

Messages of other jobs are processed in between.
"""
MAX_TRANSITION_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Plan, start, cancel, undo and work on jobs; the clock and the ids are injected."""

    table: JobTable
    authorities: Authorities
    acceptance: Acceptance
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    requeue_after: timedelta

    def plan(
        self,
        kind: JobKind,
        title: str,
        rows: Iterable[Row],
        origin: Origin,
        *,
        undo_of: str | None = None,
        notes: Sequence[str] = (),
    ) -> Job:
        """Store a job for its preview. Rows for which the origin lacks a permission are refused.

        Raises: NotAllowed without any permission to write; Invalid when it has no row or more
        than MAX_ROWS.
        """
        require_any_permission_to_write(origin.permissions)
        planned = [_refuse_forbidden(row, origin) for row in rows]
        _validate_row_count(len(planned))
        job = self._new_job(kind, title, planned, origin)
        job = replace(job, undo_of=undo_of, notes=tuple(notes))
        self.table.put_job(job, planned)
        return job

    def _new_job(self, kind: JobKind, title: str, rows: Sequence[Row], origin: Origin) -> Job:
        now = self.clock()
        return Job(
            job_id=self.new_id(),
            kind=kind,
            title=title,
            actor=origin.actor,
            reason=origin.reason,
            permissions=_needed_by(rows),
            authority=origin.authority,
            created_at=now,
            updated_at=now,
            rows=len(rows),
            chunks=self.table.chunk_count(len(rows)),
            counts=Counter(row.state for row in rows),
        )

    def job(self, job_id: str) -> Job:
        """Return the job. Raise JobNotFound when there is none."""
        job = self.table.job(job_id) if is_id(job_id) else None
        if job is None:
            raise JobNotFound(job_id)
        return job

    def newest(self, limit: int) -> list[Job]:
        """Return the newest jobs, the newest first."""
        return self.table.jobs(limit)

    def chunk_rows(self, job: Job, chunk: int) -> list[Row]:
        """Return the rows of one chunk, counted from 0."""
        return self.table.rows(job.job_id, chunk)

    def rows(self, job: Job) -> Iterator[Row]:
        """Yield all rows, and read each chunk only when it is reached."""
        for chunk in range(job.chunks):
            yield from self.table.rows(job.job_id, chunk)

    def start(self, job_id: str, origin: Origin) -> Job:
        """Start a planned job.

        Raises: NotAllowed, NotYourJob, JobStateConflict when it is not planned.
        """
        job = self.job(job_id)
        if origin.actor != job.actor:
            raise NotYourJob(job.actor)
        require_permissions(origin.permissions, job.permissions)
        job = self._transition(
            job_id, JobState.PLANNED, state=JobState.RUNNING, authority=origin.authority
        )
        self.doorbell.notify_job(job_id)
        return job

    def cancel(self, job_id: str, origin: Origin) -> Job:
        """End a running job and keep what it has written.

        Raises: NotAllowed, JobStateConflict when it is not running.
        """
        require_any_permission_to_write(origin.permissions)
        return self._transition(job_id, JobState.RUNNING, state=JobState.CANCELLED)

    def discard(self, job_id: str, origin: Origin) -> Job:
        """Give up a planned job, which has written nothing.

        Raises: NotAllowed, JobStateConflict when it is not planned.
        """
        require_any_permission_to_write(origin.permissions)
        return self._transition(job_id, JobState.PLANNED, state=JobState.CANCELLED)

    def _transition(self, job_id: str, expected: JobState, **facts: Any) -> Job:
        for _ in range(MAX_TRANSITION_ATTEMPTS):  # a worker may store a step in between
            job = self.job(job_id)
            if job.state != expected:
                break
            updated = self._next_step(job, **facts)
            if self.table.save_step(updated):
                return updated
        raise JobStateConflict(f"The job is already {self.job(job_id).state}.")

    def _next_step(self, job: Job, **facts: Any) -> Job:
        return replace(job, sequence=job.sequence + 1, updated_at=self.clock(), **facts)

    def work(self, job_id: str) -> None:
        """Work on the current chunk of a running job, and send a message when work is left.

        A job whose owner may not write its rows any more is stopped instead.

        Raise DependencyUnavailable, so that the message is redelivered. Rows that were written
        before take no effect again.
        """
        job = self.table.job(job_id)
        if job is None or job.state != JobState.RUNNING or self._stop_unless_allowed(job):
            return
        before = self.table.rows(job_id, job.chunk)
        after = self._work_chunk(job, before)
        step = self._advance(job, before, after)
        if not self.table.save_step(step, after):
            return
        if step.state == JobState.RUNNING:
            self.doorbell.notify_job(job_id)

    def _stop_unless_allowed(self, job: Job) -> bool:
        """Stop the job if its owner may not write its rows any more; return whether it stops.

        What it has written stays.
        """
        reason = self._lost_right(job)
        if reason:
            with suppress(JobStateConflict):  # it has ended meanwhile
                self._transition(
                    job.job_id, JobState.RUNNING, state=JobState.CANCELLED, message=reason
                )
        return bool(reason)

    def _lost_right(self, job: Job) -> str:
        """Return why the owner may not write the job's rows any more; "" if it still may."""
        try:
            held = self.authorities.permissions_of(job.actor, job.authority)
        except NotAllowed as refusal:
            return str(refusal)
        missing = sorted(job.permissions - (job.permissions if held is None else held))
        return f"{job.actor} no longer has {' and '.join(missing)}." if missing else ""

    def stop_unauthorised(self) -> int:
        """Stop the running jobs whose owners may not write their rows any more; return how many.

        An account or a group has changed, which a worker without the SQL database can't see.
        """
        now = self.clock()
        return sum(map(self._stop_unless_allowed, self.table.running_jobs(now, now)))

    def _work_chunk(self, job: Job, rows: Sequence[Row]) -> list[Row]:
        """Write the waiting rows for which there is time, and return all rows of the chunk."""
        deadline = self.clock() + TIME_BUDGET
        waiting = [row for row in rows if row.state == RowState.WAITING]
        written: dict[int, Row] = {}
        remaining = iter(waiting)
        for results in self.acceptance.write_grouped(
            (row.write, _row_origin(job, row)) for row in waiting
        ):
            pairs = zip(islice(remaining, len(results)), results, strict=True)
            written |= {row.number: row_after(row, result) for row, result in pairs}
            if self.clock() > deadline:
                break
        return [written.get(row.number, row) for row in rows]

    def _advance(self, job: Job, before: Sequence[Row], after: Sequence[Row]) -> Job:
        """Return the job's next step, given the rows of its chunk before and after the work."""
        counts = Counter(job.counts)
        counts.subtract(row.state for row in before)
        counts.update(row.state for row in after)
        chunk = job.chunk
        if all(row.state != RowState.WAITING for row in after):
            chunk += 1
        state = JobState.DONE if chunk >= job.chunks else job.state
        return self._next_step(job, counts=counts, chunk=chunk, state=state)

    def undo(self, job_id: str, origin: Origin) -> Job:
        """Plan a job that undoes this one, except where somebody has saved the product since.

        Raises: NotAllowed, JobStateConflict while the job is planned or running.
        """
        require_any_permission_to_write(origin.permissions)
        job = self.job(job_id)
        if job.state not in (JobState.DONE, JobState.CANCELLED):
            sentence = f"The job is {job.state}; it can be undone when it has ended."
            raise JobStateConflict(sentence)
        accepted = (row for row in self.rows(job) if row.state == RowState.ACCEPTED)
        rows = [undo_row(number, row) for number, row in enumerate(accepted, 1)]
        require_permissions(origin.permissions, _needed_by(rows))
        return self.plan(JobKind.UNDO, f"Undo: {job.title}", rows, origin, undo_of=job_id)

    def requeue_stalled(self) -> int:
        """Send a message for each job that has made no step for ``requeue_after``.

        Its message was lost, or its worker died. Return the number of messages.
        """
        count = 0
        now = self.clock()
        for job in self.table.running_jobs(now - self.requeue_after, now):
            self.doorbell.notify_job(job.job_id)
            count += 1
        return count


def _row_origin(job: Job, row: Row) -> Origin:
    # An API client's own key holds no space, so the two kinds of keys never collide.
    key = IdempotencyKey(f"job {job.job_id} {row.number}", job.job_id)
    return Origin(
        actor=job.actor,
        source=job.kind,
        request_id=job.job_id,
        reason=job.reason,
        idempotency_key=key,
        permissions=job.permissions,
    )


def _refuse_forbidden(row: Row, origin: Origin) -> Row:
    """Return the row, refused if the origin lacks a permission that it needs."""
    try:
        if row.state in (RowState.WAITING, RowState.CLASH):
            require_permissions(origin.permissions, row.needed_permissions)
    except NotAllowed as refusal:
        return row.refused(str(refusal))
    return row


def _needed_by(rows: Iterable[Row]) -> frozenset[Permission]:
    """Return the permissions that the waiting rows need."""
    waiting = [row.needed_permissions for row in rows if row.state == RowState.WAITING]
    return frozenset[Permission]().union(*waiting)


def _validate_row_count(count: int) -> None:
    if not 1 <= count <= MAX_ROWS:
        message = f"A job has 1 to {MAX_ROWS} rows; this one would have {count}."
        raise Invalid({"rows": [message]})
