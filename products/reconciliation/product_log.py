"""One product's log, read entry by entry: what it is sound in, and what it owes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from products.changes import Change, Effect, audit_hash
from products.product import normalised_name
from products.reconciliation.differences import Difference, Kind, LogEntry

GRACE_PERIOD = timedelta(minutes=2)
"""How long an accepted change is simply under way. The relay has rung for it twice by then."""


@dataclass(slots=True)
class ProductLog:
    """What one product's log comes to, read entry by entry; of its length only the names are kept."""

    product_id: str
    overdue_before: datetime
    newest: Change | None = None
    last: int = 0  # the version of the last entry, whether it can be read or not
    is_intact: bool = True  # whether the newest change is the one that was accepted
    names: dict[str, str] = field(
        default_factory=dict
    )  # every name it ever had, by the normalised name
    done: dict[Effect, int] = field(
        default_factory=dict
    )  # the highest version an effect is stamped done for
    overdue: list[tuple[Change, Effect]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def is_overdue(self, change: Change, effect: Effect) -> bool:
        """Whether the effect is open and will not come about by itself, or should have by now."""
        return effect in change.open and (
            change.state(effect) == "failed" or change.accepted_at < self.overdue_before
        )

    def expected_version(self, effect: Effect) -> int:
        """The version the effect must have come to: what is stamped, or what is late."""
        overdue = [change.version for change, which in self.overdue if which == effect]
        return max([self.done.get(effect, 0), *overdue])


def replay(log: ProductLog, entries: Iterable[LogEntry]) -> Iterable[Change]:
    """Take the entries in, in order; gives back each change that is what was accepted, for its audit record."""
    for entry in entries:
        if entry.version and entry.version != log.last + 1:
            log.differences.append(_gap(log.product_id, log.last + 1, entry.version))
        change, log.last = entry.change, entry.version or log.last
        log.is_intact = change is not None and _is_sound(change, entry, log)
        if not log.is_intact:
            log.differences.append(_altered(log.product_id, entry))
        if change is None:
            continue
        log.newest = change
        _note_effects(log, change, entry)
        log.names[normalised_name(change.after.name)] = change.after.name
        if log.is_intact:
            yield change


def _is_sound(change: Change, entry: LogEntry, log: ProductLog) -> bool:
    before = log.newest if log.newest and log.newest.version == entry.version - 1 else None
    chained = before is None or change.previous_hash == before.record_hash
    named = (change.product_id, change.version) == (log.product_id, entry.version)
    return named and chained and audit_hash(change) == change.record_hash


def _note_effects(log: ProductLog, change: Change, entry: LogEntry) -> None:
    for effect in change.done:
        log.done[effect] = max(change.version, log.done.get(effect, 0))
    log.overdue += [
        (change, effect) for effect in sorted(change.open) if log.is_overdue(change, effect)
    ]
    settled = change.accepted_at < log.overdue_before
    if entry.listed and not change.open and settled:
        cause = "no effect is open, and yet it stands among the open changes: a worker died between its two last writes"
        log.differences.append(difference_of(Kind.OPEN_FLAG_LEFT, change, cause))
    if change.open and not entry.listed:
        cause = f"{', '.join(sorted(change.open))} is open, but it is not among the open changes: nothing rings for it"
        log.differences.append(difference_of(Kind.OPEN_FLAG_MISSING, change, cause))


def _gap(product_id: str, expected: int, found: int) -> Difference:
    lacking = (
        f"version {expected} is"
        if found == expected + 1
        else f"versions {expected} to {found - 1} are"
    )
    return Difference(
        Kind.VERSION_GAP, product_id, f"{lacking} missing from the log", expected, f"v{expected}"
    )


def _altered(product_id: str, entry: LogEntry) -> Difference:
    why = (
        "can't be read"
        if entry.change is None
        else "has another hash, or another place in the chain"
    )
    cause = f"what stands in the log is not what was accepted: it {why}"
    return Difference(Kind.CHANGE_ALTERED, product_id, cause, entry.version, f"v{entry.version}")


def difference_of(kind: Kind, change: Change, cause: str, *, subject: str = "") -> Difference:
    return Difference(
        kind, change.product_id, cause, change.version, subject or f"v{change.version}"
    )


def overdue_cause(change: Change, effect: Effect) -> str:
    failure = change.failures.get(effect)
    since = f"open since {change.accepted_at:%Y-%m-%d %H:%M:%S}"
    if failure is None:
        return f"not {effect} yet, {since}: its doorbell was lost, or no worker takes it"
    times = "once" if failure.attempts == 1 else f"{failure.attempts} times"
    return f"not {effect} yet, {since}, tried {times}: {failure.reason}"
