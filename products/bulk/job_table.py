"""The port to where jobs are stored. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from products.bulk.job import Job
from products.bulk.rows import Row


class JobTable(Protocol):
    """Where jobs are stored. Each method may raise DependencyUnavailable."""

    def chunk_count(self, rows: int) -> int:
        """Return in how many chunks so many rows are stored."""

    def put_job(self, job: Job, rows: Sequence[Row]) -> None:
        """Store the rows first and the job last, so that a visible job is complete."""

    def job(self, job_id: str) -> Job | None: ...

    def rows(self, job_id: str, chunk: int) -> list[Row]: ...

    def jobs(self, limit: int) -> list[Job]:
        """Return the newest jobs, the newest first."""

    def save_step(self, job: Job, rows: Sequence[Row] | None = None) -> bool:
        """Store the job's next step, with the rows of its chunk.

        Return False when another worker has stored this step already.
        """

    def running_jobs(self, updated_before: datetime, at: datetime) -> Iterator[Job]:
        """Yield the running jobs without a step since ``updated_before``.

        Those with a step after ``at``, the present, are among them: a wrong clock made it.
        """
