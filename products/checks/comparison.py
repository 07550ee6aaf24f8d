"""Whether what follows from the log is so: one product's log against its record, claims, document, audit trail. Pure.

The log is read first and everything else after it. An effect is stamped after it has come about, so whatever the log
says is done must be found; what is still open may be found or not.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from products.changes import Change, Effect, audit_hash, canonical_json
from products.checks.differences import Difference, Entry, Kind, Standing
from products.product import Product, normalised_name, to_document

PATIENCE = timedelta(minutes=2)
"""How long an accepted change is simply under way. The relay has rung for it twice by then."""


@dataclass(slots=True)
class Log:
    """What one product's log comes to, read entry by entry; of its length only the names are kept."""

    product_id: str
    under_way_since: datetime
    newest: Change | None = None
    last: int = 0  # the version of the last entry, whether it can be read or not
    sound: bool = True  # whether the newest change is the one that was accepted
    names: dict[str, str] = field(default_factory=dict)  # every name it ever had, by the normalised name
    done: dict[Effect, int] = field(default_factory=dict)  # the highest version an effect is stamped done for
    late: list[tuple[Change, Effect]] = field(default_factory=list)
    found: list[Difference] = field(default_factory=list)
    opened: bool = False

    def is_late(self, change: Change, effect: Effect) -> bool:
        """Whether the effect is open and will not come about by itself, or should have by now."""
        return effect in change.open and (change.state(effect) == "failed" or change.accepted_at < self.under_way_since)

    def owed(self, effect: Effect) -> int:
        """The version the effect must have come to: what is stamped, or what is late."""
        late = [change.version for change, which in self.late if which == effect]
        return max([self.done.get(effect, 0), *late])


def read(log: Log, entries: Iterable[Entry]) -> Iterable[Change]:
    """Take the entries in, in order; gives back each change that is what was accepted, for its audit record."""
    for entry in entries:
        if entry.version and entry.version != log.last + 1:
            log.found.append(_gap(log.product_id, log.last + 1, entry.version))
        change, log.last = entry.change, entry.version or log.last
        log.sound = change is not None and _is_sound(change, entry, log)
        if not log.sound:
            log.found.append(_altered(log.product_id, entry))
        if change is None:
            continue
        log.newest = change
        _note_effects(log, change, entry)
        log.names[normalised_name(change.after.name)] = change.after.name
        if log.sound:
            yield change


def _is_sound(change: Change, entry: Entry, log: Log) -> bool:
    before = log.newest if log.newest and log.newest.version == entry.version - 1 else None
    chained = before is None or change.previous_hash == before.record_hash
    named = (change.product_id, change.version) == (log.product_id, entry.version)
    return named and chained and audit_hash(change) == change.record_hash


def _note_effects(log: Log, change: Change, entry: Entry) -> None:
    for effect in change.done:
        log.done[effect] = max(change.version, log.done.get(effect, 0))
    log.late += [(change, effect) for effect in sorted(change.open) if log.is_late(change, effect)]
    log.opened = log.opened or bool(change.open)
    settled = change.accepted_at < log.under_way_since
    if entry.listed and not change.open and settled:
        cause = "no effect is open, and yet it stands among the open changes: a worker died between its two last writes"
        log.found.append(_of(Kind.OPEN_FLAG_LEFT, change, cause))
    if change.open and not entry.listed:
        cause = f"{', '.join(sorted(change.open))} is open, but it is not among the open changes: nothing rings for it"
        log.found.append(_of(Kind.OPEN_FLAG_MISSING, change, cause))


def _gap(product_id: str, expected: int, found: int) -> Difference:
    lacking = f"version {expected} is" if found == expected + 1 else f"versions {expected} to {found - 1} are"
    return Difference(Kind.VERSION_GAP, product_id, f"{lacking} missing from the log", expected, f"v{expected}")


def _altered(product_id: str, entry: Entry) -> Difference:
    why = "can't be read" if entry.change is None else "has another hash, or another place in the chain"
    cause = f"what stands in the log is not what was accepted: it {why}"
    return Difference(Kind.CHANGE_ALTERED, product_id, cause, entry.version, f"v{entry.version}")


def _of(kind: Kind, change: Change, cause: str, *, subject: str = "") -> Difference:
    return Difference(kind, change.product_id, cause, change.version, subject or f"v{change.version}")


# The audit trail


def audit_difference(log: Log, change: Change, body: bytes | None) -> Difference | None:
    """Of one sound change, with what stands under its key in S3."""
    if body is not None:
        if audit_hash(change) == hash_of(body):
            return None
        return _of(Kind.AUDIT_ALTERED, change, "the audit record in S3 is not the one that was written")
    if Effect.AUDITED in change.done:
        at = change.done[Effect.AUDITED]
        return _of(Kind.AUDIT_MISSING, change, f"it was written at {at:%Y-%m-%d %H:%M:%S} and is gone from S3")
    if log.is_late(change, Effect.AUDITED):
        return _of(Kind.AUDIT_MISSING, change, _why_late(change, Effect.AUDITED))
    return None


def hash_of(body: bytes) -> str:
    """As ``audit_hash``, of what stands in S3."""
    return hashlib.sha256(body).hexdigest()


