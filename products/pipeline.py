"""From an accepted change to its effects: store, purge, index, audit; and the relay. Pure.

Every step is idempotent and independent of order, so a message may arrive twice, late, or never.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from products.appending import Doorbell
from products.changes import (
    Change,
    Discard,
    Effect,
    Failure,
    audit_key,
    audit_record,
    canonical_json,
    verified,
)
from products.errors import ChangeNotFound, DependencyUnavailable
from products.invalidation import SETTLE_TIME, Cdn, InvalidationTable, try_to_cover
from products.planning import ChangeReader
from products.product import Product

# The tasks' names, fixed because deployments exchange them; the functions are store and purge.
TASKS = {
    Effect.STORED: "persist",
    Effect.PURGED: "invalidate",
    Effect.SEARCHABLE: "index",
    Effect.AUDITED: "audit",
}
MAX_REQUEUE_DELAY = timedelta(minutes=3)
"""The longest pause of an effect that waits for an unavailable dependency."""
MAX_RELAY_TIME = timedelta(seconds=6)  # Lambda ends a task after 10 seconds
MAX_ERROR_LENGTH = 500  # characters of an error that a change keeps


class EffectTable(ChangeReader, InvalidationTable, Protocol):
    """The records, and the progress of the effects. Methods may raise DependencyUnavailable."""

    def put_record(self, product: Product) -> None:
        """Store the record, unless it holds this version or a later one."""

    def stamp(self, change: Change, effect: Effect, at: datetime) -> Change | None:
        """Record that the effect is done. Return the change after that.

        Return None when the effect is not open: it was stamped or discarded before.
        """

    def discard(self, change: Change, effect: Effect, discard: Discard) -> Change | None:
        """Give the effect up. Return the change after that, None when it is not open."""

    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        """Record why the effect failed, unless it is done by now."""

    def record_requeue(self, change: Change, at: datetime) -> None: ...

    def close(self, change: Change) -> bool:
        """Remove a change without open effects from the open ones. False if it was not there."""


class Statistics(Protocol):
    def count_completed(self, change: Change) -> None:
        """Count a change that has just become complete. Never raises for a dependency."""


class WritableIndex(Protocol):
    def put(self, product: Product) -> None:
        """Index the product, unless a later version is indexed. Searches find it afterwards.

        Raise EffectRefused when the index rejects the document.
        """


class AuditTrail(Protocol):
    def write(self, key: str, record: bytes) -> None:
        """Write the record once. Writing it again changes nothing and is no error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Brings about the effects of accepted changes. Each task calls one method."""

    table: EffectTable
    search_index: WritableIndex
    cdn: Cdn
    trail: AuditTrail
    doorbell: Doorbell
    statistics: Statistics
    clock: Callable[[], datetime]
    requeue_after: timedelta

    def store(self, product_id: str, version: int) -> None:
        """Store the record, then notify the workers of the other effects."""
        change = self._read_change(product_id, version)
        if Effect.STORED in change.open:
            with self._recording_failure(change, Effect.STORED):
                self.table.put_record(verified(change).after)
            self._stamp(change, Effect.STORED)
        for effect in sorted(change.open - {Effect.STORED}):
            self._notify(change, effect)

    def index(self, product_id: str, version: int) -> None:
        """Index the product of this version, unless a later one is indexed."""
        change = self._read_change(product_id, version)
        if Effect.SEARCHABLE in change.open:
            with self._recording_failure(change, Effect.SEARCHABLE):
                self.search_index.put(verified(change).after)
            self._stamp(change, Effect.SEARCHABLE)

    def audit(self, product_id: str, version: int) -> None:
        """Write the change's audit record."""
        change = self._read_change(product_id, version)
        if Effect.AUDITED in change.open:
            with self._recording_failure(change, Effect.AUDITED):
                record = canonical_json(audit_record(verified(change)))
                self.trail.write(audit_key(change), record)
            self._stamp(change, Effect.AUDITED)

    def purge(self, product_id: str, version: int) -> None:
        """Purge the change by an invalidation, or requeue it until one may start."""
        change = self._read_change(product_id, version)
        stored_at = change.done.get(Effect.STORED)
        if Effect.PURGED not in change.open or stored_at is None:
            return
        with self._recording_failure(change, Effect.PURGED):
            wait = try_to_cover(stored_at, self.table, self.cdn, self.clock)
        if wait:
            delay = math.ceil(wait.total_seconds())
            self.doorbell.notify(TASKS[Effect.PURGED], change, delay=delay)
        else:
            self._stamp(change, Effect.PURGED)

    def cover(self, stored_at: datetime, sleep: Callable[[float], None]) -> None:
        """Wait until an invalidation covers what was stored at this time."""
        while wait := try_to_cover(stored_at, self.table, self.cdn, self.clock):
            sleep(wait.total_seconds())

    def relay(self, *, failed: bool = False) -> int:
        """Requeue every change that has stayed open, and return how many.

        The wait before each further requeue of a change is longer. With ``failed``, requeue all
        changes without a wait, including permanent failures: their cause has been fixed.

        Ends after MAX_RELAY_TIME, so that many open changes can't outlast the task. The next run
        continues with the changes that are due.
        """
        count = 0
        began = self.clock()
        accepted_before = began if failed else began - self.requeue_after
        for change in self.table.open_changes(accepted_before):
            if not change.open:  # a crash left it among the open ones
                complete(change, self.table, self.statistics)
            elif (failed or self._is_due(change)) and self._requeue(change, failed=failed):
                self.table.record_requeue(change, self.clock())
                count += 1
            if self.clock() - began > MAX_RELAY_TIME:
                break
        return count

    def _is_due(self, change: Change) -> bool:
        count, last = change.requeues
        if last is None:
            return True
        delay: timedelta = min(self.requeue_after * 2**count, MAX_REQUEUE_DELAY)
        return self.clock() >= last + delay

    def _requeue(self, change: Change, *, failed: bool) -> bool:
        """Notify the workers of the open effects. False when there is nothing to notify about.

        Permanent failures wait for a person, unless ``failed``. The record must be stored first;
        the messages of the other effects are sent after that.
        """
        candidates = {Effect.STORED} if Effect.STORED in change.open else change.open
        effects = [
            effect for effect in sorted(candidates) if failed or change.state(effect) != "failed"
        ]
        for effect in effects:
            clear_permanent_failure(self.table, change, effect)
            self._notify(change, effect)
        return bool(effects)

    def _notify(self, change: Change, effect: Effect) -> None:
        delay = SETTLE_TIME if effect is Effect.PURGED else timedelta()
        self.doorbell.notify(TASKS[effect], change, delay=int(delay.total_seconds()))

    def _read_change(self, product_id: str, version: int) -> Change:
        change = self.table.change(product_id, version)
        if change is None:
            raise ChangeNotFound(product_id, version)
        return change

    def _stamp(self, change: Change, effect: Effect) -> None:
        stamped = self.table.stamp(change, effect, self.clock())
        if stamped and not stamped.open:
            complete(stamped, self.table, self.statistics)

    @contextmanager
    def _recording_failure(self, change: Change, effect: Effect) -> Iterator[None]:
        """Record on the change why the effect failed, and raise the error again.

        The queue then delivers the message again.
        """
        try:
            yield
        except Exception as error:
            self.table.fail(change, effect, self._failure(change, effect, error))
            raise

    def _failure(self, change: Change, effect: Effect, error: Exception) -> Failure:
        """Return what the change keeps of the error.

        An unavailable dependency returns, so its effect waits. All other errors are permanent.
        """
        earlier = change.failures.get(effect)
        is_waiting = isinstance(error, DependencyUnavailable)
        reason = str(error) if is_waiting else f"{type(error).__name__}: {error}"
        return Failure(
            reason=reason[:MAX_ERROR_LENGTH],
            at=self.clock(),
            attempts=earlier.attempts + 1 if earlier else 1,
            permanent=not is_waiting,
            waiting_for=error.dependency if isinstance(error, DependencyUnavailable) else "",
        )


