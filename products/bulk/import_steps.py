"""Planning the import of a large file in steps on a worker, while its job says how far it is. Pure.

A step reads the file again and plans the next rows. What it has planned is stored chunk by chunk,
so a step that is cut off, or made twice, does no harm.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Protocol

from products.bulk.files import read_sheet
from products.bulk.identities import Trace
from products.bulk.import_context import ProductFinder
from products.bulk.import_rows import plan_rows
from products.bulk.imports import ImportOptions, ReadImport, read_import
from products.bulk.job import CHUNK_SIZE, Job, JobState, validate_row_count
from products.bulk.job_rights import needed_by, refuse_forbidden
from products.bulk.jobs import TIME_BUDGET, Jobs
from products.bulk.rows import Row
from products.bulk.sheets import Sheet
from products.errors import Invalid
from products.permissions import Permission

ROWS_AT_ONCE = 4 * CHUNK_SIZE
"""Rows whose products are looked up together."""
REMEMBERED = "The columns are the ones chosen for an earlier file with the same head line."
EXPIRED = "The file of this import is not stored any more. Import it again."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is to be planned, with what its user chose and may do."""

    data: bytes
    options: ImportOptions
    permissions: frozenset[Permission]


class UploadTable(Protocol):
    """Where files wait for their plan. Each method may raise DependencyUnavailable."""

    def put_upload(self, job: Job, upload: Upload) -> None: ...

    def upload(self, job_id: str) -> Upload | None: ...

    def put_traces(self, job: Job, traces: Sequence[Trace]) -> None: ...

    def traces(self, job_id: str) -> list[Trace]:
        """Return the traces of all rows so far, in their order."""


@dataclass(frozen=True, slots=True)
class ImportSteps:
    """Plans jobs whose files are stored."""

    products: ProductFinder
    jobs: Jobs
    uploads: UploadTable
    remembered_columns: Callable[[Sheet], Mapping[int, str] | None]

    def step(self, job: Job) -> None:
        """Plan the next rows of a job, and send a message when rows are left."""
        if self.jobs.stop_unless_allowed(job):
            return
        upload = self.uploads.upload(job.job_id)
        if upload is None:
            self.jobs.stop(job.job_id, EXPIRED)
            return
        try:
            self._plan_rows(job, upload)
        except Invalid as refusal:
            sentences = [text for texts in refusal.errors.values() for text in texts]
            self.jobs.stop(job.job_id, " ".join(sentences))

    def _plan_rows(self, job: Job, upload: Upload) -> None:
        deadline = self.jobs.clock() + TIME_BUDGET
        read, job = self._read(job, upload)
        traces = self.uploads.traces(job.job_id)[: job.chunk * CHUNK_SIZE]
        while job.chunk < job.chunks:
            if self.jobs.clock() > deadline:
                self.jobs.doorbell.notify_job(job.job_id)
                return
            records = read.records[len(traces) : len(traces) + ROWS_AT_ONCE]
            rows, new_traces = plan_rows(read.context, self.products, records, traces)
            self.uploads.put_traces(job, new_traces)
            saved = self._save(job, [refuse_forbidden(row, upload.permissions) for row in rows])
            if saved is None:  # another worker plans this job
                return
            job = saved
            traces += new_traces
        notes = (*job.notes, *read.notes(traces))
        planned = self.jobs.next_step(job, state=JobState.PLANNED, chunk=0, notes=notes)
        self.jobs.table.save_step(planned)

    def _read(self, job: Job, upload: Upload) -> tuple[ReadImport, Job]:
        """Return what the file says, and the job with the number of its rows.

        The first step decides about the columns, so that all steps read them in the same way.
        """
        sheet = read_sheet(upload.data)
        options, notes = upload.options, job.notes
        if not job.rows and not options.columns and (found := self.remembered_columns(sheet)):
            options, notes = replace(options, columns=found), (*notes, REMEMBERED)
            self.uploads.put_upload(job, replace(upload, options=options))
        read = read_import(sheet, options)
        count = len(read.records)
        validate_row_count(count)
        chunks = self.jobs.table.chunk_count(count)
        return read, replace(job, rows=count, chunks=chunks, notes=notes)

    def _save(self, job: Job, rows: Sequence[Row]) -> Job | None:
        """Store the rows chunk by chunk. Return the job, None if another worker has gone on."""
        for chunk in batched(rows, CHUNK_SIZE):
            counts = Counter(job.counts) + Counter(row.state for row in chunk)
            needed = job.permissions | needed_by(chunk)
            job = self.jobs.next_step(job, counts=counts, permissions=needed, chunk=job.chunk + 1)
            if not self.jobs.table.save_step(job, chunk):
                return None
        return job
