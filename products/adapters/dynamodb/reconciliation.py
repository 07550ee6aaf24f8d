"""The product table as the drift check reads it, and as its repair writes it: only ever towards the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from products.adapters.dynamodb.attribute_values import decoded, encoded
from products.adapters.dynamodb.calls import PAGE, DynamoCalls
from products.adapters.dynamodb.items import (
    BY_CREATED,
    OPEN,
    OPEN_CHANGES,
    Item,
    change_key,
    claim_key,
    record_item,
    record_key,
    to_change,
)
from products.changes import Change
from products.documents import format_timestamp, from_document, parse_timestamp
from products.errors import CorruptChange
from products.product import Product, normalised_name
from products.reconciliation.differences import LogEntry, Observed
from products.reconciliation.sources import Candidate

UNREADABLE = (CorruptChange, KeyError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class DynamoReconciliation(DynamoCalls):
    """What can't be read of an item is a fact here, not a fault."""

    # What is there

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        items = self._query(
            KeyConditionExpression="PK = :pk AND begins_with(SK, :change)",
            ExpressionAttributeValues={":pk": _pk(product_id), ":change": "CHANGE#"},
            ConsistentRead=True,
        )
        for item in items:
            number = str(item["SK"]).removeprefix("CHANGE#")
            yield LogEntry(
                int(number) if number.isdecimal() else 0, _readable(item), "openFlag" in item
            )

    def change(self, product_id: str, version: int) -> Change | None:
        item = self._get(change_key(product_id, version))
        return _readable(item) if item else None

    def records(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        items = self._batch([record_key(product_id) for product_id in dict.fromkeys(product_ids)])
        return {str(item["PK"]).removeprefix("PRODUCT#"): _standing(item) for item in items}

    def name_owners(self, names: list[str]) -> dict[str, str]:
        keys = {claim_key(name)["PK"]: normalised_name(name) for name in names}
        claims = self._batch([{"PK": key, "SK": "CLAIM"} for key in keys])
        return {keys[claim["PK"]]: str(claim.get("productId", "")) for claim in claims}

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]:
        items = self._query(
            IndexName=BY_CREATED,
            KeyConditionExpression="activeFlag = :flag AND createdSort > :after",
            ExpressionAttributeValues={
                ":flag": "ACTIVE" if active else "INACTIVE",
                ":after": after or "0",
            },
            ProjectionExpression="PK, createdSort, updatedAt",
            Limit=PAGE,
        )
        for item in items:
            yield Candidate(
                item["createdSort"],
                str(item["PK"]).removeprefix("PRODUCT#"),
                _moment(item.get("updatedAt")),
            )

    def open_after(self, after: str | None) -> Iterator[Candidate]:
        items = self._query(
            IndexName=OPEN_CHANGES,
            KeyConditionExpression="openFlag = :open AND acceptedAt > :after",
            ExpressionAttributeValues={":open": OPEN, ":after": after or "0"},
            ProjectionExpression="PK, acceptedAt",
            Limit=PAGE,
        )
        for item in items:
            yield Candidate(item["acceptedAt"], str(item["PK"]).removeprefix("PRODUCT#"))

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        """A filter, not a key: it reads the product's log, and sends only what is asked for."""
        values = {
            ":pk": _pk(product_id),
            ":change": "CHANGE#",
            ":first": format_timestamp(first),
            ":last": format_timestamp(last),
        }
        items = self._query(
            KeyConditionExpression="PK = :pk AND begins_with(SK, :change)",
            ExpressionAttributeValues=values,
            FilterExpression="acceptedAt BETWEEN :first AND :last",
            ProjectionExpression="acceptedAt",
            ConsistentRead=True,
        )
        return {at for item in items if (at := _moment(item["acceptedAt"]))}

    # Mending

    def overwrite_record(self, product: Product, observed_version: int | None) -> bool:
        """Write the record over an older one, one of the same version, or ``observed_version``.

        Return False when a newer record is there.
        """
        condition = "attribute_not_exists(PK) OR attribute_not_exists(version) OR version <= :version OR version = :seen"
        values = {
            ":version": product.version,
            ":seen": product.version if observed_version is None else observed_version,
        }
        return self._transact([self._put(record_item(product), condition, values)])

    def claim_name(self, change: Change, *, holder: str, holds: Change | None) -> bool:
        """Claim the name of a newest change, if need be from a ``holder`` whose newest change ``holds`` another name.
        False when one of them has moved on, or somebody else has the name by now."""
        claim = {**claim_key(change.after.name), "productId": change.product_id}
        put = self._put(
            claim, "attribute_not_exists(PK) OR productId = :holder", {":holder": holder}
        )
        return self._transact(
            [put, *(self._unmoved(newest) for newest in (change, holds) if newest)]
        )

    def release_name(self, change: Change, name: str) -> bool:
        """Give up a former name of a product whose newest change this is."""
        delete = {
            "TableName": self.name,
            "Key": encoded(claim_key(name)),
            "ConditionExpression": "productId = :owner",
            "ExpressionAttributeValues": encoded({":owner": change.product_id}),
        }
        return self._transact([{"Delete": delete}, self._unmoved(change)])

    def mark_open(self, change: Change) -> bool:
        """Put a change with an open effect back among the open ones."""
        update = {
            "TableName": self.name,
            "Key": encoded(change_key(change.product_id, change.version)),
            "UpdateExpression": "SET openFlag = :open",
            "ConditionExpression": "attribute_exists(#open)",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": encoded({":open": OPEN}),
        }
        return self._transact([{"Update": update}])

    def _unmoved(self, change: Change) -> Item:
        """That this is still the product's newest change."""
        key = encoded(change_key(change.product_id, change.version + 1))
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": key,
                "ConditionExpression": "attribute_not_exists(PK)",
            }
        }


def _pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def _readable(item: Item) -> Change | None:
    try:
        return to_change(item)
    except UNREADABLE:
        return None


def _standing(item: Item) -> Observed:
    """A record that is not, key by key, what would be written of its product can't be relied on to be in its place."""
    version = item.get("version")
    seen = int(version) if isinstance(version, Decimal) else None
    try:
        product = from_document(item)
        whole = item == decoded(encoded(record_item(product)))
    except UNREADABLE:
        return Observed(seen, None)
    return Observed(product.version, product if whole else None)


def _moment(text: str | None) -> datetime | None:
    try:
        return parse_timestamp(text) if text else None
    except ValueError:
        return None
