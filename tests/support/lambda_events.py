"""Events that invoke a function on Lambda: batches from SQS, and requests from API Gateway."""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tasks.aws_lambda import handler
from tasks.queues import queue_names
from tests.support.world import World

GATEWAY = "abcde12345.execute-api.eu-west-1.amazonaws.com"
GATEWAY_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
CLIENT_ADDRESS = "198.51.100.9"


@dataclass
class LambdaContext:
    """The context of an invocation, with its remaining time."""

    remaining_milliseconds: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_milliseconds


def receive_records(world: World, task: str) -> list[dict[str, Any]]:
    """Receive a batch from the queue of a task, in the form in which a mapping passes it on."""
    queue = world.queue(task)
    response = world.sqs.receive_message(
        QueueUrl=world.queue_url(queue),
        MessageSystemAttributeNames=["All"],
        MaxNumberOfMessages=10,
        WaitTimeSeconds=1,
    )
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
        }
        for message in response.get("Messages", [])
    ]


def run_event_source_mappings(world: World) -> None:
    """Invoke the handler once for each queue, and delete the messages that did not fail."""
    for task in queue_names(world.env):
        batch = receive_records(world, task)
        if not batch:
            continue
        response = handler({"Records": batch}, LambdaContext())
        assert response is not None
        failed_ids = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        url = world.queue_url(world.queue(task))
        for record in batch:
            if record["messageId"] not in failed_ids:
                world.sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])


def rest_api_event(
    method: str, url: str, body: str | None = None, stage: str = "", **headers: str
) -> dict[str, Any]:
    """Return the event of a REST API: path and query are decoded, and repeated values listed."""
    parts = urlsplit(url)
    sent_headers = {
        "Host": GATEWAY,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": CLIENT_ADDRESS,
        **headers,
    }
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {
        "resource": "/{proxy+}",
        "path": parts.path,
        "httpMethod": method,
        "headers": sent_headers,
        "multiValueHeaders": {name: [value] for name, value in sent_headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "requestId": GATEWAY_ID,
            "path": stage + parts.path,
            "stage": stage.strip("/"),
            "domainName": GATEWAY,
            "identity": {"sourceIp": CLIENT_ADDRESS},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def http_api_event(
    method: str, url: str, body: str | None = None, stage: str = "", **headers: str
) -> dict[str, Any]:
    """Return the event of an HTTP API, which passes path and query on unchanged."""
    parts = urlsplit(url)
    sent_headers = {
        "host": GATEWAY,
        "x-forwarded-proto": "https",
        **{name.lower(): value for name, value in headers.items()},
    }
    return {
        "version": "2.0",
        "rawPath": stage + parts.path,
        "rawQueryString": parts.query,
        "headers": sent_headers,
        "requestContext": {
            "requestId": GATEWAY_ID,
            "stage": stage.strip("/") or "$default",
            "http": {
                "method": method,
                "path": stage + parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT_ADDRESS,
            },
        },
        "body": base64.b64encode(body.encode()).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }
