"""Importing products: which row of a file changes which product, and which creates one. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from products.bulk.csv_files import COLUMNS, Sheet, unescape_formula
from products.bulk.rows import Row, RowState, planned_row
from products.documents import FIELD_NAMES
from products.errors import CatalogueError, Invalid
from products.product import Product, new_product, normalised_name

ALIASES = {
    "id": "productId",
    "sku": "productId",
    "title": "name",
    "renewal": "renewalPrice",
    "cycle": "billingCycle",
}
KEY_COLUMNS = {"productId", "name"}
"""The columns that say which product a row is about."""
CLEARED = "(empty)"
"""A cell with this text clears the field; a blank cell leaves the field unchanged."""
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

type Cells = dict[str, str]
"""A row's texts by field, without blank cells."""


class ProductFinder(Protocol):
    """Finds existing products. Each method may raise DependencyUnavailable."""

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]: ...

    def by_names(self, names: list[str]) -> dict[str, Product]:
        """Return the products with these names, by normalised name."""


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


def column_mapping(header: Sequence[str], chosen: Mapping[int, str]) -> list[str]:
    """Return the field of each column: as chosen by its number, else as it seems to be.

    An empty field means that the column is not imported. Raise Invalid when a field is unknown or
    has two columns, or when no column says which product a row is about.
    """
    guesses = guess_mapping(header)
    mapping = [chosen.get(number, guess) for number, guess in enumerate(guesses)]
    fields = [field for field in mapping if field]
    has_unknown = not set(fields) <= set(COLUMNS)
    has_duplicate = len(fields) != len(set(fields))
    if has_unknown or has_duplicate:
        raise Invalid({"file": ["Each field may be one column only."]})
    if not KEY_COLUMNS & set(fields):
        raise Invalid({"file": ["One column must be the product's ID or its name."]})
    return mapping


def plan_import(sheet: Sheet, mapping: Sequence[str], products: ProductFinder) -> list[Row]:
    """Plan a job row for each row of the sheet; ``mapping`` has the field of each column.

    A row changes the product with its id or, without an id, its name; else it creates a product.
    A row that breaks a rule is refused here, with the reason, and so is a second row about the
    same product.
    """
    lines = [_cells_by_field(row, mapping) for row in sheet.rows]
    ids = [cells["productId"] for cells in lines if "productId" in cells]
    names = [cells["name"] for cells in lines if "name" in cells and "productId" not in cells]
    by_id = products.by_ids(list(dict.fromkeys(ids)))
    by_name = products.by_names(list(dict.fromkeys(names)))
    rows: list[Row] = []
    first_numbers: dict[str, int] = {}
    for number, cells in enumerate(lines, 1):
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


def _cells_by_field(row: Sequence[str], mapping: Sequence[str]) -> Cells:
    """Return the row's cells by field, without blank cells and unmapped columns."""
    cells: Cells = {}
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
