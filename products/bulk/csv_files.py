"""Products as CSV: written with cells that no spreadsheet runs as a formula, and read. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from products.bulk.job import MAX_ROWS
from products.bulk.rows import Row
from products.documents import FIELD_NAMES, format_timestamp
from products.errors import Invalid
from products.product import Product

COLUMNS = (
    "productId",
    "name",
    "description",
    "price",
    "renewalPrice",
    "currency",
    "billingCycle",
    "period",
    "features",
    "active",
)
READ_ONLY = ("version", "updatedAt")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""The first characters of a cell that spreadsheets run as a formula (OWASP, CSV injection)."""
BYTE_ORDER_MARK = "\ufeff"
"""Marks the file as UTF-8 for spreadsheets."""
MAX_SIZE = 5_000_000  # bytes
DELIMITERS = ",;\t"


# Export


def escape_formula(text: str) -> str:
    """Return the text as a safe cell: with an apostrophe in front where a formula would start."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unescape_formula(cell: str) -> str:
    """Return the text of a cell, without the apostrophe that ``escape_formula`` has added."""
    is_escaped = cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS)
    return cell[1:] if is_escaped else cell


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines of CSV (RFC 4180), after a byte order mark."""
    yield BYTE_ORDER_MARK
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([escape_formula(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def product_rows(products: Iterable[Product]) -> Iterator[list[str]]:
    """Yield the header row and a row for each product; features are lines of one cell."""
    columns = [*COLUMNS, *READ_ONLY]
    yield columns
    for product in products:
        values = [getattr(product, FIELD_NAMES[column]) for column in columns]
        yield [_cell(value) for value in values]


def refusal_rows(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield a header row, and the refused rows with their reasons.

    The file can be corrected and imported again.
    """
    yield [*COLUMNS, "error"]
    for row in rows:
        values = {column: row.edits.get(FIELD_NAMES[column]) for column in COLUMNS}
        values["productId"] = row.product_id
        cells = [_cell(values[column]) for column in COLUMNS]
        yield [*cells, row.message]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, list | tuple):
        return "\n".join(value)
    return str(value)


# Import


@dataclass(frozen=True, slots=True)
class Sheet:
    """The text of an imported file: its column names and its rows."""

    header: list[str]
    rows: list[list[str]]


def parse_sheet(data: bytes) -> Sheet:
    """Parse CSV with commas, semicolons or tabs.

    Raise Invalid when the file is too large, has too many rows, or is not CSV in UTF-8.
    """
    rows = _parse_rows(_decode(data))
    if len(rows) < 2:
        raise Invalid({"file": ["Must have a header row and at least one product row."]})
    header, *products = rows
    if len(products) > MAX_ROWS:
        raise Invalid({"file": [f"Must have at most {MAX_ROWS} rows; it has {len(products)}."]})
    return Sheet([cell.strip() for cell in header], products)


def _decode(data: bytes) -> str:
    if len(data) > MAX_SIZE:
        raise Invalid({"file": [f"Must have at most {MAX_SIZE // 1_000_000} MB."]})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        sentence = "Must be UTF-8; in a spreadsheet, save it as 'CSV UTF-8'."
        raise Invalid({"file": [sentence]}) from None
    if "\0" in text:
        raise Invalid({"file": ["This is not a CSV file."]})
    return text


def _parse_rows(text: str) -> list[list[str]]:
    """Return all rows that are not blank, the header row first."""
    first_line = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as fault:
        raise Invalid({"file": [f"This is not a CSV file: {fault}."]}) from None
