"""The product table as reconciliation reads it, and as repair writes it to match the log."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import IS_NEW, PAGE_SIZE
from products.adapters.dynamodb.items import (
    BEFORE_ALL,
    BY_CREATED,
    CHANGE_PREFIX,
    OPEN_CHANGES,
    OPEN_FLAGS,
    PRODUCT_PREFIX,
    Item,
    active_flag,
    change_key,
    claim_key,
    open_flag,
    product_partition,
    record_item,
    record_key,
    to_change,
)
from products.adapters.dynamodb.names import DynamoNameClaims
from products.changes import Change
from products.documents import format_timestamp, from_document, parse_timestamp
from products.errors import CorruptChange
from products.following import STORE_WINDOW
from products.product import Product
from products.reconciliation.differences import LogEntry, Observed
from products.reconciliation.sources import Candidate

UNREADABLE = (CorruptChange, KeyError, ValueError, TypeError, AttributeError)

CANDIDATES = 1000  # in one page: three short attributes of each

IN_LOG = "PK = :pk AND begins_with(SK, :change)"
CREATED_AFTER = "activeFlag = :flag AND createdSort > :after"
OPEN_AND_ACCEPTED_AFTER = "openFlag = :open AND acceptedAt > :after"
ACCEPTED_BETWEEN = "acceptedAt BETWEEN :first AND :last"
IS_REPLACEABLE = (
    f"{IS_NEW} OR attribute_not_exists(version) OR version <= :version OR version = :observed"
)
IS_NEW_OR_HELD = f"{IS_NEW} OR productId = :holder"
HAS_OPEN_EFFECT = "attribute_exists(#open)"
SET_OPEN_FLAG = "SET openFlag = :open"


@dataclass(frozen=True, slots=True)
class DynamoReconciliation(DynamoNameClaims):
    """Reads that report an unreadable item instead of failing, and conditional repairs."""

    clock: Callable[[], datetime]

    # Reads

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        """Yield the product's log from its first version, read consistently."""
        for item in self._query(IN_LOG, _log_values(product_id), ConsistentRead=True):
            yield _to_entry(item)

    def change(self, product_id: str, version: int) -> Change | None:
        """Return the change that made this version, or None when it can't be read."""
        item = self._get_item(change_key(product_id, version))
        return _change_or_none(item) if item else None

    def records(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        """Return the records of these products, by id."""
        distinct_ids = dict.fromkeys(product_ids)
        items = self._batch_get([record_key(product_id) for product_id in distinct_ids])
        return {_product_id(item): _to_observed(item) for item in items}

    def name_owners(self, names: Iterable[str]) -> dict[str, str]:
        """Return the ids of the products that hold these names; "" if a claim names none."""
        claims = self._claims_by_name(names)
        return {name: str(claim.get("productId", "")) for name, claim in claims.items()}

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]:
        """Yield the products with a record, in the order of their creation."""
        items = self._query(
            CREATED_AFTER,
            {":flag": active_flag(active=active), ":after": after or BEFORE_ALL},
            IndexName=BY_CREATED,
            ProjectionExpression="PK, createdSort, updatedAt",
            Limit=CANDIDATES,
        )
        for item in items:
            updated_at = _timestamp_or_none(item.get("updatedAt"))
            yield Candidate(item["createdSort"], _product_id(item), updated_at)

    def open_after(self, after: str | None) -> Iterator[Candidate]:
        """Yield the products with open changes, in the order of acceptance."""
        partitions = [
            self._query(
                OPEN_AND_ACCEPTED_AFTER,
                {":open": flag, ":after": after or BEFORE_ALL},
                IndexName=OPEN_CHANGES,
                ProjectionExpression="PK, acceptedAt",
                Limit=PAGE_SIZE,
            )
            for flag in OPEN_FLAGS
        ]
        for item in heapq.merge(*partitions, key=itemgetter("acceptedAt")):
            yield Candidate(item["acceptedAt"], _product_id(item))

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        """Return the times in this range at which changes of the product were accepted.

        The range is a filter, not a key: DynamoDB reads the product's whole log for it.
        """
        bounds = {":first": format_timestamp(first), ":last": format_timestamp(last)}
        items = self._query(
            IN_LOG,
            _log_values(product_id) | bounds,
            FilterExpression=ACCEPTED_BETWEEN,
            ProjectionExpression="acceptedAt",
            ConsistentRead=True,
        )
        times = (_timestamp_or_none(item.get("acceptedAt")) for item in items)
        return {at for at in times if at}

    # Repairs

    def overwrite_record(self, product: Product, observed_version: int | None) -> bool:
        """Write the record over one of the same or an earlier version.

        It also replaces a record of ``observed_version``, which no change has made. Return
        False when the record has changed since.
        """
        values = {
            ":version": product.version,
            ":observed": product.version if observed_version is None else observed_version,
        }
        while True:
            stored_at = self.clock()
            item = record_item(product, stored_at)
            is_written = self._transact([self._put_request(item, IS_REPLACEABLE, values)])
            if not is_written or self.clock() - stored_at <= STORE_WINDOW:
                return is_written

    def claim_name(self, change: Change, *, holder: str, holds: Change | None) -> bool:
        """Claim the name of a product's newest change.

        The claim may be taken from a ``holder`` whose newest change ``holds`` another name.
        Return False when one of the two has a newer change, or another product has the name.
        """
        claim = {**claim_key(change.after.name), "productId": change.product_id}
        put = self._put_request(claim, IS_NEW_OR_HELD, {":holder": holder})
        checks = [self._still_newest(newest) for newest in (change, holds) if newest]
        return self._transact([put, *checks])

    def release_name(self, change: Change, name: str) -> bool:
        """Delete the claim of a former name of the product.

        Return False when ``change`` is not its newest change, or another product has the name.
        """
        free = self._free_request(name, change.product_id)
        return self._transact([free, self._still_newest(change)])

    def mark_open(self, change: Change) -> bool:
        """List a change in the index of open changes; return False if no effect is open."""
        update = {
            "TableName": self.name,
            "Key": encoded(change_key(change.product_id, change.version)),
            "UpdateExpression": SET_OPEN_FLAG,
            "ConditionExpression": HAS_OPEN_EFFECT,
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": encoded({":open": open_flag(change.product_id)}),
        }
        return self._transact([{"Update": update}])

    def _still_newest(self, change: Change) -> Item:
        """Return the check, for a transaction, that the product has no later change."""
        check = {
            "TableName": self.name,
            "Key": encoded(change_key(change.product_id, change.version + 1)),
            "ConditionExpression": IS_NEW,
        }
        return {"ConditionCheck": check}


