"""Fakes for what a real dependency can't do on demand: control time, and hold messages back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from products.adapters.aws.direct import DirectClient
from products.appending import Notification, Obstacles
from products.changes import Change


@dataclass
class Clock:
    """A clock that only moves when a test advances it."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeDoorbell:
    """A doorbell that keeps the messages, so that a test decides which ones arrive.

    A message is its task, the product ID, the version, and the delay in seconds.
    """

    sent: list[tuple[str, str, int, int]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    switches: list[int] = field(default_factory=list)
    purges: list[tuple[int, datetime, int | None]] = field(default_factory=list)

    def notify(self, notifications: Sequence[Notification]) -> None:
        for sent in notifications:
            self.sent.append((sent.task, sent.change.product_id, sent.change.version, sent.delay))

    def notify_job(self, job_id: str) -> None:
        self.jobs.append(job_id)

    def notify_switch(self, delay: int) -> None:
        self.switches.append(delay)

    def notify_purge(self, delay: int, until: datetime, after: int | None = None) -> None:
        self.purges.append((delay, until, after))

    def take_all(self) -> list[tuple[str, str, int, int]]:
        """Remove all messages and return them."""
        messages = self.sent
        self.sent = []
        return messages


class AlwaysLosingTable:
    """A table that reports every append as lost to another writer.

    With ``ours``, each append is made twice: as if the answer to a first try had been lost.
    """

    def __init__(self, table: Any, *, ours: bool = False) -> None:
        self.table = table
        self.ours = ours

    def append(self, changes: Sequence[Change], record: object = None) -> Obstacles | None:
        if self.ours:
            self.table.append(changes, record)
            obstacles: Obstacles | None = self.table.append(changes, record)
            return obstacles
        return Obstacles(dict.fromkeys((change.product_id for change in changes), None), {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)


class OvertakenTable:
    """A table on which ``overtake`` is called once, right before an append."""

    def __init__(self, table: Any, overtake: Callable[[], object]) -> None:
        self.table = table
        self.overtake: Callable[[], object] | None = overtake

    def append(self, changes: Sequence[Change], record: object = None) -> Obstacles | None:
        overtake, self.overtake = self.overtake, None
        if overtake:
            overtake()
        obstacles: Obstacles | None = self.table.append(changes, record)
        return obstacles

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)


class NoStatistics:
    """Statistics that are not kept."""

    def count_completed(self, changes: Sequence[Change]) -> None:
        """Do nothing."""


@contextmanager
def recorded_operations(client: DirectClient) -> Iterator[list[str]]:
    """Yield a list that receives the name of each operation the client calls in the block."""
    operations: list[str] = []
    send = client._send

    def record_and_send(operation: str, body: bytes) -> tuple[int, bytes]:
        operations.append(operation)
        return send(operation, body)

    # boto3's events do not include direct calls.
    client._send = record_and_send  # type: ignore[method-assign] # restored below
    yield operations
    del client._send
