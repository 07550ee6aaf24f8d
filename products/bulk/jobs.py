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
    Job,
    JobKind,
    JobNotFound,
    JobState,
    JobStateConflict,
    NotYourJob,
    state_sentence,
    validate_row_count,
)
from products.bulk.job_pace import JobPace
from products.bulk.job_rights import needed_by, refuse_forbidden
from products.bulk.job_table import JobTable
from products.bulk.rows import Row, RowState, row_after, undo_row
from products.changes import Origin
from products.errors import NotAllowed
from products.idempotency import IdempotencyKey
from products.identifiers import is_id
from products.permissions import (
    WRITING,
    require_any_permission_to_write,
    require_permissions,
)

TIME_BUDGET = timedelta(seconds=5)
"""How long a worker spends on one chunk; well below the time limit of a task.

Messages of other jobs are processed in between.
"""
MAX_TRANSITION_ATTEMPTS = 3
UNDER_WAY = (JobState.PLANNING, JobState.RUNNING)
NOT_APPLIED = (JobState.PLANNING, JobState.PLANNED)


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
    pace: JobPace

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
        planned = [refuse_forbidden(row, origin.permissions) for row in rows]
        validate_row_count(len(planned))
        job = self.new_job(kind, title, planned, origin, undo_of=undo_of, notes=tuple(notes))
        self.table.put_job(job, planned)
        return job

    def new_job(
        self, kind: JobKind, title: str, rows: Sequence[Row], origin: Origin, **facts: Any
    ) -> Job:
        """Return a job of these rows, which is not stored yet."""
        now = self.clock()
        return Job(
            job_id=self.new_id(),
            kind=kind,
            title=title,
            actor=origin.actor,
            reason=origin.reason,
            permissions=needed_by(rows),
            authority=origin.authority,
            created_at=now,
            updated_at=now,
            rows=len(rows),
            chunks=self.table.chunk_count(len(rows)),
            counts=Counter(row.state for row in rows),
            **facts,
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
            job_id, [JobState.PLANNED], state=JobState.RUNNING, authority=origin.authority
        )
        self.doorbell.notify_job(job_id)
        return job

    def cancel(self, job_id: str, origin: Origin) -> Job:
        """End a job that is running or being planned, and keep what it has written.

        Raises: NotAllowed, JobStateConflict in any other state.
        """
        require_any_permission_to_write(origin.permissions)
        return self._transition(job_id, UNDER_WAY, state=JobState.CANCELLED)

    def discard(self, job_id: str, origin: Origin) -> Job:
        """Give up a job that has written nothing. Raises: NotAllowed, JobStateConflict."""
        require_any_permission_to_write(origin.permissions)
        return self._transition(job_id, NOT_APPLIED, state=JobState.CANCELLED)

    def _transition(self, job_id: str, expected: Sequence[JobState], **facts: Any) -> Job:
        for _ in range(MAX_TRANSITION_ATTEMPTS):  # a worker may store a step in between
            job = self.job(job_id)
            if job.state not in expected:
                break
            updated = self.next_step(job, **facts)
            if self.table.save_step(updated):
                return updated
        raise JobStateConflict(state_sentence(self.job(job_id)))

    def next_step(self, job: Job, **facts: Any) -> Job:
        """Return the job with these facts, to be stored on top of its last step."""
        return replace(job, sequence=job.sequence + 1, updated_at=self.clock(), **facts)

    def work(self, job_id: str) -> None:
        """Work on the current chunk of a running job, and send a message when work is left.

        A job whose owner may not write its rows any more is stopped instead.

        Raise DependencyUnavailable, so that the message is redelivered. Rows that were written
        before take no effect again.
        """
        job = self.table.job(job_id)
        if job is None or job.state != JobState.RUNNING or self.stop_unless_allowed(job):
            return
        before = self.table.rows(job_id, job.chunk)
        after = self._work_chunk(job, before)
        step = self._advance(job, before, after)
        if not self.table.save_step(step, after):
            return
        if step.state == JobState.RUNNING:
            self.doorbell.notify_job(job_id)

    def stop_unless_allowed(self, job: Job) -> bool:
        """Stop the job if its owner may not write its rows any more; return whether it stops.

        What it has written stays.
        """
        reason = self._lost_right(job)
        if reason:
            self.stop(job.job_id, reason)
        return bool(reason)

    def stop(self, job_id: str, reason: str) -> None:
        """End a job that can't go on, with the reason for its page."""
        with suppress(JobStateConflict):  # it has ended meanwhile
            self._transition(job_id, UNDER_WAY, state=JobState.CANCELLED, message=reason)

    def _lost_right(self, job: Job) -> str:
        """Return why the owner may not write the job's rows any more; "" if it still may."""
        try:
            held = self.authorities.permissions_of(job.actor, job.authority)
        except NotAllowed as refusal:
            return str(refusal)
        if held is None:
            return ""
        if not held & WRITING:
            return f"{job.actor} may not write products any more."
        missing = sorted(job.permissions - held)
        return f"{job.actor} no longer has {' and '.join(missing)}." if missing else ""

    def stop_unauthorised(self) -> int:
        """Stop the running jobs whose owners may not write their rows any more; return how many.

        An account or a group has changed, which a worker without the SQL database can't see.
        """
        now = self.clock()
        return sum(map(self.stop_unless_allowed, self.table.running_jobs(now, now)))

    def _work_chunk(self, job: Job, rows: Sequence[Row]) -> list[Row]:
        """Write the waiting rows for which there is time, and return all rows of the chunk."""
        deadline = self.clock() + TIME_BUDGET
        waiting = [row for row in rows if row.state == RowState.WAITING]
        written: dict[int, Row] = {}
        remaining = iter(waiting)
        requests = ((row.write, _row_origin(job, row)) for row in waiting)
        began_at = self.pace.clock()
        for results in self.acceptance.write_grouped(requests, self.pace.group_size):
            pairs = zip(islice(remaining, len(results)), results, strict=True)
            written |= {row.number: row_after(row, result) for row, result in pairs}
            if self.clock() > deadline:
                break
            self.pace.rest(began_at)
            began_at = self.pace.clock()
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
        return self.next_step(job, counts=counts, chunk=chunk, state=state)

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
        require_permissions(origin.permissions, needed_by(rows))
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
