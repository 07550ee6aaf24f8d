"""The progress of a change's effects: what is open, what failed, and when it is complete. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from products.changes import Change, ChangeKey, Discard, Effect, Failure, verified
from products.errors import ChangeNotFound, CorruptChange, DependencyUnavailable
from products.invalidation import InvalidationTable
from products.open_changes import OpenKey, OpenMark
from products.planning import ChangeReader
from products.product import Product

# The tasks' names, fixed because deployments exchange them; the functions are store and purge.
TASKS = {
    Effect.STORED: "persist",
    Effect.PURGED: "invalidate",
    Effect.SEARCHABLE: "index",
    Effect.AUDITED: "audit",
}
MAX_ERROR_LENGTH = 500  # characters of an error that a change keeps

type Failures = dict[ChangeKey, Exception]
"""Why a step failed, by change. The step succeeded for all other changes."""


class EffectTable(ChangeReader, InvalidationTable, Protocol):
    """The records, and the progress of the effects. Methods may raise DependencyUnavailable."""

    def changes(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, Change | CorruptChange]:
        """Return the changes that exist; CorruptChange for one that can't be read."""

    def open_since(self, limit: int) -> list[datetime]:
        """Return when the oldest open changes were accepted, oldest first."""

    def open_count(self, limit: int) -> int:
        """Return the number of open changes, at most ``limit``."""

    def open_keys(self) -> Iterator[OpenKey]:
        """Yield which changes may be open, oldest first, read lazily."""

    def marks(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, OpenMark]:
        """Return what is open of those of these changes that are open."""

    def put_record(self, product: Product, stored_at: datetime) -> None:
        """Store the record, unless it holds a later version. ``stored_at`` is its place in time."""

    def stamp(self, change: Change, done: Mapping[Effect, datetime]) -> Change | None:
        """Record that the effects are done, and when. Return the change after that.

        Return None when one of them is not open: it was stamped or discarded before.
        """

    def stamp_last(self, change: Change, done: Mapping[Effect, datetime]) -> Change | None:
        """Record that the effects are done, and that the change is not open any more.

        Return None when they are not exactly the open effects.
        """

    def discard(self, change: Change, effect: Effect, discard: Discard) -> Change | None:
        """Give the effect up. Return the change after that, None when it is not open."""

    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        """Record why the effect failed, unless it is done by now."""

    def record_requeue(self, change: Change, at: datetime) -> None: ...

    def close(self, change: Change) -> bool:
        """Remove a change without open effects from the open ones. False if it was not there."""


class Statistics(Protocol):
    def count_completed(self, changes: Sequence[Change]) -> None:
        """Count changes that have just become complete. Never raises for a dependency."""


def key_of(change: Change) -> ChangeKey:
    return change.product_id, change.version


@dataclass(slots=True)
class Batch:
    """The changes of one step, and what the step has done so far, with the times."""

    changes: list[Change] = field(default_factory=list)
    done: dict[ChangeKey, dict[Effect, datetime]] = field(default_factory=dict)
    failures: Failures = field(default_factory=dict)
    corrupt: dict[ChangeKey, CorruptChange] = field(default_factory=dict)
    """The changes that were altered after they were accepted."""

    def verify(self) -> None:
        """Compare each change with its hash."""
        for change in self.changes:
            try:
                verified(change)
            except CorruptChange as error:
                self.corrupt[key_of(change)] = error

    def intact(self, change: Change) -> Change:
        """Return the change. Raise CorruptChange if it was altered."""
        if error := self.corrupt.get(key_of(change)):
            raise error
        return change

    def waiting_for(self, effect: Effect) -> list[Change]:
        """Return the changes with this effect open, which have not failed."""
        return [
            change
            for change in self.changes
            if effect in change.open and key_of(change) not in self.failures
        ]

    def done_with(self, effect: Effect) -> list[Change]:
        """Return the changes for which this step has brought about the effect."""
        return [c for c in self.changes if effect in self.done.get(key_of(c), ())]

    def note_invalidation(self, changes: Sequence[Change], number: int) -> None:
        """Note on these changes which invalidation was the latest when they had been stored."""
        noted = {key_of(c): replace(c, last_invalidation=number) for c in changes}
        self.changes = [noted.get(key_of(change), change) for change in self.changes]

    def take_back(self, changes: Sequence[Change], effect: Effect, error: Exception) -> None:
        """Let the effect fail for these changes: it can't be stamped. It is done again."""
        for change in changes:
            self.done[key_of(change)].pop(effect, None)
            self.failures[key_of(change)] = error


def read_batch(table: EffectTable, keys: Sequence[ChangeKey]) -> Batch:
    """Read the changes of a batch once each. Those that can't be read fail."""
    distinct = list(dict.fromkeys(keys))
    try:
        found = table.changes(distinct)
    except DependencyUnavailable as error:
        return Batch(failures=dict.fromkeys(distinct, error))
    batch = Batch()
    for key in distinct:
        change = found.get(key, ChangeNotFound(*key))
        if isinstance(change, Change):
            batch.changes.append(change)
        else:
            batch.failures[key] = change
    return batch


def complete(change: Change, table: EffectTable, statistics: Statistics) -> None:
    """Take a change without open effects out of the open ones, and count it once."""
    if table.close(change):
        statistics.count_completed([change])


def clear_permanent_failure(table: EffectTable, change: Change, effect: Effect) -> None:
    """Mark a permanent failure as temporary, because its cause has been fixed.

    From then on the relay requeues the change, so the retry does not depend on one message.
    """
    failure = change.failures.get(effect)
    if failure and failure.permanent:
        table.fail(change, effect, replace(failure, permanent=False))


def failure_of(change: Change, effect: Effect, error: Exception, at: datetime) -> Failure:
    """Return what the change keeps of an error of its effect.

    An unavailable dependency returns, so its effect waits. All other errors are permanent.
    """
    earlier = change.failures.get(effect)
    is_waiting = isinstance(error, DependencyUnavailable)
    reason = str(error) if is_waiting else f"{type(error).__name__}: {error}"
    return Failure(
        reason=reason[:MAX_ERROR_LENGTH],
        at=at,
        attempts=earlier.attempts + 1 if earlier else 1,
        permanent=not is_waiting,
        waiting_for=error.dependency if isinstance(error, DependencyUnavailable) else "",
    )


def effect_states(change: Change) -> dict[str, dict[str, Any]]:
    """Return the state of each effect, and its time, its last failure, or its discard."""
    return {effect: _effect_state(change, effect) for effect in Effect}


def _effect_state(change: Change, effect: Effect) -> dict[str, Any]:
    state: dict[str, Any] = {"state": change.state(effect), "at": change.done.get(effect)}
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
    return state
