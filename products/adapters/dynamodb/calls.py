"""The calls of which everything in the table is made, over boto3's client; values are Python's own on our side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import calling, error_code
from products.adapters.dynamodb.attribute_values import decoded, encoded
from products.adapters.dynamodb.items import Item

PAGE = 100


@dataclass(frozen=True, slots=True)
class DynamoCalls:
    """One table. Each call may raise EngineAway."""

    client: Any
    name: str

    def _call(self, operation: str, **arguments: Any) -> Any:
        with calling("DynamoDB"):
            return getattr(self.client, operation)(**arguments)

    def _unless_refused(self, operation: str, **arguments: Any) -> Any:
        """The answer, or None when the condition does not hold - which is a fact here, not a fault."""
        try:
            return self._call(operation, **arguments)
        except ClientError as fault:
            if error_code(fault) != "ConditionalCheckFailedException":
                raise
            return None

    def _get(self, key: Item) -> Item | None:
        answer = self._call("get_item", TableName=self.name, Key=encoded(key), ConsistentRead=True)
        return decoded(answer["Item"]) if "Item" in answer else None

    def _query(self, *, ExpressionAttributeValues: Item, **arguments: Any) -> Iterator[Item]:  # noqa: N803 # boto's name
        start: Item = {}
        while True:
            answer = self._call(
                "query",
                TableName=self.name,
                ExpressionAttributeValues=encoded(ExpressionAttributeValues),
                **arguments,
                **start,
            )
            yield from map(decoded, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _put(self, item: Item, condition: str, values: Item | None = None) -> Item:
        put = {
            "TableName": self.name,
            "Item": encoded(item),
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return {"Put": put | ({"ExpressionAttributeValues": encoded(values)} if values else {})}

    def _do(self, put: Item, **arguments: Any) -> bool:
        """One put by itself, outside a transaction; False when its condition does not hold."""
        return self._unless_refused("put_item", **put["Put"], **arguments) is not None

    def _transact(self, writes: list[Item]) -> bool:
        """All of it in one transaction; False when a condition does not hold."""
        try:
            self._call("transact_write_items", TransactItems=writes)
        except ClientError as fault:
            if error_code(fault) != "TransactionCanceledException":
                raise
            return False
        return True

    def _update(
        self, key: Item, update: str, condition: str, names: Item, values: Item
    ) -> Item | None:
        """The item after the update, or None when the condition does not hold."""
        expressions: Item = {"UpdateExpression": update, "ConditionExpression": condition}
        if names:
            expressions["ExpressionAttributeNames"] = names
        if values:
            expressions["ExpressionAttributeValues"] = encoded(values)
        answer = self._unless_refused(
            "update_item",
            TableName=self.name,
            Key=encoded(key),
            ReturnValues="ALL_NEW",
            **expressions,
        )
        return None if answer is None else decoded(answer["Attributes"])

    def _batch(self, keys: list[Item]) -> Iterator[Item]:
        """The items with these keys, a hundred a call; none twice among the keys."""
        left = [encoded(key) for key in keys]
        while left:
            wanted = {"Keys": left[:PAGE], "ConsistentRead": True}
            answer = self._call("batch_get_item", RequestItems={self.name: wanted})
            yield from map(decoded, answer["Responses"].get(self.name, []))
            left = left[PAGE:] + answer.get("UnprocessedKeys", {}).get(self.name, {}).get(
                "Keys", []
            )
