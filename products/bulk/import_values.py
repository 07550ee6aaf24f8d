"""The edits that the cells of a row make. Pure."""

from typing import Any

from products.amounts import ANY_NOTATION
from products.bulk.columns import PRICE_FIELDS
from products.bulk.csv_files import exported_cell
from products.bulk.import_context import Draft, FileContext, RowRefused
from products.bulk.sheets import Cell, cell_text
from products.bulk.values import is_recurring, read_currency, read_cycle
from products.documents import FIELD_NAMES
from products.product import BillingCycle, Product


def row_edits(context: FileContext, draft: Draft) -> dict[str, Any]:
    """Return the values of the row by the core's fields, without cells that nobody touched.

    Raise RowRefused with all cells that can't be read.
    """
    cells, base = draft.record.cells, draft.base
    currency, cycle = _row_currency(context, draft), _cycle_of_price(context, draft)
    edits: dict[str, Any] = {}
    problems: list[str] = []
    for name, cell in cells.items():
        if name == "productId" or (base and _is_as_exported(base, name, cell)):
            continue
        if name == "billingCycle" and cycle and is_recurring(cell_text(cell)):
            continue
        try:
            edits[FIELD_NAMES[name]] = context.cells.value(
                context.columns[name], cell, currency, is_exported=draft.record.is_exported
            )
        except ValueError as refusal:
            problems.append(context.about(name, cells, str(refusal)))
    if problems:
        raise RowRefused(" ".join(problems))
    edits.pop("version", None)
    if currency and (base is None or base.currency != currency):
        edits.setdefault("currency", currency)
    if cycle:
        edits.setdefault("billing_cycle", cycle)
    return edits


def _cycle_of_price(context: FileContext, draft: Draft) -> BillingCycle | None:
    """Return the cycle for a row that names none: the file's, or that of a column "Monthly"."""
    column = context.columns.get("price")
    if context.billing_cycle or column is None or "price" not in draft.record.cells:
        return context.billing_cycle
    try:
        return read_cycle(column.name)
    except ValueError:
        return None


def _row_currency(context: FileContext, draft: Draft) -> str | None:
    """Return the currency of the row: its own, the file's, the product's, or of its prices.

    Raise RowRefused when a price is in another one.
    """
    cells, base = draft.record.cells, draft.base
    currency = _own_currency(context, draft) or (base.currency if base else None)
    for name in PRICE_FIELDS:
        column = context.columns.get(name)
        if column is None or name not in cells:
            continue
        named = (column.currency,) if column.currency else _currencies_in(cells[name])
        if named and currency and currency not in named:
            sentence = f"Is in {named[0]}, but the currency of the row is {currency}."
            raise RowRefused(context.about(name, cells, sentence))
        currency = currency or (named[0] if named else None)
    return currency


def _own_currency(context: FileContext, draft: Draft) -> str | None:
    cells = draft.record.cells
    if "currency" not in cells:
        return context.currency
    try:
        return read_currency(cell_text(cells["currency"]))
    except ValueError as refusal:
        raise RowRefused(context.about("currency", cells, str(refusal))) from None


def _currencies_in(cell: Cell) -> tuple[str, ...]:
    try:
        return ANY_NOTATION.read(cell).currencies if isinstance(cell, str) else ()
    except ValueError:
        return ()


def _is_as_exported(product: Product, name: str, cell: Cell) -> bool:
    """Return whether the cell is what an export of this version contains."""
    return cell_text(cell) == exported_cell(getattr(product, FIELD_NAMES[name])).strip()
