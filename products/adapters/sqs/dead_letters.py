"""Dead-letter queues: looked at, moved back by SQS itself where it can, else one by one."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import calling, error_code
from products.redrive import DeadLetter

HIDDEN_SECONDS = 60  # from others, while one is sent back; afterwards a letter that was left comes to light again
NOT_OFFERED = {
    "AWS.SimpleQueueService.UnsupportedOperation",
    "InvalidAction",
    "NotImplemented",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
}


@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """``urls`` holds for each queue's name its address and that of its dead letters."""

    client: Any
    urls: Mapping[str, tuple[str, str]]

    @property
    def queues(self) -> list[str]:
        return list(self.urls)

    def count(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        return int(self._attributes(self.urls[queue][1], name)[name])

    def move_all(self, queue: str) -> bool:
        target, source = (self._attributes(url, "QueueArn")["QueueArn"] for url in self.urls[queue])
        try:
            # Not the list of passing faults here: an engine without this may answer 501.
            self.client.start_message_move_task(SourceArn=source, DestinationArn=target)
        except ClientError as fault:
            if error_code(fault) not in NOT_OFFERED:
                with calling("SQS"):
                    raise
            return False
        return True

    def peek(self, queue: str, limit: int) -> list[DeadLetter]:
        """Each is hidden for a moment, so that the next ones come, and then shown again."""
        seen = list(self._received(self.urls[queue][1], limit))
        for letter in seen:
            self._call(
                "change_message_visibility",
                QueueUrl=self.urls[queue][1],
                ReceiptHandle=letter.raw_message["ReceiptHandle"],
                VisibilityTimeout=0,
            )
        return seen

    def receive(self, queue: str, limit: int) -> Iterator[DeadLetter]:
        return self._received(self.urls[queue][1], limit)

    def send_back(self, queue: str, letter: DeadLetter) -> None:
        message = letter.raw_message
        attributes = (
            {"MessageAttributes": kept} if (kept := message.get("MessageAttributes")) else {}
        )
        self._call(
            "send_message", QueueUrl=self.urls[queue][0], MessageBody=message["Body"], **attributes
        )
        self.drop(queue, letter)

    def drop(self, queue: str, letter: DeadLetter) -> None:
        handle = letter.raw_message["ReceiptHandle"]
        self._call("delete_message", QueueUrl=self.urls[queue][1], ReceiptHandle=handle)

    def _received(self, url: str, limit: int) -> Iterator[DeadLetter]:
        while limit > 0:
            wanted = {
                "MaxNumberOfMessages": min(10, limit),
                "VisibilityTimeout": HIDDEN_SECONDS,
                "WaitTimeSeconds": 1,
            }
            answer = self._call(
                "receive_message", QueueUrl=url, MessageAttributeNames=["All"], **wanted
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            yield from map(_letter, messages)
            limit -= len(messages)

    def _attributes(self, url: str, name: str) -> dict[str, str]:
        return dict(
            self._call("get_queue_attributes", QueueUrl=url, AttributeNames=[name])["Attributes"]
        )

    def _call(self, operation: str, **arguments: Any) -> Any:
        with calling("SQS"):
            return getattr(self.client, operation)(**arguments)


def _letter(message: dict[str, Any]) -> DeadLetter:
    """As Celery writes them down, protocol 2, not base64 outside."""
    try:
        envelope = json.loads(message["Body"])
        task = str(envelope["headers"]["task"]).removeprefix("products.")
        asked = json.loads(base64.b64decode(envelope["body"]))[1]
        product_id, version = str(asked.get("product_id", "")), int(asked.get("version", 0))
        return DeadLetter(
            task=task,
            product_id=product_id,
            version=version,
            job_id=str(asked.get("job_id", "")),
            raw_message=message,
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return DeadLetter(raw_message=message)
