"""Idempotency records: the outcomes of requests that carried an Idempotency-Key."""

from dataclasses import dataclass
from datetime import datetime

from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import (
    EXPIRY,
    Item,
    idempotency_item,
    idempotency_item_key,
    to_idempotency_record,
)
from products.changes import Origin
from products.idempotency import RETENTION, DuplicateRequest, IdempotencyRecord

# DynamoDB deletes expired items only after a while; until then they count as absent.
IS_NEW_OR_EXPIRED = f"{IS_NEW} OR {EXPIRY} < :now"
DUPLICATE = "The same request was answered a moment ago."


@dataclass(frozen=True, slots=True)
class DynamoIdempotencyRecords(DynamoCalls):
    """Idempotency records, kept for ``RETENTION``."""

    def idempotency_record(self, actor: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """Return the unexpired record of a key of this actor."""
        item = self._get_item(idempotency_item_key(actor, key))
        if item is None or item[EXPIRY] < int(now.timestamp()):
            return None
        return to_idempotency_record(item)

    def save_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> None:
        """Save the record of a request that changed nothing.

        Raises: DuplicateRequest when a concurrent request has saved one for the same key.
        """
        if not self._put_item(self._idempotency_write(origin, record, now)):
            raise DuplicateRequest(DUPLICATE)

    def _idempotency_write(self, origin: Origin, record: IdempotencyRecord, now: datetime) -> Item:
        item = idempotency_item(origin, record, now + RETENTION)
        return self._put_request(item, IS_NEW_OR_EXPIRED, {":now": int(now.timestamp())})
