"""From an accepted change to its effects: persist, invalidate, index, audit, and the relay that rings again. Pure.

Every step is idempotent and independent of order, so a message may come twice, late, or never.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from products.acceptance import Doorbell
from products.changes import (
    Change,
    Effect,
    Failure,
    audit_key,
    audit_record,
    canonical_json,
    verified,
)
from products.errors import ChangeNotFound, DependencyUnavailable
from products.product import Product

TASKS = {
    Effect.STORED: "persist",
    Effect.PURGED: "invalidate",
    Effect.SEARCHABLE: "index",
    Effect.AUDITED: "audit",
}
SETTLE_TIME = timedelta(seconds=1)
"""How long after a change was stored an invalidation must start to cover it: it outlasts both the difference between
two hosts' clocks and the delay of DynamoDB's indexes, so that CloudFront can't fetch the old list once more."""
MIN_PURGE_INTERVAL = timedelta(seconds=3)
"""The least time between two invalidations; all changes that settle meanwhile share the next one."""
MAX_REQUEUE_DELAY = timedelta(minutes=10)
MAX_RELAY_TIME = timedelta(seconds=6)  # on Lambda a task is ended after 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidation:
    """One purge of the whole product cache. It is written down before it is asked for, so that whoever comes after a
    crash asks again with the same reference, which CloudFront answers with the same invalidation."""

    number: int
    started_at: datetime
    confirmed: bool = False

    @property
    def reference(self) -> str:
        return f"products-{self.number}-{self.started_at:%Y%m%dT%H%M%S%f}"

    def covers(self, stored_at: datetime) -> bool:
        return self.started_at >= stored_at + SETTLE_TIME


class EffectTable(Protocol):
    def change(self, product_id: str, version: int) -> Change | None: ...
    def open_changes(self, accepted_before: datetime | None = None) -> Iterator[Change]: ...

    def put_record(self, product: Product) -> None:
        """Write the record unless it already holds this version or a later one."""

    def stamp(self, change: Change, effect: Effect, at: datetime) -> Change | None:
        """Note the effect as done, once; a change whose last effect this is leaves the open ones, and is given back."""

    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        """Note why the effect has not come about."""

    def record_requeue(self, change: Change, at: datetime) -> None: ...

    def close(self, change: Change) -> None:
        """Take a change without open effects out of the open ones (a crash may have left it there)."""

    def invalidation(self) -> Invalidation | None:
        """The latest one."""

    def begin_invalidation(self, invalidation: Invalidation) -> bool:
        """Write it down as the latest; False when somebody else took its number."""

    def confirm_invalidation(self, invalidation: Invalidation) -> None: ...


class Statistics(Protocol):
    def count_completed(self, change: Change) -> None:
        """Count a change that has just become complete. Best effort: never raises for an engine that is away."""


class Cdn(Protocol):
    def purge(self, reference: str) -> None:
        """Purge every product answer; the same reference twice is one invalidation."""


class WritableIndex(Protocol):
    def put(self, product: Product) -> None:
        """Index the product unless a later version is indexed; it can be found when this returns. EffectRefused."""


