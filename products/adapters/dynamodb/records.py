"""The products' records: the newest stored version of each, and the indexes that list them."""

from collections.abc import Iterator
from dataclasses import dataclass

from products.adapters.dynamodb.calls import IS_NEW, PAGE_SIZE, DynamoCalls
from products.adapters.dynamodb.items import (
    AFTER_ALL,
    BEFORE_ALL,
    BY_CREATED,
    BY_PRICE,
    INDEX_KEYS,
    active_flag,
    parse_or_skip,
    record_item,
    record_key,
)
from products.documents import from_document
from products.lists import ListQuery, price_sort_key
from products.product import Product

IN_INDEX_RANGE = "#hash = :hash AND #range BETWEEN :low AND :high"
IS_NEW_OR_LATER = f"{IS_NEW} OR version < :version"


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
        low, high = _range_bounds(listing)
        if low > high:
            return iter(())
        index = BY_PRICE if listing.by_price else BY_CREATED
        hash_key, range_key = INDEX_KEYS[index]
        items = self._query(
            IN_INDEX_RANGE,
            {":hash": _hash_value(listing, active=active), ":low": low, ":high": high},
            IndexName=index,
            ExpressionAttributeNames={"#hash": hash_key, "#range": range_key},
            ScanIndexForward=not listing.descending,
            Limit=min(listing.limit + 2, PAGE_SIZE),
        )
        return parse_or_skip(items, from_document)

    def put_record(self, product: Product) -> None:
        """Write the record, unless the table holds this version or a later one."""
        self._put_item(
            self._put_request(record_item(product), IS_NEW_OR_LATER, {":version": product.version})
        )


def _hash_value(listing: ListQuery, *, active: bool) -> str:
    flag = active_flag(active=active)
    return f"{flag}#{listing.currency}" if listing.by_price else flag


def _range_bounds(listing: ListQuery) -> tuple[str, str]:
    """Return the lowest and highest sort key of the list, as ``ListQuery.position`` writes them."""
    low, high = BEFORE_ALL, AFTER_ALL
    if listing.by_price and listing.min_price is not None:
        low = f"{price_sort_key(listing.min_price, str(listing.currency))}#"
    if listing.by_price and listing.max_price is not None:
        high = f"{price_sort_key(listing.max_price, str(listing.currency))}#{AFTER_ALL}"
    if listing.after is None:
        return low, high
    if listing.descending:
        return low, min(high, listing.after)
    return max(low, listing.after), high
