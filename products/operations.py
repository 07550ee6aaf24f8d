"""What operators see of the pipeline, and what they can do: retry or discard effects. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from products.appending import Doorbell, Notification
from products.changes import (
    MAX_REASON_LENGTH,
    Change,
    ChangeKey,
    Discard,
    Effect,
    Origin,
    canonical_json,
)
from products.documents import format_timestamp
from products.effects import (
    TASKS,
    EffectTable,
    Statistics,
    clear_permanent_failure,
    complete,
)
from products.errors import Conflict, Invalid
from products.latencies import Minute
from products.open_changes import OpenMark
from products.permissions import Permission, require_permissions
from products.pipeline import AuditTrail
from products.planning import read_change

STUCK_AFTER = timedelta(minutes=1)
MAX_EXAMINED = 1000  # open changes that are counted, and whose effects one action requeues
MAX_GROUPED = 250  # of these, the oldest, whose causes one page of the admin shows
MIN_REASON_LENGTH = 3  # characters
MAX_CAUSE_LENGTH = 200  # characters
VARIABLE_PART = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8,}[0-9a-f-]*\b|\d+")
"""What differs between errors of the same cause: quoted texts, IDs, and numbers."""


class StoredCannotBeDiscarded(Conflict):
    """Storing the record of an accepted change can't be given up."""

    def __init__(self) -> None:
        super().__init__("An accepted change must be stored; fix the cause and retry.")


class NotOpen(Conflict):
    def __init__(self, effect: Effect) -> None:
        super().__init__(f"This change is not waiting to be {effect} any more.")


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The numbers of messages of one queue; None where the queue is unavailable."""

    queue: str
    waiting: int | None
    in_flight: int | None
    delayed: int | None
    dead: int | None


@dataclass(frozen=True, slots=True)
class StuckEffect:
    """An effect that failed permanently or is overdue."""

    mark: OpenMark
    effect: Effect
    error: str
    attempts: int

    @property
    def key(self) -> ChangeKey:
        return self.mark.product_id, self.mark.version

    @property
    def cause(self) -> str:
        """The error without its variable parts, so that one fault is one cause."""
        without_id = self.error.replace(self.mark.product_id, "…")
        constant = VARIABLE_PART.sub("…", without_id)
        return f"{self.effect}: {constant}"[:MAX_CAUSE_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action of an operator."""

    action_id: str
    at: datetime
    by: str
    what: str
    reason: str
    changes: Sequence[str]


class OperationsLog(Statistics, Protocol):
    """The log of actions, and the statistics."""

    def write(self, action: Action) -> None: ...
    def actions(self, month: datetime, limit: int) -> list[Action]: ...
    def minutes(self, since: datetime, until: datetime) -> list[Minute]: ...


