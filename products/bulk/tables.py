"""The parts of workbooks that every format has: tables, and bounds while they are read. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal

from products.bulk.job import MAX_ROWS
from products.bulk.sheets import MAX_TITLE_LINES, Cell, SheetRow, refused_file

MAX_LINES = MAX_ROWS + MAX_TITLE_LINES + 1000
"""How many lines are looked at, blank ones included."""
MAX_CELLS = 1_000_000
MAX_CHARACTERS = 20_000_000
"""Of all cells of a sheet: many cells can name one long text."""
MAX_CELL_CHARACTERS = 131_072  # as in CSV
MAX_UNPACKED = 50_000_000  # bytes of all files in the zip
MAX_EXPONENT = 30  # of a number
TOO_LARGE = "The workbook is too large when it is unpacked; save the sheet as CSV."
DAMAGED = "The workbook is damaged or is none; save it again as .xlsx or CSV."


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a workbook: its title, its rows that are not blank, and how many are hidden.

    ``has_more`` says that there are rows after these.
    """

    title: str
    rows: list[SheetRow]
    hidden: int = 0
    has_more: bool = False

    def first(self, max_rows: int) -> "Table":
        """Return the table with the first rows."""
        has_more = self.has_more or len(self.rows) > max_rows
        return replace(self, rows=self.rows[:max_rows], has_more=has_more)


@dataclass(frozen=True, slots=True)
class Part:
    """How much of each sheet is read, in rows and in bytes of XML."""

    max_rows: int
    max_bytes: int
    piece: int  # bytes that are read at a time


WHOLE = Part(MAX_LINES, MAX_UNPACKED + 1, 1_000_000)
HEAD = Part(max_rows=220, max_bytes=2_000_000, piece=50_000)
"""What is read of a file to show its columns."""


@dataclass(slots=True)
class Bounds:
    """Counts the cells of a sheet and their characters."""

    cells: int = 0
    characters: int = 0

    def add(self, row: SheetRow, times: int = 1) -> None:
        """Count a row that is there so many times. Raise Invalid when the sheet is too large."""
        self.cells += len(row.cells) * times
        self.characters += times * sum(len(cell) for cell in row.cells if isinstance(cell, str))
        if self.characters > MAX_CHARACTERS:
            raise refused_file(TOO_LARGE)
        if row.line + times - 1 > MAX_LINES or self.cells > MAX_CELLS:
            raise refused_file(f"Must have at most {MAX_ROWS} rows; the sheet has more cells.")


def number_or_text(text: str) -> Cell:
    """Return the number, or the text of one that no amount or version can be."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    is_usual = number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT
    return number if is_usual else text


def trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and cells[-1] == "":
        cells.pop()
    return cells
