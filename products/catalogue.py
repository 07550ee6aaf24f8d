"""Reading the catalogue: products, lists, searches, histories, effects of a write. Pure."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from products.changes import Change, Effect
from products.documents import format_timestamp
from products.errors import DependencyUnavailable, NotYetCreated, ProductNotFound
from products.identifiers import is_id, validated_id
from products.lists import (
    MAX_OVERLAID,
    Freshness,
    ListQuery,
    Page,
    build_page,
    matches_needed,
    readings,
    search_page,
    unindexed_products,
)
from products.overlay import (
    NO_OVERLAY,
    SearchIndex,
    lacking,
    read_overlay,
    with_unindexed,
)
from products.planning import read_change, read_newest_change
from products.product import Product
from products.product_table import ProductTable

MAX_PAGE_SIZE = 100
FRESHNESS_BATCH = 100  # open changes that are looked at together
FIRST_PAUSE_SECONDS = 0.02  # between two looks at an effect that is waited for
MAX_PAUSE_SECONDS = 0.25
PAUSE_GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The reads of the catalogue, and waiting for the effects of a write.

    ``public_lag`` is how long public reads may repeat the answer from before a store.
    """

    table: ProductTable
    index: SearchIndex
    clock: Callable[[], datetime]
    public_lag: timedelta = timedelta()

    def public(self, product_id: str) -> Product:
        """Return the product for the public. Raise ProductNotFound also when it is inactive."""
        product = self.table.record(validated_id(product_id))
        if product is None or not product.active:
            raise ProductNotFound(product_id)
        return product

    def newest(self, product_id: str) -> Product:
        """Return the product for staff: its newest version, stored or not."""
        return read_newest_change(self.table, product_id).after

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]:
        """Return the newest versions of these products by ID, without those that don't exist."""
        legal_ids = [product_id for product_id in product_ids if is_id(product_id)]
        open_changes = read_overlay(self.table, ()).changes
        products = self.table.records(legal_ids)
        newer = {i: open_changes[i].after for i in legal_ids if i in open_changes}
        return products | newer

    def by_names(self, names: list[str]) -> dict[str, Product]:
        """Return the newest versions of the products with these names, by normalised name."""
        owners = self.table.name_owners(names)
        products = self.by_ids(list(dict.fromkeys(owners.values())))
        return {name: products[owner] for name, owner in owners.items() if owner in products}

    def by_versions(self, versions: list[tuple[str, int]]) -> dict[tuple[str, int], Product]:
        """Return products as they were after these versions, without those that don't exist."""
        found = self.table.changes(versions)
        return {key: change.after for key, change in found.items() if isinstance(change, Change)}

    def receipt(self, product_id: str, version: int) -> Change:
        """Return the change with the state of each effect. Raises: Invalid, ChangeNotFound."""
        return read_change(self.table, product_id, version)

    def version(self, product_id: str, version: int) -> Product:
        """Return the product after this version. Raises: ChangeNotFound."""
        return self.receipt(product_id, version).after

    def as_of(self, product_id: str, moment: datetime) -> Product:
        """Return the product as it was at this time, active or not.

        Acceptance times rise with versions, so a binary search finds the version.

        Raises: ProductNotFound, NotYetCreated.
        """
        newest = read_newest_change(self.table, product_id)
        # Version ``low`` was accepted by then, 0 for none. Version ``high + 1`` was not.
        low, high = 0, newest.version
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
        """Return changes with a version below ``before``, newest first.

        Raise ProductNotFound when the product has no changes at all.
        """
        changes = self.table.history(validated_id(product_id), before, limit)
        if not changes and before is None:
            raise ProductNotFound(product_id)
        return changes

    def await_effect(
        self, change: Change, effect: Effect, *, seconds: float, sleep: Callable[[float], None]
    ) -> Change:
        """Return the change when the effect is done or failed, or after ``seconds``."""
        return self.await_effects([change], effect, seconds=seconds, sleep=sleep)[0]

    def await_effects(
        self,
        changes: Iterable[Change],
        effect: Effect,
        *,
        seconds: float,
        sleep: Callable[[float], None],
    ) -> list[Change]:
        """Return the changes when the effect of each is done or failed, or after ``seconds``.

        An unavailable table does not end the wait, because the writes are accepted already. When
        an effect is done, ``public_lag`` passes too: the caller then finds it in public reads.
        """
        deadline = self.clock() + timedelta(seconds=seconds)
        awaited = [self._wait_for(change, effect, deadline, sleep) for change in changes]
        if self.public_lag and any(effect not in change.open for change in awaited):
            sleep(self.public_lag.total_seconds())
        return awaited

    def _wait_for(
        self, change: Change, effect: Effect, deadline: datetime, sleep: Callable[[float], None]
    ) -> Change:
        pause = FIRST_PAUSE_SECONDS
        while effect in change.open and change.state(effect) != "failed":
            seconds_left = (deadline - self.clock()).total_seconds()
            if seconds_left <= 0:
                break
            sleep(min(pause, seconds_left))
            pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
            with suppress(DependencyUnavailable):
                change = self.receipt(change.product_id, change.version)
        return change

    def page(self, listing: ListQuery) -> Page:
        """Return a page of records, for the public."""
        return build_page(listing, self._streams(listing), {})

    def staff_page(self, listing: ListQuery, *, also: Iterable[str] = ()) -> Page:
        """Return a page of records with the open changes overlaid: a save is visible immediately.

        The index of open changes may lag for a moment, so the products whose IDs are in ``also``
        are read consistently.
        """
        overlay = read_overlay(self.table, also, whole=listing.only_open)
        page = build_page(listing, self._streams(listing), overlay.changes)
        return replace(page, marks=overlay.marks_of(self.table, page.products))

    def future_page(self, listing: ListQuery, foreseen: Mapping[str, Product]) -> Page:
        """Return a page for staff, with these products as they will be in place of today's.

        A search reads a bounded part of the list, because the index knows only today's products.
        """
        overlay = read_overlay(self.table, ())
        build = search_page if listing.text else build_page
        page = build(listing, self._streams(listing), overlay.changes, foreseen)
        read_now = Freshness(complete_up_to=self.clock(), from_index=False)
        return replace(page, freshness=read_now) if listing.text else page

    def walk(self, listing: ListQuery, limit: int) -> Iterator[Product]:
        """Yield at most ``limit`` products of a staff list, read page by page."""
        left = limit
        while left > 0:
            query = replace(listing, limit=min(MAX_PAGE_SIZE, left))
            page = self.search(query, staff=True) if listing.text else self.staff_page(query)
            yield from page.products
            left -= len(page.products)
            if page.after is None:
                return
            listing = replace(listing, after=page.after)

    def search(self, listing: ListQuery, *, staff: bool, also: Iterable[str] = ()) -> Page:
        """Return products that match ``listing.text`` and the filters.

        Without an index, this is a bounded read of the list. Staff find their own saves on the
        first page before the index has them; see ``staff_page`` for ``also``. The text may have
        price bounds in words.
        """
        *others, last = readings(replace(listing, synonyms=self.index.synonyms()))
        pages = (self._search(reading, staff=staff, also=also) for reading in others)
        found = next((page for page in pages if page.products), None)
        return found or self._search(last, staff=staff, also=also)

    def _search(self, listing: ListQuery, *, staff: bool, also: Iterable[str]) -> Page:
        overlay = NO_OVERLAY
        if staff:
            overlay = read_overlay(self.table, also, whole=listing.only_open)
        open_changes = overlay.changes
        freshness = self.freshness()
        try:
            ids = self.index.search(listing, matches_needed(listing, open_changes))
        except DependencyUnavailable:
            page = search_page(listing, self._streams(listing), open_changes)
            read_now = Freshness(complete_up_to=self.clock(), from_index=False)
            marks = overlay.marks_of(self.table, page.products)
            return replace(page, freshness=read_now, marks=marks)
        ids = with_unindexed(self.table, listing, open_changes, ids)
        end = listing.offset + listing.limit
        wanted = ids[listing.offset : end]
        after = str(end) if len(ids) > end else None
        products = self._matching(listing, open_changes, wanted)
        marks = overlay.marks_of(self.table, products)
        return Page(products, after, open_changes, freshness, marks)

    def count(self, listing: ListQuery, open_changes: Mapping[str, Change]) -> int | None:
        """Return how many products match; None where the index can't say.

        ``open_changes`` are those of a page of this list: the index may lack them.
        """
        if listing.only_open:
            return None
        new = unindexed_products(open_changes.values())
        with suppress(DependencyUnavailable):
            for reading in readings(listing):
                indexed = self.index.count_matches(reading, list(new))
                if count := indexed + sum(map(reading.matches, new.values())):
                    return count
            return 0
        return None

    def freshness(self) -> Freshness:
        """Return how current the search index is.

        It is complete up to now, or up to the oldest change that it lacks.
        """
        keys = itertools.islice(self.table.open_keys(), MAX_OVERLAID)
        for some in itertools.batched(keys, FRESHNESS_BATCH):
            for mark in lacking(self.table, some):
                if Effect.SEARCHABLE in mark.open:
                    return Freshness(mark.accepted_at, from_index=True)
        return Freshness(self.clock(), from_index=True)

    def _streams(self, listing: ListQuery) -> list[Iterator[Product]]:
        """Return the records of the list, as one ordered stream for each value of ``active``."""
        if listing.only_open:
            return []  # the overlay has all of them
        # The position of a search is an offset, which the table does not know.
        query = listing if listing.text is None else replace(listing, after=None)
        wanted = (True, False) if listing.active is None else (listing.active,)
        return [self.table.in_order(query, active=active) for active in wanted]

    def _matching(
        self, listing: ListQuery, open_changes: Mapping[str, Change], ids: Sequence[str]
    ) -> list[Product]:
        """Return the newest versions of these products, if they still pass the filters."""
        records = self.table.records([i for i in ids if i not in open_changes])
        filters = replace(listing, after=None, text=None)
        products: list[Product] = []
        for product_id in ids:
            change = open_changes.get(product_id)
            if change is None and listing.only_open:
                continue
            product = change.after if change else records.get(product_id)
            if product and filters.matches(product):
                products.append(product)
        return products
