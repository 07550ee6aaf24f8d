"""Deciding clashes: whose value is kept where the sheet and somebody else changed a field. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from products.bulk.job import Job, JobState, JobStateConflict, NotYourJob, state_sentence
from products.bulk.jobs import MAX_TRANSITION_ATTEMPTS, Jobs
from products.bulk.rows import Row, RowState
from products.changes import Origin
from products.errors import Invalid, NotFound
from products.permissions import require_permissions


class Side(StrEnum):
    """Whose value is kept: the sheet's, or what others saved meanwhile."""

    MINE = "mine"
    THEIRS = "theirs"


class NoClash(NotFound):
    def __init__(self, number: int) -> None:
        super().__init__(f"Row {number} of this job has no clash to decide.")


LEFT_OUT = "Left out."
"""The message of a row that somebody left out of a planned job."""
type Decisions = Mapping[str, Side]
"""The decision about each field of a row that clashes."""


def decided_row(row: Row, decisions: Decisions) -> Row:
    """Return the row as decided. Raise Invalid unless each clash, and nothing else, is decided.

    The row starts from the version with their values, so mine replaces what was shown.
    """
    if row.state != RowState.CLASH:
        raise NoClash(row.number)
    if set(decisions) != set(row.clashes):
        fields = ", ".join(row.clashes)
        raise Invalid({"decisions": [f"Decide about each of these fields: {fields}."]})
    kept = {name: value for name, value in row.edits.items() if decisions.get(name) != Side.THEIRS}
    changed = {name: pair for name, pair in row.changed.items() if name in kept}
    state = RowState.WAITING if changed else RowState.UNCHANGED
    return replace(row, edits=kept, changed=changed, state=state)


def chosen_row(row: Row, *, is_included: bool) -> Row:
    """Return a waiting row as left out, or a row that was left out as waiting; others as is."""
    if row.state == RowState.WAITING and not is_included:
        return replace(row, state=RowState.SKIPPED, message=LEFT_OUT)
    if row.state == RowState.SKIPPED and row.message == LEFT_OUT and is_included:
        return replace(row, state=RowState.WAITING, message="")
    return row


@dataclass(frozen=True, slots=True)
class Clashes:
    """Decides about rows of planned jobs: their clashes, and which rows are left out."""

    jobs: Jobs

    def decide(self, job_id: str, number: int, decisions: Decisions, origin: Origin) -> Row:
        """Decide about one row, and return it.

        Raises: JobNotFound, NotYourJob, NotAllowed, JobStateConflict when the job is not planned,
        NoClash, Invalid.
        """
        return self._change_row(job_id, number, origin, lambda row: decided_row(row, decisions))

    def choose(self, job_id: str, number: int, origin: Origin, *, is_included: bool) -> Row:
        """Leave one row out, or take it in again. Raises what ``decide`` raises, but Invalid."""
        return self._change_row(
            job_id, number, origin, lambda row: chosen_row(row, is_included=is_included)
        )

    def _change_row(
        self, job_id: str, number: int, origin: Origin, change: Callable[[Row], Row]
    ) -> Row:
        for _ in range(MAX_TRANSITION_ATTEMPTS):
            job = self._planned_job(job_id, origin)
            rows = self._chunk_of(job, number)
            changed = [change(row) if row.number == number else row for row in rows]
            if self.jobs.table.save_step(self._next_step(job, rows, changed, origin), changed):
                return next(row for row in changed if row.number == number)
        raise JobStateConflict("Somebody else decides about this job at the same time.")

    def decide_all(self, job_id: str, side: Side, origin: Origin) -> Job:
        """Decide all remaining clashes of a job for one side. Raises what ``decide`` raises."""
        job = self._planned_job(job_id, origin)
        for chunk in range(job.chunks):
            rows = self.jobs.table.rows(job_id, chunk)
            decided = [
                decided_row(row, dict.fromkeys(row.clashes, side))
                if row.state == RowState.CLASH
                else row
                for row in rows
            ]
            if decided == rows:
                continue
            job = self._next_step(job, rows, decided, origin)
            if not self.jobs.table.save_step(job, decided):
                raise JobStateConflict("Somebody else decides about this job at the same time.")
        return job

    def _planned_job(self, job_id: str, origin: Origin) -> Job:
        job = self.jobs.job(job_id)
        if origin.actor != job.actor:
            raise NotYourJob(job.actor)
        if job.state != JobState.PLANNED:
            raise JobStateConflict(state_sentence(job))
        return job

    def _chunk_of(self, job: Job, number: int) -> list[Row]:
        """Return the rows of the chunk with this row. Raise NoClash without one."""
        for chunk in range(job.chunks):
            rows = self.jobs.table.rows(job.job_id, chunk)
            if rows and rows[0].number <= number <= rows[-1].number:
                return rows
        raise NoClash(number)

    def _next_step(self, job: Job, before: list[Row], after: list[Row], origin: Origin) -> Job:
        counts = Counter(job.counts)
        counts.subtract(row.state for row in before)
        counts.update(row.state for row in after)
        waiting = [row.needed_permissions for row in after if row.state == RowState.WAITING]
        needed = job.permissions.union(*waiting)
        require_permissions(origin.permissions, needed)
        return replace(
            job,
            sequence=job.sequence + 1,
            updated_at=self.jobs.clock(),
            counts=counts,
            permissions=needed,
        )
