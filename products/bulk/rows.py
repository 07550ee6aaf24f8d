"""The rows of a job: one product each, with its planned and its actual changes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from products.errors import CatalogueError
from products.merging import differences, merged
from products.permissions import Permission, needed_permissions
from products.product import Product
from products.writes import Write

FieldChanges = Mapping[str, tuple[Any, Any]]
"""The value before and the value after, by field."""


class RowState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One product of a job.

    ``base`` is the version the row was planned on; with ``strict`` the write requires that version.
    ``changed`` holds the planned changes, and after the write the actual ones.
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


def planned_row(number: int, product: Product, edits: Mapping[str, Any]) -> Row:
    """Return a row that makes the edits on the product, or a refused row with the reason."""
    row = Row(
        number=number,
        product_id=product.product_id,
        name=product.name,
        edits=dict(edits),
        base=product.version,
    )
    try:
        after = merged(product, edits, product)
    except CatalogueError as refusal:
        return row.refused(str(refusal))
    changed = differences(product, after)
    if not changed:
        return replace(row, state=RowState.UNCHANGED)
    return replace(row, changed=changed)


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
    )


def _inverse_changes(row: Row) -> FieldChanges:
    if row.creates:
        return {"active": (True, False)}
    return {name: (after, before) for name, (before, after) in row.changed.items()}
