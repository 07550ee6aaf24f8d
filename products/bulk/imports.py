"""Importing products: what a file says, and the job rows that it becomes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from products.amounts import ANY_NOTATION, DecimalMark, Notation, UnclearAmount, proofs
from products.bulk.columns import (
    PRICE_FIELDS,
    Column,
    chosen_mapping,
    guess_mapping,
    mapping_notes,
    normalised_header,
)
from products.bulk.identities import Trace
from products.bulk.import_context import FileContext, ProductFinder, column_names
from products.bulk.import_rows import plan_rows
from products.bulk.records import Record, RecordReader
from products.bulk.rows import Row
from products.bulk.sheets import Sheet
from products.bulk.shops import shop_of
from products.bulk.values import CellReader
from products.errors import Invalid
from products.product import BillingCycle

FOREIGN_IDS = {"id", "productid"}
"""Names of columns in which other systems write their own numbers."""
NO_VERSIONS = (
    "The rows have no version, so they are compared with today's products: an older value in the "
    "sheet replaces what others have saved since."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What a user says about a file.

    ``columns`` has chosen fields by the number of the column. ``currency`` and ``billing_cycle``
    hold for the rows that name none.
    """

    columns: Mapping[int, str] = field(default_factory=dict)
    mark: DecimalMark | None = None
    currency: str | None = None
    billing_cycle: BillingCycle | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The rows of a job, and sentences about how the file was read."""

    rows: list[Row]
    notes: tuple[str, ...]


def guessed_columns(sheet: Sheet, currency: str | None = None) -> list[Column]:
    """Return the columns of a sheet, each with its likely field."""
    return guess_mapping(sheet.header, known=shop_of(sheet.header).fields, currency=currency)


@dataclass(frozen=True, slots=True)
class ReadImport:
    """A file that is understood: its records, and how its cells are read."""

    records: list[Record]
    context: FileContext
    columns: list[Column]
    first_notes: list[str]
    last_notes: list[str]

    def notes(self, rows: Sequence[Row] | Sequence[Trace]) -> list[str]:
        """Return sentences about how the file was read, given all its rows."""
        return [
            *self.first_notes,
            *_version_notes(self.records, rows),
            *mapping_notes(self.columns),
            *_foreign_id_notes(self.context.columns.get("productId"), rows),
            *self.last_notes,
        ]


def chosen_columns(sheet: Sheet, options: ImportOptions) -> list[Column]:
    """Return the columns with their fields. Raise Invalid when they do not fit."""
    return chosen_mapping(guessed_columns(sheet, options.currency), options.columns)


def read_import(sheet: Sheet, options: ImportOptions) -> ReadImport:
    """Return what the rows of a sheet say. Raise Invalid when no row is a product."""
    columns = chosen_columns(sheet, options)
    shop = shop_of(sheet.header)
    reader = RecordReader(sheet, columns, shop)
    records = reader.records()
    if not records:
        raise Invalid({"file": ["No row is a product to buy.", *reader.notes()]})
    notation, notation_notes = _notation(_amount_texts(records), options.mark, sheet)
    context = FileContext(
        columns=column_names(columns),
        cells=CellReader(notation),
        currency=options.currency,
        billing_cycle=options.billing_cycle,
    )
    shop_notes = [f"Recognised as an export of {shop.name}."] if shop.name else []
    first_notes = [*sheet.notes, *shop_notes, *notation_notes]
    return ReadImport(records, context, columns, first_notes, reader.notes())


def plan_import(sheet: Sheet, options: ImportOptions, products: ProductFinder) -> ImportPlan:
    """Plan a job row for each row of the sheet that is a product.

    A row changes the product with its ID or, without an ID, its name; else it creates a product. A
    row that breaks a rule is refused here, with the reason. Raise Invalid when the columns do not
    fit.
    """
    read = read_import(sheet, options)
    rows, _ = plan_rows(read.context, products, read.records)
    return ImportPlan(rows, tuple(read.notes(rows)))


def _amount_texts(records: Iterable[Record]) -> list[str]:
    cells = [record.cells.get(name) for record in records for name in PRICE_FIELDS]
    return [cell for cell in cells if isinstance(cell, str)]


def _notation(
    amounts: Sequence[str], chosen: DecimalMark | None, sheet: Sheet
) -> tuple[Notation, list[str]]:
    """Return how the amounts of the file are written, with sentences about it."""
    if chosen:
        return Notation(chosen, is_chosen=True), [f"Amounts are read with a {chosen.label}."]
    found = proofs(amounts)
    if len(found) == 1:
        [(mark, example)] = found.items()
        return Notation(mark), [f"Amounts are read with a {mark.label}, as in “{example.strip()}”."]
    notes = []
    if found:
        examples = " and ".join(f"“{example.strip()}”" for example in found.values())
        notes = [f"Amounts are written in two ways, as in {examples}; each is read as written."]
    unclear = next((text for text in amounts if _is_unclear(text)), None)
    if unclear is not None:
        notes.append(_question_about(unclear.strip(), sheet.likely_mark))
    return ANY_NOTATION, notes


def _is_unclear(text: str) -> bool:
    try:
        ANY_NOTATION.read(text)
    except UnclearAmount:
        return True
    except ValueError:
        return False
    return False


def _question_about(example: str, likely: DecimalMark | None) -> str:
    hint = f" Files with semicolons usually have a {likely.label}." if likely else ""
    return (
        f"Amounts such as “{example}” can mean two amounts, so they are refused. "
        f"Choose the decimal mark and import the file again.{hint}"
    )


def _foreign_id_notes(column: Column | None, rows: Sequence[Row] | Sequence[Trace]) -> list[str]:
    """Return a warning when new products would get numbers that look like another system's."""
    new_ids = [row.product_id or "" for row in rows if row.creates]
    is_foreign = bool(new_ids) and all(text.isdecimal() for text in new_ids)
    if column is None or normalised_header(column.name) not in FOREIGN_IDS or not is_foreign:
        return []
    return [
        f"{column.label} holds only numbers, which would be the IDs of new products for ever. "
        "If they are another system's, choose to ignore this column."
    ]


def _version_notes(records: Sequence[Record], rows: Sequence[Row] | Sequence[Trace]) -> list[str]:
    creates = [row.creates for row in rows]
    without = sum(
        "version" not in record.cells and not is_new
        for record, is_new in zip(records, creates, strict=True)
    )
    if not without:
        return []
    if without == len(rows):
        return [NO_VERSIONS]
    if without == 1:
        return ["1 row has no version and is compared with today's product."]
    return [f"{without} rows have no version and are compared with today's products."]
