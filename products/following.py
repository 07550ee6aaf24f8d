"""Following the catalogue: which products have changed since, without skipping a late one. Pure.

Each record has a place in time: when a worker stored it, by the worker's clock. A follower reads
the places after its own, and gets a time to go on from.

A record may become visible later than its place says: its write takes a while, clocks differ, and
the index lags. So the time to go on from is MARGIN before the first page was read. All that was
stored until then is visible, as long as the margin covers these delays.

STORE_WINDOW is enforced. A worker whose write took longer stores the record again, at a later
place, before the change counts as stored. A worker that dies in between leaves the change open, so
its message stores the record again.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from products.changes import Effect
from products.documents import format_timestamp
from products.errors import DependencyUnavailable
from products.overlay import OverlaidTable, read_overlay
from products.product import Product

STORE_WINDOW = timedelta(seconds=5)
"""How long the write of a record may take, with its retries."""
MAX_CLOCK_SKEW = timedelta(seconds=5)
"""Between two hosts, which synchronise their clocks."""
MAX_INDEX_LAG = timedelta(seconds=15)
"""Of a global secondary index; usually far below a second."""
MARGIN = STORE_WINDOW + MAX_CLOCK_SKEW + MAX_INDEX_LAG


MAX_STORE_ATTEMPTS = 3


class RecordTable(Protocol):
    def put_record(self, product: Product, stored_at: datetime) -> None:
        """Store the record, unless it holds a later version. ``stored_at`` is its place."""


def store_record(table: RecordTable, product: Product, clock: Callable[[], datetime]) -> None:
    """Store the record, with a place that followers have not passed yet.

    Raises: DependencyUnavailable when every write takes longer than STORE_WINDOW.
    """
    for _ in range(MAX_STORE_ATTEMPTS):
        stored_at = clock()
        table.put_record(product, stored_at)
        if clock() - stored_at <= STORE_WINDOW:
            return
    raise DependencyUnavailable("DynamoDB", "takes too long to store records")


class FollowedTable(OverlaidTable, Protocol):
    """The records in the order in which they were stored. May raise DependencyUnavailable."""

    def stored_after(self, position: str, limit: int) -> list[tuple[str, str]]:
        """Return positions and IDs of records that were stored after a position, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowQuery:
    """A page of what was stored since a time, inclusive.

    ``active`` is the list that the caller follows: active products, inactive ones, or None for all.
    ``after`` and ``next_since`` are those of the previous page.
    """

    since: datetime
    active: bool | None = True
    after: str | None = None
    next_since: datetime | None = None
    limit: int = 25


@dataclass(frozen=True, slots=True)
class FollowedPage:
    """Products of the list in the order in which they were stored, and IDs that have left it.

    ``after`` is the position where the next page starts, None on the last one. ``next_since`` is
    the time to go on from after the last page; it is the same on all pages.
    """

    products: list[Product]
    removed: list[str]
    after: str | None
    next_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """The use case of following the catalogue."""

    table: FollowedTable
    clock: Callable[[], datetime]

    def page(self, query: FollowQuery, *, staff: bool) -> FollowedPage:
        """Return one page. Staff also get changes that are accepted but not stored yet."""
        next_since = query.next_since or max(query.since, self.clock() - MARGIN)
        start = query.after or format_timestamp(query.since)
        places = self.table.stored_after(start, query.limit + 1)
        shown = places[: query.limit]
        has_more = len(places) > query.limit
        products = self.table.records([product_id for _, product_id in shown])
        if staff:
            products |= self._open_products(products, all_of_them=not has_more)
        listed = [p for p in products.values() if query.active in (None, p.active)]
        order = {product_id: number for number, (_, product_id) in enumerate(shown)}
        listed.sort(key=lambda product: order.get(product.product_id, len(order)))
        removed = sorted(products.keys() - {product.product_id for product in listed})
        after = shown[-1][0] if has_more else None
        return FollowedPage(listed, removed, after, next_since)

    def _open_products(self, stored: Collection[str], *, all_of_them: bool) -> dict[str, Product]:
        """Return newer versions that are accepted, of the stored products or of all products."""
        newest = read_overlay(self.table, ()).changes
        return {
            product_id: change.after
            for product_id, change in newest.items()
            if Effect.STORED in change.open and (product_id in stored or all_of_them)
        }
