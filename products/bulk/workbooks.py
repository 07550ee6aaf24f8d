"""Reading workbooks of Excel and LibreOffice within bounds. Pure.

A workbook is a zip of XML. Its sizes are checked before anything is parsed, and XML with entities
is refused.
"""

import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from products.bulk.job import MAX_ROWS
from products.bulk.sheets import (
    MAX_COLUMNS,
    MAX_TITLE_LINES,
    Cell,
    Sheet,
    SheetRow,
    cell_text,
    refused_file,
    to_sheet,
)

MAX_UNPACKED = 50_000_000  # bytes of all files in the zip
MAX_RATIO = 200
"""How many times larger a large file in the zip may become; sheets of products reach about 20."""
MIN_SUSPECT = 20_000_000  # bytes; smaller files may have any ratio
MAX_ENTRIES = 1000  # files in the zip
MAX_LINES = MAX_ROWS + MAX_TITLE_LINES + 1000
"""How many lines are looked at, blank ones included."""
MAX_CELLS = 1_000_000
DOCUMENT_TYPE = b"<!DOCTYPE"
XLSX_PART, ODS_PART = "xl/workbook.xml", "content.xml"
TOO_LARGE = "The workbook is too large when it is unpacked; save the sheet as CSV."
DAMAGED = "The workbook is damaged or is none; save it again as .xlsx or CSV."
NO_VALUE = "has a formula without a value; open the workbook in a spreadsheet and save it."
SHEETS = "xl/worksheets/"
FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*\bhidden=[\"'](?:1|true)[\"']")
MAX_EXPONENT = 30  # of a number
MAX_SPACES = 1000  # that OpenDocument stores as one element
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


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a workbook: its title, its rows that are not blank, and how many are hidden."""

    title: str
    rows: list[SheetRow]
    hidden: int = 0


@dataclass(slots=True)
class _Bounds:
    """Counts the cells of a sheet."""

    cells: int = 0

    def add(self, line: int, cells: int) -> None:
        """Count the cells. Raise Invalid when the sheet is too large."""
        self.cells += cells
        if line > MAX_LINES or self.cells > MAX_CELLS:
            raise refused_file(f"Must have at most {MAX_ROWS} rows; the sheet has more cells.")


def read_workbook(data: bytes, recognised: Recognised) -> Sheet:
    """Return the sheet with products. Raise Invalid when the file can't be read."""
    names = _checked_names(data)
    if XLSX_PART in names:
        return _best_sheet(list(_xlsx_tables(data)), recognised, hidden=_hidden_rows(data))
    if ODS_PART in names:
        tables = list(_ods_tables(data))
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
    bounds = _Bounds()
    formulas = _values(formula_sheet) if formula_sheet else itertools.repeat(())
    for line, (values, originals) in enumerate(zip(_values(sheet), formulas, strict=False), 1):
        row = _trimmed([_xlsx_cell(value) for value in values])
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
        return _number(repr(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return "" if value is None or isinstance(value, timedelta) else str(value)


def _number(text: str) -> Cell:
    """Return the number, or the text of one that no amount or version can be."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    is_usual = number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT
    return number if is_usual else text


def _trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and cells[-1] == "":
        cells.pop()
    return cells


# OpenDocument


def _ods_tables(data: bytes) -> Iterator[Table]:
    """Yield the tables.

    Equal rows and cells are stored once with a number of repetitions, which may be huge; only
    those within the bounds are made.
    """
    if find_spec("odfdo") is None:
        raise refused_file("OpenDocument sheets can't be read here; save the sheet as .xlsx.")
    from odfdo import Document

    try:
        body = Document(io.BytesIO(data)).body
        if body.get_elements(f"//text:s[@text:c > {MAX_SPACES}]"):
            raise refused_file(TOO_LARGE)
        for table in body.get_elements("//table:table"):
            yield _ods_table(table)
    except LIBRARY_ERRORS:
        raise refused_file(DAMAGED) from None


def _ods_table(table: Any) -> Table:
    rows: list[SheetRow] = []
    bounds = _Bounds()
    line, hidden = 1, 0
    for row in table.get_elements("descendant::table:table-row"):
        values = _trimmed(_ods_cells(row))
        count = int(row.get_attribute("table:number-rows-repeated") or 1)
        if values:
            bounds.add(line + count - 1, len(values) * count)
            rows += [SheetRow(line + number, list(values)) for number in range(count)]
            is_hidden = row.get_attribute("table:visibility") in ("collapse", "filter")
            hidden += count if is_hidden else 0
        line += count
    return Table(str(table.name), rows, hidden)


def _ods_cells(row: Any) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row.get_elements("table:table-cell|table:covered-table-cell"):
        value = _ods_cell(cell)
        count = int(cell.get_attribute("table:number-columns-repeated") or 1)
        if value != "" and len(cells) + count > MAX_COLUMNS:
            raise refused_file(f"Must have at most {MAX_COLUMNS} columns.")
        cells += [value] * min(count, MAX_COLUMNS + 1 - len(cells))
    return cells


def _ods_cell(cell: Any) -> Cell:
    kind = cell.get_attribute("office:value-type")
    if kind in ("float", "currency", "percentage"):
        return _number(str(cell.get_attribute("office:value")))
    if kind == "boolean":
        return str(cell.get_attribute("office:boolean-value")).casefold() == "true"
    if kind == "date":
        return str(cell.get_attribute("office:date-value"))
    paragraphs = cell.get_elements("text:p")
    return "\n".join(paragraph.inner_text for paragraph in paragraphs)
