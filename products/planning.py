"""Planning writes: which changes they would append to the newest versions. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from products.changes import MAX_VERSION, Change, Effect, Origin, next_change
from products.errors import (
    CatalogueError,
    ChangeNotFound,
    ProductExists,
    ProductNotFound,
    Unavailable,
)
from products.merging import VersionMismatch, merged
from products.product import Product, new_product, validated_id
from products.writes import Accepted, Write, WritesRefused


class ChangeReader(Protocol):
    """Reads the change log. Each method may raise DependencyUnavailable."""

    def newest(self, product_id: str) -> Change | None:
        """Return the product's newest change, read consistently."""

    def change(self, product_id: str, version: int) -> Change | None: ...


def read_newest_change(log: ChangeReader, product_id: str) -> Change:
    """Return the product's newest change. Raises: Invalid, ProductNotFound."""
    newest = log.newest(validated_id(product_id))
    if newest is None:
        raise ProductNotFound(product_id)
    return newest


def read_change(log: ChangeReader, product_id: str, version: int) -> Change:
    """Return one change of the product. Raises: Invalid, ChangeNotFound."""
    validated_id(product_id)
    is_possible = 0 < version <= MAX_VERSION
    change = log.change(product_id, version) if is_possible else None
    if change is None:
        raise ChangeNotFound(product_id, version)
    return change


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans the changes of one request.

    A request that loses a race with other writers is planned again. Its edits still start from
    the versions that were the newest at its first attempt: ``_bases`` keeps them by position.
    """

    log: ChangeReader
    origin: Origin
    product_ids: Sequence[str]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    effects: frozenset[Effect]
    _bases: dict[int, Product] = field(default_factory=dict)

    def plan_all(self, writes: Sequence[Write], *, checks_existence: bool) -> list[Accepted]:
        """Return the planned result of each write; ``product_ids`` are of the same order.

        Raise WritesRefused with all refusals, not only the first. Raise Unavailable immediately:
        there is no point in planning the others while a dependency is unavailable.
        """
        planned: list[Accepted] = []
        refusals: dict[int, CatalogueError] = {}
        for position, write in enumerate(writes):
            try:
                if write.creates:
                    result = self._plan_create(position, write, checks_existence=checks_existence)
                else:
                    result = self._plan_update(position, write)
                planned.append(result)
            except Unavailable:
                raise
            except CatalogueError as refusal:
                refusals[position] = refusal
        if refusals:
            raise WritesRefused(refusals)
        return planned

    def _plan_create(self, position: int, write: Write, *, checks_existence: bool) -> Accepted:
        """Return the planned creation of a product.

        Without ``checks_existence`` the read is skipped, and the transaction fails if the product
        exists. Raises: Invalid, ProductExists.
        """
        product_id = self.product_ids[position]
        product = new_product(product_id, write.edits, by=self.origin.actor, at=self.clock())
        if checks_existence and self.log.newest(product_id):
            raise ProductExists(product_id)
        change = self._next_change(None, product)
        return Accepted(change.after, change)

    def _plan_update(self, position: int, write: Write) -> Accepted:
        """Return the planned result of merging the edits into the newest version.

        Raises: Invalid, ProductNotFound, ChangeNotFound (of the base), VersionMismatch,
        EditConflict.
        """
        newest = read_newest_change(self.log, self.product_ids[position])
        if write.expected_version is not None and newest.version != write.expected_version:
            raise VersionMismatch(newest.after)
        if position not in self._bases:
            self._bases[position] = self._read_base(write, newest)
        after = merged(self._bases[position], write.edits, newest.after)
        if after == newest.after:
            return Accepted(after, None)
        change = self._next_change(newest, after)
        return Accepted(change.after, change)

    def _read_base(self, write: Write, newest: Change) -> Product:
        """Return the version that the caller started from: the newest unless it named one."""
        if write.base is None:
            return newest.after
        return read_change(self.log, newest.product_id, write.base).after

    def _next_change(self, previous: Change | None, after: Product) -> Change:
        return next_change(
            previous,
            after,
            self.origin,
            at=self.clock(),
            change_id=self.new_id(),
            effects=self.effects,
        )
