"""The one DynamoDB table: products' logs, records, name claims and the latest invalidation (DESIGN §3)."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import error_code
from products.adapters.change_logging import log_change
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import PAGE, DynamoCalls
from products.adapters.dynamodb.items import (
    BY_CREATED,
    BY_PRICE,
    INDEX_KEYS,
    INVALIDATION_KEY,
    OPEN,
    OPEN_CHANGES,
    Item,
    change_item,
    change_key,
    change_sk,
    claim_key,
    failure_item,
    idempotency_item,
    idempotency_item_key,
    parse_or_skip,
    record_item,
    record_key,
    refusal,
    to_change,
    to_idempotency_record,
)
from products.changes import Change, Effect, Failure, Origin
from products.documents import format_timestamp, from_document, parse_timestamp
from products.idempotency import RETENTION, DuplicateRequest, IdempotencyRecord
from products.invalidation import Invalidation
from products.lists import ListQuery
from products.product import Product, normalised_name

logger = logging.getLogger(__name__)
IS_NEW = "attribute_not_exists(PK)"


@dataclass(frozen=True, slots=True)
class DynamoProductTable(DynamoCalls):
    """The product table. Reads that decide something are consistent; index reads can't be."""

    # The log

    def newest(self, product_id: str) -> Change | None:
        return next(iter(self.history(product_id, None, 1)), None)

    def change(self, product_id: str, version: int) -> Change | None:
        item = self._get(change_key(product_id, version))
        return to_change(item) if item else None

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        highest = "CHANGE#~" if before is None else change_sk(before - 1)
        items = self._query(
            KeyConditionExpression="PK = :pk AND SK BETWEEN :low AND :high",
            ExpressionAttributeValues={
                ":pk": f"PRODUCT#{product_id}",
                ":low": "CHANGE#",
                ":high": highest,
            },
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return [to_change(item) for item in itertools.islice(items, limit)]

    def append(self, changes: Sequence[Change], record: IdempotencyRecord | None = None) -> None:
        owned = [(change, write) for change in changes for write in self._appending(change)]
        writes = [write for _, write in owned]
        if record:
            writes.append(
                self._put_idempotency_record(changes[0].origin, record, changes[0].accepted_at)
            )
        try:
            self._call("transact_write_items", TransactItems=writes)
        except ClientError as fault:
            if error_code(fault) != "TransactionCanceledException":
                raise
            reasons: Any = fault.response["CancellationReasons"]
            raise refusal(owned, reasons) from fault
        for change in changes:
            origin = change.origin
            kind = str(change.change_type)
            log_change(
                logger,
                "change accepted",
                change,
                type=kind,
                actor=origin.actor,
                source=origin.source,
            )

    def _appending(self, change: Change) -> list[Item]:
        return [self._put(change_item(change), IS_NEW), *self._claims(change)]

    def _claims(self, change: Change) -> list[Item]:
        """What makes names unique: the new name is claimed and the old one freed, in the change's transaction."""
        old = change.before.name if change.before else None
        new = change.after.name
        if old is not None and normalised_name(old) == normalised_name(new):
            return []
        owner = {":owner": change.product_id}
        claim = {**claim_key(new), "productId": change.product_id}
        writes = [self._put(claim, f"{IS_NEW} OR productId = :owner", owner)]
        if old is not None:
            key, values = encoded(claim_key(old)), encoded(owner)
            condition = {
                "ConditionExpression": "productId = :owner",
                "ExpressionAttributeValues": values,
            }
            writes.append({"Delete": {"TableName": self.name, "Key": key, **condition}})
        return writes

    def name_owner(self, name: str) -> str | None:
        claim = self._get(claim_key(name))
        return str(claim["productId"]) if claim else None

    # Answers to requests with an Idempotency-Key

    def _put_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> Item:
        # DynamoDB deletes what has expired only after a while; until then it counts as gone all the same.
        condition = f"{IS_NEW} OR expiresAt < :now"
        return self._put(
            idempotency_item(origin, record, now + RETENTION),
            condition,
            {":now": int(now.timestamp())},
        )

    def idempotency_record(self, actor: str, key: str, now: datetime) -> IdempotencyRecord | None:
        item = self._get(idempotency_item_key(actor, key))
        return (
            to_idempotency_record(item)
            if item and item["expiresAt"] >= int(now.timestamp())
            else None
        )

    def save_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> None:
        if not self._do(self._put_idempotency_record(origin, record, now)):
            raise DuplicateRequest("The same request was answered a moment ago.")

    def open_changes(
        self, accepted_before: datetime | None = None, *, newest_first: bool = False
    ) -> Iterator[Change]:
        items = self._query(
            IndexName=OPEN_CHANGES,
            ScanIndexForward=not newest_first,
            KeyConditionExpression="openFlag = :open AND acceptedAt <= :before",
            ExpressionAttributeValues={
                ":open": OPEN,
                ":before": format_timestamp(accepted_before) if accepted_before else "~",
            },
        )
        return parse_or_skip(items, to_change)

    # The effects of a change

    def stamp(self, change: Change, effect: Effect, at: datetime) -> Change | None:
        stamped = self._update(
            change_key(change.product_id, change.version),
            "SET done.#effect = :at REMOVE failures.#effect DELETE #open :effects",
            "contains(#open, :effect)",
            {"#effect": str(effect), "#open": "open"},
            {":at": format_timestamp(at), ":effect": str(effect), ":effects": {str(effect)}},
        )
        if stamped is None:
            return None
        seconds = (at - change.accepted_at).total_seconds()
        log_change(logger, "effect stamped", change, effect=str(effect), seconds=round(seconds, 3))
        if "open" in stamped:
            return None
        self.close(change)
        return to_change(stamped)

    def close(self, change: Change) -> None:
        key = change_key(change.product_id, change.version)
        self._update(key, "REMOVE openFlag", "attribute_not_exists(#open)", {"#open": "open"}, {})

    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        log_change(
            logger,
            "effect failed",
            change,
            logging.WARNING,
            effect=str(effect),
            attempts=failure.attempts,
            permanent=failure.permanent,
            reason=failure.reason,
        )
        self._update(
            change_key(change.product_id, change.version),
            "SET failures.#effect = :failure",
            "contains(#open, :effect)",
            {"#effect": str(effect), "#open": "open"},
            {":failure": failure_item(failure), ":effect": str(effect)},
        )

    def record_requeue(self, change: Change, at: datetime) -> None:
        key = change_key(change.product_id, change.version)
        self._update(
            key,
            "SET rungAt = :at ADD rings :one",
            "attribute_exists(PK)",
            {},
            {":at": format_timestamp(at), ":one": 1},
        )
        log_change(logger, "change requeued", change, rings=change.requeues[0] + 1)

    # The records

    def record(self, product_id: str) -> Product | None:
        item = self._get(record_key(product_id))
        return from_document(item) if item else None

    def records(self, product_ids: list[str]) -> dict[str, Product]:
        items = self._batch([record_key(product_id) for product_id in dict.fromkeys(product_ids)])
        return {product.product_id: product for product in parse_or_skip(items, from_document)}

    def name_owners(self, names: list[str]) -> dict[str, str]:
        keys = {claim_key(name)["PK"]: normalised_name(name) for name in names}
        claims = self._batch([{"PK": key, "SK": "CLAIM"} for key in keys])
        return {keys[claim["PK"]]: str(claim["productId"]) for claim in claims}

    def in_order(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        flag, low, high = "ACTIVE" if active else "INACTIVE", "0", "~"
        if listing.by_price:
            flag = f"{flag}#{listing.currency}"
            low = low if listing.min_price is None else f"{listing.min_price:09.2f}#"
            high = high if listing.max_price is None else f"{listing.max_price:09.2f}#~"
        if listing.after is not None:
            low, high = (
                (low, min(high, listing.after))
                if listing.descending
                else (max(low, listing.after), high)
            )
        if low > high:
            return iter(())
        index = BY_PRICE if listing.by_price else BY_CREATED
        items = self._query(
            IndexName=index,
            KeyConditionExpression="#hash = :flag AND #range BETWEEN :low AND :high",
            ExpressionAttributeNames=dict(zip(("#hash", "#range"), INDEX_KEYS[index], strict=True)),
            ExpressionAttributeValues={":flag": flag, ":low": low, ":high": high},
            ScanIndexForward=not listing.descending,
            Limit=min(listing.limit + 2, PAGE),
        )
        return parse_or_skip(items, from_document)

    def put_record(self, product: Product) -> None:
        self._do(
            self._put(
                record_item(product),
                f"{IS_NEW} OR version < :version",
                {":version": product.version},
            )
        )

    # The latest invalidation

    def invalidation(self) -> Invalidation | None:
        item = self._get(INVALIDATION_KEY)
        if not item:
            return None
        return Invalidation(
            number=int(item["number"]),
            started_at=parse_timestamp(item["startedAt"]),
            confirmed=item["confirmed"],
        )

    def begin_invalidation(self, invalidation: Invalidation) -> bool:
        item = {
            **INVALIDATION_KEY,
            "number": invalidation.number,
            "startedAt": format_timestamp(invalidation.started_at),
            "confirmed": False,
        }
        put = self._put(item, f"{IS_NEW} OR #number < :number", {":number": invalidation.number})
        begun = self._do(put, ExpressionAttributeNames={"#number": "number"})
        if begun:
            logger.info("invalidation begun", extra={"invalidation": invalidation.reference})
        return begun

    def confirm_invalidation(self, invalidation: Invalidation) -> None:
        names, values = {"#number": "number"}, {":number": invalidation.number, ":yes": True}
        self._update(INVALIDATION_KEY, "SET confirmed = :yes", "#number = :number", names, values)
        logger.info("invalidation confirmed", extra={"invalidation": invalidation.reference})

    # What readiness asks

    def ping(self) -> None:
        """EngineAway or ClientError when the table can't be read."""
        self._get(INVALIDATION_KEY)
