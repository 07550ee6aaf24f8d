"""The products' change log, with all that one transaction appends to it."""

import heapq
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from products.adapters.change_logging import log_change
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import IS_NEW, PAGE_SIZE
from products.adapters.dynamodb.cancellation import explain_cancellation
from products.adapters.dynamodb.idempotency import DynamoIdempotencyRecords
from products.adapters.dynamodb.items import (
    AFTER_ALL,
    BEFORE_ALL,
    CHANGE_PREFIX,
    LATEST_CHANGES,
    LOG_SHARDS,
    OPEN_CHANGES,
    OPEN_FLAGS,
    PRODUCT_PREFIX,
    Item,
    change_item,
    change_key,
    change_sort_key,
    parse_or_skip,
    product_partition,
    to_change,
    to_failures,
)
from products.adapters.dynamodb.names import DynamoNameClaims
from products.appending import Answer, Obstacles
from products.changes import Change, ChangeKey, Effect
from products.documents import format_timestamp, parse_timestamp
from products.errors import CorruptChange
from products.open_changes import OpenKey, OpenMark
from products.overlay import ListedChanges

logger = logging.getLogger(__name__)

MAX_TRANSACTION_ACTIONS = 100  # a limit of DynamoDB
MAX_TRANSACTION_BYTES = 4_000_000  # a limit of DynamoDB, 4 MB
MAX_OTHER_BYTES = 8_000  # of a change's own attributes, its claims and its answer
FIRST_BATCH = 10  # open changes that are read first: most readers need no more
FEED_BATCH = 50  # changes that the feed reads together
IN_LOG_RANGE = "PK = :pk AND SK BETWEEN :low AND :high"
ACCEPTED_BETWEEN = "logShard = :shard AND acceptedAt BETWEEN :since AND :until"
IS_OPEN = "openFlag = :open"
IS_OPEN_AND_ACCEPTED_BEFORE = "openFlag = :open AND acceptedAt <= :time"
IS_OPEN_AND_ACCEPTED_AFTER = "openFlag = :open AND acceptedAt > :time"

KEY_PAGE_SIZE = 300  # keys of open changes, of each partition
MARK_ATTRIBUTES = {
    "ProjectionExpression": "PK, SK, acceptedAt, #open, failures",
    "ExpressionAttributeNames": {"#open": "open"},
}
"""The attributes of an OpenMark: a twentieth of a change."""


