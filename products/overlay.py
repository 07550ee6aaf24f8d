"""The open changes that staff lists show before the records and the index have them. Pure."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from products.changes import Change, ChangeKey, Effect, OpenMark
from products.lists import ListQuery, newest_per_product
from products.product import Product
from products.search.synonyms import Synonyms

IN_NO_LIST = frozenset({Effect.STORED, Effect.SEARCHABLE})
"""While one of these is open, a list or the search index lacks the change."""


class OverlaidTable(Protocol):
    """The reads that the overlay needs. Each method may raise DependencyUnavailable."""

    def newest(self, product_id: str) -> Change | None: ...

    def open_marks(self, *, newest_first: bool = False) -> Iterator[OpenMark]:
        """Yield which changes have open effects, read lazily."""

    def changes(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Change | Exception]: ...

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...


class SearchIndex(Protocol):
    def synonyms(self) -> Synonyms: ...

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Return the IDs of at most ``limit`` products that match the text and the filters.

        The best matches are first. Raise DependencyUnavailable when there is no index.
        """

    def count_matches(self, listing: ListQuery, without: Sequence[str]) -> int:
        """Return how many products match, besides those with these IDs. Raises like ``search``."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The open changes by product ID: the marks of all, and those that lists lack as a whole."""

    marks: Mapping[str, OpenMark]
    changes: Mapping[str, Change]


NO_OVERLAY = Overlay({}, {})


def read_overlay(table: OverlaidTable, also: Iterable[str], *, whole: bool = False) -> Overlay:
    """Return the newest open changes that the lists or the index lack; with ``whole``, all.

    The products whose IDs are in ``also`` are read consistently. A version can still be open after
    a later one is complete. Such a version is left out. The records are read after the changes, so
    a change that completes between the two reads still appears in one of them.
    """
    consistent = [change for change in map(table.newest, also) if change]
    marks = newest_per_product(table.open_marks(newest_first=True))
    lacking = [mark for mark in marks.values() if whole or mark.open & IN_NO_LIST]
    found = table.changes([(mark.product_id, mark.version) for mark in lacking])
    indexed = [change for change in found.values() if isinstance(change, Change)]
    newest = newest_per_product(itertools.chain(consistent, indexed))
    records = table.records(list(newest))
    changes = {
        product_id: change
        for product_id, change in newest.items()
        if product_id not in records or records[product_id].version <= change.version
    }
    return Overlay(marks, changes)


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
        elif listing.mentions(change.after):
            unindexed[product_id] = change.after
    if listing.by_relevance or not (updated or unindexed):
        return [*unindexed, *ids]
    products = table.records(ids) | updated | unindexed
    ordered = sorted(products.values(), key=listing.position, reverse=listing.descending)
    return [product.product_id for product in ordered]
