"""The products' change log, with all that one transaction appends to it."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import error_code
from products.adapters.change_logging import log_change
from products.adapters.dynamodb.attribute_values import decoded
from products.adapters.dynamodb.calls import IS_NEW
from products.adapters.dynamodb.idempotency import DUPLICATE, DynamoIdempotencyRecords
from products.adapters.dynamodb.items import (
    AFTER_ALL,
    CHANGE_PREFIX,
    OPEN,
    OPEN_CHANGES,
    Item,
    change_item,
    change_key,
    change_sort_key,
    parse_or_skip,
    product_partition,
    to_change,
)
from products.adapters.dynamodb.names import DynamoNameClaims
from products.changes import Change
from products.documents import format_timestamp
from products.errors import NameTaken, VersionTaken
from products.idempotency import DuplicateRequest, IdempotencyRecord

logger = logging.getLogger(__name__)

IN_LOG_RANGE = "PK = :pk AND SK BETWEEN :low AND :high"
IS_OPEN_AND_ACCEPTED_BEFORE = "openFlag = :open AND acceptedAt <= :before"


@dataclass(frozen=True, slots=True)
class DynamoChangeLog(DynamoNameClaims, DynamoIdempotencyRecords):
    """The change log. Reads are consistent, except those of open changes, which use an index."""

    def newest(self, product_id: str) -> Change | None:
        """Return the product's newest change."""
        return next(iter(self.history(product_id, None, 1)), None)

    def change(self, product_id: str, version: int) -> Change | None:
        """Return the change that made this version."""
        item = self._get_item(change_key(product_id, version))
        return to_change(item) if item else None

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

    def append(self, changes: Sequence[Change], record: IdempotencyRecord | None = None) -> None:
        """Append changes of different products, from one request, in one transaction.

        Raises: VersionTaken, NameTaken, or DuplicateRequest when ``record`` exists already.
        """
        change_writes = [
            (change, write) for change in changes for write in self._change_writes(change)
        ]
        writes = [write for _, write in change_writes]
        if record:
            first = changes[0]
            writes.append(self._idempotency_write(first.origin, record, first.accepted_at))
        try:
            self._call("transact_write_items", TransactItems=writes)
        except ClientError as fault:
            if error_code(fault) != "TransactionCanceledException":
                raise
            reasons: Any = fault.response["CancellationReasons"]
            raise explain_cancellation(change_writes, reasons) from fault
        for change in changes:
            _log_accepted(change)

    def _change_writes(self, change: Change) -> list[Item]:
        return [self._put_request(change_item(change), IS_NEW), *self._claim_writes(change)]

    def open_changes(
        self, accepted_before: datetime | None = None, *, newest_first: bool = False
    ) -> Iterator[Change]:
        """Yield the changes with open effects, oldest first unless ``newest_first``."""
        before = format_timestamp(accepted_before) if accepted_before else AFTER_ALL
        items = self._query(
            IS_OPEN_AND_ACCEPTED_BEFORE,
            {":open": OPEN, ":before": before},
            IndexName=OPEN_CHANGES,
            ScanIndexForward=not newest_first,
        )
        return parse_or_skip(items, to_change)


def explain_cancellation(
    change_writes: Sequence[tuple[Change, Item]], reasons: Sequence[Item]
) -> VersionTaken | NameTaken | DuplicateRequest:
    """Return the error for a cancelled transaction, by the condition that failed.

    DynamoDB gives one reason for each write, in order. A reason after those of the changes'
    own writes is that of the idempotency record.
    """
    has_failed = [reason["Code"] == "ConditionalCheckFailed" for reason in reasons]
    if any(has_failed[len(change_writes) :]):
        return DuplicateRequest(DUPLICATE)
    refused_puts = {
        write["Put"]["Item"]["SK"]["S"]: (change, reason)
        for (change, write), reason, failed in zip(change_writes, reasons, has_failed, strict=False)
        if failed and "Put" in write
    }
    if list(refused_puts) == ["CLAIM"]:
        change, reason = refused_puts["CLAIM"]
        claim = decoded(reason["Item"])
        return NameTaken(change.after.name, claim["productId"])
    # This is also the error for a TransactionConflict: a concurrent write of the same item.
    return VersionTaken(f"One of {len(change_writes)} writes met a concurrent write.")


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