def _why_late(change: Change, effect: Effect) -> str:
    failure = change.failures.get(effect)
    since = f"open since {change.accepted_at:%Y-%m-%d %H:%M:%S}"
    if failure is None:
        return f"not {effect} yet, {since}: its doorbell was lost, or no worker takes it"
    times = "once" if failure.attempts == 1 else f"{failure.attempts} times"
    return f"not {effect} yet, {since}, tried {times}: {failure.reason}"


# Records and documents


@dataclass(frozen=True, slots=True)
class Copy:
    """What a record and a document have in common: each is the product after the newest version it was given."""

    effect: Effect
    name: str
    missing: Kind
    behind: Kind
    differs: Kind
    of_no_change: Kind
    wire: Callable[[Product], Any]


def _document(product: Product) -> Any:
    return json.loads(canonical_json(to_document(product)))


RECORD = Copy(
    Effect.STORED,
    "the record",
    Kind.RECORD_MISSING,
    Kind.RECORD_BEHIND,
    Kind.RECORD_DIFFERS,
    Kind.RECORD_OF_NO_CHANGE,
    lambda product: product,
)
DOCUMENT = Copy(
    Effect.SEARCHABLE,
    "the document in the search index",
    Kind.DOCUMENT_MISSING,
    Kind.DOCUMENT_BEHIND,
    Kind.DOCUMENT_DIFFERS,
    Kind.DOCUMENT_OF_NO_CHANGE,
    _document,
)


def copy_difference(
    copy: Copy, log: Log, standing: Standing | None, change: Callable[[str, int], Change | None]
) -> Difference | None:
    """How a record or document differs from what the log owes; ``change`` reads one change that is not the newest."""
    newest, owed = log.newest, log.owed(copy.effect)
    if newest is None or not log.sound:
        return None  # the log itself is in doubt, and has been reported

    def found(kind: Kind, cause: str, version: int) -> Difference:
        return Difference(kind, log.product_id, cause, version, seen=standing.version if standing else None)

    if standing is None:
        return found(copy.missing, f"{copy.name} is not there: {_why(copy, log, owed)}", owed) if owed else None
    if standing.content is None or standing.version is None:
        return found(
            copy.differs, f"{copy.name} can't be read, or its index keys do not fit it", owed or newest.version
        )
    if standing.version < owed:
        at = f"{copy.name} is at v{standing.version}, the log at v{newest.version}: {_why(copy, log, owed)}"
        return found(copy.behind, at, owed)
    return _content_difference(copy, log, standing, newest if standing.version == newest.version else change)


def _content_difference(
    copy: Copy, log: Log, standing: Standing, source: Change | Callable[[str, int], Change | None]
) -> Difference | None:
    version = standing.version or 0
    change = source if isinstance(source, Change) else source(log.product_id, version)
    if change is None:
        cause, owed = f"{copy.name} is at v{version}, which nobody accepted", log.newest.version if log.newest else 0
        return Difference(copy.of_no_change, log.product_id, cause, owed, seen=version)
    if copy.wire(change.after) != standing.content:
        cause = f"{copy.name} says v{version}, but not what v{version} says"
        return Difference(copy.differs, log.product_id, cause, version, seen=version)
    return None


def _why(copy: Copy, log: Log, owed: int) -> str:
    late = [change for change, effect in log.late if (effect, change.version) == (copy.effect, owed)]
    if late:
        return _why_late(late[-1], copy.effect)
    return f"v{owed} was {copy.effect}, and it was lost or set back afterwards"


def late_differences(log: Log, reported: Iterable[Difference]) -> list[Difference]:
    """Effects that are late, as far as no difference of a record, document or audit record has named them yet."""
    by_kind = {
        Effect.STORED: {Kind.RECORD_MISSING, Kind.RECORD_BEHIND},
        Effect.SEARCHABLE: {Kind.DOCUMENT_MISSING, Kind.DOCUMENT_BEHIND},
        Effect.AUDITED: {Kind.AUDIT_MISSING},
        Effect.PURGED: set(),
    }
    named = {(difference.kind, difference.version) for difference in reported}
    return [
        _of(Kind.EFFECT_LATE, change, _why_late(change, effect), subject=f"v{change.version} {effect}")
        for change, effect in log.late
        if not any((kind, change.version) in named for kind in by_kind[effect])
    ]


# Names


def claim_differences(log: Log, owners: Mapping[str, str]) -> list[Difference]:
    """Its newest name must be claimed by the product, and no former one; ``owners`` by the normalised name."""
    if log.newest is None or not log.sound:
        return []
    current = normalised_name(log.newest.after.name)
    found = []
    for normalised, name in log.names.items():
        owner = owners.get(normalised)
        if normalised == current and owner is None:
            found.append(
                _of(Kind.CLAIM_MISSING, log.newest, f"nothing keeps others from its name {name!r}", subject=name)
            )
        elif normalised == current and owner != log.product_id:
            cause = f"its name {name!r} is claimed by {owner!r}"
            found.append(_of(Kind.CLAIM_OF_OTHER, log.newest, cause, subject=name))
        elif normalised != current and owner == log.product_id:
            cause = f"it still claims {name!r}, which it gave up"
            found.append(_of(Kind.CLAIM_LEFT, log.newest, cause, subject=name))
    return found
