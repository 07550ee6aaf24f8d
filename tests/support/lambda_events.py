"""What invokes a function on Lambda, done here: an SQS mapping's polls, and API Gateway's requests."""

from dataclasses import dataclass
from typing import Any

from tasks.aws_lambda import handler
from tasks.queues import queue_names
from tests.support.world import World


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