class AuditTrail(Protocol):
    def write(self, key: str, record: bytes) -> None:
        """Write the record once; a second time is no error and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    table: EffectTable
    search_index: WritableIndex
    cdn: Cdn
    trail: AuditTrail
    doorbell: Doorbell
    statistics: Statistics
    clock: Callable[[], datetime]
    requeue_after: timedelta

    def store(self, product_id: str, version: int) -> None:
        """Write the record, then ring for the other effects."""
        change = self._change(product_id, version)
        if Effect.STORED in change.open:
            with self._noting_failure(change, Effect.STORED):
                self.table.put_record(verified(change).after)
            self._stamp(change, Effect.STORED)
        for effect in sorted(change.open - {Effect.STORED}):
            self._ring(change, effect)

    def index(self, product_id: str, version: int) -> None:
        """Index the product after this version, unless a later one is indexed."""
        change = self._change(product_id, version)
        if Effect.SEARCHABLE in change.open:
            with self._noting_failure(change, Effect.SEARCHABLE):
                self.search_index.put(verified(change).after)
            self._stamp(change, Effect.SEARCHABLE)

    def audit(self, product_id: str, version: int) -> None:
        """Write the change's audit record."""
        change = self._change(product_id, version)
        if Effect.AUDITED in change.open:
            with self._noting_failure(change, Effect.AUDITED):
                self.trail.write(audit_key(change), canonical_json(audit_record(verified(change))))
            self._stamp(change, Effect.AUDITED)

    def purge(self, product_id: str, version: int) -> None:
        """See that an invalidation covers the change; when it is too soon for one, ring again for later."""
        change = self._change(product_id, version)
        stored_at = change.done.get(Effect.STORED)
        if Effect.PURGED not in change.open or stored_at is None:
            return
        with self._noting_failure(change, Effect.PURGED):
            wait = self._cover(stored_at)
        if wait:
            self.doorbell.notify(
                TASKS[Effect.PURGED], change, delay=math.ceil(wait.total_seconds())
            )
        else:
            self._stamp(change, Effect.PURGED)

    def cover(self, stored_at: datetime, sleep: Callable[[float], None]) -> None:
        """Have an invalidation that covers what was stored then, however long it takes."""
        while wait := self._cover(stored_at):
            sleep(wait.total_seconds())

    def _stamp(self, change: Change, effect: Effect) -> None:
        complete = self.table.stamp(change, effect, self.clock())
        if complete:
            self.statistics.count_completed(complete)

    def _cover(self, stored_at: datetime) -> timedelta:
        """Have a confirmed invalidation that covers what was stored then, or say how long to wait for one."""
        latest = self.table.invalidation()
        if latest is None or not latest.covers(stored_at):
            now = self.clock()
            due = max(
                stored_at + SETTLE_TIME, latest.started_at + MIN_PURGE_INTERVAL if latest else now
            )
            if now < due:
                return due - now
            begun = Invalidation(number=latest.number + 1 if latest else 1, started_at=now)
            # Of all that come at this moment one begins it, and the others join.
            latest = begun if self.table.begin_invalidation(begun) else self.table.invalidation()
            if latest is None or not latest.covers(stored_at):
                return SETTLE_TIME
        if not latest.confirmed:
            self.cdn.purge(latest.reference)
            self.table.confirm_invalidation(latest)
        return timedelta()

    def relay(self, *, failed: bool = False) -> int:
        """Ring again for every change that has stayed open, waiting longer each time; returns for how many.

        With ``failed``, also for what failed for good, and without waiting: somebody has mended the cause.
        It ends after RELAY_MOST, so that a long list can't outlast its task; the next run goes on with what is due.
        """
        count, began = 0, self.clock()
        for change in self.table.open_changes(began if failed else began - self.requeue_after):
            if not change.open:
                self.table.close(change)
            elif (failed or self._is_due(change)) and self._ring_open(change, failed=failed):
                self.table.record_requeue(change, self.clock())
                count += 1
            if self.clock() - began > MAX_RELAY_TIME:
                break
        return count

    def _is_due(self, change: Change) -> bool:
        rings, last = change.requeues
        return last is None or self.clock() >= last + min(
            self.requeue_after * 2**rings, MAX_REQUEUE_DELAY
        )

    def _ring_open(self, change: Change, *, failed: bool) -> bool:
        """Ring for what can still come about by itself; what failed for good waits for a person."""
        wanted = {Effect.STORED} if Effect.STORED in change.open else set(change.open)
        wanted = {effect for effect in wanted if failed or change.state(effect) != "failed"}
        for effect in sorted(wanted):
            clear_permanent_failure(self.table, change, effect)
            self._ring(change, effect)
        return bool(wanted)

    def _ring(self, change: Change, effect: Effect) -> None:
        delay = SETTLE_TIME if effect is Effect.PURGED else timedelta()
        self.doorbell.notify(TASKS[effect], change, delay=int(delay.total_seconds()))

    def _change(self, product_id: str, version: int) -> Change:
        change = self.table.change(product_id, version)
        if change is None:
            raise ChangeNotFound(product_id, version)
        return change

    @contextmanager
    def _noting_failure(self, change: Change, effect: Effect) -> Iterator[None]:
        """Note on the change why the effect failed; the error goes on to the queue, which brings the message back."""
        try:
            yield
        except Exception as error:
            earlier = change.failures.get(effect)
            failure = Failure(
                reason=f"{type(error).__name__}: {error}"[:500],
                at=self.clock(),
                attempts=earlier.attempts + 1 if earlier else 1,
                permanent=not isinstance(error, DependencyUnavailable),
            )
            self.table.fail(change, effect, failure)
            raise


class FailureLog(Protocol):
    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        """Note why the effect has not come about, unless it has meanwhile."""


def clear_permanent_failure(table: FailureLog, change: Change, effect: Effect) -> None:
    """Somebody has mended why the effect failed for good: from now on the relay rings for it again, so that this does
    not hang on one message."""
    failure = change.failures.get(effect)
    if failure and failure.permanent:
        table.fail(change, effect, replace(failure, permanent=False))


def effect_states(change: Change) -> dict[str, dict[str, Any]]:
    """The receipt's part on effects: the state of each, and its time, or its last error with the attempts so far."""
    shown: dict[str, dict[str, Any]] = {}
    for effect in Effect:
        shown[effect] = {"state": change.state(effect), "at": change.done.get(effect)}
        if effect in change.open and (failure := change.failures.get(effect)):
            shown[effect] |= {
                "error": failure.reason,
                "attempts": failure.attempts,
                "lastTriedAt": failure.at,
            }
        if discard := change.discarded.get(effect):
            shown[effect] |= {"at": discard.at, "discardedBy": discard.by, "reason": discard.reason}
    return shown