class Queues(Protocol):
    def depths(self) -> list[QueueDepth]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The use cases of operators."""

    table: EffectTable
    log: OperationsLog
    queues: Queues
    trail: AuditTrail
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def stuck(self, limit: int = MAX_EXAMINED) -> list[StuckEffect]:
        """Return effects that failed permanently or are open after STUCK_AFTER, oldest first.

        Only the oldest ``limit`` open changes are looked at.
        """
        overdue_before = self.clock() - STUCK_AFTER
        keys = [key.change_key for key in islice(self.table.open_keys(), limit)]
        marks = self.table.marks(keys)
        return [
            _stuck_effect(mark, effect)
            for key in keys
            if (mark := marks.get(key))
            for effect in sorted(mark.open)
            if mark.accepted_at < overdue_before or mark.failed(effect)
        ]

    def changes_of(self, stuck: Sequence[StuckEffect]) -> dict[ChangeKey, Change]:
        """Return the changes of these effects, without those that can't be read."""
        keys = dict.fromkeys(effect.key for effect in stuck)
        found = self.table.changes(list(keys))
        return {key: change for key, change in found.items() if isinstance(change, Change)}

    def oldest_open(self) -> datetime | None:
        """Return when the oldest open change was accepted."""
        return next(iter(self.table.open_since(1)), None)

    def open_count(self) -> int:
        """Return the number of open changes, at most MAX_EXAMINED."""
        return self.table.open_count(MAX_EXAMINED)

    def queue_depths(self) -> list[QueueDepth]:
        """Return the numbers of messages of each queue."""
        return self.queues.depths()

    def minutes(self, since: datetime, until: datetime) -> list[Minute]:
        """Return the statistics of the minutes in which changes were completed."""
        return self.log.minutes(since, until)

    def newest_actions(self, limit: int) -> list[Action]:
        """Return the newest actions of operators in this month and the last, newest first."""
        now = self.clock()
        last_month = now.replace(day=1) - timedelta(days=1)
        actions = self.log.actions(now, limit)
        return [*actions, *self.log.actions(last_month, limit)][:limit]

    def retry(self, product_id: str, version: int, effect: Effect, origin: Origin) -> None:
        """Requeue the effect now. Raises: NotAllowed, NotOpen, ChangeNotFound."""
        require_permissions(origin.permissions, {Permission.OPERATE})
        change = self._read_open(product_id, version, effect)
        self._requeue(change, effect)
        self.record_action(origin.actor, f"retried {effect}", "", change_labels([change]))

    def retry_cause(self, cause: str, origin: Origin) -> int:
        """Requeue all effects that are stuck for this cause, and return how many.

        Raises: NotAllowed.
        """
        require_permissions(origin.permissions, {Permission.OPERATE})
        of_cause = [stuck for stuck in self.stuck() if stuck.cause == cause]
        changes = self.changes_of(of_cause)
        found = [stuck for stuck in of_cause if stuck.key in changes]
        for stuck in found:
            self._requeue(changes[stuck.key], stuck.effect)
        if found:
            labels = change_labels([changes[stuck.key] for stuck in found])
            self.record_action(origin.actor, f"retried all: {cause}", "", labels)
        return len(found)

    def _requeue(self, change: Change, effect: Effect) -> None:
        clear_permanent_failure(self.table, change, effect)
        self.doorbell.notify([Notification(TASKS[effect], change)])

    def discard(
        self, product_id: str, version: int, effect: Effect, origin: Origin, *, reason: str
    ) -> None:
        """Give the effect up permanently. The reason is kept on the receipt.

        Raises: NotAllowed, StoredCannotBeDiscarded, Invalid, ChangeNotFound, NotOpen.
        """
        require_permissions(origin.permissions, {Permission.OPERATE})
        if effect is Effect.STORED:
            raise StoredCannotBeDiscarded
        reason = reason.strip()
        if not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
            sentence = f"Say why, in {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters."
            raise Invalid({"reason": [sentence]})
        change = self._read_open(product_id, version, effect)
        discard = Discard(by=origin.actor, at=self.clock(), reason=reason)
        discarded = self.table.discard(change, effect, discard)
        if discarded is None:
            raise NotOpen(effect)
        if not discarded.open:
            complete(discarded, self.table, self.log)
        self.record_action(origin.actor, f"discarded {effect}", reason, change_labels([change]))

    def _read_open(self, product_id: str, version: int, effect: Effect) -> Change:
        change = read_change(self.table, product_id, version)
        if effect not in change.open:
            raise NotOpen(effect)
        return change

    def record_action(self, by: str, what: str, reason: str, changes: Sequence[str]) -> None:
        """Write the action to the audit trail, which can't be altered, and to the log shown."""
        action = Action(
            action_id=self.new_id(),
            at=self.clock(),
            by=by,
            what=what,
            reason=reason,
            changes=changes,
        )
        record = {
            "timestamp": format_timestamp(action.at),
            "user": by,
            "action": what,
            "reason": reason,
            "changes": list(changes),
        }
        key = f"operations/{action.at:%Y/%m/%d}/{action.action_id}.json"
        self.trail.write(key, canonical_json(record))
        self.log.write(action)


def _stuck_effect(mark: OpenMark, effect: Effect) -> StuckEffect:
    failure = mark.failures.get(effect)
    if failure:
        return StuckEffect(mark, effect, failure.sentence, failure.attempts)
    is_stored = Effect.STORED not in mark.open
    error = "waits for a worker" if is_stored else "the record is not stored yet"
    return StuckEffect(mark, effect, error, attempts=0)


def change_labels(changes: Sequence[Change]) -> list[str]:
    """Return the names of the changes for people, such as ``p1 v3``."""
    return [f"{change.product_id} v{change.version}" for change in changes]
