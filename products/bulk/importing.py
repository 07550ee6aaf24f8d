"""The use case of an import: read a file, find out its columns, plan the job. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from products.bulk.columns import Column, normalised_header
from products.bulk.files import read_sheet
from products.bulk.import_context import ProductFinder
from products.bulk.imports import ImportOptions, guessed_columns, plan_import
from products.bulk.job import Job, JobKind
from products.bulk.jobs import Jobs
from products.bulk.sheets import Sheet, cell_text
from products.changes import Origin

MAX_TITLE_LENGTH = 120
MAX_SAMPLES = 3
MAX_SAMPLED_ROWS = 200
REMEMBERED = "The columns are the ones chosen for an earlier file with the same head line."


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

    def columns(self, data: bytes) -> tuple[Sheet, list[SampledColumn]]:
        """Return the sheet and its columns, to be confirmed. Raise Invalid when it is no table."""
        sheet = read_sheet(data)
        remembered = self._remembered(sheet) or {}
        columns = [
            replace(column, field=remembered.get(column.number, column.field))
            for column in guessed_columns(sheet)
        ]
        return sheet, [SampledColumn(column, _samples(sheet, column)) for column in columns]

    def plan(self, data: bytes, options: ImportOptions, origin: Origin, *, file_name: str) -> Job:
        """Plan the job of a file, and remember the columns that were chosen.

        Raises: Invalid when the file, its columns or the options do not fit; NotAllowed.
        """
        sheet = read_sheet(data)
        notes: list[str] = []
        if not options.columns and (remembered := self._remembered(sheet)):
            options = replace(options, columns=remembered)
            notes.append(REMEMBERED)
        plan = plan_import(sheet, options, self.products)
        title = f"Import of {file_name}"[:MAX_TITLE_LENGTH]
        job = self.jobs.plan(JobKind.CSV, title, plan.rows, origin, notes=[*notes, *plan.notes])
        if options.columns and not notes:
            self._remember(sheet, options.columns)
        return job

    def _remembered(self, sheet: Sheet) -> dict[int, str] | None:
        fields = self.mappings.mapping(_mapping_key(sheet.header))
        return dict(enumerate(fields)) if fields else None

    def _remember(self, sheet: Sheet, chosen: Mapping[int, str]) -> None:
        fields = [chosen.get(column.number, column.field) for column in guessed_columns(sheet)]
        if fields != [column.field for column in guessed_columns(sheet)]:
            self.mappings.remember_mapping(_mapping_key(sheet.header), fields)


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
