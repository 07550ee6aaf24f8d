"""Audit records in S3, and the differences that concern them. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from products.reconciliation.audit_keys import product_of
from products.reconciliation.differences import Difference, Kind


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
    product_id = product_of(key)
    if not product_id:
        return None
    own_hash = hash_of(body)
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


def hash_of(body: bytes) -> str:
    """Return the hash of an audit record in S3, comparable with ``audit_hash`` of the change."""
    return hashlib.sha256(body).hexdigest()


def altered_record(key: str, version: int | None, reason: str) -> Difference:
    """Return the difference of a record whose content is not what was written."""
    cause = f"{key} was altered: {reason}"
    return Difference(Kind.AUDIT_ALTERED, product_of(key), cause, version or None, key)


def missing_record(product_id: str, version: int, reason: str) -> Difference:
    """Return the difference of a version that has no record."""
    return Difference(Kind.AUDIT_MISSING, product_id, reason, version, f"v{version}")


def foreign_record(key: str, version: int | None, reason: str) -> Difference:
    """Return the difference of a record, or another object, that no change explains."""
    cause = f"S3 has {key}, but {reason}"
    return Difference(Kind.AUDIT_OF_NO_CHANGE, product_of(key), cause, version or None, key)


def foreign_object(key: str) -> Difference:
    """Return the difference of an object whose key is not the key of an audit record."""
    return foreign_record(key, None, "it is not the key of an audit record")
