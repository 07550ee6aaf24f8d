"""What invokes a function on Lambda, done here: an SQS mapping's polls, and API Gateway's requests."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tasks.aws_lambda import handler
from tasks.queues import queue_names
from tests.support.world import World

GATEWAY = "abcde12345.execute-api.eu-west-1.amazonaws.com"
GATEWAY_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@dataclass
class Context:
    """Of an invocation: what is left of its time."""

    milliseconds: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def records(world: World, task: str) -> list[dict[str, Any]]:
    """A batch as an SQS mapping hands it over."""
    wanted = {"MessageSystemAttributeNames": ["All"], "MaxNumberOfMessages": 10}
    found = world.sqs.receive_message(QueueUrl=world.queue_url(world.queue(task)), **wanted).get(
        "Messages", []
    )
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{world.queue(task)}",
        }
        for message in found
    ]


def pump(world: World) -> None:
    """One turn of the mappings: each queue's batch to the handler, and what it does not name as failed is deleted."""
    for task in queue_names(world.env):
        if batch := records(world, task):
            answer = handler({"Records": batch}, Context())
            assert answer is not None
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for record in batch:
                if record["messageId"] not in failed:
                    url = world.queue_url(world.queue(task))
                    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])


def rest(
    method: str, url: str, body: str | None = None, stage: str = "", **headers: str
) -> dict[str, Any]:
    """An event of a REST API: its path decoded, its query decoded, everything several times."""
    parts = urlsplit(url)
    sent = {
        "Host": GATEWAY,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "198.51.100.9",
        **headers,
    }
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "resource": "/{proxy+}",
        "path": parts.path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "requestId": GATEWAY_ID,
            "path": stage + parts.path,
            "stage": stage.strip("/"),
            "domainName": GATEWAY,
            "identity": {"sourceIp": "198.51.100.9"},
        },
        "body": body,
        "isBase64Encoded": False,
    }
