"""Products as CSV, with cells that no spreadsheet runs as a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from products.bulk.rows import Row
from products.currency import USUAL_PLACES, canonical, written_places
from products.documents import FIELD_NAMES, format_timestamp
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
EXPORTED = (*COLUMNS, *READ_ONLY)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""The first characters of a cell that spreadsheets run as a formula (OWASP, CSV injection)."""
CLEARED = "(empty)"
"""A cell with this text clears the field; a blank cell leaves the field unchanged."""
BYTE_ORDER_MARK = "\ufeff"
"""Marks the file as UTF-8 for spreadsheets."""


def escape_cell(text: str) -> str:
    """Return the text as a safe cell: with an apostrophe where it could mean something else.

    ``unescape_cell`` is the inverse.
    """
    return f"'{text}" if text.startswith((*FORMULA_STARTS, "'")) or text == CLEARED else text


def unescape_cell(cell: str) -> str:
    """Return the text of a cell, without the apostrophe that ``escape_cell`` has added."""
    rest = cell.removeprefix("'")
    is_escaped = rest != cell and (rest.startswith((*FORMULA_STARTS, "'")) or rest == CLEARED)
    return rest if is_escaped else cell


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines of CSV (RFC 4180), after a byte order mark."""
    yield BYTE_ORDER_MARK
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def product_rows(products: Iterable[Product]) -> Iterator[list[str]]:
    """Yield the header row and a row for each product; features are lines of one cell."""
    yield list(EXPORTED)
    for product in products:
        yield [exported_cell(getattr(product, FIELD_NAMES[column])) for column in EXPORTED]


def refusal_rows(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield a header row, and the refused rows with their reasons.

    The file can be corrected and imported again: ``version`` is what each row started from.
    """
    yield [*COLUMNS, "version", "error"]
    for row in rows:
        values = {column: row.edits.get(FIELD_NAMES[column]) for column in COLUMNS}
        values["productId"] = row.product_id
        cells = [exported_cell(values[column]) for column in COLUMNS]
        yield [*cells, exported_cell(row.base), exported_cell(row.message)]


def exported_amount(amount: Decimal) -> str:
    """Return an amount as the cell of an export.

    One with three places gets a fourth: ``1.2340`` can't be read as 1234.
    """
    exact = canonical(amount)
    return f"{exact:f}0" if written_places(exact) > USUAL_PLACES else f"{exact:f}"


def exported_cell(value: Any) -> str:
    """Return a field's value as the cell of an export."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return exported_amount(value)
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, list | tuple):
        return escape_cell("\n".join(value))
    return escape_cell(str(value))
