"""A job's rows: one product each, with what would change, and later what did. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import batched
from typing import Any

from products.errors import CatalogueError
from products.merging import differences, merged
from products.product import Product
from products.writes import Write

CHUNK = 50  # rows written down together: well below the 400 KB of a DynamoDB item


class RowState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One product of a job. ``changed`` holds what would change, or what did, as (before, after) by field.

    ``base`` is the version the row was planned on; with ``strict`` the product must still be at it.
    """

    number: int
    product_id: str | None
    name: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    strict: bool = False
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
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


def planned_row(number: int, product: Product, edits: Mapping[str, Any]) -> Row:
    """The row that makes the edits on the product as it is now, or that tells why they can't be made."""
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
        return replace(row, state=RowState.REFUSED, message=str(refusal))
    changed = differences(product, after)
    return replace(row, changed=changed, state=RowState.WAITING if changed else RowState.UNCHANGED)


def undo_row(number: int, row: Row) -> Row:
    """The row that undoes an accepted one; a product that was created is deactivated."""
    if row.creates:
        changed: dict[str, tuple[Any, Any]] = {"active": (True, False)}
    else:
        changed = {name: (after, before) for name, (before, after) in row.changed.items()}
    return Row(
        number=number,
        product_id=row.product_id,
        name=row.name,
        edits={name: after for name, (_, after) in changed.items()},
        base=row.version,
        strict=True,
        changed=changed,
    )


def in_chunks(rows: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    """The rows as they are written down."""
    return batched(rows, CHUNK)
