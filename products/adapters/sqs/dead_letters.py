"""Dead-letter queues: read them, and move their messages back."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import error_code, translate_errors
from products.redrive import DeadLetter

VISIBILITY_TIMEOUT_SECONDS = 60
"""How long a received message is hidden; one that was not sent back is visible again after it."""
MAX_RECEIVED = 10  # messages, the most that one ReceiveMessage returns
NOT_SUPPORTED = {
    "AWS.SimpleQueueService.UnsupportedOperation",
    "InvalidAction",
    "NotImplemented",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
}
"""Error codes of a service that has no StartMessageMoveTask."""


@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """Dead letters. ``urls`` holds each queue's URL and that of its dead-letter queue.

    Raises: DependencyUnavailable, from every call, while SQS can't serve it.
    """

    client: Any
    urls: Mapping[str, tuple[str, str]]

    @property
    def queues(self) -> list[str]:
        return list(self.urls)

    def count(self, queue: str) -> int:
        """Return the approximate number of dead letters of a queue."""
        return int(self._attribute(self._dead_letter_url(queue), "ApproximateNumberOfMessages"))

    def move_all(self, queue: str) -> bool:
        """Let SQS move all dead letters back; return False where SQS does not support it."""
        target, source = (self._attribute(url, "QueueArn") for url in self.urls[queue])
        try:
            # Not through _call: a service without this operation may answer 501, which
            # translate_errors would report as an outage.
            self.client.start_message_move_task(SourceArn=source, DestinationArn=target)
        except ClientError as fault:
            if error_code(fault) not in NOT_SUPPORTED:
                with translate_errors("SQS"):
                    raise
            return False
        return True

    def peek(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return some dead letters, which stay in their queue.

        All stay hidden until the last is received, so that none is received twice.
        """
        letters = list(self.receive(queue, limit))
        for letter in letters:
            self._call(
                "change_message_visibility",
                QueueUrl=self._dead_letter_url(queue),
                ReceiptHandle=letter.raw_message["ReceiptHandle"],
                VisibilityTimeout=0,
            )
        return letters

    def receive(self, queue: str, limit: int) -> Iterator[DeadLetter]:
        """Yield up to ``limit`` dead letters, each hidden for VISIBILITY_TIMEOUT_SECONDS."""
        while limit > 0:
            response = self._call(
                "receive_message",
                QueueUrl=self._dead_letter_url(queue),
                MessageAttributeNames=["All"],
                MaxNumberOfMessages=min(MAX_RECEIVED, limit),
                VisibilityTimeout=VISIBILITY_TIMEOUT_SECONDS,
                WaitTimeSeconds=1,
            )
            messages = response.get("Messages", [])
            if not messages:
                return
            yield from map(_to_dead_letter, messages)
            limit -= len(messages)

    def send_back(self, queue: str, letter: DeadLetter) -> None:
        """Send a dead letter to its queue, then delete it.

        A crash between the two leaves it in both queues, which is harmless.
        """
        message = letter.raw_message
        url, _ = self.urls[queue]
        arguments = {"QueueUrl": url, "MessageBody": message["Body"]}
        if attributes := message.get("MessageAttributes"):
            arguments["MessageAttributes"] = attributes
        self._call("send_message", **arguments)
        self.drop(queue, letter)

    def drop(self, queue: str, letter: DeadLetter) -> None:
        """Delete a dead letter."""
        self._call(
            "delete_message",
            QueueUrl=self._dead_letter_url(queue),
            ReceiptHandle=letter.raw_message["ReceiptHandle"],
        )

    def _dead_letter_url(self, queue: str) -> str:
        return self.urls[queue][1]

    def _attribute(self, url: str, name: str) -> str:
        response = self._call("get_queue_attributes", QueueUrl=url, AttributeNames=[name])
        return str(response["Attributes"][name])

    def _call(self, operation: str, **arguments: Any) -> Any:
        with translate_errors("SQS"):
            return getattr(self.client, operation)(**arguments)


def _to_dead_letter(message: dict[str, Any]) -> DeadLetter:
    """Return a dead letter with what its task message says.

    Messages are in Celery's protocol 2, without base64 around the envelope. A message that
    can't be read has only its raw form.
    """
    try:
        envelope = json.loads(message["Body"])
        task = str(envelope["headers"]["task"]).removeprefix("products.")
        _, kwargs, *_ = json.loads(base64.b64decode(envelope["body"]))
        return DeadLetter(
            task=task,
            product_id=str(kwargs.get("product_id", "")),
            version=int(kwargs.get("version", 0)),
            job_id=str(kwargs.get("job_id", "")),
            raw_message=message,
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return DeadLetter(raw_message=message)
