"""Indexes that a table from an earlier release lacks, and the keys that its items lack for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.definition import table_definition
from products.adapters.dynamodb.items import (
    BY_CREATED,
    CHANGE_PREFIX,
    INDEX_KEYS,
    PRODUCT_PREFIX,
    Item,
    active_flag,
    log_shard,
    open_flag,
    record_item,
)
from products.documents import from_document

KEYS = {key for pair in INDEX_KEYS.values() for key in pair}
OLD_OPEN_FLAG = "OPEN"
"""The partition of open changes before they were spread."""
OF_FLAG = "activeFlag = :flag"
CHANGES_OF = "PK = :pk AND begins_with(SK, :change)"
HAS_VERSION = "version = :version"
EXISTS = "attribute_exists(PK)"


@dataclass(frozen=True, slots=True)
class DynamoIndexes(DynamoCalls):
    """The indexes of the table, compared with those of this release."""

    def missing(self) -> list[str]:
        """Return the names of the indexes that the table lacks."""
        return [name for name in INDEX_KEYS if name not in self._existing()]

    def add(self, name: str) -> None:
        """Begin to create an index. DynamoDB creates only one at a time."""
        definition = table_definition(self.name)
        [index] = [one for one in definition["GlobalSecondaryIndexes"] if one["IndexName"] == name]
        self._call(
            "update_table",
            TableName=self.name,
            AttributeDefinitions=definition["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[{"Create": index}],
        )

    def is_ready(self, name: str) -> bool:
        """Return whether DynamoDB has created the index and filled it from the table."""
        index = self._existing().get(name, {})
        return index.get("IndexStatus", "ACTIVE") == "ACTIVE" and not index.get("Backfilling")

    def _existing(self) -> dict[str, Any]:
        table = self._call("describe_table", TableName=self.name)["Table"]
        return {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}

    def fill(self, at: datetime) -> Iterator[int]:
        """Give the items of each product the keys that they lack; yield how many items it changed.

        Records count as stored ``at`` that time. Items of this release have all their keys.
        """
        for flag in (active_flag(active=True), active_flag(active=False)):
            records = self._query(OF_FLAG, {":flag": flag}, IndexName=BY_CREATED)
            for record in records:
                yield self._fill_record(record, at) + self._fill_changes(record["PK"])

    def _fill_record(self, record: Item, at: datetime) -> int:
        complete = record_item(from_document(record), at)
        lacking = {key: complete[key] for key in KEYS & complete.keys() if key not in record}
        if not lacking:
            return 0
        # A record that was stored meanwhile has its keys.
        values = {":version": record["version"]}
        return int(self._set(record, lacking, HAS_VERSION, values))

    def _fill_changes(self, partition: str) -> int:
        product_id = partition.removeprefix(PRODUCT_PREFIX)
        values = {":pk": partition, ":change": CHANGE_PREFIX}
        count = 0
        for change in self._query(CHANGES_OF, values, ConsistentRead=True):
            lacking = {} if "logShard" in change else {"logShard": log_shard(product_id)}
            if change.get("openFlag") == OLD_OPEN_FLAG:
                lacking["openFlag"] = open_flag(product_id)
            count += bool(lacking) and self._set(change, lacking, EXISTS, {})
        return count

    def _set(self, item: Item, keys: Mapping[str, str], condition: str, values: Item) -> bool:
        """Set these keys of an item; return False when the condition does not hold."""
        assignments = ", ".join(f"{key} = :{key}" for key in sorted(keys))
        all_values = values | {f":{key}": value for key, value in keys.items()}
        return (
            self._call_conditionally(
                "update_item",
                TableName=self.name,
                Key=encoded({"PK": item["PK"], "SK": item["SK"]}),
                UpdateExpression=f"SET {assignments}",
                ConditionExpression=condition,
                ExpressionAttributeValues=encoded(all_values),
            )
            is not None
        )
