"""Replay one product's log: is it intact, and which versions does it expect? Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from products.changes import Change, Effect, is_unaltered
from products.product import normalised_name
from products.reconciliation.differences import Difference, Kind, LogEntry

GRACE_PERIOD = timedelta(minutes=2)
"""How long an open effect counts as in progress; the relay requeues it twice in this time."""


@dataclass(slots=True)
class ProductLog:
    """A summary of one product's log. Its size depends on the number of names only.

    An open effect is overdue when its change was accepted before ``overdue_before``.
    ``is_intact`` is whether the newest change is the one that was accepted. ``last_version`` is the
    version of the last entry, readable or not. ``names`` holds all names by the normalised name,
    and ``done`` the highest version for which each effect is stamped.
    """

    product_id: str
    overdue_before: datetime
    newest: Change | None = None
    last_version: int = 0
    is_intact: bool = True
    names: dict[str, str] = field(default_factory=dict)
    done: dict[Effect, int] = field(default_factory=dict)
    overdue: list[tuple[Change, Effect]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def is_overdue(self, change: Change, effect: Effect) -> bool:
        """Whether an open effect has failed permanently, or is open for too long."""
        if effect not in change.open:
            return False
        has_failed = change.state(effect) == "failed"
        return has_failed or change.accepted_at < self.overdue_before

    def expected_version(self, effect: Effect) -> int:
        """Return the version that the effect must have reached: stamped or overdue, 0 for none."""
        overdue = [change.version for change, which in self.overdue if which == effect]
        return max([self.done.get(effect, 0), *overdue])


def replay(log: ProductLog, entries: Iterable[LogEntry]) -> Iterator[Change]:
    """Add the entries to the log in their order, and yield each change that can be read."""
    for entry in entries:
        expected = log.last_version + 1
        if entry.version and entry.version != expected:
            log.differences.append(_gap(log.product_id, expected, entry.version))
        log.last_version = entry.version or log.last_version
        change = entry.change
        log.is_intact = change is not None and _is_intact(change, entry, log)
        if not log.is_intact:
            log.differences.append(_altered(log.product_id, entry))
        if change is None:
            continue
        log.newest = change
        _note_effects(log, change)
        _compare_open_flag(log, change, entry)
        name = change.after.name
        log.names[normalised_name(name)] = name
        yield change


def _is_intact(change: Change, entry: LogEntry, log: ProductLog) -> bool:
    if (change.product_id, change.version) != (log.product_id, entry.version):
        return False
    return _is_chained(change, log) and is_unaltered(change)


def _is_chained(change: Change, log: ProductLog) -> bool:
    """Whether the change holds the hash of its predecessor, if that is known."""
    previous = log.newest
    if previous is None or previous.version != change.version - 1:
        return True
    return change.previous_hash == previous.record_hash


def _note_effects(log: ProductLog, change: Change) -> None:
    for effect in change.done:
        log.done[effect] = max(change.version, log.done.get(effect, 0))
    for effect in sorted(change.open):
        if log.is_overdue(change, effect):
            log.overdue.append((change, effect))


def _compare_open_flag(log: ProductLog, change: Change, entry: LogEntry) -> None:
    is_settled = change.accepted_at < log.overdue_before
    if entry.listed and not change.open and is_settled:
        cause = (
            "it is in the index of open changes, but no effect is open: "
            "a worker died between its last two writes"
        )
        log.differences.append(difference_of(Kind.OPEN_FLAG_LEFT, change, cause))
    if change.open and not entry.listed:
        effects = ", ".join(sorted(change.open))
        cause = (
            f"{effects} is open, but it is not in the index of open changes: "
            "the relay can't requeue it"
        )
        log.differences.append(difference_of(Kind.OPEN_FLAG_MISSING, change, cause))


def _gap(product_id: str, expected: int, found: int) -> Difference:
    if found == expected + 1:
        missing = f"version {expected} is"
    else:
        missing = f"versions {expected} to {found - 1} are"
    cause = f"{missing} missing from the log"
    return Difference(Kind.VERSION_GAP, product_id, cause, expected, f"v{expected}")


def _altered(product_id: str, entry: LogEntry) -> Difference:
    reason = "it can't be read"
    if entry.change is not None:
        reason = "its hash or its place in the chain is wrong"
    cause = f"the log entry is not the change that was accepted: {reason}"
    return Difference(Kind.CHANGE_ALTERED, product_id, cause, entry.version, f"v{entry.version}")


def difference_of(kind: Kind, change: Change, cause: str, *, subject: str = "") -> Difference:
    """Return a difference about the change."""
    subject = subject or f"v{change.version}"
    return Difference(kind, change.product_id, cause, change.version, subject)


def overdue_cause(change: Change, effect: Effect) -> str:
    """Return why an effect is overdue, in plain words."""
    failure = change.failures.get(effect)
    since = f"open since {change.accepted_at:%Y-%m-%d %H:%M:%S}"
    if failure is None:
        return f"not {effect} yet, {since}: its message was lost, or no worker handles it"
    attempts = "once" if failure.attempts == 1 else f"{failure.attempts} times"
    return f"not {effect} yet, {since}, tried {attempts}: {failure.sentence}"
