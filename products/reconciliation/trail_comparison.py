"""Compare the audit trail with the log: the records that the log names, and all others. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from products.changes import Change, Effect, audit_hash, audit_key, audit_key_at
from products.parallel import MapFunction
from products.reconciliation.audit_chain import chain_differences
from products.reconciliation.audit_keys import parse_audit_key
from products.reconciliation.audit_records import (
    AuditRecord,
    altered_record,
    audit_record_of,
    foreign_object,
    foreign_record,
    hash_of,
    missing_record,
)
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.product_log import ProductLog, overdue_cause, replay
from products.reconciliation.sources import AuditRecords, Logs


def audit_difference(log: ProductLog, change: Change, body: bytes | None) -> Difference | None:
    """Compare a change with its audit record; ``body`` is None when S3 has none.

    An altered change may still hold the hash of its record, or be the content of its record.
    """
    key = audit_key(change)
    if body is not None:
        own_hash = hash_of(body)
        if own_hash == change.record_hash or own_hash == audit_hash(change):
            return None
        return altered_record(key, change.version, "it differs from the change in the log")
    if Effect.AUDITED in change.done:
        written_at = change.done[Effect.AUDITED]
        cause = f"{key} was written at {written_at:%Y-%m-%d %H:%M:%S} and is missing from S3"
        return missing_record(log.product_id, change.version, cause)
    if log.is_overdue(change, Effect.AUDITED):
        cause = overdue_cause(change, Effect.AUDITED)
        return missing_record(log.product_id, change.version, cause)
    return None


@dataclass(frozen=True, slots=True)
class TrailComparison:
    """Compare audit records with the log, one product's log at a time."""

    logs: Logs
    trail: AuditRecords
    map_function: MapFunction

    def replay(self, log: ProductLog) -> None:
        """Replay the product's log, and compare each change with its audit record."""
        for change in replay(log, self.logs.entries(log.product_id)):
            body = self.trail.read(audit_key(change))
            if difference := audit_difference(log, change, body):
                log.differences.append(difference)
        if any(difference.kind == Kind.CHANGE_ALTERED for difference in log.differences):
            log.differences += self._altered_by_chain(log)

    def _altered_by_chain(self, log: ProductLog) -> list[Difference]:
        """Return the alterations that the chain proves where an altered log proves nothing."""
        reported = {difference.identity for difference in log.differences}
        return [
            difference
            for difference in chain_differences(self._records_of(log.product_id))
            if difference.kind == Kind.AUDIT_ALTERED and difference.identity not in reported
        ]

    def _records_of(self, product_id: str) -> list[AuditRecord]:
        """Return the audit records under the keys that the log names, readable or not."""
        records = []
        for entry in self.logs.entries(product_id):
            if entry.accepted_at is None:
                continue
            key = audit_key_at(product_id, entry.accepted_at)
            body = self.trail.read(key)
            record = audit_record_of(key, body) if body is not None else None
            if record:
                records.append(record)
        return records

    def foreign_records(self, keys: Iterable[str]) -> list[Difference]:
        """Return the keys that belong to no change, as differences."""
        found = []
        times_by_product: dict[str, dict[str, datetime]] = {}
        for key in keys:
            if parsed := parse_audit_key(key):
                product_id, accepted_at = parsed
                times_by_product.setdefault(product_id, {})[key] = accepted_at
            else:
                found.append(foreign_object(key))
        for differences in self.map_function(self._foreign_of_product, times_by_product.items()):
            found += differences
        return found

    def _foreign_of_product(self, item: tuple[str, dict[str, datetime]]) -> list[Difference]:
        product_id, times = item
        first, last = min(times.values()), max(times.values())
        accepted = self.logs.accepted_between(product_id, first, last)
        return [self._foreign(key) for key, at in times.items() if at not in accepted]

    def _foreign(self, key: str) -> Difference:
        body = self.trail.read(key)
        record = audit_record_of(key, body) if body is not None else None
        version = record.version if record else None
        return foreign_record(key, version, "no change was accepted at that time")
