"""From accepted changes to their effects: store, purge, index, audit. Pure.

Every step is idempotent and independent of order, so a message may arrive twice, late, or never.
The steps take changes in batches. Each change of a batch succeeds or fails on its own.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from products.appending import Doorbell, Notification
from products.changes import (
    Change,
    ChangeKey,
    Effect,
    audit_key,
    audit_record,
    canonical_json,
)
from products.effects import (
    TASKS,
    Batch,
    EffectTable,
    Failures,
    Statistics,
    complete,
    failure_of,
    key_of,
    read_batch,
)
from products.errors import DependencyUnavailable, EffectRefused
from products.following import store_record
from products.invalidation import SETTLE_TIME, Cdn, Pace, StoredRecord, cover
from products.parallel import MapFunction, attempt, result_of
from products.product import Product

RETRY_DELAY = 2
"""Seconds until the own task of an effect that failed in a combined step tries it again."""
COMBINED_PAUSE = timedelta(seconds=30)
"""How long an unavailable dependency is left out of combined steps, so that it delays no record."""


class WritableIndex(Protocol):
    def put(self, products: Sequence[Product]) -> Sequence[Exception | None]:
        """Index the products, except where a later version is indexed. Searches find them then.

        Return what happened to each, in order: None, or why it is not indexed.

        Raises: DependencyUnavailable or EffectRefused when the whole request failed.
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
    map_function: MapFunction
    paused: dict[Effect, datetime] = field(default_factory=dict)
    """Until when an effect whose dependency was unavailable is left to its own task."""
    pace: Pace = field(default_factory=Pace)

    def store(self, keys: Sequence[ChangeKey], also: frozenset[Effect] = frozenset()) -> Failures:
        """Store the records, then notify the workers of the other effects.

        The effects in ``also`` are brought about in the same step, and stamped with it. Where one
        of them fails, its own task tries it again.
        """
        return self._store(self._read_and_verify(keys), also)

    def store_appended(self, changes: Sequence[Change], also: frozenset[Effect]) -> Failures:
        """Do what ``store`` does for changes that were just appended, without reading them."""
        return self._store(Batch(changes=list(changes)), also)

    def _store(self, batch: Batch, also: frozenset[Effect]) -> Failures:
        self._bring_about(batch, Effect.STORED)
        purge_delay = self._note_invalidation(batch)
        combined = self._bring_about_combined(batch, also)
        self._stamp(batch)
        self._notify_others(batch, combined, purge_delay)
        return batch.failures

    def index(self, keys: Sequence[ChangeKey]) -> Failures:
        """Index the products of these versions, unless a later one is indexed."""
        return self._run(keys, Effect.SEARCHABLE)

    def audit(self, keys: Sequence[ChangeKey]) -> Failures:
        """Write the changes' audit records."""
        return self._run(keys, Effect.AUDITED)

    def purge(self, keys: Sequence[ChangeKey]) -> Failures:
        """Purge the changes by one invalidation, or requeue them until one may start."""
        batch = read_batch(self.table, keys)
        waiting = [
            change
            for change in batch.waiting_for(Effect.PURGED)
            if Effect.STORED in change.done  # its message is sent again when it is stored
        ]
        records = [StoredRecord(c.done[Effect.STORED], c.last_invalidation) for c in waiting]
        try:
            waits = cover(records, self.table, self.cdn, self.clock, self.pace)
        except Exception as error:
            self._fail(batch, Effect.PURGED, [(change, error) for change in waiting])
            return batch.failures
        delayed = []
        for change, wait in zip(waiting, waits, strict=True):
            if wait:
                delay = math.ceil(wait.total_seconds())
                delayed.append(Notification(TASKS[Effect.PURGED], change, delay))
            else:
                batch.done[key_of(change)] = {Effect.PURGED: self.clock()}
        self._stamp(batch)
        self.doorbell.notify(delayed)
        return batch.failures

    def _run(self, keys: Sequence[ChangeKey], effect: Effect) -> Failures:
        batch = self._read_and_verify(keys)
        self._bring_about(batch, effect)
        self._stamp(batch)
        return batch.failures

    def _read_and_verify(self, keys: Sequence[ChangeKey]) -> Batch:
        batch = read_batch(self.table, keys)
        batch.verify()
        return batch

    def _bring_about(self, batch: Batch, effect: Effect) -> None:
        """Bring about the effect that the batch is about. A change fails with it."""
        changes = batch.waiting_for(effect)
        errors = self._start(batch, effect, changes)()
        self._fail(batch, effect, self._note_done(batch, effect, changes, errors))

    def _note_invalidation(self, batch: Batch) -> timedelta:
        """Note the latest invalidation on the changes just stored: only a later one covers them.

        Return how long their purge waits for the next one, which they share.
        """
        stored = batch.done_with(Effect.STORED)
        if not any(Effect.PURGED in change.open for change in stored):
            return SETTLE_TIME
        try:
            latest = self.table.invalidation()
        except DependencyUnavailable as error:
            batch.take_back(stored, Effect.STORED, error)
            return SETTLE_TIME
        batch.note_invalidation(stored, latest.number if latest else 0)
        return max(SETTLE_TIME, self.pace.next_due_in(latest, self.clock()))

    def _bring_about_combined(
        self, batch: Batch, effects: frozenset[Effect]
    ) -> set[tuple[ChangeKey, Effect]]:
        """Bring about more effects at the same time; return those that failed."""
        now = self.clock()
        started = [
            (effect, changes, self._start(batch, effect, changes))
            # The audit records are written while the index is asked.
            for effect in (Effect.AUDITED, Effect.SEARCHABLE)
            if effect in effects
            and self.paused.get(effect, now) <= now
            and (changes := batch.waiting_for(effect))
        ]
        failed = [
            (effect, self._note_done(batch, effect, changes, finish()))
            for effect, changes, finish in started
        ]
        for effect, errors in failed:
            self._record_failures(batch, effect, errors)
            if any(isinstance(error, DependencyUnavailable) for _, error in errors):
                self.paused[effect] = self.clock() + COMBINED_PAUSE
        return {(key_of(change), effect) for effect, errors in failed for change, _ in errors}

    def _start(
        self, batch: Batch, effect: Effect, changes: Sequence[Change]
    ) -> Callable[[], Iterable[Exception | None]]:
        """Start an effect. Return a function that waits for it and returns the errors."""
        if effect is Effect.SEARCHABLE:
            return partial(self._index, batch, changes)
        perform = self._store_one if effect is Effect.STORED else self._audit_one
        errors = self.map_function(partial(attempt, partial(perform, batch)), changes)
        return lambda: errors

    def _store_one(self, batch: Batch, change: Change) -> None:
        store_record(self.table, batch.intact(change).after, self.clock)

    def _audit_one(self, batch: Batch, change: Change) -> None:
        self.trail.write(audit_key(change), canonical_json(audit_record(batch.intact(change))))

    def _index(self, batch: Batch, changes: Sequence[Change]) -> Iterable[Exception | None]:
        corrupt = [batch.corrupt.get(key_of(change)) for change in changes]
        products = [
            change.after for change, error in zip(changes, corrupt, strict=True) if not error
        ]
        try:
            refusals = iter(self.search_index.put(products) if products else [])
        except EffectRefused as error:
            if len(changes) > 1:  # the whole request: find the product that it is about
                return [next(iter(self._index(batch, [change]))) for change in changes]
            return [error]
        except DependencyUnavailable as error:
            return [found or error for found in corrupt]
        return [found or next(refusals) for found in corrupt]

    def _note_done(
        self,
        batch: Batch,
        effect: Effect,
        changes: Sequence[Change],
        errors: Iterable[Exception | None],
    ) -> list[tuple[Change, Exception]]:
        """Note on the changes when the effect was done. Return the others with their errors."""
        results = list(zip(changes, errors, strict=True))
        at = self.clock()
        for change, error in results:
            if not error:
                batch.done.setdefault(key_of(change), {})[effect] = at
        return [(change, error) for change, error in results if error]

    def _fail(
        self, batch: Batch, effect: Effect, failed: Sequence[tuple[Change, Exception]]
    ) -> None:
        """Let the messages of these changes fail, and record on the changes why."""
        batch.failures |= {key_of(change): error for change, error in failed}
        self._record_failures(batch, effect, failed)

    def _record_failures(
        self, batch: Batch, effect: Effect, failed: Sequence[tuple[Change, Exception]]
    ) -> None:
        """Record on the changes why the effect failed.

        Where that fails too, the message fails, and all is tried again.
        """

        def record(found: tuple[Change, Exception]) -> None:
            change, error = found
            self.table.fail(change, effect, failure_of(change, effect, error, self.clock()))

        errors = self.map_function(partial(attempt, record), failed)
        for (change, _), unrecorded in zip(failed, errors, strict=True):
            if unrecorded:
                batch.failures[key_of(change)] = unrecorded

    def _stamp(self, batch: Batch) -> None:
        """Stamp what was done, in one update for each change."""
        changes = [change for change in batch.changes if batch.done.get(key_of(change))]

        def stamp(change: Change) -> Change | None:
            return self._stamp_one(change, batch.done[key_of(change)])

        completed = []
        for change, result in zip(
            changes, self.map_function(partial(result_of, stamp), changes), strict=True
        ):
            if isinstance(result, Exception):
                batch.failures[key_of(change)] = result
            elif result:
                completed.append(result)
        if completed:
            self.statistics.count_completed(completed)

    def _stamp_one(self, change: Change, done: Mapping[Effect, datetime]) -> Change | None:
        """Stamp the effects; return the change if this has completed it."""
        if done.keys() == change.open and (last := self.table.stamp_last(change, done)):
            return last
        stamped = self.table.stamp(change, done)
        if stamped is None and len(done) > 1:
            for effect, at in done.items():  # another worker was first with one of them
                stamped = self.table.stamp(change, {effect: at}) or stamped
        if stamped and not stamped.open:
            complete(stamped, self.table, self.statistics)
        return None

    def _notify_others(
        self, batch: Batch, failed: set[tuple[ChangeKey, Effect]], purge_delay: timedelta
    ) -> None:
        """Notify the workers of the effects that are still open."""
        delay_of_purge, notifications = math.ceil(purge_delay.total_seconds()), []
        for change in batch.changes:
            if key_of(change) in batch.failures:
                continue
            done = batch.done.get(key_of(change), {})
            for effect in sorted(change.open - done.keys() - {Effect.STORED}):
                normal = delay_of_purge if effect is Effect.PURGED else 0
                delay = RETRY_DELAY if (key_of(change), effect) in failed else normal
                notifications.append(Notification(TASKS[effect], change, delay))
        self.doorbell.notify(notifications)
