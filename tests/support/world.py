"""One test's resources on the services, and a view of them without the product's adapters."""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from opensearchpy import OpenSearch

from deploy.local.engines import Engines
from products.adapters.dynamodb.definition import table_definition
from products.adapters.opensearch.index import OpenSearchIndex
from tasks.products import EFFECT_TASKS, SINGLE_TASKS
from tasks.queues import dlq_name, queue_names
from tests.plugin import ENV, address, search_address


@cache
def engine_client(service: str, url: str) -> Any:
    """Return a boto3 client that the process shares, because a new client is slow."""
    return boto3.client(service, endpoint_url=url)  # type: ignore[call-overload] # any service


@cache
def search_client(url: str) -> OpenSearch:
    return OpenSearch(url)


@dataclass
class World:
    """The resources of one test, read with plain clients, because the adapters are under test."""

    engines: Engines
    env: str
    table: str
    alias: str
    bucket: str
    distribution: str

    @property
    def dynamodb(self) -> Any:
        return engine_client("dynamodb", address("dynamodb", self.engines))

    @property
    def sqs(self) -> Any:
        return engine_client("sqs", address("sqs", self.engines))

    @property
    def s3(self) -> Any:
        return engine_client("s3", address("s3", self.engines))

    @property
    def cloudfront(self) -> Any:
        return engine_client("cloudfront", address("cloudfront", self.engines))

    @property
    def opensearch(self) -> OpenSearch:
        return search_client(search_address(self.engines))

    # Stored data

    def item(self, pk: str, sk: str) -> dict[str, Any] | None:
        key = {"PK": {"S": pk}, "SK": {"S": sk}}
        item = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return {k: TypeDeserializer().deserialize(v) for k, v in item.items()} if item else None

    def record(self, product_id: str) -> dict[str, Any] | None:
        return self.item(f"PRODUCT#{product_id}", "METADATA")

    def change(self, product_id: str, version: int) -> dict[str, Any] | None:
        return self.item(f"PRODUCT#{product_id}", f"CHANGE#{version:012d}")

    def delete_change(self, product_id: str, version: int) -> None:
        """Delete a change from the log."""
        key = {"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": f"CHANGE#{version:012d}"}}
        self.dynamodb.delete_item(TableName=self.table, Key=key)

    def document(self, product_id: str) -> dict[str, Any] | None:
        found = self.opensearch.get(index=self.alias, id=product_id, ignore=404)
        return found["_source"] if found.get("found") else None

    def audit_records(self, prefix: str = "") -> dict[str, dict[str, Any]]:
        keys = [
            entry["Key"]
            for entry in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get(
                "Contents", []
            )
        ]
        return {
            key: json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
            for key in keys
        }

    def invalidations(self) -> list[dict[str, Any]]:
        listed = self.cloudfront.list_invalidations(DistributionId=self.distribution)
        return list(listed["InvalidationList"].get("Items", []))

    # The queues

    def queue_url(self, name: str) -> str:
        return f"{address('sqs', self.engines)}/000000000000/{name}"

    def depth(self, queue: str) -> int:
        """Return the number of messages in the queue, including those delayed or in flight."""
        names = ["", "NotVisible", "Delayed"]
        wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url(queue), AttributeNames=wanted
        )
        return sum(int(answer["Attributes"].get(name, 0)) for name in wanted)

    def dead_letters(self, task: str) -> list[dict[str, Any]]:
        """Return the messages in the dead-letter queue of a task, without removing them."""
        url = self.queue_url(dlq_name(queue_names(self.env)[task], self.env))
        wanted = {
            "MessageSystemAttributeNames": ["All"],
            "VisibilityTimeout": 0,
            "MaxNumberOfMessages": 10,
        }
        return list(self.sqs.receive_message(QueueUrl=url, **wanted).get("Messages", []))

    def delete(self) -> None:
        """Delete the table and the indexes, which would stay on services that are shared."""
        self.dynamodb.delete_table(TableName=self.table)
        self.opensearch.indices.delete(index=f"{self.alias}-*", ignore=[404])

    def empty_queues(self, *tasks: str) -> None:
        """Empty the queues and dead-letter queues of these tasks, or of all tasks."""
        for name in [self.queue(task) for task in tasks or queue_names(self.env)]:
            for queue in (name, dlq_name(name, self.env)):
                self._empty(self.queue_url(queue))

    def _empty(self, url: str) -> None:
        """Purge a queue. SQS allows that once a minute, so otherwise delete each message."""
        try:
            self.sqs.purge_queue(QueueUrl=url)
        except self.sqs.exceptions.PurgeQueueInProgress:
            some = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
            while found := self.sqs.receive_message(**some).get("Messages"):
                for message in found:
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def messages(self, task: str) -> Iterator[dict[str, Any]]:
        url = self.queue_url(queue_names(self.env)[task])
        while found := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            yield from found

    def work(self) -> int:
        """Run the task of each message in this process, and return the number of messages."""
        count = 0
        while done := sum(self._work(task) for task in queue_names(self.env)):
            count += done
        return count

    def _work(self, task: str) -> int:
        count = 0
        for message in self.messages(task):
            self._run(self.headers(message)["task"], self.payload(message))
            self.sqs.delete_message(
                QueueUrl=self.queue_url(self.queue(task)), ReceiptHandle=message["ReceiptHandle"]
            )
            count += 1
        return count

    @staticmethod
    def _run(task: str, arguments: dict[str, Any]) -> None:
        if task in SINGLE_TASKS:
            SINGLE_TASKS[task](**arguments)
            return
        for error in EFFECT_TASKS[task]([(arguments["product_id"], arguments["version"])]).values():
            raise error

    def queue(self, task: str) -> str:
        return queue_names(self.env)[task]

    def payload(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the task in a message."""
        _, kwargs, _ = json.loads(base64.b64decode(json.loads(message["Body"])["body"]))
        return dict(kwargs)

    def headers(self, message: dict[str, Any]) -> dict[str, Any]:
        return dict(json.loads(message["Body"])["headers"])


def fresh_world(engines: Engines, env: str = ENV) -> World:
    """Create a table, an index, a bucket and a distribution. The queues are shared."""
    name = f"bbws-{uuid.uuid4().hex[:12]}"
    world = World(
        engines,
        env,
        table=name,
        alias=name,
        bucket=name,
        distribution=fresh_distribution(engines, name),
    )
    world.dynamodb.create_table(**table_definition(name))
    world.dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    where = {"LocationConstraint": "eu-west-1"}
    world.s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    OpenSearchIndex(world.opensearch, name).ensure()
    return world


def delete_queues(engines: Engines, env: str) -> None:
    """Delete the queues of an environment, which would stay on an SQS that is shared."""
    sqs = engine_client("sqs", address("sqs", engines))
    for name in queue_names(env).values():
        for queue in (name, dlq_name(name, env)):
            sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def fresh_distribution(engines: Engines, name: str) -> str:
    """Create a distribution, of which only the invalidations matter.

    ``create_distribution`` of deploy/local would search all distributions of earlier tests first.
    """
    origin = {"Id": "api", "DomainName": "localhost"}
    behaviour = {"TargetOriginId": "api", "ViewerProtocolPolicy": "redirect-to-https"}
    config = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    cloudfront = engine_client("cloudfront", address("cloudfront", engines))
    return str(cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"])
