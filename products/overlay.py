"""The open changes that staff lists show before the records and the index have them. Pure."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from products.changes import Change
from products.lists import ListQuery, mentions, newest_per_product
from products.product import Product


class OverlaidTable(Protocol):
    """The reads that the overlay needs. Each method may raise DependencyUnavailable."""

    def newest(self, product_id: str) -> Change | None: ...

    def open_changes(
        self, accepted_before: datetime | None = None, *, newest_first: bool = False
    ) -> Iterator[Change]: ...

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...


def newest_open(table: OverlaidTable, also: Iterable[str]) -> dict[str, Change]:
    """Return the newest open change of each product, if it is not older than the record.

    The products whose IDs are in ``also`` are read consistently. A version can still be open after
    a later one is complete. Such a version is left out. The records are read after the changes, so
    a change that completes between the two reads still appears in one of them.
    """
    consistent = [change for change in map(table.newest, also) if change]
    indexed = table.open_changes(newest_first=True)
    newest = newest_per_product(itertools.chain(consistent, indexed))
    records = table.records(list(newest))
    return {
        product_id: change
        for product_id, change in newest.items()
        if product_id not in records or records[product_id].version <= change.version
    }


def with_unindexed(
    table: OverlaidTable,
    listing: ListQuery,
    open_changes: Mapping[str, Change],
    ids: list[str],
) -> list[str]:
    """Return the matches, including those that the index does not have yet.

    New matches come first in an order by relevance, and at their place in any other order.
    """
    matched = set(ids)
    updated: dict[str, Product] = {}
    unindexed: dict[str, Product] = {}
    for product_id, change in open_changes.items():
        if product_id in matched:
            updated[product_id] = change.after
        elif mentions(change.after, listing.text or ""):
            unindexed[product_id] = change.after
    if listing.by_relevance or not (updated or unindexed):
        return [*unindexed, *ids]
    products = table.records(ids) | updated | unindexed
    ordered = sorted(products.values(), key=listing.position, reverse=listing.descending)
    return [product.product_id for product in ordered]