def complete(change: Change, table: EffectTable, statistics: Statistics) -> None:
    """Take a change without open effects out of the open ones, and count it once."""
    if table.close(change):
        statistics.count_completed(change)


def clear_permanent_failure(table: EffectTable, change: Change, effect: Effect) -> None:
    """Mark a permanent failure as temporary, because its cause has been fixed.

    From then on the relay requeues the change, so the retry does not depend on one message.
    """
    failure = change.failures.get(effect)
    if failure and failure.permanent:
        table.fail(change, effect, replace(failure, permanent=False))


def effect_states(change: Change) -> dict[str, dict[str, Any]]:
    """Return the state of each effect, and its time, its last failure, or its discard."""
    states: dict[str, dict[str, Any]] = {}
    for effect in Effect:
        state: dict[str, Any] = {
            "state": change.state(effect),
            "at": change.done.get(effect),
        }
        failure = change.failures.get(effect)
        if failure and effect in change.open:
            state["error"] = failure.sentence
            state["attempts"] = failure.attempts
            state["lastTriedAt"] = failure.at
            if failure.waiting_for:
                state["waitingFor"] = failure.waiting_for
        discard = change.discarded.get(effect)
        if discard:
            state["at"] = discard.at
            state["discardedBy"] = discard.by
            state["reason"] = discard.reason
        states[effect] = state
    return states
