"""Products as a spreadsheet: written so that no cell runs as a formula, and read row by row into writes. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from products.bulk.jobs import MAX_ROWS
from products.bulk.rows import Row, RowState, planned_row
from products.documents import FIELD_NAMES, format_timestamp
from products.errors import CatalogueError, Invalid
from products.product import Product, new_product, normalised_name

COLUMNS = (
    *("productId", "name", "description", "price", "renewalPrice"),
    *("currency", "billingCycle", "period", "features", "active"),
)
READ_ONLY = ("version", "updatedAt")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""
CLEARED = "(empty)"
"""In a cell: take the value away. A blank cell leaves the field as it is."""
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
MAX_SIZE = 5_000_000  # bytes
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def escape_formula(text: str) -> str:
    """The text as a cell that no spreadsheet runs: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def unescape_formula(cell: str) -> str:
    """The text of a cell, without the apostrophe that ``safe`` has put before it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows as CSV (RFC 4180), with a mark that tells spreadsheets it is UTF-8."""
    yield "\ufeff"
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([escape_formula(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def product_rows(products: Iterable[Product]) -> Iterator[list[str]]:
    """The head line, and a line for each product; features one a line in their cell."""
    yield [*COLUMNS, *READ_ONLY]
    for product in products:
        yield [_cell(product, column) for column in (*COLUMNS, *READ_ONLY)]


def _cell(product: Product, column: str) -> str:
    value = getattr(product, FIELD_NAMES[column])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return format_timestamp(value)
    return "\n".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read: the names of its columns, and its rows as texts."""

    header: list[str]
    rows: list[list[str]]


def parse_sheet(data: bytes) -> Sheet:
    """The file's head line and rows; Invalid when it is no CSV we can read. Commas, semicolons or tabs."""
    if len(data) > MAX_SIZE:
        raise Invalid({"file": [f"Must have at most {MAX_SIZE // 1_000_000} MB."]})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            {"file": ["Must be UTF-8; in a spreadsheet, save it as 'CSV UTF-8'."]}
        ) from None
    if "\0" in text:
        raise Invalid({"file": ["This is no CSV file."]})
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        found = [
            row
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if any(map(str.strip, row))
        ]
    except csv.Error as fault:
        raise Invalid({"file": [f"This is no CSV file: {fault}."]}) from None
    if len(found) < 2:
        raise Invalid({"file": ["Must have a head line and at least one row."]})
    if len(found) - 1 > MAX_ROWS:
        raise Invalid({"file": [f"Must have at most {MAX_ROWS} rows; it has {len(found) - 1}."]})
    return Sheet([cell.strip() for cell in found[0]], found[1:])


def _bare(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


ALIASES = {
    "id": "productId",
    "sku": "productId",
    "title": "name",
    "renewal": "renewalPrice",
    "cycle": "billingCycle",
}
KNOWN = {_bare(column): column for column in COLUMNS} | ALIASES


def guess_mapping(header: Iterable[str]) -> list[str]:
    """The field each column seems to be; "" where it is none of ours. No field twice."""
    fields: list[str] = []
    for name in header:
        field = KNOWN.get(_bare(name), "")
        fields.append("" if field in fields else field)
    return fields


def lookup_keys(sheet: Sheet, mapping: Sequence[str]) -> tuple[list[str], list[str]]:
    """The ids and names by which the rows' products are to be looked up."""
    cells = [_cells(row, mapping) for row in sheet.rows]
    ids = dict.fromkeys(c["productId"] for c in cells if c.get("productId"))
    names = dict.fromkeys(c["name"] for c in cells if c.get("name") and not c.get("productId"))
    return list(ids), list(names)


def plan_rows(
    sheet: Sheet,
    mapping: Sequence[str],
    by_id: Mapping[str, Product],
    by_name: Mapping[str, Product],
) -> list[Row]:
    """A row for each line: a change of the product with its id - or, without one, its name - or a new product.

    ``by_name`` is by the normalised name. What can't be made is refused here, with the sentence; a product that occurs
    twice is refused the second time.
    """
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(sheet.rows, 1):
        cells = _cells(line, mapping)
        product_id = cells.pop("productId", "")
        named = normalised_name(cells.get("name", ""))
        product = by_id.get(product_id) if product_id else by_name.get(named)
        row = _planned(number, product_id, product, cells)
        key = (product.product_id if product else product_id) or f"name {named}"
        if key in seen and row.state == RowState.WAITING:
            row = replace(
                row, state=RowState.REFUSED, message=f"Row {seen[key]} is about the same product."
            )
        seen.setdefault(key, number)
        rows.append(row)
    return rows


def _planned(
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
        new_product(product_id or "new", edits, by="", at=EPOCH)
    except CatalogueError as refusal:
        return replace(row, state=RowState.REFUSED, message=str(refusal))
    return row


def _cells(row: Sequence[str], mapping: Sequence[str]) -> dict[str, str]:
    """The row's cells by field; blank ones say nothing."""
    pairs = zip(mapping, row, strict=False)
    return {
        field: text
        for field, cell in pairs
        if field and (text := unescape_formula(cell.strip()).strip())
    }


def _value(field: str, cell: str) -> Any:
    """What the cell says, for the product's own rules to judge."""
    if field == "features":
        return (
            []
            if cell == CLEARED
            else [part.strip() for part in cell.replace("|", "\n").split("\n") if part.strip()]
        )
    if cell == CLEARED:
        return None
    return FLAGS.get(cell.casefold(), cell) if field == "active" else cell


def refusal_rows(rows: Iterable[Row]) -> Iterator[list[str]]:
    """What was refused, with the reason, as a file that can be mended and imported again."""
    yield [*COLUMNS, "error"]
    for row in rows:
        cells = {field: row.edits.get(FIELD_NAMES[field]) for field in COLUMNS} | {
            "productId": row.product_id
        }
        yield [*(_text(cells[field]) for field in COLUMNS), row.message]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        "\n".join(value) if isinstance(value, list | tuple) else "" if value is None else str(value)
    )
