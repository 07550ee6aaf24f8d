"""The one DynamoDB table's items: how changes and records are written down, and read back (DESIGN §3)."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from products.adapters.dynamodb.attribute_values import decoded
from products.changes import Change, ChangeType, Discard, Effect, Failure, Origin
from products.documents import format_timestamp, from_document, parse_timestamp, to_document
from products.errors import CorruptChange, NameTaken, VersionTaken
from products.idempotency import DuplicateRequest, IdempotencyRecord, Outcome
from products.lists import ListQuery
from products.product import Product, normalised_name

logger = logging.getLogger(__name__)
Item = dict[str, Any]
BY_PRICE, BY_CREATED, OPEN_CHANGES = (
    "ProductsByPriceIndex",
    "ProductsByCreatedIndex",
    "OpenChangesIndex",
)
INDEX_KEYS = {
    BY_PRICE: ("activeCurrency", "priceSort"),
    BY_CREATED: ("activeFlag", "createdSort"),
    OPEN_CHANGES: ("openFlag", "acceptedAt"),
}
OPEN = "OPEN"
EXPIRY = "expiresAt"
"""The table's time to live, in seconds since 1970."""
MAX_CLAIM = 1024  # bytes of a name in its claim's key; DynamoDB refuses keys over 2048
INVALIDATION_KEY = {"PK": "INVALIDATION", "SK": "LATEST"}


def table_definition(name: str) -> Item:
    """The arguments of CreateTable; Terraform declares the same."""
    keys = ["PK", "SK", *(key for pair in INDEX_KEYS.values() for key in pair)]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _key_schema("PK", "SK"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _key_schema(*pair),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, pair in INDEX_KEYS.items()
        ],
        "SSESpecification": {"Enabled": True},
    }


def _key_schema(hash_key: str, range_key: str) -> list[Item]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


def change_key(product_id: str, version: int) -> Item:
    return {"PK": f"PRODUCT#{product_id}", "SK": change_sk(version)}


def change_sk(version: int) -> str:
    return f"CHANGE#{version:012d}"


def record_key(product_id: str) -> Item:
    return {"PK": f"PRODUCT#{product_id}", "SK": "METADATA"}


def claim_key(name: str) -> Item:
    """Some characters normalise to many (one to eighteen), so a legal name may be too long for a key: then its hash."""
    claimed = normalised_name(name)
    if len(claimed.encode()) > MAX_CLAIM:
        claimed = hashlib.sha256(claimed.encode()).hexdigest()
    return {"PK": f"NAME#{claimed}", "SK": "CLAIM"}


def idempotency_item_key(actor: str, key: str) -> Item:
    return {"PK": f"REQUEST#{actor}#{key}", "SK": "KEY"}


def idempotency_item(origin: Origin, record: IdempotencyRecord, expires_at: datetime) -> Item:
    """What is remembered of a request; DynamoDB deletes it once it has expired."""
    if origin.idempotency_key is None:
        raise ValueError("only a request with an Idempotency-Key is remembered")
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
        "expiresAt": int(expires_at.timestamp()),
    }


def to_idempotency_record(item: Mapping[str, Any]) -> IdempotencyRecord:
    outcomes = (
        Outcome(o["productId"], int(o["version"]), changed=o["changed"]) for o in item["outcomes"]
    )
    return IdempotencyRecord(item["fingerprint"], tuple(outcomes))


def record_item(product: Product) -> Item:
    """The record with the keys of its two indexes; a DynamoDB key can't be a boolean, hence the flags."""
    flag = "ACTIVE" if product.active else "INACTIVE"
    return {
        **record_key(product.product_id),
        **to_document(product),
        "activeFlag": flag,
        "createdSort": ListQuery().position(product),
        "activeCurrency": f"{flag}#{product.currency}",
        "priceSort": ListQuery(by_price=True).position(product),
    }


def change_item(change: Change) -> Item:
    """A change as it is appended: every effect open, none done."""
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
        "openFlag": OPEN,
    }


def to_change(item: Mapping[str, Any]) -> Change:
    """The change of ``change_item``, with what has happened since; CorruptChange when it can't be read."""
    try:
        return _to_change(item)
    except (KeyError, ValueError, TypeError) as fault:
        raise CorruptChange(
            f"{item.get('PK')} {item.get('SK')} can't be read: {fault!r}"
        ) from fault


def _to_change(item: Mapping[str, Any]) -> Change:
    after = from_document(item["after"])
    return Change(
        product_id=after.product_id,
        version=after.version,
        change_id=item["changeId"],
        change_type=ChangeType(item["changeType"]),
        origin=Origin(
            actor=item["actor"],
            source=item["source"],
            request_id=item["requestId"],
            reason=item.get("reason", ""),
        ),
        accepted_at=parse_timestamp(item["acceptedAt"]),
        before=from_document(item["before"]) if item["before"] else None,
        after=after,
        previous_hash=item["previousHash"],
        record_hash=item["recordHash"],
        open=frozenset(map(Effect, item.get("open", ()))),
        done={Effect(effect): parse_timestamp(at) for effect, at in item["done"].items()},
        failures={
            Effect(effect): _to_failure(failure) for effect, failure in item["failures"].items()
        },
        requeues=(
            int(item["rings"]),
            parse_timestamp(item["rungAt"]) if "rungAt" in item else None,
        ),
        discarded={
            effect: _to_discard(item[key])
            for effect in Effect
            if (key := discard_name(effect)) in item
        },
    )


def discard_name(effect: Effect) -> str:
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
    }


def _to_failure(item: Mapping[str, Any]) -> Failure:
    return Failure(
        reason=item["reason"],
        at=parse_timestamp(item["at"]),
        attempts=int(item["attempts"]),
        permanent=item["permanent"],
    )


def refusal(
    owned: Sequence[tuple[Change, Item]], reasons: Sequence[Item]
) -> VersionTaken | NameTaken | DuplicateRequest:
    """Which clause of the transaction did not hold. DynamoDB gives a reason for each write, in their order; what comes
    after the changes' own writes is the answer to remember."""
    refused = [reason["Code"] == "ConditionalCheckFailed" for reason in reasons]
    if any(refused[len(owned) :]):
        return DuplicateRequest("The same request was answered a moment ago.")
    standing = {
        write["Put"]["Item"]["SK"]["S"]: (change, reason)
        for (change, write), reason, no in zip(owned, reasons, refused, strict=False)
        if "Put" in write and no
    }
    if list(standing) == ["CLAIM"]:
        change, reason = standing["CLAIM"]
        return NameTaken(change.after.name, decoded(reason["Item"])["productId"])
    # Also a TransactionConflict: another write was under way on the same product or name.
    return VersionTaken(f"One of {len(owned)} writes found its place taken.")


def parse_or_skip[T](items: Iterator[Item], read: Callable[[Item], T]) -> Iterator[T]:
    """The items that can be read. One damaged item must not hide all others from a list; the log names it."""
    for item in items:
        try:
            yield read(item)
        except (CorruptChange, KeyError, ValueError, TypeError) as fault:
            logger.error(
                "damaged item skipped",
                extra={"item": f"{item.get('PK')} {item.get('SK')}", "fault": fault},
            )
