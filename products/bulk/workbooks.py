"""Reading workbooks of Excel and LibreOffice within bounds. Pure.

A workbook is a zip of XML. Its sizes are checked before anything is parsed, and XML with entities
is refused.
"""

import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from products.bulk.ods_reading import ODS_PART, ods_tables
from products.bulk.sheets import (
    MAX_TITLE_LINES,
    Cell,
    Sheet,
    SheetRow,
    cell_text,
    refused_file,
    to_sheet,
)
from products.bulk.tables import DAMAGED, TOO_LARGE, Bounds, Table, number_or_text, trimmed

MAX_UNPACKED = 50_000_000  # bytes of all files in the zip
MAX_RATIO = 200
"""How many times larger a large file in the zip may become; sheets of products reach about 20."""
MIN_SUSPECT = 20_000_000  # bytes; smaller files may have any ratio
MAX_ENTRIES = 1000  # files in the zip
DOCUMENT_TYPE = b"<!DOCTYPE"
XLSX_PART = "xl/workbook.xml"
NO_VALUE = "has a formula without a value; open the workbook in a spreadsheet and save it."
SHEETS = "xl/worksheets/"
FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*\bhidden=[\"'](?:1|true)[\"']")
LIBRARY_ERRORS = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,  # the class of XML errors
    InvalidFileException,
    zipfile.BadZipFile,
)
"""What the libraries raise for damaged files."""

type Recognised = Callable[[Sequence[str]], int]


def read_workbook(data: bytes, recognised: Recognised) -> Sheet:
    """Return the sheet with products. Raise Invalid when the file can't be read."""
    names = _checked_names(data)
    if XLSX_PART in names:
        return _best_sheet(list(_xlsx_tables(data)), recognised, hidden=_hidden_rows(data))
    if ODS_PART in names:
        tables = list(ods_tables(data))
        return _best_sheet(tables, recognised, hidden=sum(table.hidden for table in tables))
    raise refused_file("This is no workbook; save the sheet as .xlsx, .ods or CSV.")


def _best_sheet(tables: Sequence[Table], recognised: Recognised, *, hidden: int) -> Sheet:
    """Return the table in which the most columns are recognised, else the first with rows."""

    def score(table: Table) -> int:
        head = [[cell_text(cell) for cell in row.cells] for row in table.rows[:MAX_TITLE_LINES]]
        return max(map(recognised, head), default=0)

    filled = [table for table in tables if table.rows]
    if not filled:
        raise refused_file("Must have a header row and at least one product row.")
    best = max(filled, key=score)
    notes = [f"Read from “{best.title}”, one of {len(tables)} sheets."] if len(tables) > 1 else []
    if hidden:
        noun = "row is" if hidden == 1 else "rows are"
        notes.append(f"{hidden} hidden {noun} read too.")
    return to_sheet(best.rows, recognised, notes=notes)


def _checked_names(data: bytes) -> set[str]:
    """Return the names of the files in the zip. Raise Invalid when it is not safe to unpack."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNPACKED:
                raise refused_file(TOO_LARGE)
            for entry in entries:
                if entry.flag_bits & 1:
                    raise refused_file("The workbook has a password; save it without one.")
                ratio = entry.file_size / max(entry.compress_size, 1)
                if entry.file_size > MIN_SUSPECT and ratio > MAX_RATIO:
                    raise refused_file(TOO_LARGE)
                if entry.filename.endswith((".xml", ".rels")):
                    _refuse_entities(archive.read(entry))
            return {entry.filename for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError):
        raise refused_file(DAMAGED) from None


def _refuse_entities(xml: bytes) -> None:
    """Raise Invalid for XML that declares a document type: only that can declare entities."""
    compact = xml.replace(b"\0", b"")  # the same in UTF-16
    if DOCUMENT_TYPE in compact.upper():
        raise refused_file(DAMAGED)


# Excel


def _xlsx_tables(data: bytes) -> Iterator[Table]:
    """Yield the visible sheets. A formula counts as the value that was stored with it."""
    try:
        values, formulas = _opened(data, data_only=True), _opened(data, data_only=False)
        for sheet, formula_sheet in zip(values.worksheets, formulas.worksheets, strict=True):
            if sheet.sheet_state == "visible":
                rows = _xlsx_rows(sheet, formula_sheet if _has_formulas(data) else None)
                yield Table(sheet.title, rows)
    except LIBRARY_ERRORS:
        raise refused_file(DAMAGED) from None


def _opened(data: bytes, *, data_only: bool) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=data_only)


def _has_formulas(data: bytes) -> bool:
    return any(FORMULA.search(xml) for xml in _xlsx_sheets(data))


def _hidden_rows(data: bytes) -> int:
    return sum(len(HIDDEN_ROW.findall(xml)) for xml in _xlsx_sheets(data))


def _xlsx_sheets(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith(SHEETS):
                yield archive.read(name)


def _xlsx_rows(sheet: Any, formula_sheet: Any) -> list[SheetRow]:
    rows: list[SheetRow] = []
    bounds = Bounds()
    formulas = _values(formula_sheet) if formula_sheet else itertools.repeat(())
    for line, (values, originals) in enumerate(zip(_values(sheet), formulas, strict=False), 1):
        row = trimmed([_xlsx_cell(value) for value in values])
        for column, original in enumerate(originals):
            is_formula = isinstance(original, str) and original.startswith("=")
            if is_formula and values[column] is None:
                place = f"{get_column_letter(column + 1)}{line}"
                raise refused_file(f"The cell {place} {NO_VALUE}")
        if row:
            bounds.add(line, len(row))
            rows.append(SheetRow(line, row))
    return rows


def _values(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()
    return iter(sheet.iter_rows(values_only=True))


def _xlsx_cell(value: Any) -> Cell:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return number_or_text(repr(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return "" if value is None or isinstance(value, timedelta) else str(value)
