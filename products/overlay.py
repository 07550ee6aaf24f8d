"""The open changes that staff lists show before the records and the index have them. Pure."""

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from products.changes import Change, ChangeKey, Effect
from products.lists import ListQuery, newest_per_product
from products.open_changes import OpenKey, OpenMark
from products.product import Product
from products.search.synonyms import Synonyms

IN_NO_LIST = frozenset({Effect.STORED, Effect.SEARCHABLE})
"""While one of these is open, a list or the search index lacks the change."""
MAX_KNOWN = 20_000  # listed changes, at about 250 bytes each


class OverlaidTable(Protocol):
    """The reads that the overlay needs. Each method may raise DependencyUnavailable."""

    def newest(self, product_id: str) -> Change | None: ...

    @property
    def listed(self) -> "ListedChanges":
        """The changes of which this process knows that all lists have them."""

    def open_keys(self, *, newest_first: bool = False) -> Iterator[OpenKey]:
        """Yield which changes may be open, read lazily."""

    def marks(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, OpenMark]:
        """Return what is open of those of these changes that are open."""

    def changes(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Change | Exception]:
        """Return the changes that made these versions; the error of one that can't be read."""

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...


class SearchIndex(Protocol):
    def synonyms(self) -> Synonyms: ...

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Return the IDs of at most ``limit`` products that match the text and the filters.

        The best matches are first. Raise DependencyUnavailable when there is no index.
        """

    def count_matches(self, listing: ListQuery, without: Sequence[str]) -> int:
        """Return how many products match, besides those with these IDs. Raises like ``search``."""


class ListedChanges:
    """Changes that the lists and the index are known to have: no effect opens again.

    So each process reads once whether a change is listed, not on each page. The knowledge is
    bounded; what is known for longest is forgotten first.
    """

    def __init__(self, capacity: int = MAX_KNOWN) -> None:
        self._capacity = capacity
        self._known: dict[OpenKey, None] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: OpenKey) -> bool:
        return key in self._known

    def add(self, keys: Iterable[OpenKey]) -> None:
        with self._lock:
            self._known |= dict.fromkeys(keys)
            surplus = len(self._known) - self._capacity
            for key in list(itertools.islice(self._known, max(0, surplus))):
                del self._known[key]


def lacking(table: OverlaidTable, keys: Iterable[OpenKey]) -> list[OpenMark]:
    """Return what is open of those of these changes that a list or the index lacks, in order."""
    unknown = [key for key in keys if key not in table.listed]
    marks = table.marks([key.change_key for key in unknown])
    found = [(key, marks.get(key.change_key)) for key in unknown]
    table.listed.add(key for key, mark in found if mark is None or not mark.open & IN_NO_LIST)
    return [mark for _, mark in found if mark and mark.open & IN_NO_LIST]


@dataclass(frozen=True, slots=True)
class Overlay:
    """The open changes by product ID: the keys of all, and those that lists lack as a whole."""

    keys: Mapping[str, OpenKey]
    changes: Mapping[str, Change]

    def marks_of(self, table: OverlaidTable, products: Iterable[Product]) -> dict[str, OpenMark]:
        """Return what is open of those of these products that the lists have."""
        open_keys = [self.keys.get(product.product_id) for product in products]
        shown = [key.change_key for key in open_keys if key and key.product_id not in self.changes]
        return {mark.product_id: mark for mark in table.marks(shown).values()}


NO_OVERLAY = Overlay({}, {})


def read_overlay(table: OverlaidTable, also: Iterable[str], *, whole: bool = False) -> Overlay:
    """Return the newest open changes that the lists or the index lack; with ``whole``, all.

    The products whose IDs are in ``also`` are read consistently. A version can still be open after
    a later one is complete. Such a version is left out. The records are read after the changes, so
    a change that completes between the two reads still appears in one of them.
    """
    consistent = [change for change in map(table.newest, also) if change]
    keys = newest_per_product(table.open_keys(newest_first=True))
    wanted = keys.values() if whole else lacking(table, keys.values())
    found = table.changes([(entry.product_id, entry.version) for entry in wanted])
    indexed = [change for change in found.values() if isinstance(change, Change)]
    newest = newest_per_product(itertools.chain(consistent, indexed))
    records = table.records(list(newest))
    changes = {
        product_id: change
        for product_id, change in newest.items()
        if product_id not in records or records[product_id].version <= change.version
    }
    return Overlay(keys, changes)


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
