"""What can be seen of the product's state from outside while the game runs: past the proxies, in the engines."""

from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from tasks.queues import dlq_name, queue_names
from tests.gameday.case import called

Item = dict[str, Any]


class Onlooker:
    def __init__(self, *, dynamodb_url: str, aws_url: str, table: str, env: str) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", endpoint_url=dynamodb_url)
        self.sqs: Any = boto3.client("sqs", endpoint_url=aws_url)
        self.aws_url, self.table, self.env = aws_url, table, env

    def dead_letters(self) -> int:
        """In all dead-letter queues."""
        return sum(map(self._depth, queue_names(self.env).values()))

    def _depth(self, queue: str) -> int:
        url = f"{self.aws_url}/000000000000/{dlq_name(queue, self.env)}"
        try:
            answer = self.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (BotoCoreError, ClientError):
            return 0  # it is just being restarted
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def open_changes(self) -> list[Item]:
        return self._flagged("OPEN")

    def open_count(self) -> int:
        """How many changes are open; 0 while nobody can say."""
        try:
            answer = self.dynamodb.query(**self._asked("OPEN"), Select="COUNT")
        except (BotoCoreError, ClientError):
            return 0
        return int(answer["Count"])

    def running_jobs(self) -> list[Item]:
        return self._flagged("JOB")

    def _flagged(self, flag: str) -> list[Item]:
        pages = self.dynamodb.get_paginator("query").paginate(**self._asked(flag))
        plain = TypeDeserializer().deserialize
        return [
            {name: plain(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def _asked(self, flag: str) -> Item:
        return {
            "TableName": self.table,
            "IndexName": "OpenChangesIndex",
            "KeyConditionExpression": "openFlag = :flag",
            "ExpressionAttributeValues": {":flag": {"S": flag}},
        }


def only_failed(change: Item) -> bool:
    """Whether all that is open was refused for good, and so waits for a person."""
    failures = change.get("failures", {})
    return all(failures.get(effect, {}).get("permanent") for effect in change.get("open", ()))


def waits_for(item: Item) -> str:
    """A change or a job, and what it still waits for."""
    name = called(item) if "after" in item else f"job {item['SK']}"
    return f"{name}: {', '.join(sorted(item.get('open', ['running'])))}"
