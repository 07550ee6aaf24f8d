"""Purging the CDN: when an invalidation is due, and which changes it covers. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

SETTLE_TIME = timedelta(seconds=1)
"""How long after a change was stored an invalidation must start to cover it.

It is longer than the difference between two hosts' clocks, and than the lag of DynamoDB's indexes.
So CloudFront can't fetch the old list again after the invalidation.
"""
MIN_PURGE_INTERVAL = timedelta(seconds=3)
"""The shortest time between two invalidations. All changes stored meanwhile share the next one."""
MIN_WAIT = timedelta(seconds=1)
"""The shortest wait before the next try, when another worker's invalidation was too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidation:
    """One purge of all cached product answers.

    It is recorded before CloudFront is asked for it. After a crash, the next worker asks again
    with the same reference, and CloudFront returns the same invalidation.
    """

    number: int
    started_at: datetime
    confirmed: bool = False

    @property
    def reference(self) -> str:
        """CloudFront's ``CallerReference``."""
        return f"products-{self.number}-{self.started_at:%Y%m%dT%H%M%S%f}"

    def covers(self, stored_at: datetime) -> bool:
        """Whether the invalidation removes all answers from before a change stored then."""
        return self.started_at >= stored_at + SETTLE_TIME


class InvalidationTable(Protocol):
    def invalidation(self) -> Invalidation | None:
        """Return the latest invalidation."""

    def begin_invalidation(self, invalidation: Invalidation) -> bool:
        """Record the invalidation as the latest. False when another worker took its number."""

    def confirm_invalidation(self, invalidation: Invalidation) -> None: ...


class Cdn(Protocol):
    def purge(self, reference: str) -> None:
        """Purge every product answer. The same reference twice is one invalidation."""


def cover(
    stored_at: Sequence[datetime],
    table: InvalidationTable,
    cdn: Cdn,
    clock: Callable[[], datetime],
) -> list[timedelta]:
    """Have CloudFront confirm an invalidation that covers what was stored at these times.

    Return for each zero when it is covered, otherwise how long to wait before the next try.
    """
    latest, now = table.invalidation(), clock()
    uncovered = [at for at in stored_at if latest is None or not latest.covers(at)]
    if any(now >= _due_at(at, latest) for at in uncovered):
        latest = _begin_invalidation(table, latest, now)
    if latest and not latest.confirmed and any(map(latest.covers, stored_at)):
        cdn.purge(latest.reference)
        table.confirm_invalidation(latest)
    return [
        timedelta() if latest and latest.covers(at) else max(_due_at(at, latest) - now, MIN_WAIT)
        for at in stored_at
    ]


def _due_at(stored_at: datetime, latest: Invalidation | None) -> datetime:
    """Return when the next invalidation, which covers this time, may start."""
    due = stored_at + SETTLE_TIME
    return max(due, latest.started_at + MIN_PURGE_INTERVAL) if latest else due


def wait_until_covered(
    stored_at: datetime,
    table: InvalidationTable,
    cdn: Cdn,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> None:
    """Wait until an invalidation covers what was stored at this time."""
    while wait := max(cover([stored_at], table, cdn, clock)):
        sleep(wait.total_seconds())


def _begin_invalidation(
    table: InvalidationTable, latest: Invalidation | None, now: datetime
) -> Invalidation | None:
    """Record the next invalidation and return it.

    If several workers get here at the same time, one begins it and the others share it.
    """
    number = latest.number + 1 if latest else 1
    begun = Invalidation(number=number, started_at=now)
    if table.begin_invalidation(begun):
        return begun
    return table.invalidation()
