"""What all rows of an imported file share: its columns and its sentences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from products.bulk.columns import Column
from products.bulk.csv_files import unescape_cell
from products.bulk.records import Record
from products.bulk.rows import Row
from products.bulk.sheets import Cell, cell_text
from products.bulk.values import CellReader, read_version, visible
from products.documents import FIELD_NAMES, document_key
from products.errors import CatalogueError, Invalid
from products.lists import ListQuery
from products.product import BillingCycle, Product, normalised_name

NOT_EDITED = ("productId", "version")
"""The fields that only say what a row is about."""
MAX_SHOWN = 60  # characters of a refused cell
MAX_KEPT = 4_000
"""Characters of a refused cell that are kept: no field may have so many."""


class ProductFinder(Protocol):
    """Finds existing products. Each method may raise DependencyUnavailable."""

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]: ...

    def by_names(self, names: list[str]) -> dict[str, Product]:
        """Return the products with these names, by normalised name."""

    def by_versions(self, versions: list[tuple[str, int]]) -> dict[tuple[str, int], Product]:
        """Return products as they were in these versions, by ID and version."""

    def walk(self, listing: ListQuery, limit: int) -> Iterator[Product]:
        """Yield at most ``limit`` products of a staff list."""


class RowRefused(Exception):
    """The row is refused, with a sentence."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A record, and what it is about: the ``product``, if it exists, in the row's ``version``."""

    number: int
    record: Record
    product_id: str
    name: str
    version: int | None
    product: Product | None = None
    base: Product | None = None

    @property
    def identity(self) -> str:
        """The product's ID, or a new product's name."""
        if self.product:
            return self.product.product_id
        return self.product_id or f"name {normalised_name(self.name)}"


@dataclass(frozen=True, slots=True)
class FileContext:
    """What holds for all rows of a file: its columns by field, and how its cells are read."""

    columns: Mapping[str, Column]
    cells: CellReader
    currency: str | None = None
    billing_cycle: BillingCycle | None = None

    def draft(self, number: int, record: Record) -> Draft:
        """Return the draft of a row. An unreadable version is refused with the other cells."""
        cells = record.cells
        try:
            version = read_version(cell_text(cells["version"])) if "version" in cells else None
        except ValueError:
            version = None
        product_id, name = self._text("productId", cells), self._text("name", cells)
        return Draft(number, record, product_id, name, version)

    def _text(self, name: str, cells: Mapping[str, Cell]) -> str:
        if name not in cells:
            return ""
        text = unescape_cell(cell_text(cells[name]))
        return visible(text) if name == "productId" else text

    def label(self, name: str) -> str:
        """Return the column of a field as the sheet calls it."""
        column = self.columns.get(name)
        return column.name if column and column.name else _plain_label(name)

    def about(self, name: str, cells: Mapping[str, Cell], sentence: str) -> str:
        """Return the sentence with the column and the cell that it is about."""
        label = self.label(name)
        if name not in cells:
            return f"{label}: {sentence}"
        text = cell_text(cells[name])
        shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
        return f"{label} “{shown}”: {sentence}"

    def phrase(self, refusal: CatalogueError, cells: Mapping[str, Cell]) -> str:
        """Return the sentences of a refusal with the names of the sheet's columns."""
        if not isinstance(refusal, Invalid):
            return str(refusal)
        return " ".join(
            self.about(document_key(name), cells, " ".join(sentences))
            for name, sentences in refusal.errors.items()
        )


def new_row(draft: Draft, edits: Mapping[str, Any]) -> Row:
    """Return the row that creates a product."""
    return Row(
        number=draft.number,
        product_id=draft.product_id or None,
        name=draft.name,
        edits=edits,
        creates=True,
        changed={name: (None, value) for name, value in edits.items()},
    )


def refused_row(draft: Draft, sentence: str) -> Row:
    """Return the refused row. It keeps its texts, to be corrected and imported again."""
    cells = draft.record.cells
    texts = {
        FIELD_NAMES[name]: cell_text(cells[name])[:MAX_KEPT]
        for name in cells
        if name not in NOT_EDITED
    }
    row, product = new_row(draft, texts), draft.product
    row = replace(row, product_id=draft.product_id[:MAX_KEPT] or None, name=draft.name[:MAX_KEPT])
    if product:
        row = replace(
            row,
            product_id=product.product_id,
            name=product.name,
            creates=False,
            base=draft.version,
            changed={},
        )
    return row.refused(sentence)


def column_names(columns: Sequence[Column]) -> dict[str, Column]:
    """Return the columns by their fields, without ignored ones."""
    return {column.field: column for column in columns if column.field}


def _plain_label(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.capitalize()
