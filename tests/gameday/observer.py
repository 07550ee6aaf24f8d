"""Read the product's state during the game, directly from the backing services."""

from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from products.adapters.dynamodb.items import OPEN_FLAGS
from tasks.queues import dlq_name, queue_names
from tests.gameday.case import label
from tests.gameday.damaged_messages import send_damaged_messages

Item = dict[str, Any]


class Observer:
    """Count dead letters and open changes without the proxies and the product's own adapters."""

    def __init__(self, *, dynamodb_url: str, sqs_url: str, table: str, env: str) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", endpoint_url=dynamodb_url)
        self.sqs: Any = boto3.client("sqs", endpoint_url=sqs_url)
        self.sqs_url, self.table, self.env = sqs_url, table, env

    def dead_letters(self) -> int:
        """Return the number of messages in all dead-letter queues."""
        return sum(map(self._depth, queue_names(self.env).values()))

    def _depth(self, queue: str) -> int:
        url = f"{self.sqs_url}/000000000000/{dlq_name(queue, self.env)}"
        try:
            response = self.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (BotoCoreError, ClientError):
            return 0  # SQS is being restarted
        return int(response["Attributes"]["ApproximateNumberOfMessages"])

    def send_damaged_messages(self) -> int:
        """Send every damaged message to every queue; return how many arrived."""
        names = queue_names(self.env).values()
        urls = [f"{self.sqs_url}/000000000000/{name}" for name in names]
        try:
            return send_damaged_messages(self.sqs, urls)
        except (BotoCoreError, ClientError):
            return 0  # SQS is being restarted

    def open_changes(self) -> list[Item]:
        return [item for flag in OPEN_FLAGS for item in self._flagged(flag)]

    def open_count(self) -> int:
        """Return the number of open changes, 0 while DynamoDB is unavailable."""
        try:
            counts = [
                self.dynamodb.query(**self._query(flag), Select="COUNT")["Count"]
                for flag in OPEN_FLAGS
            ]
        except (BotoCoreError, ClientError):
            return 0
        return sum(map(int, counts))

    def running_jobs(self) -> list[Item]:
        return self._flagged("JOB")

    def open_plans(self) -> list[Item]:
        return self._flagged("PLAN")

    def _flagged(self, flag: str) -> list[Item]:
        pages = self.dynamodb.get_paginator("query").paginate(**self._query(flag))
        keys = [{"PK": key["PK"], "SK": key["SK"]} for page in pages for key in page["Items"]]
        return [item for key in keys if (item := self._item(key))]

    def _item(self, key: Item) -> Item:
        """Return an item as plain values, empty if it is gone."""
        response = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        plain = TypeDeserializer().deserialize
        return {name: plain(value) for name, value in response.get("Item", {}).items()}

    def _query(self, flag: str) -> Item:
        return {
            "TableName": self.table,
            "IndexName": "OpenChangesIndex",
            "KeyConditionExpression": "openFlag = :flag",
            "ExpressionAttributeValues": {":flag": {"S": flag}},
        }


def is_waiting_for_operator(change: Item) -> bool:
    """Return whether every open effect failed permanently, so that an operator has to retry it."""
    failures = change.get("failures", {})
    return all(failures.get(effect, {}).get("permanent") for effect in change.get("open", ()))


def describe_open(item: Item) -> str:
    """Describe a change or a job and the effects that are still open."""
    kind = "plan" if item["PK"] == "PLANS" else "job"
    name = label(item) if "after" in item else f"{kind} {item['SK']}"
    return f"{name}: {', '.join(sorted(item.get('open', ['running'])))}"
