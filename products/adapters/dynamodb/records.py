"""The products' records: the newest stored version of each, and the indexes that list them."""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from products.adapters.dynamodb.calls import IS_NEW, PAGE_SIZE, DynamoCalls
from products.adapters.dynamodb.items import (
    AFTER_ALL,
    BEFORE_ALL,
    BY_CREATED,
    BY_NAME,
    BY_PRICE,
    BY_UPDATE,
    INDEX_KEYS,
    PRODUCT_PREFIX,
    PROJECTIONS,
    STORED_RECORDS,
    STORED_SHARDS,
    Item,
    active_flag,
    active_shard,
    parse_or_skip,
    record_item,
    record_key,
)
from products.documents import from_document
from products.lists import ListQuery, SortKey, price_sort_key
from products.product import Product

INDEXES = {
    SortKey.CREATED: BY_CREATED,
    SortKey.UPDATED: BY_UPDATE,
    SortKey.NAME: BY_NAME,
    SortKey.PRICE: BY_PRICE,
}
BOUNDS = {SortKey.NAME: ("\t", "\U0010ffff")}  # names may begin with any character
IN_INDEX_RANGE = "#hash = :hash AND #range BETWEEN :low AND :high"
IS_NOT_OLDER = f"{IS_NEW} OR version <= :version"
IS_STORED_AFTER = "storedShard = :shard AND storedSort > :after"


@dataclass(frozen=True, slots=True)
class DynamoRecords(DynamoCalls):
    """Product records. Reads by id are consistent; lists use an index, which lags a little."""

    def record(self, product_id: str) -> Product | None:
        """Return the record of a product."""
        item = self._get_item(record_key(product_id))
        return from_document(item) if item else None

    def records(self, product_ids: list[str]) -> dict[str, Product]:
        """Return the records of these products, by id."""
        distinct_ids = dict.fromkeys(product_ids)
        items = self._batch_get([record_key(product_id) for product_id in distinct_ids])
        return {product.product_id: product for product in parse_or_skip(items, from_document)}

    def in_order(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        """Yield the records in the order of the list, from ``listing.after`` on."""
        if listing.ids is not None:
            return self._chosen(listing, active=active)
        low, high = _range_bounds(listing)
        if low > high:
            return iter(())
        index = INDEXES[listing.sort]
        hash_key, range_key = INDEX_KEYS[index]
        partitions = [
            self._query(
                IN_INDEX_RANGE,
                {":hash": value, ":low": low, ":high": high},
                IndexName=index,
                ExpressionAttributeNames={"#hash": hash_key, "#range": range_key},
                ScanIndexForward=not listing.descending,
                Limit=min(listing.limit + 2, PAGE_SIZE),
            )
            for value in _hash_values(listing, active=active)
        ]
        items: Iterator[Item] = heapq.merge(
            *partitions, key=itemgetter(range_key), reverse=listing.descending
        )
        if PROJECTIONS[index] == "KEYS_ONLY":
            items = self._whole(items, range_key, listing.limit + 2)
        return parse_or_skip(items, from_document)

    def _chosen(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        """Return the records of the products in ``listing.ids``, in the order of the list."""
        found = self.records(list(listing.ids or ())).values()
        chosen = [product for product in found if product.active == active]
        return iter(sorted(chosen, key=listing.position, reverse=listing.descending))

    def _whole(self, keys: Iterator[Item], range_key: str, limit: int) -> Iterator[Item]:
        """Yield the records of an index of keys, in its order.

        The index lags. A record that has moved meanwhile is left out: it is at its new place.
        """
        size = min(limit, PAGE_SIZE)
        while batch := {key["PK"]: key for key in itertools.islice(keys, size)}:
            size = PAGE_SIZE
            items = self._batch_get([{"PK": key["PK"], "SK": key["SK"]} for key in batch.values()])
            found = {item["PK"]: item for item in items}
            for partition, key in batch.items():
                item = found.get(partition, {})
                if item.get(range_key) == key[range_key]:
                    yield item

    def stored_after(self, position: str, limit: int) -> list[tuple[str, str]]:
        """Return positions and IDs of records that were stored after a position, in their order."""
        shards = [
            self._query(
                IS_STORED_AFTER,
                {":shard": shard, ":after": position},
                IndexName=STORED_RECORDS,
                Limit=min(limit, PAGE_SIZE),
            )
            for shard in STORED_SHARDS
        ]
        merged = heapq.merge(*shards, key=itemgetter("storedSort"))
        return [
            (item["storedSort"], item["PK"].removeprefix(PRODUCT_PREFIX))
            for item in itertools.islice(merged, limit)
        ]

    def put_record(self, product: Product, stored_at: datetime) -> None:
        """Write the record, unless the table holds a later version.

        ``stored_at`` is its place in the order in which records are stored.
        """
        item = record_item(product, stored_at)
        self._put_item(self._put_request(item, IS_NOT_OLDER, {":version": product.version}))


def _hash_values(listing: ListQuery, *, active: bool) -> list[str]:
    """Return the partitions of the list's index."""
    flag = active_flag(active=active)
    if listing.sort is SortKey.UPDATED:
        return [active_shard(flag, shard) for shard in STORED_SHARDS]
    return [f"{flag}#{listing.currency}" if listing.by_price else flag]


def _range_bounds(listing: ListQuery) -> tuple[str, str]:
    """Return the lowest and highest sort key of the list, as ``ListQuery.position`` writes them."""
    low, high = BOUNDS.get(listing.sort, (BEFORE_ALL, AFTER_ALL))
    if listing.by_price and listing.min_price is not None:
        low = f"{price_sort_key(listing.min_price, str(listing.currency))}#"
    if listing.by_price and listing.max_price is not None:
        high = f"{price_sort_key(listing.max_price, str(listing.currency))}#{AFTER_ALL}"
    if listing.after is None:
        return low, high
    if listing.descending:
        return low, min(high, listing.after)
    return max(low, listing.after), high
