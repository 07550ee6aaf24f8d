"""CSV export, with cells that no spreadsheet runs as a formula, and import into job rows. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from products.bulk.job import MAX_ROWS
from products.bulk.rows import Row, RowState, planned_row
from products.documents import FIELD_NAMES, format_timestamp
from products.errors import CatalogueError, Invalid
from products.product import Product, new_product, normalised_name

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
CLEARED = "(empty)"
"""A cell with this text clears the field; a blank cell leaves the field unchanged."""
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
MAX_SIZE = 5_000_000  # bytes
DELIMITERS = ",;\t"
ALIASES = {
    "id": "productId",
    "sku": "productId",
    "title": "name",
    "renewal": "renewalPrice",
    "cycle": "billingCycle",
}


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


def _normalised_header(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in folded if character.isalnum())


KNOWN_HEADERS = {_normalised_header(column): column for column in COLUMNS} | ALIASES


def guess_mapping(header: Iterable[str]) -> list[str]:
    """Return the likely field of each column, or "" for a column that is none of our fields.

    Each field is named once at most.
    """
    fields: list[str] = []
    for name in header:
        field = KNOWN_HEADERS.get(_normalised_header(name), "")
        fields.append("" if field in fields else field)
    return fields


def lookup_keys(sheet: Sheet, mapping: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the ids of the sheet's products, and the names of those without an id."""
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    for row in sheet.rows:
        cells = _cells_by_field(row, mapping)
        if "productId" in cells:
            ids[cells["productId"]] = None
        elif "name" in cells:
            names[cells["name"]] = None
    return list(ids), list(names)


def plan_rows(
    sheet: Sheet,
    mapping: Sequence[str],
    by_id: Mapping[str, Product],
    by_name: Mapping[str, Product],
) -> list[Row]:
    """Plan a job row for each row of the sheet.

    A row changes the product with its id or, without an id, its name; else it creates a product.
    ``by_name`` is keyed by the normalised name. A row that breaks a rule is refused here, with the
    reason, and so is a second row about the same product.
    """
    rows: list[Row] = []
    first_numbers: dict[str, int] = {}
    for number, line in enumerate(sheet.rows, 1):
        cells = _cells_by_field(line, mapping)
        product_id = cells.pop("productId", "")
        name = normalised_name(cells.get("name", ""))
        product = by_id.get(product_id) if product_id else by_name.get(name)
        row = _plan_row(number, product_id, product, cells)
        identity = (product.product_id if product else product_id) or f"name {name}"
        first = first_numbers.setdefault(identity, number)
        if first != number and row.state == RowState.WAITING:
            row = row.refused(f"Row {first} is about the same product.")
        rows.append(row)
    return rows


def _plan_row(
    number: int, product_id: str, product: Product | None, cells: Mapping[str, str]
) -> Row:
    edits = {FIELD_NAMES[field]: _value(field, cell) for field, cell in cells.items()}
    if product:
        return planned_row(number, product, edits)
    row = Row(
        number=number,
        product_id=product_id or None,
        name=cells.get("name", ""),
        edits=edits,
        creates=True,
        changed={name: (None, value) for name, value in edits.items()},
    )
    try:
        _validate_new_product(product_id, edits)
    except CatalogueError as refusal:
        return row.refused(str(refusal))
    return row


def _validate_new_product(product_id: str, edits: Mapping[str, Any]) -> None:
    """Raise CatalogueError unless the edits make a product; the job creates it later."""
    placeholder_id, placeholder_time = "new", datetime(1970, 1, 1, tzinfo=UTC)
    new_product(product_id or placeholder_id, edits, by="", at=placeholder_time)


def _cells_by_field(row: Sequence[str], mapping: Sequence[str]) -> dict[str, str]:
    """Return the row's cells by field, without blank cells and unmapped columns."""
    cells: dict[str, str] = {}
    for field, cell in zip(mapping, row, strict=False):
        text = unescape_formula(cell.strip()).strip()
        if field and text:
            cells[field] = text
    return cells


def _value(field: str, cell: str) -> Any:
    """Return the value that a cell holds; the rules of the product check it later."""
    if field == "features":
        return [] if cell == CLEARED else _features(cell)
    if cell == CLEARED:
        return None
    if field == "active":
        return FLAGS.get(cell.casefold(), cell)
    return cell


def _features(cell: str) -> list[str]:
    parts = (part.strip() for part in cell.replace("|", "\n").split("\n"))
    return [part for part in parts if part]
