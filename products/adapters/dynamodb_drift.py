"""The product table as the drift check reads it, and as its repair writes it: only ever towards the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.attributes import decoded, encoded
from products.adapters.aws import calling, error_code
from products.adapters.dynamodb_items import (
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
from products.changes import Change, CorruptChange
from products.checks.differences import Entry, Standing
from products.checks.verification import Place
from products.product import Product, from_document, iso, moment, normalised_name

PAGE = 100  # keys of one BatchGetItem
UNREADABLE = (CorruptChange, KeyError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class DynamoDrift:
    client: Any
    name: str

    # What is there

    def entries(self, product_id: str) -> Iterator[Entry]:
        condition, values = "PK = :pk AND begins_with(SK, :change)", {":pk": _pk(product_id), ":change": "CHANGE#"}
        for item in self._query(condition, values, ConsistentRead=True):
            number = str(item["SK"]).removeprefix("CHANGE#")
            yield Entry(int(number) if number.isdecimal() else 0, _readable(item), "openFlag" in item)

    def change(self, product_id: str, version: int) -> Change | None:
        key = encoded(change_key(product_id, version))
        answer = self._call("get_item", TableName=self.name, Key=key, ConsistentRead=True)
        return _readable(decoded(answer["Item"])) if "Item" in answer else None

    def standing(self, product_ids: Sequence[str]) -> dict[str, Standing]:
        items = self._batch([record_key(product_id) for product_id in dict.fromkeys(product_ids)])
        return {str(item["PK"]).removeprefix("PRODUCT#"): _standing(item) for item in items}

    def name_owners(self, names: list[str]) -> dict[str, str]:
        keys = {claim_key(name)["PK"]: normalised_name(name) for name in names}
        claims = self._batch([{"PK": key, "SK": "CLAIM"} for key in keys])
        return {keys[claim["PK"]]: str(claim.get("productId", "")) for claim in claims}

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Place]:
        values = {":flag": "ACTIVE" if active else "INACTIVE", ":after": after or "0"}
        names = "PK, createdSort, updatedAt"
        condition = "activeFlag = :flag AND createdSort > :after"
        for item in self._query(condition, values, IndexName=BY_CREATED, ProjectionExpression=names, Limit=PAGE):
            yield Place(item["createdSort"], str(item["PK"]).removeprefix("PRODUCT#"), _moment(item.get("updatedAt")))

    def open_after(self, after: str | None) -> Iterator[Place]:
        values = {":open": OPEN, ":after": after or "0"}
        condition = "openFlag = :open AND acceptedAt > :after"
        names = "PK, acceptedAt"
        for item in self._query(condition, values, IndexName=OPEN_CHANGES, ProjectionExpression=names, Limit=PAGE):
            yield Place(item["acceptedAt"], str(item["PK"]).removeprefix("PRODUCT#"))

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        """A filter, not a key: it reads the product's log, and sends only what is asked for."""
        values = {":pk": _pk(product_id), ":change": "CHANGE#", ":first": iso(first), ":last": iso(last)}
        items = self._query(
            "PK = :pk AND begins_with(SK, :change)",
            values,
            FilterExpression="acceptedAt BETWEEN :first AND :last",
            ProjectionExpression="acceptedAt",
            ConsistentRead=True,
        )
        return {at for item in items if (at := _moment(item["acceptedAt"]))}

    # Mending

    def mend_record(self, product: Product, seen: int | None) -> bool:
        """Write the record over an older one, one of the same version, and the one that was ``seen`` and nobody
        accepted; False when it is newer by now."""
        condition = (
            "attribute_not_exists(PK) OR attribute_not_exists(version) OR version <= :version OR version = :seen"
        )
        values = {":version": product.version, ":seen": product.version if seen is None else seen}
        return self._write([{"Put": self._put(record_item(product), condition, values)}])

    def claim(self, change: Change, *, holder: str, holds: Change | None) -> bool:
        """Claim the name of a newest change, if need be from a ``holder`` whose newest change ``holds`` another name.
        False when one of them has moved on, or somebody else has the name by now."""
        claim = {**claim_key(change.after.name), "productId": change.product_id}
        put = self._put(claim, "attribute_not_exists(PK) OR productId = :holder", {":holder": holder})
        return self._write([{"Put": put}, *(self._unmoved(newest) for newest in (change, holds) if newest)])

    def free(self, change: Change, name: str) -> bool:
        """Give up a former name of a product whose newest change this is."""
        delete = {
            "TableName": self.name,
            "Key": encoded(claim_key(name)),
            "ConditionExpression": "productId = :owner",
            "ExpressionAttributeValues": encoded({":owner": change.product_id}),
        }
        return self._write([{"Delete": delete}, self._unmoved(change)])

    def list_open(self, change: Change) -> bool:
        """Put a change with an open effect back among the open ones."""
        update = {
            "TableName": self.name,
            "Key": encoded(change_key(change.product_id, change.version)),
            "UpdateExpression": "SET openFlag = :open",
            "ConditionExpression": "attribute_exists(#open)",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": encoded({":open": OPEN}),
        }
        return self._write([{"Update": update}])

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

    def _put(self, item: Item, condition: str, values: Item) -> Item:
        return {
            "TableName": self.name,
            "Item": encoded(item),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": encoded(values),
        }

    def _write(self, writes: list[Item]) -> bool:
        """All of it in one transaction; False when a condition does not hold."""
        try:
            self._call("transact_write_items", TransactItems=writes)
        except ClientError as fault:
            if error_code(fault) != "TransactionCanceledException":
                raise
            return False
        return True

    # Calls

    def _batch(self, keys: list[Item]) -> Iterator[Item]:
        left = [encoded(key) for key in keys]
        while left:
            wanted = {"Keys": left[:PAGE], "ConsistentRead": True}
            answer = self._call("batch_get_item", RequestItems={self.name: wanted})
            yield from map(decoded, answer["Responses"].get(self.name, []))
            left = left[PAGE:] + answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])

    def _query(self, condition: str, values: Item, **arguments: Any) -> Iterator[Item]:
        start: Item = {}
        while True:
            answer = self._call(
                "query",
                TableName=self.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encoded(values),
                **arguments,
                **start,
            )
            yield from map(decoded, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, operation: str, **arguments: Any) -> Any:
        with calling("DynamoDB"):
            return getattr(self.client, operation)(**arguments)


def _pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def _readable(item: Item) -> Change | None:
    try:
        return to_change(item)
    except UNREADABLE:
        return None


def _standing(item: Item) -> Standing:
    """A record that is not, key by key, what would be written of its product can't be relied on to be in its place."""
    version = item.get("version")
    seen = int(version) if isinstance(version, Decimal) else None
    try:
        product = from_document(item)
        whole = item == decoded(encoded(record_item(product)))
    except UNREADABLE:
        return Standing(seen, None)
    return Standing(product.version, product if whole else None)


def _moment(text: str | None) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        return None
