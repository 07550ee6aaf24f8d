"""Purging the CDN: when an invalidation is due, and which changes it covers. Pure.

The numbers of the invalidations say which came after a change was stored. Clocks only pace them, so
a wrong clock can neither hold up a purge nor make one up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """When a record was stored, and the number of the latest invalidation right after that.

    A time in the future is of a host whose clock is ahead. Messages about a purge are delayed by
    SETTLE_TIME, so such a record counts as settled.
    """

    stored_at: datetime
    last_invalidation: int | None

    def settles_in(self, now: datetime) -> timedelta:
        """Return how long an invalidation must wait for the record to settle."""
        if self.stored_at > now:
            return timedelta()
        return max(timedelta(), self.stored_at + SETTLE_TIME - now)


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

    def covers(self, record: StoredRecord, now: datetime) -> bool:
        """Whether the invalidation removes all answers from before the record was stored.

        It must have begun after that. If it was the first to do so, it must also have left time to
        settle, as far as the clocks of the two hosts agree on it.
        """
        if record.last_invalidation is None:  # stored by an older release
            return record.stored_at + SETTLE_TIME <= self.started_at <= now
        later = self.number - record.last_invalidation
        has_settled = self.started_at >= record.stored_at + SETTLE_TIME
        return later > 1 or (later == 1 and (has_settled or record.stored_at > now))


class InvalidationTable(Protocol):
    def invalidation(self) -> Invalidation | None:
        """Return the latest invalidation."""

    def begin_invalidation(self, invalidation: Invalidation) -> bool:
        """Record the invalidation as the latest. False when another worker took its number."""

    def confirm_invalidation(self, invalidation: Invalidation) -> None: ...


class Cdn(Protocol):
    def purge(self, reference: str) -> None:
        """Purge every product answer. The same reference twice is one invalidation."""


@dataclass(slots=True)
class Pace:
    """The latest invalidation as this process saw it first, by its own clock.

    An invalidation that another host dates into the future is paced by that.
    """

    number: int | None = None
    seen_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def next_due_in(self, latest: Invalidation | None, now: datetime) -> timedelta:
        """Return how long the next invalidation must wait for the latest one."""
        if latest is None:
            return timedelta()
        if self.number != latest.number or self.seen_at > now:
            self.number, self.seen_at = latest.number, now
        began_at = min(latest.started_at, self.seen_at)
        return max(timedelta(), began_at + MIN_PURGE_INTERVAL - now)


def cover(
    records: Sequence[StoredRecord],
    table: InvalidationTable,
    cdn: Cdn,
    clock: Callable[[], datetime],
    pace: Pace,
) -> list[timedelta]:
    """Have CloudFront confirm an invalidation that covers these records.

    Return for each zero when it is covered, otherwise how long to wait before the next try.
    """
    latest, now = table.invalidation(), clock()
    uncovered = [record for record in records if not _covers(latest, record, now)]
    if any(not _wait(record, latest, now, pace) for record in uncovered):
        latest = _begin_invalidation(table, latest, now)
    if latest and not latest.confirmed and any(latest.covers(record, now) for record in records):
        cdn.purge(latest.reference)
        table.confirm_invalidation(latest)
    return [
        timedelta()
        if _covers(latest, record, now)
        else max(_wait(record, latest, now, pace), MIN_WAIT)
        for record in records
    ]


def _covers(latest: Invalidation | None, record: StoredRecord, now: datetime) -> bool:
    return latest is not None and latest.covers(record, now)


def _wait(
    record: StoredRecord, latest: Invalidation | None, now: datetime, pace: Pace
) -> timedelta:
    """Return how long an invalidation that covers the record must wait."""
    return max(record.settles_in(now), pace.next_due_in(latest, now))


def wait_until_covered(
    table: InvalidationTable,
    cdn: Cdn,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> None:
    """Wait until an invalidation covers what has been stored up to now."""
    latest = table.invalidation()
    record = StoredRecord(clock(), latest.number if latest else 0)
    pace = Pace()
    while wait := max(cover([record], table, cdn, clock, pace)):
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
