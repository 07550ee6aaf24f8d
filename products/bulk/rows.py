"""The rows of a job: one product each, with its planned and its actual changes. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from products.changes import Change
from products.errors import CatalogueError
from products.grouped_writes import Result
from products.merging import Clash, EditConflict, VersionMismatch, differences, merged
from products.permissions import Permission, needed_permissions
from products.product import Product
from products.writes import Accepted, Write

FieldChanges = Mapping[str, tuple[Any, Any]]
"""The value before and the value after, by field."""


class RowState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    SKIPPED = "skipped"
    CLASH = "clash"
    """Waits for a decision: somebody else changed the same field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One product of a job.

    ``base`` is the version the row was planned on; with ``strict`` the write requires that version.
    ``changed`` holds the planned changes, and after the write the actual ones. ``line`` is the
    row's line in the imported file, and ``note`` says what is special about it. ``clashes`` are
    the fields that others changed too, for which somebody must decide. ``currency`` is that of the
    prices before the change.
    """

    number: int
    product_id: str | None
    name: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    strict: bool = False
    changed: FieldChanges = field(default_factory=dict)
    state: RowState = RowState.WAITING
    message: str = ""
    version: int | None = None
    line: int | None = None
    note: str = ""
    clashes: Mapping[str, Clash] = field(default_factory=dict)
    currency: str = ""

    @property
    def write(self) -> Write:
        expected_version = self.base if self.strict else None
        return Write(
            product_id=self.product_id,
            edits=self.edits,
            creates=self.creates,
            base=self.base,
            expected_version=expected_version,
        )

    @property
    def needed_permissions(self) -> frozenset[Permission]:
        """The permissions that writing this row needs."""
        return needed_permissions(self.changed, creates=self.creates)

    def refused(self, message: str) -> "Row":
        """Return the row as refused, with the reason."""
        return replace(self, state=RowState.REFUSED, message=message)


def planned_row(
    number: int,
    product: Product,
    edits: Mapping[str, Any],
    *,
    base: Product | None = None,
    phrase: Callable[[CatalogueError], str] = str,
) -> Row:
    """Return a row that makes the edits on the product, or a refused row with the reason.

    ``base`` is the version that the edits started from, by default the product as it is. Where
    others changed the same field since then, the row is a clash. ``phrase`` words the reason.
    """
    start = base or product
    row = Row(
        number=number,
        product_id=product.product_id,
        name=product.name,
        edits=dict(edits),
        base=start.version,
        currency=product.currency,
    )
    try:
        return _planned(row, product, merged(start, edits, product))
    except EditConflict as conflict:
        return _clashing_row(row, conflict, phrase)
    except CatalogueError as refusal:
        return row.refused(phrase(refusal))


def _planned(row: Row, product: Product, after: Product) -> Row:
    changed = differences(product, after)
    if not changed:
        return replace(row, state=RowState.UNCHANGED)
    return replace(row, changed=changed)


def _clashing_row(row: Row, conflict: EditConflict, phrase: Callable[[CatalogueError], str]) -> Row:
    """Return the row on top of the newest version, where somebody decides about each clash."""
    newest = conflict.product
    try:
        after = merged(newest, conflict.edits, newest)
    except CatalogueError as refusal:
        return row.refused(phrase(refusal))
    return replace(
        row,
        edits=conflict.edits,
        base=newest.version,
        changed=differences(newest, after),
        clashes=conflict.clashes,
        note=f"{newest.updated_by} has saved version {newest.version} since.",
        state=RowState.CLASH,
    )


def row_after(row: Row, result: Result) -> Row:
    """Return the row with the result of its write."""
    if isinstance(result, VersionMismatch):
        newer = result.product
        message = f"{newer.updated_by} has saved version {newer.version} since."
        return replace(row, state=RowState.SKIPPED, message=message)
    if not isinstance(result, Accepted):
        return row.refused(str(result))
    if result.change is None:
        return replace(row, state=RowState.UNCHANGED)
    return _accepted_row(row, result.change)


def _accepted_row(row: Row, change: Change) -> Row:
    return replace(
        row,
        state=RowState.ACCEPTED,
        version=change.version,
        product_id=change.product_id,
        changed=differences(change.before, change.after),
    )


def undo_row(number: int, row: Row) -> Row:
    """Return the row that undoes an accepted one: it deactivates a product that the row created."""
    changed = _inverse_changes(row)
    edits = {name: after for name, (_, after) in changed.items()}
    return Row(
        number=number,
        product_id=row.product_id,
        name=row.name,
        edits=edits,
        base=row.version,
        strict=True,
        changed=changed,
        currency=row.currency,
    )


def _inverse_changes(row: Row) -> FieldChanges:
    if row.creates:
        return {"active": (True, False)}
    return {name: (after, before) for name, (before, after) in row.changed.items()}
