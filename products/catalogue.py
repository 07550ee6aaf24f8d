"""The catalogue as callers know it: the writes of ``acceptance``, and every way of reading. Pure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from products.acceptance import Acceptance, ChangeLog
from products.changes import Change, Effect, EngineAway, ProductNotFound
from products.listing import Listing, Page, mentions, newest_of, page_of
from products.product import Product, checked_id


class ProductTable(ChangeLog, Protocol):
    """The log and the records. Each method may raise EngineAway."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue(Acceptance):
    """The products: write them, read them, follow a write."""

    table: ProductTable
    index: SearchIndex

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

    def as_of(self, product_id: str, moment: datetime) -> Product:
        """The product as it was then, active or not; ProductNotFound when it did not exist yet.

        Versions rise with time, so the one wanted is found in as many reads as the version number has bits.
        """
        newest = self._newest(product_id)
        low, high = 0, newest.version  # version ``low`` was there by then, ``high`` + 1 was not
        while low < high:
            middle = (low + high + 1) // 2
            if self.receipt(product_id, middle).accepted_at <= moment:
                low = middle
            else:
                high = middle - 1
        if low == 0:
            raise ProductNotFound(product_id)
        return self.version(product_id, low)

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
