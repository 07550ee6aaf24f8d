"""Reading OpenDocument sheets with the standard library, row by row. Pure.

The caller has checked the sizes of the zip.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from products.bulk.sheets import MAX_COLUMNS, Cell, SheetRow, refused_file
from products.bulk.tables import (
    DAMAGED,
    MAX_CELL_CHARACTERS,
    TOO_LARGE,
    Bounds,
    Part,
    Table,
    number_or_text,
    trimmed,
)
from products.bulk.xml_reading import MAX_DEPTH, refuse_document_type
from products.bulk.zip_files import ZIP_ERRORS

ODS_PART = "content.xml"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE, TABLE, TEXT = (f"{{{_OASIS}:{part}:1.0}}" for part in ("office", "table", "text"))
SHEET, ROW = f"{TABLE}table", f"{TABLE}table-row"
CELLS = {f"{TABLE}table-cell", f"{TABLE}covered-table-cell"}
PARAGRAPH = f"{TEXT}p"
SPACES = f"{TEXT}s"
SIGNS = {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
MAX_CELLS_OF_ROW = 20_000  # more than a spreadsheet has columns


def ods_tables(data: bytes, part: Part) -> Iterator[Table]:
    """Yield the tables. Raise Invalid for a damaged file, or one that is too large.

    Equal rows and cells are stored once with a number of repetitions, which may be huge; only
    those within the bounds are made.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            refuse_document_type(archive, ODS_PART)
            with archive.open(ODS_PART) as content:
                yield from _tables(content, part)
    except (*ZIP_ERRORS, ElementTree.ParseError, OverflowError):
        raise refused_file(DAMAGED) from None


def _tables(content: IO[bytes], part: Part) -> Iterator[Table]:
    reader = _Reader(part)
    # Entities, which make XML dangerous, are refused before.
    pieces = _Pieces(content, part.piece)
    events = ElementTree.iterparse(pieces, events=("start", "end"))  # noqa: S314
    for event, element in events:
        if event == "start":
            reader.start(element)
        elif table := reader.end(element):
            yield table
        if content.tell() > part.max_bytes:
            if reader.table:
                yield reader.table.result(is_cut=True)
            return


class _Pieces:
    """The content in large pieces: one that is cut in a long value is read again with the next."""

    def __init__(self, content: IO[bytes], piece: int) -> None:
        self.content = content
        self.piece = piece

    def read(self, _: int = -1, /) -> bytes:
        return self.content.read(self.piece)


class _Reader:
    """Makes tables of the elements of a document."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.parents: list[Element] = []
        self.table: _OpenTable | None = None
        self.cells = 0  # of the open row

    def start(self, element: Element) -> None:
        """Take the start of an element."""
        self.parents.append(element)
        if len(self.parents) > MAX_DEPTH:
            raise refused_file(DAMAGED)
        if element.tag == SHEET:
            self.table = _OpenTable(element.get(f"{TABLE}name") or "", self.part.max_rows)

    def end(self, element: Element) -> Table | None:
        """Take the end of an element. Return the table that ends with it, if any."""
        self.parents.pop()
        if element.tag in CELLS:
            self.cells += 1
            if self.cells > MAX_CELLS_OF_ROW:
                raise refused_file(TOO_LARGE)
        elif element.tag == ROW and self.table:
            self.table.add(element)
            self.parents[-1].clear()  # a read row takes no memory
            self.cells = 0
        elif element.tag == SHEET and self.table:
            result = self.table.result()
            self.table = None
            element.clear()
            return result
        return None


class _OpenTable:
    """A table whose rows are being read."""

    def __init__(self, title: str, max_rows: int) -> None:
        self.title = title
        self.max_rows = max_rows
        self.rows: list[SheetRow] = []
        self.hidden = 0
        self.bounds = Bounds()
        self.line = 1

    def add(self, row: Element) -> None:
        """Add the row, as often as it is repeated."""
        count = int(row.get(f"{TABLE}number-rows-repeated") or 1)
        values = trimmed(_cells(row)) if len(self.rows) <= self.max_rows else []
        if values:
            self.bounds.add(SheetRow(self.line, values), count)
            self.rows += [SheetRow(self.line + number, list(values)) for number in range(count)]
            is_hidden = row.get(f"{TABLE}visibility") in ("collapse", "filter")
            self.hidden += count if is_hidden else 0
        self.line += count

    def result(self, *, is_cut: bool = False) -> Table:
        """Return the table, or its first rows."""
        return Table(self.title, self.rows, self.hidden, is_cut).first(self.max_rows)


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
    left = MAX_CELL_CHARACTERS
    for element in paragraph.iter():
        if element.tag == SPACES:
            count = int(element.get(f"{TEXT}c") or 1)
            left -= count
            if left < 0:
                raise refused_file(TOO_LARGE)
            element.text = " " * count
        elif element.tag in SIGNS:
            element.text = SIGNS[str(element.tag)]
    return "".join(paragraph.itertext())