def _log_values(product_id: str) -> Item:
    return {":pk": product_partition(product_id), ":change": CHANGE_PREFIX}


def _product_id(item: Item) -> str:
    return str(item["PK"]).removeprefix(PRODUCT_PREFIX)


def _to_entry(item: Item) -> LogEntry:
    number = str(item["SK"]).removeprefix(CHANGE_PREFIX)
    version = int(number) if number.isdecimal() else 0
    accepted_at = _timestamp_or_none(item.get("acceptedAt"))
    return LogEntry(version, _change_or_none(item), "openFlag" in item, accepted_at)


def _change_or_none(item: Item) -> Change | None:
    try:
        return to_change(item)
    except UNREADABLE:
        return None


def _to_observed(item: Item) -> Observed:
    """Return what a record holds.

    A record has no content unless each of its attributes is what would be written for its
    product: its index keys must fit.
    """
    version = item.get("version")
    stored_version = int(version) if isinstance(version, Decimal) else None
    try:
        product = from_document(item)
        stored_at = parse_timestamp(str(item["storedSort"]).partition("#")[0])
        is_intact = item == record_item(product, stored_at)
    except UNREADABLE:
        return Observed(stored_version, None)
    return Observed(product.version, product if is_intact else None)


def _timestamp_or_none(text: Any) -> datetime | None:
    try:
        return parse_timestamp(text) if text else None
    except (TypeError, ValueError, AttributeError):
        return None
