"""The catalogue as callers know it: the writes of ``acceptance``, and every way of reading. Pure."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from products.acceptance import Acceptance, ChangeLog
from products.changes import Change, Effect
from products.documents import format_timestamp
from products.errors import DependencyUnavailable, NotYetCreated, ProductNotFound
from products.lists import (
    MAX_OVERLAID,
    Freshness,
    ListQuery,
    Page,
    build_page,
    mentions,
    newest_per_product,
    search_page,
)
from products.product import Product, is_id, validated_id

MAX_PAGE_SIZE = 100
MAX_MATCHES = 1000  # matches of one search that can be paged through


class ProductTable(ChangeLog, Protocol):
    """The log and the records. Each method may raise EngineAway."""

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Changes with a version below ``before``, newest first."""

    def open_changes(
        self, accepted_before: datetime | None = None, *, newest_first: bool = False
    ) -> Iterator[Change]:
        """Changes with an open effect, oldest first unless told otherwise, read lazily."""

    def record(self, product_id: str) -> Product | None:
        """What the public reads."""

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...

    def name_owners(self, names: list[str]) -> dict[str, str]:
        """The id of the product that holds each name, by the normalised name."""

    def in_order(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        """Records from the index of this order, after ``listing.after``, read lazily."""


class SearchIndex(Protocol):
    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Ids of all matches of the text and the filters, best first, ``most`` of them; EngineAway without an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue(Acceptance):
    """The products: write them, read them, follow a write."""

    table: ProductTable
    index: SearchIndex
    public_lag: timedelta = timedelta()
    """For how long after a product is stored the public may still be given the answer from before."""

    def public(self, product_id: str) -> Product:
        """The product as the public sees it; ProductNotFound also when it is inactive."""
        product = self.table.record(validated_id(product_id))
        if product is None or not product.active:
            raise ProductNotFound(product_id)
        return product

    def newest(self, product_id: str) -> Product:
        """The product after its newest change, stored or not: what staff see."""
        return self._newest(product_id).after

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]:
        """Many products as staff see them, in few reads; those that are not there are left out."""
        legal = [product_id for product_id in product_ids if is_id(product_id)]
        opened = self._opened(())
        records = self.table.records(legal)
        return records | {i: opened[i].after for i in legal if i in opened}

    def by_names(self, names: list[str]) -> dict[str, Product]:
        """The products that hold these names, by the normalised name."""
        owners = self.table.name_owners(names)
        found = self.by_ids(list(dict.fromkeys(owners.values())))
        return {name: found[owner] for name, owner in owners.items() if owner in found}

    def version(self, product_id: str, version: int) -> Product:
        return self.receipt(product_id, version).after

    def as_of(self, product_id: str, moment: datetime) -> Product:
        """The product as it was then, active or not; NotYetCreated when it did not exist.

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
            raise NotYetCreated(product_id, format_timestamp(newest.after.created_at))
        return self.version(product_id, low)

    def history(
        self, product_id: str, *, before: int | None = None, limit: int = 25
    ) -> list[Change]:
        """The product's changes, newest first; ProductNotFound when it has none at all."""
        changes = self.table.history(validated_id(product_id), before, limit)
        if not changes and before is None:
            raise ProductNotFound(product_id)
        return changes

    def await_effect(
        self, change: Change, effect: Effect, *, seconds: float, sleep: Callable[[float], None]
    ) -> Change:
        """The change once ``effect`` is no longer open - or has failed for good, or ``seconds`` have passed."""
        return self.await_effects([change], effect, seconds=seconds, sleep=sleep)[0]

    def await_effects(
        self,
        changes: Iterable[Change],
        effect: Effect,
        *,
        seconds: float,
        sleep: Callable[[float], None],
    ) -> list[Change]:
        """Each of the changes as in ``await_effect``; ``seconds`` is the time for all of them together.

        The write is accepted whatever happens here, so an engine that is away only makes the wait a blind one. Once
        the effect was waited for, ``public_lag`` passes too: then whoever is told so finds the public reads new.
        """
        deadline = self.clock() + timedelta(seconds=seconds)
        awaited = [self._awaited(change, effect, deadline, sleep) for change in changes]
        if self.public_lag and any(effect not in change.open for change in awaited):
            sleep(self.public_lag.total_seconds())
        return awaited

    def _awaited(
        self, change: Change, effect: Effect, deadline: datetime, sleep: Callable[[float], None]
    ) -> Change:
        pause = 0.02
        while effect in change.open and change.state(effect) != "failed":
            left = (deadline - self.clock()).total_seconds()
            if left <= 0:
                break
            sleep(min(pause, left))
            pause = min(pause * 1.5, 0.25)
            with suppress(DependencyUnavailable):
                change = self.receipt(change.product_id, change.version)
        return change

    def page(self, listing: ListQuery) -> Page:
        """A page of records, as the public sees them."""
        return self._page(listing, {})

    def staff_page(self, listing: ListQuery, *, also: Iterable[str] = ()) -> Page:
        """A page with the open changes laid over the records, so that a save is in the list at once.

        The index of open changes may lag for a moment; the products named in ``also`` are read consistently.
        """
        return self._page(listing, self._opened(also))

    def walk(self, listing: ListQuery, limit: int) -> Iterator[Product]:
        """The products of a staff list, page by page as they are asked for, ``most`` of them."""
        left = limit
        while left > 0:
            part = replace(listing, limit=min(MAX_PAGE_SIZE, left))
            page = self.search(part, staff=True) if listing.text else self.staff_page(part)
            yield from page.products
            left -= len(page.products)
            if page.after is None:
                return
            listing = replace(listing, after=page.after)

    def _opened(self, also: Iterable[str]) -> dict[str, Change]:
        """The newest open change of each product, unless its record has gone on: a version that stayed open behind a
        later, completed one is no longer what staff saved last. The records are read after the changes, so that what
        completes in between is in one of them."""
        asked = [change for change in map(self.table.newest, also) if change]
        opened = newest_per_product(
            itertools.chain(asked, self.table.open_changes(newest_first=True))
        )
        records = self.table.records(list(opened))
        return {
            i: c for i, c in opened.items() if i not in records or records[i].version <= c.version
        }

    def _page(self, listing: ListQuery, opened: Mapping[str, Change]) -> Page:
        return build_page(listing, self._streams(listing), opened)

    def _streams(self, listing: ListQuery) -> list[Iterator[Product]]:
        whole = listing if listing.text is None else replace(listing, after=None)
        if listing.only_open:
            return []  # they are all among the open changes
        wanted = (True, False) if listing.active is None else (listing.active,)
        return [self.table.in_order(whole, active=active) for active in wanted]

    def search(self, listing: ListQuery, *, staff: bool, also: Iterable[str] = ()) -> Page:
        """Products matching ``listing.text`` and its filters; without an index, by a bounded walk through the list.

        Staff find their own saves at once, on the first page, before the index has them.
        """
        opened = self._opened(also) if staff else {}
        fresh = self.freshness()
        try:
            ids = self.index.search(listing, MAX_MATCHES)
        except DependencyUnavailable:
            page = search_page(listing, self._streams(listing), opened)
            return replace(
                page, freshness=replace(fresh, from_index=False, complete_up_to=self.clock())
            )
        ids = self._with_unseen(listing, opened, ids)
        end = listing.offset + listing.limit
        wanted = ids[listing.offset : end]
        records = self.table.records([i for i in wanted if i not in opened])
        newest = [
            opened[i].after if i in opened else records[i]
            for i in wanted
            if i in records or i in opened
        ]
        plain = replace(listing, after=None, text=None)
        held = [
            p
            for p in newest
            if plain.matches(p) and (not listing.only_open or p.product_id in opened)
        ]
        return Page(held, str(end) if len(ids) > end else None, opened, fresh)

    def _with_unseen(
        self, listing: ListQuery, opened: Mapping[str, Change], ids: list[str]
    ) -> list[str]:
        """The matches with those the index can't know yet: at their place in an order, or first among the best."""
        unseen = {
            i: c.after
            for i, c in opened.items()
            if i not in ids and mentions(c.after, listing.text or "")
        }
        moved = {i: opened[i].after for i in ids if i in opened}
        if listing.by_relevance or not unseen | moved:
            return [*unseen, *ids]
        every = self.table.records(ids) | moved | unseen
        ordered = sorted(every.values(), key=listing.position, reverse=listing.descending)
        return [product.product_id for product in ordered]

    def freshness(self) -> Freshness:
        """How current the search is: complete up to now, or up to the oldest change the index still lacks."""
        for change in itertools.islice(self.table.open_changes(), MAX_OVERLAID):
            if Effect.SEARCHABLE in change.open:
                return Freshness(change.accepted_at, from_index=True)
        return Freshness(self.clock(), from_index=True)
