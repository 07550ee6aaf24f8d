"""The boto3 calls that every implementation of an endpoint needs, and nothing else.

A separate process runs them with boto3's defaults. It reads one command per line from stdin.
"""

import itertools
import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef


class Calls:
    """The calls of each endpoint.

    ``table`` holds ``products`` products with the ids of ``tests.bench.fill``. ``items`` are a
    change and a claim in DynamoDB's JSON.
    """

    def __init__(
        self,
        *,
        table: str,
        queue: str,
        products: int,
        items: list[dict[str, Any]],
        alias: str = "",
        words: Sequence[str] = (),
        **_: Any,
    ) -> None:
        self.dynamodb, self.sqs = boto3.client("dynamodb"), boto3.client("sqs")
        self.table, self.queue, self.products, self.items = table, queue, products, items
        self.numbers = itertools.count()
        if alias:
            from opensearchpy import OpenSearch  # noqa: PLC0415 # only for searches

            self.opensearch = OpenSearch(os.environ["OPENSEARCH_URL"])
        self.alias, self.words = alias, words

    def read(self) -> None:
        number = next(self.numbers) * 7919 % self.products
        key = {"PK": {"S": f"PRODUCT#b{number:07}"}, "SK": {"S": "METADATA"}}
        assert "Item" in self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)

    def page(self) -> None:
        found = self.dynamodb.query(
            TableName=self.table,
            IndexName="ProductsByCreatedIndex",
            KeyConditionExpression="activeFlag = :flag",
            ExpressionAttributeValues={":flag": {"S": "ACTIVE"}},
            Limit=26,
        )
        assert found["Count"] == 26

    def search(self) -> None:
        """Search for two words in three fields, and read the 25 best products."""
        number = next(self.numbers) % 1000
        text = f"{self.words[number % len(self.words)]} {number}"
        fields = ["words.name", "words.description", "words.features"]
        words = {"query": text, "fields": fields, "operator": "and"}
        body = {"query": {"multi_match": words}, "size": 26, "_source": False}
        hits = self.opensearch.search(index=self.alias, body=body)["hits"]["hits"]
        keys: Any = [
            {"PK": {"S": f"PRODUCT#{hit['_id']}"}, "SK": {"S": "METADATA"}} for hit in hits[:25]
        ]
        request: Any = {self.table: {"Keys": keys, "ConsistentRead": True}}
        assert self.dynamodb.batch_get_item(RequestItems=request)["Responses"][self.table]

    def create(self) -> None:
        self._write(self.items)

    def update(self) -> None:
        self._write(self.items[:1])

    def _write(self, items: list[dict[str, Any]]) -> None:
        key: AttributeValueTypeDef = {"S": f"BARE#{uuid.uuid4()}"}
        self.dynamodb.transact_write_items(TransactItems=[self._put(item, key) for item in items])
        self.sqs.send_message(
            QueueUrl=self.queue, MessageBody=json.dumps({"product_id": key["S"], "version": 1})
        )

    def _put(
        self, item: dict[str, Any], key: "AttributeValueTypeDef"
    ) -> "TransactWriteItemTypeDef":
        return {
            "Put": {
                "TableName": self.table,
                "Item": item | {"PK": key},
                "ConditionExpression": "attribute_not_exists(PK)",
            }
        }


def main() -> None:
    """Execute the commands of stdin and print the seconds of each call."""
    about = json.loads(sys.argv[1])
    calls = Calls(**about)

    def timed(what: str) -> float:
        began = time.perf_counter()
        getattr(calls, what)()
        return time.perf_counter() - began

    with ThreadPoolExecutor(about["threads"]) as pool:
        for line in sys.stdin:
            what, count = json.loads(line)
            sys.stdout.write(json.dumps(list(pool.map(timed, [what] * count))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
