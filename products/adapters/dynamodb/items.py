"""The items of the one DynamoDB table: their keys and attributes, and how they are read back."""

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from products.changes import Change, ChangeType, Discard, Effect, Failure, Origin
from products.documents import format_timestamp, from_document, parse_timestamp, to_document
from products.errors import CorruptChange
from products.idempotency import IdempotencyRecord, Outcome
from products.lists import ListQuery, SortKey
from products.product import Product, normalised_name

logger = logging.getLogger(__name__)
Item = dict[str, Any]
BY_PRICE = "ProductsByPriceIndex"
BY_CREATED = "ProductsByCreatedIndex"
OPEN_CHANGES = "OpenChangesIndex"
LATEST_CHANGES = "LatestChangesIndex"
BY_NAME = "ProductsByNameIndex"
BY_UPDATE = "ProductsByUpdateIndex"
STORED_RECORDS = "StoredRecordsIndex"
INDEX_KEYS = {
    BY_PRICE: ("activeCurrency", "priceSort"),
    BY_CREATED: ("activeFlag", "createdSort"),
    OPEN_CHANGES: ("openFlag", "acceptedAt"),
    LATEST_CHANGES: ("logShard", "acceptedAt"),
    BY_NAME: ("activeFlag", "nameSort"),
    BY_UPDATE: ("activeShard", "updatedSort"),
    STORED_RECORDS: ("storedShard", "storedSort"),
}
"""The partition key and the sort key of each index."""
PROJECTIONS = {
    BY_PRICE: "ALL",
    BY_CREATED: "ALL",
    OPEN_CHANGES: "KEYS_ONLY",
    LATEST_CHANGES: "KEYS_ONLY",
    BY_NAME: "KEYS_ONLY",
    BY_UPDATE: "KEYS_ONLY",
    STORED_RECORDS: "KEYS_ONLY",
}
"""What each index copies of an item. A stamp does not touch an index of keys."""
OPEN_FLAGS = ("OPEN#0", "OPEN#1", "OPEN#2", "OPEN#3")
"""The partitions of the open changes: one of DynamoDB's would limit the whole catalogue."""
LOG_SHARDS = ("LOG#0", "LOG#1", "LOG#2", "LOG#3")
"""The partitions of all changes in the order of acceptance, for the same reason."""
STORED_SHARDS = ("STORED#0", "STORED#1", "STORED#2", "STORED#3")
"""The partitions of all records in the order in which they were stored."""
EXPIRY = "expiresAt"
"""The table's time-to-live attribute, in seconds since 1970."""
PRODUCT_PREFIX = "PRODUCT#"
CHANGE_PREFIX = "CHANGE#"
INVALIDATION_KEY = {"PK": "INVALIDATION", "SK": "LATEST"}
BEFORE_ALL, AFTER_ALL = "0", "~"
"""Bounds of the sort keys: all that are written here sort between the two."""
CLAIM = "CLAIM"  # the sort key of a name claim
LISTS = {sort: ListQuery(sort=sort) for sort in SortKey}
"""The lists whose positions are sort keys of a record."""
MAX_CLAIM_BYTES = 1024  # of a name in its claim's key; DynamoDB refuses keys over 2048 bytes


def open_flag(product_id: str) -> str:
    """Return the partition of a product's open changes."""
    return _shard(product_id, OPEN_FLAGS)


def log_shard(product_id: str) -> str:
    """Return the partition of a product's changes in the index of the latest changes."""
    return _shard(product_id, LOG_SHARDS)


def _shard(product_id: str, shards: Sequence[str]) -> str:
    return shards[zlib.crc32(product_id.encode()) % len(shards)]


def product_partition(product_id: str) -> str:
    """Return the partition that holds a product's record and its change log."""
    return f"{PRODUCT_PREFIX}{product_id}"


def change_key(product_id: str, version: int) -> Item:
    return {"PK": product_partition(product_id), "SK": change_sort_key(version)}


def change_sort_key(version: int) -> str:
    return f"{CHANGE_PREFIX}{version:012d}"


def record_key(product_id: str) -> Item:
    return {"PK": product_partition(product_id), "SK": "METADATA"}


def claim_key(name: str) -> Item:
    """Return the key of a name's claim: the normalised name, or its hash if it is too long.

    A legal name can be too long because one character may normalise to as many as eighteen.
    """
    claimed = normalised_name(name)
    if len(claimed.encode()) > MAX_CLAIM_BYTES:
        claimed = hashlib.sha256(claimed.encode()).hexdigest()
    return {"PK": f"NAME#{claimed}", "SK": CLAIM}


def idempotency_item_key(actor: str, key: str) -> Item:
    return {"PK": f"REQUEST#{actor}#{key}", "SK": "KEY"}


def idempotency_item(origin: Origin, record: IdempotencyRecord, expires_at: datetime) -> Item:
    """Return the item that records a request; DynamoDB deletes it after ``expires_at``."""
    if origin.idempotency_key is None:
        raise ValueError("only a request with an Idempotency-Key has a record")
    return {
        **idempotency_item_key(origin.actor, origin.idempotency_key.key),
        "fingerprint": record.fingerprint,
        "outcomes": [
            {
                "productId": outcome.product_id,
                "version": outcome.version,
                "changed": outcome.changed,
            }
            for outcome in record.outcomes
        ],
        EXPIRY: int(expires_at.timestamp()),
    }


def to_idempotency_record(item: Mapping[str, Any]) -> IdempotencyRecord:
    outcomes = tuple(
        Outcome(outcome["productId"], int(outcome["version"]), changed=outcome["changed"])
        for outcome in item["outcomes"]
    )
    return IdempotencyRecord(item["fingerprint"], outcomes)


