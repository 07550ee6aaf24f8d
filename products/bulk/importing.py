"""The use case of an import: read a file, find out its columns, plan the job. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from products.bulk.columns import Column, normalised_header
from products.bulk.files import MAX_SIZE, ZIP_START, read_head, read_sheet, too_large_file
from products.bulk.import_context import ProductFinder
from products.bulk.import_steps import REMEMBERED, ImportSteps, Upload, UploadTable
from products.bulk.imports import ImportOptions, chosen_columns, guessed_columns, plan_import
from products.bulk.job import Job, JobKind, JobState
from products.bulk.jobs import Jobs
from products.bulk.sheets import Sheet, cell_text
from products.bulk.zip_files import unpacked_size
from products.changes import Origin
from products.permissions import require_any_permission_to_write

MAX_TITLE_LENGTH = 120
MAX_SAMPLES = 3
MAX_SAMPLED_ROWS = 200
MAX_ROWS_AT_ONCE = 200
"""Files with more rows are planned by a worker."""
MAX_QUICK_TEXT, MAX_QUICK_WORKBOOK, MAX_QUICK_UNPACKED = 500_000, 30_000, 1_000_000
"""A larger file, in bytes, is not even read in the request that brings it."""


class MappingTable(Protocol):
    """Remembers the columns that users chose. Each method may raise DependencyUnavailable."""

    def mapping(self, key: str) -> list[str] | None:
        """Return the field of each column, "" for an ignored one."""

    def remember_mapping(self, key: str, fields: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """A column with its likely field and a few of its cells."""

    column: Column
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """Reads files and plans their jobs."""

    products: ProductFinder
    jobs: Jobs
    mappings: MappingTable
    uploads: UploadTable

    def columns(self, data: bytes) -> tuple[Sheet, list[SampledColumn]]:
        """Return the first rows and the columns, to be confirmed. Raise Invalid for no table."""
        sheet = read_head(data)
        remembered = self._remembered(sheet) or {}
        columns = [
            replace(column, field=remembered.get(column.number, column.field))
            for column in guessed_columns(sheet)
        ]
        return sheet, [SampledColumn(column, _samples(sheet, column)) for column in columns]

    def plan(self, data: bytes, options: ImportOptions, origin: Origin, *, file_name: str) -> Job:
        """Plan the job of a file, and remember the columns that were chosen.

        A worker plans a large file: its job is ``planning`` at first.

        Raises: Invalid when the file, its columns or the options do not fit; NotAllowed.
        """
        title = f"Import of {file_name}"[:MAX_TITLE_LENGTH]
        sheet = read_sheet(data) if _is_quick(data) else None
        if sheet is None or len(sheet.rows) > MAX_ROWS_AT_ONCE:
            return self._plan_later(data, sheet, options, origin, title)
        notes: list[str] = []
        if not options.columns and (remembered := self._remembered(sheet)):
            options = replace(options, columns=remembered)
            notes.append(REMEMBERED)
        plan = plan_import(sheet, options, self.products)
        job = self.jobs.plan(JobKind.CSV, title, plan.rows, origin, notes=[*notes, *plan.notes])
        if options.columns and not notes:
            self._remember(sheet, options.columns)
        return job

    def _plan_later(
        self,
        data: bytes,
        sheet: Sheet | None,
        options: ImportOptions,
        origin: Origin,
        title: str,
    ) -> Job:
        """Store the file, and let a worker plan its job."""
        require_any_permission_to_write(origin.permissions)
        if len(data) > MAX_SIZE:
            raise too_large_file()
        if sheet:
            chosen_columns(sheet, options)
            if options.columns:
                self._remember(sheet, options.columns)
        job = self.jobs.new_job(JobKind.CSV, title, [], origin, state=JobState.PLANNING)
        self.uploads.put_upload(job, Upload(data, options, origin.permissions))
        self.jobs.table.put_job(job, [])
        self.jobs.doorbell.notify_job(job.job_id)
        return job

    def work_on(self, job_id: str) -> None:
        """Continue a job: plan the next rows of its file, or write those of the current chunk.

        Raise DependencyUnavailable, so that the message is redelivered.
        """
        job = self.jobs.table.job(job_id)
        if job and job.state == JobState.PLANNING:
            ImportSteps(self.products, self.jobs, self.uploads, self._remembered).step(job)
        else:
            self.jobs.work(job_id)

    def _remembered(self, sheet: Sheet) -> dict[int, str] | None:
        fields = self.mappings.mapping(_mapping_key(sheet.header))
        return dict(enumerate(fields)) if fields else None

    def _remember(self, sheet: Sheet, chosen: Mapping[int, str]) -> None:
        fields = [chosen.get(column.number, column.field) for column in guessed_columns(sheet)]
        if fields != [column.field for column in guessed_columns(sheet)]:
            self.mappings.remember_mapping(_mapping_key(sheet.header), fields)


def _is_quick(data: bytes) -> bool:
    """Whether the file can be read while its user waits."""
    if not data.startswith(ZIP_START):
        return len(data) <= MAX_QUICK_TEXT
    # A small zip can hold much.
    return len(data) <= MAX_QUICK_WORKBOOK and unpacked_size(data) <= MAX_QUICK_UNPACKED


def _mapping_key(header: Sequence[str]) -> str:
    """Return what a head line is remembered by: a hash of its names, in their order."""
    names = "\n".join(map(normalised_header, header))
    return hashlib.sha256(names.encode()).hexdigest()


def _samples(sheet: Sheet, column: Column) -> tuple[str, ...]:
    texts = (
        cell_text(row.cells[column.number])
        for row in sheet.rows[:MAX_SAMPLED_ROWS]
        if column.number < len(row.cells)
    )
    return tuple(dict.fromkeys(filter(None, texts)))[:MAX_SAMPLES]
