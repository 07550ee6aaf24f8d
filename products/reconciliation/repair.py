"""Mending what the drift check found. Everything only ever moves towards the log, which is never touched. Pure.

What is still open is rung for, so that it goes the way of every change. What is stamped and yet not so is done once
more, here, by the same idempotent write; its stamp stays, since it says when it first came about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from products.appending import Doorbell
from products.changes import Change, Effect, audit_key, audit_record, canonical_json, verified
from products.pipeline import TASKS
from products.product import Product, normalised_name
from products.reconciliation.differences import Difference, Kind


class RepairTable(Protocol):
    """Each write says whether it was made; it is not when the product has moved on."""

    def newest(self, product_id: str) -> Change | None: ...
    def change(self, product_id: str, version: int) -> Change | None: ...
    def close(self, change: Change) -> None: ...


class RepairItems(Protocol):
    def name_owners(self, names: list[str]) -> dict[str, str]: ...
    def overwrite_record(self, product: Product, observed_version: int | None) -> bool: ...
    def claim_name(self, change: Change, *, holder: str, holds: Change | None) -> bool: ...
    def release_name(self, change: Change, name: str) -> bool: ...
    def mark_open(self, change: Change) -> bool: ...


class RepairIndex(Protocol):
    def overwrite(self, product: Product) -> bool: ...
    def remove(self, product_id: str) -> None: ...


class AuditTrail(Protocol):
    def write(self, key: str, record: bytes) -> None: ...


EFFECTS = {
    Kind.RECORD_MISSING: Effect.STORED,
    Kind.RECORD_BEHIND: Effect.STORED,
    Kind.RECORD_DIFFERS: Effect.STORED,
    Kind.RECORD_OF_NO_CHANGE: Effect.STORED,
    Kind.DOCUMENT_MISSING: Effect.SEARCHABLE,
    Kind.DOCUMENT_BEHIND: Effect.SEARCHABLE,
    Kind.DOCUMENT_DIFFERS: Effect.SEARCHABLE,
    Kind.AUDIT_MISSING: Effect.AUDITED,
}
BY_HAND = {
    Kind.CHANGE_ALTERED: "not mended: its audit record in S3 has what was accepted",
    Kind.VERSION_GAP: "not mended: the audit records in S3 have what was accepted",
    Kind.RECORD_OF_NO_PRODUCT: "not mended: its log is lost; the audit records in S3, if there are any, have it",
    Kind.DOCUMENT_OF_NO_CHANGE: "not mended: rebuild_search_index builds an index without it",
    Kind.AUDIT_ALTERED: "not mended: it is evidence, and the log has what was accepted",
    Kind.AUDIT_OF_NO_CHANGE: "not mended: it is evidence",
}
LATER_THERE = (
    "not indexed: the index knows of a later version, or of its removal within the last minute"
)
MOVED_ON = "has moved on meanwhile; look again"


def rewrites_record(difference: Difference) -> bool:
    """Whether to mend it changes what the public reads."""
    return EFFECTS.get(difference.kind) == Effect.STORED


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    table: RepairTable
    items: RepairItems
    index: RepairIndex | None
    trail: AuditTrail
    doorbell: Doorbell
    cover: Callable[[datetime], None]
    clock: Callable[[], datetime]

    def repair(self, difference: Difference) -> str:
        """What was done about it, in plain words. CorruptChange when the change to go by was altered, EngineAway."""
        kind = difference.kind
        if kind in BY_HAND:
            return BY_HAND[kind]
        if kind in EFFECTS:
            return self._redo(difference, EFFECTS[kind])
        if kind == Kind.DOCUMENT_OF_NO_PRODUCT:
            return self._remove(difference)
        if kind in (Kind.CLAIM_MISSING, Kind.CLAIM_OF_OTHER, Kind.CLAIM_LEFT):
            return self._mend_claim(difference)
        return self._mend_openness(difference)

    def purge_rewritten_records(self) -> None:
        """After the last record that was written anew: one invalidation covers them all."""
        self.cover(self.clock())

    def _redo(self, difference: Difference, effect: Effect) -> str:
        change = self._change(difference)
        if change is None:
            return MOVED_ON
        if Effect.STORED in change.open or effect in change.open:
            return self._rung(change, Effect.STORED if Effect.STORED in change.open else effect)
        after = verified(change).after
        if effect == Effect.STORED:
            return (
                "written anew"
                if self.items.overwrite_record(after, difference.observed_version)
                else MOVED_ON
            )
        if effect == Effect.AUDITED:
            self.trail.write(audit_key(change), canonical_json(audit_record(change)))
            return "written anew"
        return "indexed anew" if self.index and self.index.overwrite(after) else LATER_THERE

    def _change(self, difference: Difference) -> Change | None:
        return (
            self.table.change(difference.product_id, difference.version)
            if difference.version
            else None
        )

    def _rung(self, change: Change, effect: Effect) -> str:
        self.doorbell.notify(TASKS[effect], change)
        return f"rung for, to be {effect}"

    def _mend_openness(self, difference: Difference) -> str:
        change = self._change(difference)
        if change is None or not (change.open or difference.kind == Kind.OPEN_FLAG_LEFT):
            return MOVED_ON
        if difference.kind == Kind.OPEN_FLAG_LEFT:
            self.table.close(change)
            return "taken out of the open changes"
        if difference.kind == Kind.OPEN_FLAG_MISSING and not self.items.mark_open(change):
            return MOVED_ON
        wanted = {Effect.STORED} if Effect.STORED in change.open else change.open
        return "; ".join(self._rung(change, effect) for effect in sorted(wanted))

    def _remove(self, difference: Difference) -> str:
        if self.table.newest(difference.product_id) or self.index is None:
            return MOVED_ON
        self.index.remove(difference.product_id)
        return "removed"

    def _mend_claim(self, difference: Difference) -> str:
        newest = self.table.newest(difference.product_id)
        if newest is None:
            return MOVED_ON
        current = normalised_name(verified(newest).after.name)
        is_current = normalised_name(difference.subject) == current
        if is_current == (difference.kind == Kind.CLAIM_LEFT):
            return MOVED_ON
        if not is_current:
            return "given up" if self.items.release_name(newest, difference.subject) else MOVED_ON
        return self._claim(newest, current)

    def _claim(self, newest: Change, current: str) -> str:
        holder = self.items.name_owners([newest.after.name]).get(current, newest.product_id)
        holds = self.table.newest(holder) if holder != newest.product_id else None
        if holds and normalised_name(holds.after.name) == current:
            return f"not mended: {holder!r} has this name too, so one of them must be renamed"
        return "claimed" if self.items.claim_name(newest, holder=holder, holds=holds) else MOVED_ON
