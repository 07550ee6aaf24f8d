"""kombu's SQS transport, extended to survive every fault of SQS.

Stock kombu 5.7.0 ends the worker after one HTTP error, or after a reset or refused connection
during a poll. It stops polling, without an error, after a poll that is never answered or after
a credential error in its event loop. Each method here fixes one of these faults and names it;
``tests/pipeline/test_worker_faults.py`` injects all of them.

Upstream reports: celery/celery#5072 (workers stop polling), celery/kombu#2031 (an HTTP 403 ends
the worker), celery/kombu#2567 (leaked timers).

The methods override private names of kombu, so pyproject.toml pins its exact version.
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

from products.bootstrap import new_sqs_client
from tasks.queues import POLL_GRACE_SECONDS

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 5
POLL_RETRY_SECONDS = 1.0  # between polls while they fail
MAX_LOGGED_REASON = 200  # characters

_clients: dict[int, Any] = {}
"""The SQS client of each process, by process id."""


class SingleTimerClient(CurlClient):  # type: ignore[misc] # kombu has no types
    """kombu's libcurl client with at most one timer.

    libcurl asks for one timer, in milliseconds, which replaces the last one. Stock kombu takes
    the number as seconds and never cancels a timer, so each poll leaks one (celery/kombu#2567).
    """

    _timer: Any = None

    def _set_timeout(self, msecs: int) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if msecs >= 0:  # libcurl asks with -1 to cancel the timer
            self._timer = self.hub.call_later(msecs / 1000, self._timeout_check)


def http_client() -> SingleTimerClient:
    """Return the client of the current event loop, kept where kombu keeps its own."""
    loop = get_event_loop()
    client = getattr(loop, "_current_http_client", None)
    if not isinstance(client, SingleTimerClient):
        client = SingleTimerClient(loop)
        loop._current_http_client = client
    return client


class BoundedHTTPConnection(AsyncHTTPSConnection):  # type: ignore[misc] # kombu has no types
    """A connection whose polls time out.

    Stock kombu sets no time limit, so a queue is never polled again after a poll without an
    answer (celery/celery#5072).
    """

    def getrequest(self) -> Any:
        """Return the request, with time limits."""
        request = super().getrequest()
        request.on_prepare = self._set_time_limits
        return request

    def _set_time_limits(self, curl: Any) -> None:
        curl.setopt(curl.CONNECTTIMEOUT, CONNECT_TIMEOUT_SECONDS)
        curl.setopt(curl.TIMEOUT, int(self.timeout))


class ResilientConnection(AsyncSQSConnection):  # type: ignore[misc] # kombu has no types
    """An SQS connection that logs a failed poll and treats it as an empty one.

    Stock kombu raises for a 4xx, which ends the worker (celery/kombu#2031). For a 5xx it returns
    an empty list, where its caller expects a dict.
    """

    def __init__(self, *args: Any, poll_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, http_client=http_client(), **kwargs)
        self.poll_seconds = poll_seconds

    def get_http_connection(self) -> BoundedHTTPConnection:
        """Return a connection that outlasts a long poll, but not much longer."""
        timeout = self.poll_seconds + POLL_GRACE_SECONDS
        return BoundedHTTPConnection(http_client=self._httpclient, timeout=timeout)

    def _on_list_ready(self, parent: Any, markers: Any, operation: Any, response: Any) -> Any:
        if response.status == self.STATUS_CODE_OK:
            content = super()._on_list_ready(parent, markers, operation, response)
            return {**(content or {}), "answered": True}
        reason = str(response.reason or "")[:MAX_LOGGED_REASON]
        logger.error("poll failed", extra={"status": response.status, "reason": reason})
        return {}


class TolerantQoS(SQS.QoS):  # type: ignore[misc] # kombu has no types
    """kombu's quality of service, without two errors that end a stock worker."""

    def apply_backoff_policy(self, *args: Any, **kwargs: Any) -> None:
        """Shorten the visibility timeout of a failed message, if SQS allows it.

        Stock kombu raises when SQS refuses. The message returns anyway, only later.
        """
        try:
            super().apply_backoff_policy(*args, **kwargs)
        except (BotoCoreError, ClientError) as fault:
            facts = {"fault": repr(fault)}
            logger.warning("message will return after its visibility time-out", extra=facts)

    def extract_task_name_and_number_of_retries(self, delivery_tag: Any) -> Any:
        """Return the task's name and how often the message was received.

        A message without a task name has no per-task backoff. Stock kombu raises KeyError.
        """
        headers = self._delivered[delivery_tag].headers or {}
        if "task" not in headers:
            return None, 0
        return super().extract_task_name_and_number_of_retries(delivery_tag)


class Channel(SQS.Channel):  # type: ignore[misc] # kombu has no types
    """kombu's SQS channel, which keeps polling, with a heartbeat file for each queue."""

    QoS = TolerantQoS

    def new_sqs_client(self, *args: Any, **kwargs: Any) -> Any:
        """Return the SQS client of this process.

        Stock kombu makes one for each connection and queue, which takes 8 MiB and 100 ms each.
        """
        pid = os.getpid()
        if pid not in _clients:
            _clients[pid] = new_sqs_client()
        return _clients[pid]

    def asynsqs(self, queue: str | None = None) -> ResilientConnection:
        """Return the connection that polls a queue."""
        connections: dict[str | None, ResilientConnection] = self._predefined_queue_async_clients
        if queue not in connections:
            connections[queue] = ResilientConnection(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                poll_seconds=self.wait_time_seconds,
            )
        return connections[queue]

    def _envelope_payload(self, payload: Any, raw_text: Any, message: Any, q_url: str) -> Any:
        """Return the message's envelope, with the queue it was received from as routing key.

        A message that names an unknown queue, and no task, ends a stock worker.
        """
        envelope = super()._envelope_payload(payload, raw_text, message, q_url)
        envelope["properties"]["delivery_info"]["routing_key"] = q_url.rpartition("/")[2]
        # Celery does not give the receive count to tasks, but it passes on unknown headers.
        count = message.get("Attributes", {}).get("ApproximateReceiveCount")
        if count and isinstance(envelope.get("headers"), dict):
            envelope["headers"]["attempt"] = int(count)
        return envelope

    def _schedule_queue(self, queue: str) -> None:
        """Poll a queue, and again soon after a credential error.

        Stock kombu logs such an error as "Error in timer" and never polls the queue again.
        """
        try:
            super()._schedule_queue(queue)
        except (BotoCoreError, ClientError) as fault:
            logger.error("could not poll", extra={"queue": queue, "fault": repr(fault)})
            self._poll_again_soon(queue)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> Any:
        """Deliver the messages of a poll; return their number, or None for a failed poll."""
        if not messages.get("answered"):
            return None
        self._touch_heartbeat(qname)
        return super()._on_messages_ready(queue, qname, messages)

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        """Schedule the next poll. ``messages_fetched`` is None without a successful poll."""
        if messages_fetched is None:
            if self.qos.can_consume():
                # The poll failed. At kombu's own pace, there would be ten polls a second.
                self._poll_again_soon(queue)
                return
            # There was no poll, because every slot is busy: the worker is alive.
            self._touch_heartbeat(queue)
        super()._loop1(queue, messages_fetched)

    def _poll_again_soon(self, queue: str) -> None:
        self.hub.call_later(POLL_RETRY_SECONDS, self._schedule_queue, queue)

    def _touch_heartbeat(self, queue: str) -> None:
        directory = Path(self.transport_options["heartbeat_dir"])
        directory.mkdir(parents=True, exist_ok=True)
        (directory / queue).touch()


class Transport(SQS.Transport):  # type: ignore[misc] # kombu has no types
    """The transport that Celery loads."""

    Channel = Channel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Register the connection, after setting the event loop.

        Stock kombu loses its event loop in a reconnect, and a channel without one never polls.
        """
        set_event_loop(loop)
        super().register_with_event_loop(connection, loop)
