"""A sheet: the head and the rows of an imported file of any format. Pure."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from products.amounts import DecimalMark
from products.bulk.job import MAX_ROWS
from products.errors import Invalid

MAX_COLUMNS = 500
MAX_TITLE_LINES = 20
"""How many lines above the head line may be a title or a remark."""

type Cell = str | Decimal | bool
"""A cell: a text, or what a workbook stores as a number or a truth value."""
type Recognised = Callable[[Sequence[str]], int]
"""Returns how many of these column names are known."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with cells, and the number of its (first) line in the file, from 1."""

    line: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The head and the rows of a file, or its first rows if it ``has_more``.

    ``notes`` are sentences about how the file was read. ``likely_mark`` is the decimal mark that
    programs write together with this delimiter.
    """

    header: list[str]
    rows: list[SheetRow]
    notes: tuple[str, ...] = ()
    likely_mark: DecimalMark | None = None
    has_more: bool = False


def refused_file(sentence: str) -> Invalid:
    """Return the refusal of a whole file."""
    return Invalid({"file": [sentence]})


def cell_text(cell: Cell) -> str:
    """Return a cell as text, without spaces around it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else cell.strip()


def to_sheet(
    rows: Sequence[SheetRow],
    recognised: Recognised,
    *,
    notes: Sequence[str] = (),
    likely_mark: DecimalMark | None = None,
    has_more: bool = False,
) -> Sheet:
    """Return the sheet that these rows are; blank rows are left out.

    The head is the row among the first ones in which most columns are ``recognised``. Raise
    Invalid without a row below the head, or with more than MAX_ROWS.
    """
    filled = [row for row in rows if any(cell_text(cell) for cell in row.cells)]
    _refuse_wide_rows(filled[:MAX_TITLE_LINES])
    position, header = _head(filled, recognised)
    products = filled[position + 1 :]
    if not products:
        raise refused_file("Must have a header row and at least one product row.")
    if len(products) > MAX_ROWS:
        raise refused_file(f"Must have at most {MAX_ROWS} rows; it has {len(products)}.")
    if position:
        notes = [
            *notes,
            f"The column names are in line {filled[position].line}; lines above it are not read.",
        ]
    return Sheet(header, products, tuple(notes), likely_mark, has_more)


def _refuse_wide_rows(rows: Sequence[SheetRow]) -> None:
    """Raise Invalid for columns that no sheet of products has, before their names are looked at."""
    for row in rows:
        filled = (at for at in range(len(row.cells), 0, -1) if row.cells[at - 1] != "")
        width = next(filled, 0)
        if width > MAX_COLUMNS:
            raise refused_file(f"Must have at most {MAX_COLUMNS} columns; it has {width}.")


def _head(rows: Sequence[SheetRow], recognised: Recognised) -> tuple[int, list[str]]:
    """Return the position of the head line, and the names of the columns.

    A head may have two lines with merged cells, such as "Price" above "once" and "yearly".
    """
    texts = [[cell_text(cell) for cell in row.cells] for row in rows[:MAX_TITLE_LINES]]
    heads = list(enumerate(texts))
    heads += [(at + 1, _stacked(*pair)) for at, pair in enumerate(itertools.pairwise(texts))]
    best = max((recognised(header) for _, header in heads), default=0)
    if best:
        position, header = next(head for head in heads if recognised(head[1]) == best)
    else:
        # No column is recognised: the head is the first row that is no title of one cell.
        widest = max((_width(header) for header in texts), default=0)
        position = next((at for at, names in enumerate(texts) if _width(names) * 2 > widest), 0)
        header = texts[position] if texts else []
    while header and not header[-1]:
        header = header[:-1]
    return position, header


def _stacked(above: Sequence[str], below: Sequence[str]) -> list[str]:
    pairs = itertools.zip_longest(above, below, fillvalue="")
    return [lower or upper for upper, lower in pairs]


def _width(texts: Sequence[str]) -> int:
    return sum(1 for text in texts if text)
