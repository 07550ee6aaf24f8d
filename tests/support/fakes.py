"""Ports that behave, for what an engine can't be made to do on demand: keep time, and keep messages back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from products.adapters.aws.direct import DirectClient
from products.changes import Change
from products.errors import VersionTaken


@dataclass
class Clock:
    """Time that passes when told to."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeDoorbell:
    """A doorbell that keeps what was rung, so that a test decides what becomes of it."""

    sent: list[tuple[str, str, int, int]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)

    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        self.sent.append((task, change.product_id, change.version, delay))

    def notify_job(self, job_id: str) -> None:
        self.jobs.append(job_id)

    def take_all(self) -> list[tuple[str, str, int, int]]:
        taken, self.sent = self.sent, []
        return taken


class AlwaysLosingTable:
    """A table on which somebody else is always a moment faster, or on which our own first try did arrive."""

    def __init__(self, table: object, *, ours: bool = False) -> None:
        self.table, self.ours = table, ours

    def append(self, changes: list[Change], answer: object = None) -> None:
        if self.ours:
            self.table.append(changes, answer)  # type: ignore[attr-defined]
        raise VersionTaken("beaten")

    def __getattr__(self, name: str) -> object:
        return getattr(self.table, name)


class NoStatistics:
    """Statistics nobody reads."""

    def count_completed(self, change: Change) -> None:
        """Nothing depends on it."""


@contextmanager
def recorded_operations(client: DirectClient) -> Iterator[list[str]]:
    """The names of the operations that are asked of the client's engine meanwhile."""
    asked: list[str] = []
    send = client._send

    def noting(operation: str, body: bytes) -> tuple[int, bytes]:
        asked.append(operation)
        return send(operation, body)

    client._send = noting  # type: ignore[method-assign] # boto3's events know nothing of direct calls
    yield asked
    del client._send
