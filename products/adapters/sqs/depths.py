"""How many messages wait in each queue and in its dead-letter queue."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import calling
from products.errors import DependencyUnavailable
from products.operations import QueueDepth

NAMES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class SqsQueues:
    """``urls`` holds for each queue's name its address and that of its dead letters."""

    client: Any
    urls: Mapping[str, tuple[str, str]]

    def depths(self) -> list[QueueDepth]:
        """All queues at once; one that can't be asked has no numbers."""
        addresses = [url for pair in self.urls.values() for url in pair]
        with ThreadPoolExecutor(len(addresses)) as pool:
            counted = dict(zip(addresses, pool.map(self._counts, addresses), strict=True))
        return [
            QueueDepth(name, *counted[url], counted[dead][0])
            for name, (url, dead) in self.urls.items()
        ]

    def _counts(self, url: str) -> tuple[int | None, int | None, int | None]:
        try:
            with calling("SQS"):
                answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=list(NAMES))
        except (DependencyUnavailable, ClientError):
            return (None, None, None)
        waiting, in_flight, delayed = (int(answer["Attributes"].get(name, 0)) for name in NAMES)
        return (waiting, in_flight, delayed)