@dataclass(frozen=True, slots=True)
class DynamoChangeLog(DynamoNameClaims, DynamoIdempotencyRecords):
    """The change log. Reads are consistent, except those of open changes, which use an index."""

    listed: ListedChanges = field(default_factory=ListedChanges)
    """The changes of which this process knows that all lists have them."""

    def newest(self, product_id: str) -> Change | None:
        """Return the product's newest change."""
        return next(iter(self.history(product_id, None, 1)), None)

    def change(self, product_id: str, version: int) -> Change | None:
        """Return the change that made this version."""
        item = self._get_item(change_key(product_id, version))
        return to_change(item) if item else None

    def changes(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, Change | CorruptChange]:
        """Return the changes with these keys; CorruptChange for one that can't be read."""
        found: dict[ChangeKey, Change | CorruptChange] = {}
        by_item_key = {tuple(change_key(*key).values()): key for key in keys}
        for item in self._batch_get([change_key(*key) for key in keys]):
            key = by_item_key[item["PK"], item["SK"]]
            try:
                found[key] = to_change(item)
            except CorruptChange as error:
                found[key] = error
        return found

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Return the product's changes below the version ``before``, newest first."""
        highest = f"{CHANGE_PREFIX}{AFTER_ALL}" if before is None else change_sort_key(before - 1)
        items = self._query(
            IN_LOG_RANGE,
            {":pk": product_partition(product_id), ":low": CHANGE_PREFIX, ":high": highest},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return [to_change(item) for item in itertools.islice(items, limit)]

    def append(self, changes: Sequence[Change], answers: Sequence[Answer] = ()) -> Obstacles | None:
        """Append changes of different products, and remember the answers, in one transaction.

        Return None, or what was in the way.
        """
        change_writes = [
            (change, write) for change in changes for write in self._change_writes(change)
        ]
        writes = [write for _, write in change_writes]
        writes += [
            self._idempotency_write(origin, record, changes[0].accepted_at)
            for origin, record in answers
        ]
        reasons = self._cancellation_reasons(writes)
        if reasons:
            keys = [key.key for origin, _ in answers if (key := origin.idempotency_key)]
            return explain_cancellation(change_writes, keys, reasons)
        for change in changes:
            _log_accepted(change)
        return None

    def fits_transaction(self, changes: Sequence[Change], *, answers: int) -> bool:
        """Whether one transaction has room for the changes, and for so many answers."""
        actions = answers + sum(1 + len(self._claim_writes(change)) for change in changes)
        size = sum(map(_max_bytes, changes))
        return actions <= MAX_TRANSACTION_ACTIONS and size <= MAX_TRANSACTION_BYTES

    def _change_writes(self, change: Change) -> list[Item]:
        return [self._put_request(change_item(change), IS_NEW), *self._claim_writes(change)]

    def open_changes(
        self,
        accepted_before: datetime | None = None,
        *,
        accepted_after: datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Change]:
        """Yield the changes with open effects, oldest first unless ``newest_first``.

        Those accepted up to a time, or those accepted after one, if it is given.
        """
        keys = self._open_keys(accepted_before, accepted_after, newest_first=newest_first)
        for still_open in self._open_items(keys):
            yield from parse_or_skip(still_open, to_change)

    def open_keys(self, *, newest_first: bool = False) -> Iterator[OpenKey]:
        """Yield which changes may be open, oldest first unless ``newest_first``."""
        items = self._open_keys(newest_first=newest_first, page_size=KEY_PAGE_SIZE)
        return parse_or_skip(items, _to_open_key)

    def marks(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, OpenMark]:
        """Return what is open of those of these changes that are open."""
        items = self._batch_get([change_key(*key) for key in keys], **MARK_ATTRIBUTES)
        still_open = (item for item in items if "open" in item)
        marks = parse_or_skip(still_open, _to_mark)
        return {(mark.product_id, mark.version): mark for mark in marks}

    def _open_items(self, keys: Iterator[Item]) -> Iterator[Iterator[Item]]:
        """Yield batches of the items with these keys that are still open."""
        size = FIRST_BATCH
        while batch := [(key["PK"], key["SK"]) for key in itertools.islice(keys, size)]:
            size = PAGE_SIZE
            items = self._batch_get([{"PK": pk, "SK": sk} for pk, sk in batch])
            found = {(item["PK"], item["SK"]): item for item in items}
            # The index lags: it may still list a change that is closed by now.
            yield (found[key] for key in batch if "openFlag" in found.get(key, ()))

    def latest_changes(self, since: datetime | None, until: datetime | None) -> Iterator[Change]:
        """Yield the changes of all products accepted between these times, newest first."""
        low = format_timestamp(since) if since else BEFORE_ALL
        high = format_timestamp(until) if until else AFTER_ALL
        partitions = [
            self._query(
                ACCEPTED_BETWEEN,
                {":shard": shard, ":since": low, ":until": high},
                IndexName=LATEST_CHANGES,
                ScanIndexForward=False,
                Limit=PAGE_SIZE,
            )
            for shard in LOG_SHARDS
        ]
        keys = heapq.merge(*partitions, key=itemgetter("acceptedAt"), reverse=True)
        while batch := [(key["PK"], key["SK"]) for key in itertools.islice(keys, FEED_BATCH)]:
            items = self._batch_get([{"PK": pk, "SK": sk} for pk, sk in batch])
            found = {(item["PK"], item["SK"]): item for item in items}
            yield from parse_or_skip((found[key] for key in batch if key in found), to_change)

    def open_since(self, limit: int) -> list[datetime]:
        """Return when the oldest open changes were accepted, oldest first."""
        keys = itertools.islice(self._open_keys(newest_first=False, page_size=limit), limit)
        return [parse_timestamp(key["acceptedAt"]) for key in keys]

    def open_count(self, limit: int) -> int:
        """Return the number of open changes, at most ``limit``."""
        counts = (self._count_open(flag, limit) for flag in OPEN_FLAGS)
        return min(limit, sum(counts))

    def _count_open(self, flag: str, limit: int) -> int:
        response = self._call(
            "query",
            TableName=self.name,
            IndexName=OPEN_CHANGES,
            KeyConditionExpression=IS_OPEN,
            ExpressionAttributeValues=encoded({":open": flag}),
            Select="COUNT",
            Limit=limit,
        )
        return int(response["Count"])

    def _open_keys(
        self,
        before: datetime | None = None,
        after: datetime | None = None,
        *,
        newest_first: bool,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Item]:
        """Yield the keys of the open changes of all partitions, in the order of acceptance."""
        condition = IS_OPEN_AND_ACCEPTED_AFTER if after else IS_OPEN_AND_ACCEPTED_BEFORE
        bound = after or before
        time = format_timestamp(bound) if bound else AFTER_ALL
        partitions = [
            self._query(
                condition,
                {":open": flag, ":time": time},
                IndexName=OPEN_CHANGES,
                ScanIndexForward=not newest_first,
                Limit=page_size,
                ProjectionExpression="PK, SK, acceptedAt",
            )
            for flag in OPEN_FLAGS
        ]
        return heapq.merge(*partitions, key=itemgetter("acceptedAt"), reverse=newest_first)


def _to_open_key(item: Mapping[str, Any]) -> OpenKey:
    product_id = item["PK"].removeprefix(PRODUCT_PREFIX)
    return OpenKey(product_id, int(item["SK"].removeprefix(CHANGE_PREFIX)), item["acceptedAt"])


def _to_mark(item: Mapping[str, Any]) -> OpenMark:
    """Return which effects are open, from the attributes that are about them."""
    open_effects = frozenset(map(Effect, item["open"]))
    failures = to_failures(item["failures"])
    return OpenMark(
        product_id=item["PK"].removeprefix(PRODUCT_PREFIX),
        version=int(item["SK"].removeprefix(CHANGE_PREFIX)),
        accepted_at=parse_timestamp(item["acceptedAt"]),
        open=open_effects,
        failures={effect: why for effect, why in failures.items() if effect in open_effects},
    )


def _max_bytes(change: Change) -> int:
    """Return a bound of the bytes that appending the change takes."""
    products = [change.after, *([change.before] if change.before else [])]
    return MAX_OTHER_BYTES + sum(
        len(text.encode())
        for product in products
        for text in (product.name, product.description, product.period or "", *product.features)
    )


def _log_accepted(change: Change) -> None:
    origin = change.origin
    log_change(
        logger,
        "change accepted",
        change,
        type=str(change.change_type),
        actor=origin.actor,
        source=origin.source,
    )
