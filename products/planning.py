"""Planning a write: which change it would append to the newest version. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from products.changes import Change, Effect, Origin, next_change
from products.errors import ChangeNotFound, Invalid, ProductNotFound
from products.identifiers import is_version, validated_id
from products.merging import VersionMismatch, differences, merged
from products.permissions import require_permission_to_write
from products.product import Product, new_product
from products.writes import Accepted, Plan, Write

NO_IMAGE = "Must be an image that was uploaded here; there is none at this address."


class VersionReader(Protocol):
    """Reads the versions of products. Each method may raise DependencyUnavailable."""

    def newest(self, product_id: str) -> Change | None:
        """Return the product's newest change, read consistently."""

    def change(self, product_id: str, version: int) -> Change | None: ...


class ChangeReader(VersionReader, Protocol):
    """Reads the change log. Each method may raise DependencyUnavailable."""

    def open_changes(
        self,
        accepted_before: datetime | None = None,
        *,
        accepted_after: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Change]:
        """Yield changes with an open effect, read lazily. A time given is one end of them."""


def read_newest_change(log: VersionReader, product_id: str | None) -> Change:
    """Return the product's newest change. Raises: Invalid, ProductNotFound."""
    legal_id = validated_id(product_id)
    newest = log.newest(legal_id)
    if newest is None:
        raise ProductNotFound(legal_id)
    return newest


def read_change(log: VersionReader, product_id: str, version: int) -> Change:
    """Return one change of the product. Raises: Invalid, ChangeNotFound."""
    validated_id(product_id)
    change = log.change(product_id, version) if is_version(version) else None
    if change is None:
        raise ChangeNotFound(product_id, version)
    return change


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans writes. The clock and the IDs are injected.

    ``image_exists`` looks up an image by its key. It is asked only about a new image.
    """

    log: VersionReader
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    image_exists: Callable[[str], bool]
    effects: frozenset[Effect]

    def plan(self, write: Write, origin: Origin) -> Plan:
        """Return what the write would do. Nothing is written.

        Raises: Invalid, ProductNotFound, ChangeNotFound (of the base), VersionMismatch,
        EditConflict, NotAllowed, DependencyUnavailable when a new image can't be looked up.
        """
        if write.creates:
            return self._plan_create(write, origin)
        return self._plan_update(write, origin)

    def _plan_create(self, write: Write, origin: Origin) -> Plan:
        """Plan a creation. Whether the product exists is left to the transaction."""
        product_id = f"prod_{self.new_id()}" if write.product_id is None else write.product_id
        product = new_product(product_id, write.edits, by=origin.actor, at=self.clock())
        return self._plan_change(replace(write, product_id=product_id), None, product, origin)

    def _plan_update(self, write: Write, origin: Origin) -> Plan:
        """Plan the merge of the edits into the newest version."""
        newest = read_newest_change(self.log, write.product_id)
        if write.expected_version not in (None, newest.version):
            raise VersionMismatch(newest.after)
        base = newest.after
        if write.base not in (None, newest.version):
            base = read_change(self.log, newest.product_id, write.base).after
        after = merged(base, write.edits, newest.after)
        return self._plan_change(replace(write, base=base.version), newest, after, origin)

    def _plan_change(
        self, write: Write, newest: Change | None, after: Product, origin: Origin
    ) -> Plan:
        before = newest.after if newest else None
        changed = differences(before, after)
        require_permission_to_write(origin.permissions, changed, creates=newest is None)
        if "image" in changed and after.image and not self.image_exists(after.image):
            raise Invalid({"image": [NO_IMAGE]})
        if newest and not changed:
            return Plan(write, Accepted(after, None))
        change = next_change(
            newest,
            after,
            origin,
            at=self.clock(),
            change_id=self.new_id(),
            effects=self.effects,
        )
        return Plan(write, Accepted(change.after, change))
