"""The job row of each record of an imported file. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from products.bulk.identities import Identities, Trace, trace_of
from products.bulk.import_context import (
    Draft,
    FileContext,
    ProductFinder,
    RowRefused,
    new_row,
    refused_row,
)
from products.bulk.import_values import row_edits
from products.bulk.records import Record
from products.bulk.rows import Row, RowState, planned_row
from products.errors import CatalogueError
from products.merging import differences
from products.product import Product, new_product, normalised_name

PLACEHOLDER_ID, PLACEHOLDER_TIME = "new", datetime(1970, 1, 1, tzinfo=UTC)

type Versions = Mapping[tuple[str, int], Product]
"""Products as they were, by ID and version."""


def plan_rows(
    context: FileContext,
    products: ProductFinder,
    records: Sequence[Record],
    before: Sequence[Trace] = (),
) -> tuple[list[Row], list[Trace]]:
    """Return a row for each record, and what the rows after them must know.

    ``before`` are the traces of the rows in front of these, so that a file is planned in parts.
    """
    first = len(before) + 1
    drafts = [context.draft(number, record) for number, record in enumerate(records, first)]
    by_id = products.by_ids(_distinct(draft.product_id for draft in drafts))
    by_name = products.by_names(_distinct(draft.name for draft in drafts))
    found = [_with_product(draft, by_id, by_name) for draft in drafts]
    by_version = products.by_versions(_older_versions(found))
    identities = Identities(context, products, by_name)
    for trace in before:
        identities.remember(trace)
    planner = _RowPlanner(context, identities, by_version)
    rows = [planner.row(draft) for draft in found]
    return rows, planner.traces


def _distinct(texts: Any) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _with_product(
    draft: Draft, by_id: Mapping[str, Product], by_name: Mapping[str, Product]
) -> Draft:
    if draft.product_id:
        return replace(draft, product=by_id.get(draft.product_id))
    return replace(draft, product=by_name.get(normalised_name(draft.name)))


def _older_versions(drafts: Sequence[Draft]) -> list[tuple[str, int]]:
    """Return the IDs and versions of rows that started from an earlier version."""
    older = {
        (draft.product.product_id, draft.version): None
        for draft in drafts
        if draft.product and draft.version and draft.version != draft.product.version
    }
    return list(older)


@dataclass(frozen=True, slots=True)
class _RowPlanner:
    """Plans the rows of one file, one after the other."""

    context: FileContext
    identities: Identities
    by_version: Versions
    traces: list[Trace] = field(default_factory=list)

    def row(self, draft: Draft) -> Row:
        """Return the row of a draft, which may be refused."""
        try:
            draft = replace(draft, base=self._base(draft))
            row = self._planned(draft)
            if row.state == RowState.REFUSED:
                row = refused_row(draft, row.message)
        except RowRefused as refusal:
            row = refused_row(draft, str(refusal))
        trace = trace_of(draft, row)
        self.traces.append(trace)
        self.identities.remember(trace)
        return replace(row, line=draft.record.line)

    def _base(self, draft: Draft) -> Product | None:
        """Return the product that the row started from."""
        product = draft.product
        if product is None or draft.version in (None, product.version):
            return product
        base = self.by_version.get((product.product_id, draft.version))
        if base is None:
            raise RowRefused(
                f"{self.context.label('version')}: {product.product_id} has no version "
                f"{draft.version}; it is at version {product.version}."
            )
        return base

    def _planned(self, draft: Draft) -> Row:
        """Return the row. Raise RowRefused with the reason."""
        if draft.record.error:
            raise RowRefused(draft.record.error)
        edits = row_edits(self.context, draft)
        self.identities.validate(draft)
        if draft.product is None:
            return self._new_product(draft, edits)
        return planned_row(
            draft.number,
            draft.product,
            edits,
            base=draft.base,
            phrase=lambda refusal: self.context.phrase(refusal, draft.record.cells),
        )

    def _new_product(self, draft: Draft, edits: dict[str, Any]) -> Row:
        """Return the row that creates a product, with the defaults that it will get."""
        product_id = draft.product_id or PLACEHOLDER_ID
        row = new_row(draft, edits)
        try:
            product = new_product(product_id, edits, by="", at=PLACEHOLDER_TIME)
        except CatalogueError as refusal:
            reason = self.context.phrase(refusal, draft.record.cells)
            if draft.product_id:
                reason = f"{self.identities.unknown_id(draft)} As a new product: {reason}"
            return row.refused(reason)
        changed = differences(None, product)
        shown = {name: pair for name, pair in changed.items() if pair[1] != ()}
        note = self.identities.new_id_note(draft) if draft.product_id else ""
        return replace(row, changed=shown, note=note)
