"""The hash chain of the audit trail: what S3 alone proves. Pure.

Each record holds the hash of its predecessor, so a record is proven by its successor. The newest
record has none: only the log proves that it is unaltered and that no newer record is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from products.reconciliation.audit_records import (
    AuditRecord,
    altered_record,
    foreign_record,
    missing_record,
)
from products.reconciliation.differences import Difference, Kind

NOT_IN_S3 = (
    "S3 has no audit record of it, but has one of a later version (it may still be in progress)"
)


@dataclass(slots=True)
class _MissingVersions:
    """Report missing versions; each unreadable record may be one of them."""

    product_id: str
    unreadable: int

    def report(self, versions: range) -> list[Difference]:
        count = max(0, len(versions) - self.unreadable)
        self.unreadable = max(0, self.unreadable - len(versions))
        return [_missing(self.product_id, version) for version in versions[:count]]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The record of a version that counts as genuine, and the differences found.

    ``is_trusted`` is whether the hash it holds of its predecessor proves anything.
    """

    genuine: AuditRecord
    is_trusted: bool
    differences: list[Difference]


def chain_differences(
    records: Sequence[AuditRecord], *, from_first: bool = True
) -> list[Difference]:
    """Verify the chain of one product's records, from the newest back to the oldest.

    With ``from_first`` the chain must begin with version 1. A record is genuine when its hash is
    the one that its genuine successor holds.
    """
    unreadable = [record for record in records if not record.version]
    reason = "its content is not the record that its key names"
    found = [altered_record(record.key, None, reason) for record in unreadable]
    by_version = _by_version(records)
    if not by_version:
        return found
    missing = _MissingVersions(records[0].product_id, len(unreadable))
    successor: AuditRecord | None = None
    is_trusted = True
    above = max(by_version) + 1
    for version in sorted(by_version, reverse=True):
        gap = range(version + 1, above)
        found += missing.report(gap)
        if gap:
            successor = None
        verdict = _judge(by_version[version], successor, is_successor_trusted=is_trusted)
        found += verdict.differences
        successor, is_trusted, above = verdict.genuine, verdict.is_trusted, version
    if from_first:
        found += missing.report(range(1, above))
        if successor and successor.version == 1 and successor.previous_hash is not None:
            reason = "it is the first, but it names a predecessor"
            found.append(altered_record(successor.key, 1, reason))
    return found


def _by_version(records: Sequence[AuditRecord]) -> dict[int, list[AuditRecord]]:
    by_version: dict[int, list[AuditRecord]] = {}
    for record in records:
        if record.version:
            by_version.setdefault(record.version, []).append(record)
    return by_version


def _judge(
    candidates: list[AuditRecord], successor: AuditRecord | None, *, is_successor_trusted: bool
) -> _Verdict:
    """Decide which record of a version is genuine, by the hash that its successor holds."""
    if successor is None:
        return _judge_without_successor(candidates)
    matching = [record for record in candidates if record.own_hash == successor.previous_hash]
    if matching:
        genuine = matching[0]
        others = [record for record in candidates if record != genuine]
        inserted = [_inserted(record, "another one is in the chain") for record in others]
        return _Verdict(genuine, True, inserted)
    genuine, *others = candidates
    if not is_successor_trusted:
        return _Verdict(genuine, True, [_unproven(r, successor) for r in candidates])
    reason = f"version {successor.version} holds a different hash of it"
    altered = altered_record(genuine.key, genuine.version, reason)
    inserted = [_inserted(record, "it is not in the chain") for record in others]
    return _Verdict(genuine, False, [altered, *inserted])


def _judge_without_successor(candidates: list[AuditRecord]) -> _Verdict:
    if len(candidates) == 1:
        return _Verdict(candidates[0], True, [])
    reason = "nothing proves which of them is genuine"
    return _Verdict(candidates[0], False, [_inserted(record, reason) for record in candidates])


def _inserted(record: AuditRecord, reason: str) -> Difference:
    several = f"{reason}: there are several records of version {record.version}"
    return foreign_record(record.key, record.version, several)


def _unproven(record: AuditRecord, successor: AuditRecord) -> Difference:
    cause = f"the next record, {successor.key}, can't be trusted, so nothing proves this one"
    return Difference(Kind.AUDIT_UNPROVEN, record.product_id, cause, record.version, record.key)


def _missing(product_id: str, version: int) -> Difference:
    return missing_record(product_id, version, NOT_IN_S3)
