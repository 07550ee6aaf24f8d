"""The hash chain of the audit trail: what S3 alone proves, and what the log proves as well. Pure.

Each record holds the hash of its predecessor, so a record is proven by its successor. The newest
record has none: only the log proves that it is unaltered and that no newer record is missing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from products.changes import Change, Effect, audit_hash, audit_key
from products.reconciliation.comparison import hash_of
from products.reconciliation.differences import Difference, Kind, LogEntry
from products.reconciliation.sources import AUDIT_KEY


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One audit record in S3; ``version`` is 0 when its content does not match its key."""

    product_id: str
    version: int
    key: str
    own_hash: str
    previous_hash: str | None


def audit_record_of(key: str, body: bytes) -> AuditRecord | None:
    """Parse an audit record; return None when the key is not the key of an audit record."""
    match = AUDIT_KEY.fullmatch(key)
    if match is None:
        return None
    product_id, own_hash = match["product_id"], hash_of(body)
    try:
        record = json.loads(body)
        version = _genuine_version(key, record)
        previous_hash = record["previousHash"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return AuditRecord(product_id, 0, key, own_hash, None)
    return AuditRecord(product_id, version, key, own_hash, previous_hash)


def _genuine_version(key: str, record: dict[str, Any]) -> int:
    """Return the record's version, or 0 when the record does not belong under the key."""
    compact_time = record["timestamp"].replace("-", "").replace(":", "")
    is_under_its_key = key.endswith(f"/{record['productId']}_{compact_time}.json")
    version = record["version"]
    if is_under_its_key and isinstance(version, int) and version > 0:
        return version
    return 0


# By S3 alone


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
    found = [_altered(r, "its content is not the record that its key names") for r in unreadable]
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
            found.append(_altered(successor, "it is the first, but it names a predecessor"))
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
    altered = _altered(genuine, f"version {successor.version} holds a different hash of it")
    inserted = [_inserted(record, "it is not in the chain") for record in others]
    return _Verdict(genuine, False, [altered, *inserted])


def _judge_without_successor(candidates: list[AuditRecord]) -> _Verdict:
    if len(candidates) == 1:
        return _Verdict(candidates[0], True, [])
    reason = "nothing proves which of them is genuine"
    return _Verdict(candidates[0], False, [_inserted(record, reason) for record in candidates])


def _altered(record: AuditRecord, reason: str) -> Difference:
    cause = f"{record.key} was altered: {reason}"
    version = record.version or None
    return Difference(Kind.AUDIT_ALTERED, record.product_id, cause, version, record.key)


def _inserted(record: AuditRecord, reason: str) -> Difference:
    cause = (
        f"{record.key} was inserted: there are several records of version {record.version}, "
        f"and {reason}"
    )
    kind = Kind.AUDIT_OF_NO_CHANGE
    return Difference(kind, record.product_id, cause, record.version, record.key)


def _unproven(record: AuditRecord, successor: AuditRecord) -> Difference:
    cause = f"the next record, {successor.key}, can't be trusted, so nothing proves this one"
    return Difference(Kind.AUDIT_UNPROVEN, record.product_id, cause, record.version, record.key)


def _missing(product_id: str, version: int) -> Difference:
    cause = (
        "S3 has no audit record of it, but has one of a later version (it may still be in progress)"
    )
    return Difference(Kind.AUDIT_MISSING, product_id, cause, version, f"v{version}")


# Against the log


def log_differences(
    product_id: str, records: Sequence[AuditRecord], entries: Iterable[LogEntry]
) -> Iterator[Difference]:
    """Compare one product's records with its log, which has every key and every hash."""
    unmatched = {record.key: record for record in records}
    previous: Change | None = None
    for entry in entries:
        change = entry.change
        if change is None or not _is_intact(change, previous):
            yield _altered_change(product_id, entry.version)
        if change is None:
            continue
        previous = change
        record = unmatched.pop(audit_key(change), None)
        difference = _record_difference(product_id, change, record)
        if difference:
            yield difference
    for record in unmatched.values():
        cause = f"{record.key} was inserted: no change in the log has this key"
        version = record.version or None
        yield Difference(Kind.AUDIT_OF_NO_CHANGE, product_id, cause, version, record.key)


def _is_intact(change: Change, previous: Change | None) -> bool:
    if audit_hash(change) != change.record_hash:
        return False
    if previous is None or previous.version + 1 != change.version:
        return True
    return change.previous_hash == previous.record_hash


def _record_difference(
    product_id: str, change: Change, record: AuditRecord | None
) -> Difference | None:
    if record is None:
        if Effect.AUDITED not in change.done:
            return None
        cause = f"{audit_key(change)} was written and is missing from S3"
        version = change.version
        return Difference(Kind.AUDIT_MISSING, product_id, cause, version, f"v{version}")
    if record.own_hash != change.record_hash:
        return _altered(record, "the log has a different hash of it")
    return None


def _altered_change(product_id: str, version: int) -> Difference:
    cause = "the log entry is not the change that was accepted, so it proves no audit record"
    return Difference(Kind.CHANGE_ALTERED, product_id, cause, version, f"v{version}")