def active_flag(*, active: bool) -> str:
    """Return ``active`` as an index key: a DynamoDB key can't be a boolean."""
    return "ACTIVE" if active else "INACTIVE"


def active_shard(flag: str, shard: str) -> str:
    """Return the partition of records by update: every write moves one to the end of it."""
    return f"{flag}#{shard}"


def record_item(product: Product, stored_at: datetime) -> Item:
    """Return the record of a product, with the keys of its indexes."""
    flag = active_flag(active=product.active)
    shard = _shard(product.product_id, STORED_SHARDS)
    positions = {sort: listing.position(product) for sort, listing in LISTS.items()}
    return {
        **record_key(product.product_id),
        **to_document(product),
        "activeFlag": flag,
        "createdSort": positions[SortKey.CREATED],
        "updatedSort": positions[SortKey.UPDATED],
        "nameSort": positions[SortKey.NAME],
        "activeCurrency": f"{flag}#{product.currency}",
        "priceSort": positions[SortKey.PRICE],
        "storedShard": shard,
        "activeShard": active_shard(flag, shard),
        "storedSort": f"{format_timestamp(stored_at)}#{product.product_id}",
    }


def change_item(change: Change) -> Item:
    """Return the item of a new change: every effect is open, none is done."""
    return {
        **change_key(change.product_id, change.version),
        "changeId": change.change_id,
        "changeType": str(change.change_type),
        "actor": change.origin.actor,
        "source": change.origin.source,
        "requestId": change.origin.request_id,
        "reason": change.origin.reason,
        "acceptedAt": format_timestamp(change.accepted_at),
        "before": to_document(change.before) if change.before else None,
        "after": to_document(change.after),
        "previousHash": change.previous_hash,
        "recordHash": change.record_hash,
        "open": {str(effect) for effect in change.open},
        "done": {},
        "failures": {},
        "rings": 0,
        "openFlag": open_flag(change.product_id),
        "logShard": log_shard(change.product_id),
    }


def to_change(item: Mapping[str, Any]) -> Change:
    """Return the change in an item, with the progress of its effects.

    Raises: CorruptChange when the item can't be read.
    """
    try:
        return _to_change(item)
    except (KeyError, ValueError, TypeError) as fault:
        raise CorruptChange(f"{_label(item)} can't be read: {fault!r}") from fault


def _to_change(item: Mapping[str, Any]) -> Change:
    after, last_number = from_document(item["after"]), item.get("lastInvalidation")
    return Change(
        product_id=after.product_id,
        version=after.version,
        change_id=item["changeId"],
        change_type=ChangeType(item["changeType"]),
        origin=_to_origin(item),
        accepted_at=parse_timestamp(item["acceptedAt"]),
        before=from_document(item["before"]) if item["before"] else None,
        after=after,
        previous_hash=item["previousHash"],
        record_hash=item["recordHash"],
        open=frozenset(Effect(effect) for effect in item.get("open", ())),
        done={Effect(effect): parse_timestamp(at) for effect, at in item["done"].items()},
        failures=to_failures(item["failures"]),
        requeues=_to_requeues(item),
        discarded=_to_discarded(item),
        last_invalidation=None if last_number is None else int(last_number),
    )


def _to_origin(item: Mapping[str, Any]) -> Origin:
    return Origin(
        actor=item["actor"],
        source=item["source"],
        request_id=item["requestId"],
        reason=item.get("reason", ""),
    )


def _to_requeues(item: Mapping[str, Any]) -> tuple[int, datetime | None]:
    """Return how often the change was requeued, and when it was last."""
    last = parse_timestamp(item["rungAt"]) if "rungAt" in item else None
    return int(item["rings"]), last


def _to_discarded(item: Mapping[str, Any]) -> dict[Effect, Discard]:
    attributes = {effect: discard_attribute(effect) for effect in Effect}
    return {
        effect: _to_discard(item[attribute])
        for effect, attribute in attributes.items()
        if attribute in item
    }


def discard_attribute(effect: Effect) -> str:
    return f"discarded-{effect}"


def discard_item(discard: Discard) -> Item:
    return {"by": discard.by, "at": format_timestamp(discard.at), "reason": discard.reason}


def _to_discard(item: Mapping[str, Any]) -> Discard:
    return Discard(by=item["by"], at=parse_timestamp(item["at"]), reason=item["reason"])


def failure_item(failure: Failure) -> Item:
    return {
        "reason": failure.reason,
        "at": format_timestamp(failure.at),
        "attempts": failure.attempts,
        "permanent": failure.permanent,
        "waitingFor": failure.waiting_for,
    }


def to_failures(items: Mapping[str, Any]) -> dict[Effect, Failure]:
    return {Effect(effect): _to_failure(item) for effect, item in items.items()}


def _to_failure(item: Mapping[str, Any]) -> Failure:
    return Failure(
        reason=item["reason"],
        at=parse_timestamp(item["at"]),
        attempts=int(item["attempts"]),
        permanent=item["permanent"],
        waiting_for=item.get("waitingFor", ""),
    )


def parse_or_skip[T](items: Iterator[Item], parse: Callable[[Item], T]) -> Iterator[T]:
    """Yield the items that can be parsed, and log the others.

    A list must not fail because of one damaged item.
    """
    for item in items:
        try:
            yield parse(item)
        except (CorruptChange, KeyError, ValueError, TypeError) as fault:
            logger.error("damaged item skipped", extra={"item": _label(item), "fault": fault})


def _label(item: Mapping[str, Any]) -> str:
    return f"{item.get('PK')} {item.get('SK')}"
