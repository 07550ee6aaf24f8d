"""Kombu's SQS transport, made to outlive every fault of SQS.

As shipped, kombu 5.7.0 dies of one HTTP 5xx, reset or refused connection on a poll, and falls silent for ever on a
poll that is never answered or a credential error inside its loop. Each method here cures one of these faults and says
which; ``tests/pipeline/test_worker_faults.py`` injects them all. Private names are used, hence the exact pin in pyproject.toml.
"""

import logging
import os
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous import get_event_loop, set_event_loop
from kombu.asynchronous.aws.connection import AsyncHTTPSConnection
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.asynchronous.http.curl import CurlClient
from kombu.transport import SQS

from products.bootstrap import direct_sqs
from tasks.queues import ANSWER_SECONDS

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
RETRY_SECONDS = 1.0  # between polls while they fail


_clients: dict[int, Any] = {}


class SingleTimerClient(CurlClient):  # type: ignore[misc] # kombu has no types
    """libcurl says in how many milliseconds it wants to be called, and each time anew; kombu takes them for seconds and
    keeps every one (celery/kombu#2567), so memory grows with each poll."""

    _due: Any = None

    def _set_timeout(self, msecs: int) -> None:
        if self._due:
            self._due.cancel()
        self._due = None if msecs < 0 else self.hub.call_later(msecs / 1000, self._timeout_check)


def http_client() -> SingleTimerClient:
    """One for each event loop, in the place where kombu keeps its own."""
    loop = get_event_loop()
    standing = getattr(loop, "_current_http_client", None)
    if not isinstance(standing, SingleTimerClient):
        standing = loop._current_http_client = SingleTimerClient(loop)
    return standing


class BoundedHTTPConnection(AsyncHTTPSConnection):  # type: ignore[misc] # kombu has no types
    """Kombu sets no time limit on a poll, so one that is never answered would be waited for until the end of time."""

    def getrequest(self) -> Any:
        request = super().getrequest()
        request.on_prepare = self._bound
        return request

    def _bound(self, curl: Any) -> None:
        curl.setopt(curl.CONNECTTIMEOUT, CONNECT_SECONDS)
        curl.setopt(curl.TIMEOUT, int(self.timeout))


class ResilientConnection(AsyncSQSConnection):  # type: ignore[misc] # kombu has no types
    """A poll that fails is an empty poll and a line in the log; kombu raises, or returns what its caller can't use."""

    def __init__(self, *args: Any, poll_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, http_client=http_client(), **kwargs)
        self.poll_seconds = poll_seconds

    def get_http_connection(self) -> BoundedHTTPConnection:
        return BoundedHTTPConnection(
            http_client=self._httpclient, timeout=self.poll_seconds + ANSWER_SECONDS
        )

    def _on_list_ready(self, parent: Any, markers: Any, operation: Any, response: Any) -> Any:
        if response.status == self.STATUS_CODE_OK:
            answer = super()._on_list_ready(parent, markers, operation, response)
            return {**(answer or {}), "answered": True}
        logger.error(
            "poll failed",
            extra={"status": response.status, "reason": str(response.reason or "")[:200]},
        )
        return {}


class TolerantQoS(SQS.QoS):  # type: ignore[misc] # kombu has no types
    """Shortening the wait of a failed message is a courtesy; as shipped, a refusal of it ends the worker."""

    def apply_backoff_policy(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().apply_backoff_policy(*args, **kwargs)
        except (BotoCoreError, ClientError) as fault:
            logger.warning(
                "message will return after its visibility time-out", extra={"fault": repr(fault)}
            )

    def extract_task_name_and_number_of_retries(self, delivery_tag: Any) -> Any:
        """No task has no backoff of its own; as shipped, a message that names none ends the worker."""
        named = "task" in (self._delivered[delivery_tag].headers or {})
        return super().extract_task_name_and_number_of_retries(delivery_tag) if named else (None, 0)


class Channel(SQS.Channel):  # type: ignore[misc] # kombu has no types
    QoS = TolerantQoS

    def new_sqs_client(self, *args: Any, **kwargs: Any) -> Any:
        """One client a process: kombu makes one per connection and queue, 8 MiB and 100 ms each."""
        if os.getpid() not in _clients:
            _clients[os.getpid()] = direct_sqs(super().new_sqs_client(*args, **kwargs))
        return _clients[os.getpid()]

    def asynsqs(self, queue: str | None = None) -> ResilientConnection:
        connections = self._predefined_queue_async_clients
        if queue not in connections:
            connections[queue] = ResilientConnection(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                poll_seconds=self.wait_time_seconds,
            )
        return connections[queue]  # type: ignore[no-any-return] # kombu has no types

    def _envelope_payload(self, payload: Any, raw_text: Any, message: Any, q_url: str) -> Any:
        """A message comes from where it was taken, whatever it says: as shipped, one that names a queue we do not know,
        and a task neither, ends the worker."""
        envelope = super()._envelope_payload(payload, raw_text, message, q_url)
        envelope["properties"]["delivery_info"]["routing_key"] = q_url.rpartition("/")[2]
        # Celery hides from a task how often SQS has handed its message out; as a header it gets through.
        count = message.get("Attributes", {}).get("ApproximateReceiveCount")
        if count and isinstance(envelope.get("headers"), dict):
            envelope["headers"]["attempt"] = int(count)
        return envelope

    def _schedule_queue(self, queue: str) -> None:
        """As shipped, a credential error here is logged as "Error in timer" and the queue is never polled again."""
        try:
            super()._schedule_queue(queue)
        except (BotoCoreError, ClientError) as fault:
            logger.error("could not poll", extra={"queue": queue, "fault": repr(fault)})
            self._poll_again(queue)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> Any:
        if not messages.get("answered"):
            return None
        self._beat(qname)
        return super()._on_messages_ready(queue, qname, messages)

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if messages_fetched is None and self.qos.can_consume():
            self._poll_again(
                queue
            )  # the poll failed: at kombu's own pace that would be ten tries a second
        else:
            if messages_fetched is None:
                self._beat(
                    queue
                )  # every slot is busy, so there is no poll: that too is a sign of life
            super()._loop1(queue, messages_fetched)

    def _poll_again(self, queue: str) -> None:
        self.hub.call_later(RETRY_SECONDS, self._schedule_queue, queue)

    def _beat(self, queue: str) -> None:
        directory = Path(self.transport_options["heartbeat_dir"])
        directory.mkdir(parents=True, exist_ok=True)
        (directory / queue).touch()


class Transport(SQS.Transport):  # type: ignore[misc] # kombu has no types
    Channel = Channel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """After a reconnect kombu has forgotten its event loop, and a channel without one never polls."""
        set_event_loop(loop)
        super().register_with_event_loop(connection, loop)
