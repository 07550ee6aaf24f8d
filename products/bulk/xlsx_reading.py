"""Reading the sheets of an .xlsx file as streams, row by row. Pure.

The caller has checked the sizes of the zip.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from openpyxl.utils.datetime import from_excel, from_ISO8601

from products.bulk.sheets import Cell, SheetRow, refused_file
from products.bulk.tables import DAMAGED, Bounds, Part, Table, number_or_text
from products.bulk.xlsx_parts import PHONETIC, SharedTexts, read_book, read_formats
from products.bulk.xml_reading import Budget, Element, XmlStream

NO_VALUE = "has a formula without a value; open the workbook in a spreadsheet and save it."
NO_DATE = "#VALUE!"
REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]*")
LETTERS = 26
OLD_ERRORS = (ValueError, IndexError, OverflowError, ArithmeticError, TypeError)
"""What an impossible number, text or style raises."""


@dataclass(slots=True)
class OpenCell:
    """A cell that is being read."""

    column: int
    kind: str
    style: int
    has_formula: bool = False
    has_value: bool = False
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SheetReader:
    """Makes rows of the elements of one sheet. Blank cells and rows cost nothing."""

    texts: SharedTexts
    times: Mapping[int, bool]
    epoch: datetime
    bounds: Bounds = field(default_factory=Bounds)
    rows: list[SheetRow] = field(default_factory=list)
    hidden: int = 0
    line: int = 0
    column: int = 0
    cells: dict[int, Cell] = field(default_factory=dict)
    cell: OpenCell | None = None
    open: list[str] = field(default_factory=list)

    def start(self, element: Element) -> None:
        """Take the start of an element."""
        self.open.append(element.name)
        given = element.attributes
        if element.name == "row":
            self.line = int(given.get("r", self.line + 1))
            self.column = 0
            self.hidden += given.get("hidden") in ("1", "true")
        elif element.name == "c":
            self.column = _column(given.get("r", "")) or self.column + 1
            self.cell = OpenCell(self.column, given.get("t", "n"), int(given.get("s", 0)))
        elif self.cell and element.name == "f":
            self.cell.has_formula = True
        elif self.cell and element.name in ("v", "is"):
            self.cell.has_value = True

    def text(self, text: str) -> None:
        """Take a text of the open element."""
        if not self.cell:
            return
        is_inline = self.open[-1] == "t" and PHONETIC not in self.open
        if is_inline or self.open[-1] == "v":
            self.cell.parts.append(text)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self.open.pop()
        if name == "c" and self.cell:
            value = self._value(self.cell)
            if value != "":
                self.cells[self.cell.column] = value
            self.cell = None
        elif name == "row" and self.cells:
            self._end_row()

    def _end_row(self) -> None:
        columns = range(1, max(self.cells) + 1)
        row = SheetRow(self.line, [self.cells.get(column, "") for column in columns])
        self.bounds.add(row)
        self.rows.append(row)
        self.cells = {}

    def _value(self, cell: OpenCell) -> Cell:
        text = "".join(cell.parts)
        if not text:
            is_blank_text = cell.kind == "str" and cell.has_value
            if cell.has_formula and not is_blank_text:
                raise refused_file(f"The cell {_place(cell.column, self.line)} {NO_VALUE}")
            return ""
        if cell.kind == "n":
            return self._number(text, cell.style)
        read = {"s": self._shared, "b": _truth, "d": _moment}.get(cell.kind)
        return read(text) if read else text

    def _shared(self, text: str) -> Cell:
        return self.texts[int(text)]

    def _number(self, text: str, style: int) -> Cell:
        if style in self.times:
            return self._time(text, is_duration=self.times[style])
        is_whole = not set(text) & set(".eE")
        return number_or_text(str(int(text)) if is_whole else repr(float(text)))

    def _time(self, text: str, *, is_duration: bool) -> Cell:
        try:
            return _written(from_excel(float(text), self.epoch, timedelta=is_duration))
        except (OverflowError, ValueError):
            return NO_DATE


def xlsx_tables(data: bytes, part: Part) -> Iterator[Table]:
    """Yield the visible sheets. A formula counts as the value that was stored with it.

    Raise Invalid for a damaged file, or one that is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            book = read_book(archive, Budget.of(part))
            times = read_formats(archive, book, Budget.of(part))
            texts = SharedTexts(archive, book, Budget.of(part))
            budget = Budget.of(part)
            for title, name in book.sheets:
                reader = SheetReader(texts, times, book.epoch)
                stream = XmlStream(reader.start, reader.end, reader.text)
                for _ in stream.read(archive, name, budget):
                    if len(reader.rows) > part.max_rows:
                        break
                table = Table(title, reader.rows, reader.hidden, budget.is_spent)
                yield table.first(part.max_rows)
    except OLD_ERRORS:
        raise refused_file(DAMAGED) from None


def _column(reference: str) -> int:
    """Return the number of the column, from 1, that a reference such as AB12 names; 0 if none."""
    match = REFERENCE.match(reference)
    number = 0
    for letter in match[1] if match else "":
        number = number * LETTERS + ord(letter) - ord("A") + 1
    return number


def _place(column: int, line: int) -> str:
    letters = ""
    while column:
        column, letter = divmod(column - 1, LETTERS)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{line}"


def _truth(text: str) -> Cell:
    return bool(int(text))


def _moment(text: str) -> Cell:
    return _written(from_ISO8601(text))


def _written(moment: object) -> str:
    """Return a date or a time as text; "" for a duration."""
    return moment.isoformat() if isinstance(moment, datetime | date | time) else ""
