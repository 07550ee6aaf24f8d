"""The DynamoDB calls that all adapters of the table are built from.

Callers pass and receive plain Python values; ``attribute_values`` converts them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import error_code, translate_errors
from products.adapters.dynamodb.attribute_values import decoded, encoded
from products.adapters.dynamodb.items import Item
from products.errors import DependencyUnavailable

PAGE_SIZE = 100  # items; also the most keys that BatchGetItem accepts
IS_NEW = "attribute_not_exists(PK)"
IN_PARTITION = "PK = :pk"
REFUSALS = {"None", "ConditionalCheckFailed", "TransactionConflict"}
"""Reasons of a cancelled transaction that are about other writers: plan again."""
INVALID_WRITES = {"ValidationError", "ItemCollectionSizeLimitExceeded"}


@dataclass(frozen=True, slots=True)
class DynamoCalls:
    """Base class of an adapter for one table.

    Raises: DependencyUnavailable, from every call, while DynamoDB can't serve it.
    """

    client: Any
    name: str

    def _call(self, operation: str, **arguments: Any) -> Any:
        with translate_errors("DynamoDB"):
            return getattr(self.client, operation)(**arguments)

    def _call_conditionally(self, operation: str, **arguments: Any) -> Any:
        """Return the response, or None when the condition of the write does not hold."""
        try:
            return self._call(operation, **arguments)
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            return None

    def _get_item(self, key: Item) -> Item | None:
        """Return the item with this key, read consistently."""
        response = self._call(
            "get_item", TableName=self.name, Key=encoded(key), ConsistentRead=True
        )
        return decoded(response["Item"]) if "Item" in response else None

    def _query(self, condition: str, values: Item, **arguments: Any) -> Iterator[Item]:
        """Yield the items that match a key condition, fetching the next page when it is needed."""
        start: Item = {}
        while True:
            response = self._call(
                "query",
                TableName=self.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encoded(values),
                **arguments,
                **start,
            )
            yield from map(decoded, response["Items"])
            if "LastEvaluatedKey" not in response:
                return
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def _query_newest(self, partition: str, limit: int) -> list[Item]:
        """Return the last items of a partition, the last one first, read consistently."""
        items = self._query(
            IN_PARTITION,
            {":pk": partition},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )
        return list(islice(items, limit))

    def _put_request(self, item: Item, condition: str, values: Item | None = None) -> Item:
        """Return a conditional Put, as an element of a transaction."""
        put = {
            "TableName": self.name,
            "Item": encoded(item),
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if values:
            put["ExpressionAttributeValues"] = encoded(values)
        return {"Put": put}

    def _put_item(self, request: Item, **arguments: Any) -> bool:
        """Send one Put outside a transaction; return False when its condition does not hold."""
        return self._call_conditionally("put_item", **request["Put"], **arguments) is not None

    def _overwrite_item(self, item: Item) -> None:
        self._call("put_item", TableName=self.name, Item=encoded(item))

    def _transact(self, writes: list[Item]) -> bool:
        """Send one transaction; return False when a condition does not hold."""
        return not self._cancellation_reasons(writes)

    def _cancellation_reasons(self, writes: list[Item]) -> list[Item]:
        """Send one transaction. Return no reason, or that of each write when it was refused.

        Raises: DependencyUnavailable when the table could not serve a write, such as for
        throttling; ClientError when a write is invalid.
        """
        try:
            self._call("transact_write_items", TransactItems=writes)
        except ClientError as fault:
            if error_code(fault) != "TransactionCanceledException":
                raise
            reasons: Any = fault.response["CancellationReasons"]
            codes = {reason["Code"] for reason in reasons}
            if codes & INVALID_WRITES:
                raise
            if codes - REFUSALS:
                state = f"does not serve us: {', '.join(sorted(codes - REFUSALS))}"
                raise DependencyUnavailable("DynamoDB", state) from fault
            return list(reasons)
        return []

    def _update_item(
        self,
        key: Item,
        update: str,
        *,
        condition: str | None = None,
        names: Item | None = None,
        values: Item | None = None,
        returned: str = "ALL_NEW",
    ) -> Item | None:
        """Return the item after the update, or None when the condition does not hold.

        ``returned`` is DynamoDB's ``ReturnValues``: which attributes of the item.
        """
        expressions: Item = {"UpdateExpression": update}
        if condition:
            expressions["ConditionExpression"] = condition
        if names:
            expressions["ExpressionAttributeNames"] = names
        if values:
            expressions["ExpressionAttributeValues"] = encoded(values)
        response = self._call_conditionally(
            "update_item",
            TableName=self.name,
            Key=encoded(key),
            ReturnValues=returned,
            **expressions,
        )
        return None if response is None else decoded(response.get("Attributes", {}))

    def _batch_get(self, keys: list[Item], **projection: Any) -> Iterator[Item]:
        """Yield the items with these keys, which must be distinct, in batches of ``PAGE_SIZE``."""
        remaining = [encoded(key) for key in keys]
        while remaining:
            request = {"Keys": remaining[:PAGE_SIZE], "ConsistentRead": True, **projection}
            response = self._call("batch_get_item", RequestItems={self.name: request})
            yield from map(decoded, response["Responses"].get(self.name, []))
            unprocessed = response.get("UnprocessedKeys", {}).get(self.name, {})
            remaining = remaining[PAGE_SIZE:] + unprocessed.get("Keys", [])
