"""Repair differences: everything only moves towards the log, and the log never changes. Pure.

An open effect is requeued and takes the usual path. An effect that is stamped but did not last is
repeated here, by the same idempotent write. Its stamp stays: it says when the effect first took
place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from products.appending import Doorbell, Notification
from products.changes import Change, Effect, audit_key, audit_record, canonical_json, verified
from products.effects import TASKS, EffectTable
from products.pipeline import AuditTrail
from products.product import Product, normalised_name
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.sources import Logs


class RepairItems(Logs, Protocol):
    """Conditional writes; each returns False when the product has changed in the meantime."""

    def overwrite_record(self, product: Product, observed_version: int | None) -> bool: ...

    def claim_name(self, change: Change, *, holder: str, holds: Change | None) -> bool: ...

    def release_name(self, change: Change, name: str) -> bool: ...

    def mark_open(self, change: Change) -> bool: ...


class RepairIndex(Protocol):
    def overwrite(self, product: Product) -> bool: ...

    def remove(self, product_id: str) -> None: ...


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
"""The effect that repairs the difference."""
MANUAL_REPAIRS = {
    Kind.CHANGE_ALTERED: "not repaired: its audit record in S3 has the accepted change",
    Kind.VERSION_GAP: "not repaired: the audit records in S3 have the accepted changes",
    Kind.RECORD_OF_NO_PRODUCT: "not repaired: its log is lost; audit records in S3 may have it",
    Kind.DOCUMENT_OF_NO_CHANGE: "not repaired: rebuild_search_index builds an index without it",
    Kind.AUDIT_ALTERED: "not repaired: it is evidence, and the log has the accepted change",
    Kind.AUDIT_OF_NO_CHANGE: "not repaired: it is evidence",
}
"""The differences that need a person's judgement, with the reason."""
NEWER_DOCUMENT = (
    "not indexed: the index has a newer version, or has removed the product within the last minute"
)
CHANGED_MEANWHILE = "changed in the meantime; verify it again"


def rewrites_record(difference: Difference) -> bool:
    """Whether the repair changes what the public reads."""
    return EFFECTS.get(difference.kind) == Effect.STORED


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Repair differences one by one; ``cover`` has the CDN purged for all changes until now."""

    table: EffectTable
    items: RepairItems
    index: RepairIndex | None
    trail: AuditTrail
    doorbell: Doorbell
    cover: Callable[[], None]
    clock: Callable[[], datetime]

    def repair(self, difference: Difference) -> str:
        """Repair the difference and return the outcome in plain words.

        Raise CorruptChange when the change to restore was altered, and DependencyUnavailable.
        """
        kind = difference.kind
        if kind in MANUAL_REPAIRS:
            return MANUAL_REPAIRS[kind]
        if kind in EFFECTS:
            return self._repeat_effect(difference, EFFECTS[kind])
        if kind == Kind.DOCUMENT_OF_NO_PRODUCT:
            return self._remove_document(difference)
        if kind in (Kind.CLAIM_MISSING, Kind.CLAIM_OF_OTHER, Kind.CLAIM_LEFT):
            return self._repair_claim(difference)
        return self._repair_open_effects(difference)

    def purge_rewritten_records(self) -> None:
        """Purge the CDN after the last rewritten record: one invalidation covers them all."""
        self.cover()

    def _repeat_effect(self, difference: Difference, effect: Effect) -> str:
        change = self._change_of(difference)
        if change is None:
            return CHANGED_MEANWHILE
        if Effect.STORED in change.open:  # the other effects follow it
            return self._requeue(change, Effect.STORED)
        if effect in change.open:
            return self._requeue(change, effect)
        product = verified(change).after
        if effect == Effect.STORED:
            return self._rewrite_record(product, difference.observed_version)
        if effect == Effect.AUDITED:
            return self._rewrite_audit_record(change)
        return self._reindex(product)

    def _change_of(self, difference: Difference) -> Change | None:
        if not difference.version:
            return None
        return self.table.change(difference.product_id, difference.version)

    def _requeue(self, change: Change, effect: Effect) -> str:
        self.doorbell.notify([Notification(TASKS[effect], change)])
        return f"requeued, to be {effect}"

    def _rewrite_record(self, product: Product, observed_version: int | None) -> str:
        is_rewritten = self.items.overwrite_record(product, observed_version)
        return "rewritten" if is_rewritten else CHANGED_MEANWHILE

    def _rewrite_audit_record(self, change: Change) -> str:
        self.trail.write(audit_key(change), canonical_json(audit_record(change)))
        return "rewritten"

    def _reindex(self, product: Product) -> str:
        is_indexed = self.index is not None and self.index.overwrite(product)
        return "reindexed" if is_indexed else NEWER_DOCUMENT

    def _repair_open_effects(self, difference: Difference) -> str:
        change = self._change_of(difference)
        if change is None:
            return CHANGED_MEANWHILE
        if difference.kind == Kind.OPEN_FLAG_LEFT:
            self.table.close(change)
            return "removed from the open changes"
        if not change.open:
            return CHANGED_MEANWHILE
        if difference.kind == Kind.OPEN_FLAG_MISSING and not self.items.mark_open(change):
            return CHANGED_MEANWHILE
        if Effect.STORED in change.open:
            return self._requeue(change, Effect.STORED)
        outcomes = [self._requeue(change, effect) for effect in sorted(change.open)]
        return "; ".join(outcomes)

    def _remove_document(self, difference: Difference) -> str:
        if self.table.newest(difference.product_id) or self.index is None:
            return CHANGED_MEANWHILE
        self.index.remove(difference.product_id)
        return "removed"

    def _repair_claim(self, difference: Difference) -> str:
        newest = self.table.newest(difference.product_id)
        if newest is None:
            return CHANGED_MEANWHILE
        current = normalised_name(verified(newest).after.name)
        is_current = normalised_name(difference.subject) == current
        should_release = difference.kind == Kind.CLAIM_LEFT
        if is_current == should_release:
            return CHANGED_MEANWHILE
        if not should_release:
            return self._claim_name(newest, current)
        is_released = self.items.release_name(newest, difference.subject)
        return "released" if is_released else CHANGED_MEANWHILE

    def _claim_name(self, newest: Change, current: str) -> str:
        owners = self.items.name_owners([newest.after.name])
        holder = owners.get(current, newest.product_id)
        holds = self.table.newest(holder) if holder != newest.product_id else None
        if holds and normalised_name(holds.after.name) == current:
            return f"not repaired: {holder!r} has this name too; one of the two must be renamed"
        is_claimed = self.items.claim_name(newest, holder=holder, holds=holds)
        return "claimed" if is_claimed else CHANGED_MEANWHILE
