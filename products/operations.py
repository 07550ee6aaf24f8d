"""What an operator sees of the pipeline and may do to it: stuck changes, retrying, giving an effect up. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from products.appending import Doorbell
from products.changes import MAX_REASON_LENGTH, Change, Discard, Effect, canonical_json
from products.documents import format_timestamp
from products.errors import ChangeNotFound, Conflict, Invalid
from products.pipeline import TASKS, FailureLog, clear_permanent_failure

STUCK_AFTER = timedelta(minutes=1)
MAX_EXAMINED = 1000  # open changes one look goes through
BOUNDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 600.0)
"""Upper bounds in seconds of the latency histogram; what takes longer counts as the last."""


class StoredCannotBeDiscarded(Conflict):
    """What was accepted is stored: this is never given up."""

    def __init__(self) -> None:
        super().__init__("What was accepted must be stored; mend the cause and retry.")


class NotOpen(Conflict):
    def __init__(self, effect: Effect) -> None:
        super().__init__(f"This change is not waiting to be {effect} any more.")


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Messages of one queue; None where the queue could not be asked."""

    queue: str
    waiting: int | None
    in_flight: int | None
    delayed: int | None
    dead: int | None


@dataclass(frozen=True, slots=True)
class StuckEffect:
    """One effect that has not come about in time."""

    change: Change
    effect: Effect
    error: str
    attempts: int

    @property
    def cause(self) -> str:
        """The error without what differs from change to change, so that one fault is one cause."""
        bare = re.sub(
            r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8,}[0-9a-f-]*\b|\d+",
            "…",
            self.error.replace(self.change.product_id, "…"),
        )
        return f"{self.effect}: {bare}"[:200]


@dataclass(frozen=True, slots=True)
class Minute:
    """How many changes were completed in a minute, and by effect how many took up to each bound."""

    at: datetime
    changes: int
    buckets: Mapping[Effect, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something an operator did."""

    action_id: str
    at: datetime
    by: str
    what: str
    reason: str
    changes: Sequence[str]


class OperationsTable(FailureLog, Protocol):
    """Each method may raise EngineAway."""

    def change(self, product_id: str, version: int) -> Change | None: ...
    def open_changes(self, accepted_before: datetime | None = None) -> Iterator[Change]: ...


class OperationsLog(Protocol):
    """What was done, how fast changes went, and giving an effect up."""

    def discard(self, change: Change, effect: Effect, discard: Discard) -> bool:
        """Take the effect out of the open ones for good; False when it is not open any more."""

    def write(self, action: Action) -> None: ...
    def actions(self, month: datetime, limit: int) -> list[Action]: ...
    def minutes(self, since: datetime, until: datetime) -> list[Minute]: ...


class Queues(Protocol):
    def depths(self) -> list[QueueDepth]: ...


class AuditTrail(Protocol):
    def write(self, key: str, record: bytes) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    table: OperationsTable
    log: OperationsLog
    queues: Queues
    trail: AuditTrail
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def stuck(self) -> list[StuckEffect]:
        """Effects that failed for good, or are still open after STUCK_AFTER; the oldest first."""
        now = self.clock()
        found = []
        for change in islice(self.table.open_changes(), MAX_EXAMINED):
            for effect in sorted(change.open):
                failure = change.failures.get(effect)
                if change.state(effect) == "failed" or change.accepted_at < now - STUCK_AFTER:
                    waits = (
                        "waits for what comes before it"
                        if Effect.STORED in change.open
                        else "waits for a worker"
                    )
                    error, attempts = (failure.reason, failure.attempts) if failure else (waits, 0)
                    found.append(StuckEffect(change, effect, error, attempts))
        return found

    def oldest_open(self) -> datetime | None:
        change = next(self.table.open_changes(), None)
        return change.accepted_at if change else None

    def open_count(self) -> int:
        """At most LOOKED_AT_MOST."""
        return sum(1 for _ in islice(self.table.open_changes(), MAX_EXAMINED))

    def retry(self, product_id: str, version: int, effect: Effect, *, by: str) -> None:
        """Ring for the effect now; NotOpen, ChangeNotFound."""
        change = self._open(product_id, version, effect)
        clear_permanent_failure(self.table, change, effect)
        self.doorbell.notify(TASKS[effect], change)
        self.record_action(by, f"retried {effect}", "", change_labels([change]))

    def retry_cause(self, cause: str, *, by: str) -> int:
        """Ring for all that is stuck for this cause; returns for how many."""
        found = [stuck for stuck in self.stuck() if stuck.cause == cause]
        for stuck in found:
            clear_permanent_failure(self.table, stuck.change, stuck.effect)
            self.doorbell.notify(TASKS[stuck.effect], stuck.change)
        if found:
            self.record_action(
                by, f"retried all: {cause}", "", change_labels([stuck.change for stuck in found])
            )
        return len(found)

    def discard(
        self, product_id: str, version: int, effect: Effect, *, reason: str, by: str
    ) -> None:
        """Give the effect up, with a reason that stays on the receipt. No late message brings it back."""
        if effect is Effect.STORED:
            raise StoredCannotBeDiscarded
        if not 3 <= len(reason.strip()) <= MAX_REASON_LENGTH:
            raise Invalid({"reason": [f"Say why, in 3 to {MAX_REASON_LENGTH} characters."]})
        change = self._open(product_id, version, effect)
        if not self.log.discard(
            change, effect, Discard(by=by, at=self.clock(), reason=reason.strip())
        ):
            raise NotOpen(effect)
        self.record_action(by, f"discarded {effect}", reason.strip(), change_labels([change]))

    def _open(self, product_id: str, version: int, effect: Effect) -> Change:
        change = self.table.change(product_id, version)
        if change is None:
            raise ChangeNotFound(product_id, version)
        if effect not in change.open:
            raise NotOpen(effect)
        return change

    def record_action(self, by: str, what: str, reason: str, changes: Sequence[str]) -> None:
        """In the log that is shown, and in the audit trail that nobody can alter."""
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
        self.trail.write(
            f"operations/{action.at:%Y/%m/%d}/{action.action_id}.json", canonical_json(record)
        )
        self.log.write(action)


def change_labels(changes: Sequence[Change]) -> list[str]:
    return [f"{change.product_id} v{change.version}" for change in changes]


def bucket_of(seconds: float) -> int:
    """The bucket of the histogram a latency falls into."""
    return next(
        (number for number, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS) - 1
    )


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The bound below which this share of the latencies lies; None when there is none."""
    total, seen = sum(counts), 0
    for count, bound in zip(counts, BOUNDS, strict=True):
        seen += count
        if total and seen >= share * total:
            return bound
    return None


def latencies(minutes: Sequence[Minute]) -> dict[Effect, tuple[float | None, float | None]]:
    """The median and the 95th percentile by effect, in seconds from acceptance, as upper bounds."""
    summed = {
        effect: [sum(minute.buckets[effect][n] for minute in minutes) for n in range(len(BOUNDS))]
        for effect in Effect
    }
    return {
        effect: (percentile(counts, 0.5), percentile(counts, 0.95))
        for effect, counts in summed.items()
    }
