"""Reading OpenDocument sheets with the standard library, row by row. Pure.

The caller has checked the sizes of the zip, and that its XML declares no entities.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from products.bulk.sheets import MAX_COLUMNS, Cell, SheetRow, refused_file
from products.bulk.tables import DAMAGED, TOO_LARGE, Bounds, Table, number_or_text, trimmed

ODS_PART = "content.xml"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE, TABLE, TEXT = (f"{{{_OASIS}:{part}:1.0}}" for part in ("office", "table", "text"))
SHEET, ROW = f"{TABLE}table", f"{TABLE}table-row"
CELLS = {f"{TABLE}table-cell", f"{TABLE}covered-table-cell"}
PARAGRAPH = f"{TEXT}p"
SPACES = f"{TEXT}s"
SIGNS = {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
MAX_SPACES = 1000  # that are stored as one element
MAX_CELLS_OF_ROW = 20_000  # more than a spreadsheet has columns
READ_ERRORS = (ElementTree.ParseError, ValueError, KeyError, zipfile.BadZipFile, OverflowError)


def ods_tables(data: bytes) -> Iterator[Table]:
    """Yield the tables. Raise Invalid for a damaged file, or one that is too large.

    Equal rows and cells are stored once with a number of repetitions, which may be huge; only
    those within the bounds are made.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(ODS_PART) as content:
            yield from _tables(content)
    except READ_ERRORS:
        raise refused_file(DAMAGED) from None


def _tables(content: IO[bytes]) -> Iterator[Table]:
    parents: list[Element] = []
    table: _OpenTable | None = None
    cells = 0  # of the open row
    # Entities, which make XML dangerous, are refused before.
    events = ElementTree.iterparse(content, events=("start", "end"))  # noqa: S314
    for event, element in events:
        if event == "start":
            parents.append(element)
            if element.tag == SHEET:
                table = _OpenTable(element.get(f"{TABLE}name") or "")
            continue
        parents.pop()
        if element.tag in CELLS:
            cells += 1
            if cells > MAX_CELLS_OF_ROW:
                raise refused_file(TOO_LARGE)
        elif element.tag == ROW and table:
            table.add(element)
            parents[-1].clear()  # a read row takes no memory
            cells = 0
        elif element.tag == SHEET and table:
            yield Table(table.title, table.rows, table.hidden)
            element.clear()
            table = None


class _OpenTable:
    """A table whose rows are being read."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: list[SheetRow] = []
        self.hidden = 0
        self.bounds = Bounds()
        self.line = 1

    def add(self, row: Element) -> None:
        """Add the row, as often as it is repeated."""
        values = trimmed(_cells(row))
        count = int(row.get(f"{TABLE}number-rows-repeated") or 1)
        if values:
            self.bounds.add(self.line + count - 1, len(values) * count)
            self.rows += [SheetRow(self.line + number, list(values)) for number in range(count)]
            is_hidden = row.get(f"{TABLE}visibility") in ("collapse", "filter")
            self.hidden += count if is_hidden else 0
        self.line += count


def _cells(row: Element) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row:
        if cell.tag not in CELLS:
            continue
        value = _cell(cell)
        count = int(cell.get(f"{TABLE}number-columns-repeated") or 1)
        if value != "" and len(cells) + count > MAX_COLUMNS:
            raise refused_file(f"Must have at most {MAX_COLUMNS} columns.")
        cells += [value] * min(count, MAX_COLUMNS + 1 - len(cells))
    return cells


def _cell(cell: Element) -> Cell:
    kind = cell.get(f"{OFFICE}value-type")
    if kind in ("float", "currency", "percentage"):
        return number_or_text(str(cell.get(f"{OFFICE}value")))
    if kind == "boolean":
        return str(cell.get(f"{OFFICE}boolean-value")).casefold() == "true"
    if kind == "date":
        return str(cell.get(f"{OFFICE}date-value"))
    return "\n".join(map(_text, cell.iterfind(PARAGRAPH)))


def _text(paragraph: Element) -> str:
    """Return the text; spaces, tabs and line breaks are elements in it."""
    for element in paragraph.iter():
        if element.tag == SPACES:
            count = int(element.get(f"{TEXT}c") or 1)
            if count > MAX_SPACES:
                raise refused_file(TOO_LARGE)
            element.text = " " * count
        elif element.tag in SIGNS:
            element.text = SIGNS[str(element.tag)]
    return "".join(paragraph.itertext())
