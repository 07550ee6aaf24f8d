"""The depths of the queues and of their dead-letter queues."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import translate_errors
from products.errors import DependencyUnavailable
from products.operations import QueueDepth

ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
UNKNOWN = (None, None, None)


@dataclass(frozen=True, slots=True)
class SqsQueueDepths:
    """Counts messages. ``urls`` holds each queue's URL and that of its dead-letter queue."""

    client: Any
    urls: Mapping[str, tuple[str, str]]

    def depths(self) -> list[QueueDepth]:
        """Return the depth of each queue, asking all of them at the same time.

        A queue that can't be read has None instead of numbers.
        """
        all_urls = [url for pair in self.urls.values() for url in pair]
        with ThreadPoolExecutor(len(all_urls)) as pool:
            counts = dict(zip(all_urls, pool.map(self._counts, all_urls), strict=True))
        return [
            QueueDepth(name, *counts[url], counts[dead_letter_url][0])
            for name, (url, dead_letter_url) in self.urls.items()
        ]

    def _counts(self, url: str) -> tuple[int | None, int | None, int | None]:
        """Return the numbers of waiting, in-flight and delayed messages."""
        try:
            with translate_errors("SQS"):
                response = self.client.get_queue_attributes(
                    QueueUrl=url, AttributeNames=list(ATTRIBUTES)
                )
        except (DependencyUnavailable, ClientError):
            return UNKNOWN
        attributes = response["Attributes"]
        waiting, in_flight, delayed = (int(attributes.get(name, 0)) for name in ATTRIBUTES)
        return waiting, in_flight, delayed
