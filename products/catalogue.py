"""The use-cases of the catalogue - accept a write, read, follow a write - and what they ask of the world. Pure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from products.changes import (
    Change,
    ChangeNotFound,
    Effect,
    EngineAway,
    Origin,
    ProductExists,
    ProductNotFound,
    VersionMismatch,
    VersionTaken,
    merged,
    next_change,
)
from products.listing import Listing, Page, mentions, newest_of, page_of
from products.product import Conflict, Product, checked_id, new_product

ATTEMPTS_MOST = 8  # races with other writers one write may lose before its caller is told


class ContendedWrite(Conflict):
    """So many writers change this product at once that this one never got its turn."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a write came to: the product after it, and the change that was appended, None when nothing changed."""

    product: Product
    change: Change | None


class ProductTable(Protocol):
    """The log and the records. Each method may raise EngineAway."""

    def newest(self, product_id: str) -> Change | None:
        """The product's newest change, read consistently."""

    def change(self, product_id: str, version: int) -> Change | None: ...

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Changes with a version below ``before``, newest first."""

    def append(self, change: Change) -> None:
        """Append with all that may refuse it, in one transaction: VersionTaken or NameTaken, or it is there."""

    def open_changes(self, accepted_before: datetime | None = None) -> Iterator[Change]:
        """Changes with an open effect, oldest first, read lazily."""

    def record(self, product_id: str) -> Product | None:
        """What the public reads."""

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...

    def in_order(self, listing: Listing, *, active: bool) -> Iterator[Product]:
        """Records from the index of this order, after ``listing.after``, read lazily."""


class SearchIndex(Protocol):
    def search(self, text: str, active: bool | None, limit: int) -> list[str]:
        """Ids of the best matches, best first; EngineAway when there is no index to ask."""


class Doorbell(Protocol):
    def ring(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Say that the product has this version. May be lost; never raises for a queue that is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The products as callers know them. Time and ids come from outside, so that a test can choose them."""

    table: ProductTable
    index: SearchIndex
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    effects: frozenset[Effect] = frozenset(Effect)

    # Writing: each appends one change, then rings. What is returned is accepted and can't be refused any more.

    def create(self, product_id: str | None, edits: Mapping[str, Any], origin: Origin) -> Accepted:
        """A new product, under the caller's id or a made one. Invalid, ProductExists, NameTaken."""
        chosen = checked_id(product_id) if product_id is not None else f"prod_{self.new_id()}"
        product = new_product(chosen, edits, by=origin.actor, at=self.clock())
        for _ in range(ATTEMPTS_MOST):
            try:
                return self._accept(self._next(None, product, origin))
            except VersionTaken:
                if self.table.newest(chosen):
                    raise ProductExists(chosen) from None
        raise ContendedWrite(f"Too many writers want the name {product.name!r} at once; nothing was saved.")

    def update(
        self,
        product_id: str,
        edits: Mapping[str, Any],
        origin: Origin,
        *,
        base: int | None = None,
        only_if: int | None = None,
    ) -> Accepted:
        """Merge ``edits`` into the newest version. Disjoint edits merge; the same field raises EditConflict.

        ``base`` is the version the caller started from (the newest when None); ``only_if`` insists on a version and
        raises VersionMismatch. ProductNotFound, Invalid, NameTaken, ContendedWrite.
        """
        start: Product | None = None
        for _ in range(ATTEMPTS_MOST):
            newest = self._newest(product_id)
            if only_if is not None and newest.version != only_if:
                raise VersionMismatch(newest.after)
            if start is None:
                start = self.version(product_id, base) if base is not None else newest.after
            after = merged(start, edits, newest.after)
            if after == newest.after:
                return Accepted(after, None)
            try:
                return self._accept(self._next(newest, after, origin))
            except VersionTaken:
                continue
        raise ContendedWrite(f"Too many writers are changing {product_id!r} at once; nothing was saved.")

    def deactivate(self, product_id: str, origin: Origin, *, only_if: int | None = None) -> Accepted:
        """Take the product out of the public catalogue; its history, its id and its name stay."""
        return self.update(product_id, {"active": False}, origin, only_if=only_if)

    def restore(self, product_id: str, origin: Origin) -> Accepted:
        """Bring a deactivated product back as it was."""
        return self.update(product_id, {"active": True}, origin)

    def _newest(self, product_id: str) -> Change:
        newest = self.table.newest(checked_id(product_id))
        if newest is None:
            raise ProductNotFound(product_id)
        return newest

    def _next(self, previous: Change | None, after: Product, origin: Origin) -> Change:
        return next_change(
            previous, after, origin, at=self.clock(), change_id=self.new_id(), effects=self.effects | {Effect.STORED}
        )

    def _accept(self, change: Change) -> Accepted:
        try:
            self.table.append(change)
        except VersionTaken:
            # A retried request may find its own first try: then it was accepted after all.
            standing = self.table.change(change.product_id, change.version)
            if standing is None or standing.change_id != change.change_id:
                raise
        self.doorbell.ring("persist", change)
        return Accepted(change.after, change)

    # Reading

    def public(self, product_id: str) -> Product:
        """The product as the public sees it; ProductNotFound also when it is inactive."""
        product = self.table.record(checked_id(product_id))
        if product is None or not product.active:
            raise ProductNotFound(product_id)
        return product

    def newest(self, product_id: str) -> Product:
        """The product after its newest change, stored or not: what staff see."""
        return self._newest(product_id).after

    def version(self, product_id: str, version: int) -> Product:
        return self.receipt(product_id, version).after

    def receipt(self, product_id: str, version: int) -> Change:
        """The change with the state of each effect; ChangeNotFound."""
        change = self.table.change(checked_id(product_id), version)
        if change is None:
            raise ChangeNotFound(product_id, version)
        return change

    def history(self, product_id: str, *, before: int | None = None, limit: int = 25) -> list[Change]:
        """The product's changes, newest first; ProductNotFound when it has none at all."""
        changes = self.table.history(checked_id(product_id), before, limit)
        if not changes and before is None:
            raise ProductNotFound(product_id)
        return changes

    def await_effect(self, change: Change, effect: Effect, *, seconds: float, sleep: Callable[[float], None]) -> Change:
        """The change once ``effect`` is no longer open - or has failed for good, or ``seconds`` have passed.

        The write is accepted whatever happens here, so an engine that is away only makes the wait a blind one.
        """
        deadline, pause = self.clock() + timedelta(seconds=seconds), 0.02
        while effect in change.open and change.state(effect) != "failed":
            left = (deadline - self.clock()).total_seconds()
            if left <= 0:
                break
            sleep(min(pause, left))
            pause = min(pause * 1.5, 0.25)
            with suppress(EngineAway):
                change = self.receipt(change.product_id, change.version)
        return change

    def page(self, listing: Listing) -> Page:
        """A page of records, as the public sees them."""
        return self._page(listing, {})

    def staff_page(self, listing: Listing) -> Page:
        """A page with the open changes laid over the records, so that a save is in the list at once."""
        return self._page(listing, self._opened())

    def _opened(self) -> dict[str, Change]:
        return newest_of(self.table.open_changes())

    def _page(self, listing: Listing, opened: Mapping[str, Change]) -> Page:
        wanted = (True, False) if listing.active is None else (listing.active,)
        return page_of(listing, [self.table.in_order(listing, active=active) for active in wanted], opened)

    def search(self, text: str, *, staff: bool, active: bool | None = True, limit: int = 25) -> Page:
        """Products matching ``text``, best first; without an index, a bounded walk through the list."""
        opened = self._opened() if staff else {}
        try:
            ids = self.index.search(text, active, limit)
        except EngineAway:
            return self._page(Listing(active=active, limit=limit, text=text), opened)
        records = self.table.records(ids)
        newest = {i: opened[i].after if i in opened else records[i] for i in ids if i in records or i in opened}
        unseen = {i: c.after for i, c in opened.items() if i not in newest and mentions(c.after, text)}
        held = [product for product in (unseen | newest).values() if active in (None, product.active)]
        return Page(held[:limit], None, opened)
