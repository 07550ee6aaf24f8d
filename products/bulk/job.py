"""A job: its kind, its state and its progress. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from products.authority import COMMAND, Authority
from products.bulk.rows import RowState
from products.errors import Conflict, Invalid, NotAllowed, NotFound
from products.permissions import Permission

MAX_ROWS = 10_000
CHUNK_SIZE = 50  # rows
RETENTION = timedelta(days=30)
MAX_ID_LENGTH = 64


class JobKind(StrEnum):
    """The kind of a job, recorded as the ``source`` of the changes that it makes."""

    BULK = "bulk"
    CSV = "csv"
    UNDO = "undo"


class JobState(StrEnum):
    PLANNING = "planning"
    """A worker reads the file."""
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class JobNotFound(NotFound):
    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"There is no job {job_id[:64]!r}; jobs are kept for {RETENTION.days} days."
        )


class NotYourJob(NotAllowed):
    """Only the user who planned a job, and has seen its preview, may start it."""

    def __init__(self, actor: str) -> None:
        super().__init__([], f"Only {actor}, who planned this job, may start it.")


class JobStateConflict(Conflict):
    """The job's current state does not allow the action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and its progress.

    ``rows`` is the number of rows, and ``counts`` is how many are in each state; while the job is
    planned, of those so far. The rows are stored in ``chunks``. ``permissions`` are those that the
    rows need, and with which they are written.
    ``chunk`` is the chunk to work on next. ``sequence`` counts the stored steps; a step is only
    stored on top of the one before it. ``notes`` are sentences about how a file was read.
    ``authority`` is what the owner showed last, and ``message`` says why the job was stopped.
    """

    job_id: str
    kind: JobKind
    title: str
    actor: str
    created_at: datetime
    rows: int
    chunks: int
    counts: Mapping[RowState, int]
    permissions: frozenset[Permission]
    reason: str = ""
    state: JobState = JobState.PLANNED
    chunk: int = 0
    sequence: int = 0
    updated_at: datetime
    undo_of: str | None = None
    notes: tuple[str, ...] = ()
    authority: Authority = COMMAND
    message: str = ""

    @property
    def done(self) -> int:
        """The number of rows that have reached their final state, or that are planned so far."""
        if self.state == JobState.PLANNING:
            return sum(self.counts.values())
        return self.rows - self.counts.get(RowState.WAITING, 0)


def state_sentence(job: Job) -> str:
    """Return why the job's state does not allow an action."""
    if job.state == JobState.PLANNING:
        return "The file of this job is still being read."
    return f"The job is already {job.state}."


def validate_row_count(count: int) -> None:
    """Raise Invalid unless a job may have so many rows."""
    if not 1 <= count <= MAX_ROWS:
        message = f"A job has 1 to {MAX_ROWS} rows; this one would have {count}."
        raise Invalid({"rows": [message]})
