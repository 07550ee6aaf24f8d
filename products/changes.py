"""The change log's entries: what a change is, how it is chained and hashed, and how far its effects have come. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from products.documents import format_timestamp, to_document
from products.errors import CorruptChange, Invalid
from products.idempotency import IdempotencyKey
from products.product import Product

MAX_REASON_LENGTH = 200  # characters


class ChangeType(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    RESTORE = "RESTORE"


class Effect(StrEnum):
    """What every accepted change sets off, named by the state it reaches."""

    STORED = "stored"
    PURGED = "purged"
    SEARCHABLE = "searchable"
    AUDITED = "audited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an effect has not come about yet. ``permanent``: repeating it alone will not help."""

    reason: str
    at: datetime
    attempts: int
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Why a person gave an effect up, which will not come about any more."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who writes, from where, under which request id, and why if they say so: a required part of every write."""

    actor: str
    source: str
    request_id: str
    reason: str = ""
    idempotency_key: IdempotencyKey | None = None

    def __post_init__(self) -> None:
        validate_reason(self.reason)


def validate_reason(reason: str) -> None:
    """Raise Invalid when the reason is longer than MAX_REASON_LENGTH."""
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid({"reason": [f"Must have at most {MAX_REASON_LENGTH} characters."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One accepted write. All of it is immutable but the last five fields, which tell how its effects fare."""

    product_id: str
    version: int
    change_id: str
    change_type: ChangeType
    origin: Origin
    accepted_at: datetime
    before: Product | None
    after: Product
    previous_hash: str | None
    record_hash: str = ""
    open: frozenset[Effect] = frozenset(Effect)
    done: Mapping[Effect, datetime] = field(default_factory=dict)
    failures: Mapping[Effect, Failure] = field(default_factory=dict)
    requeues: tuple[int, datetime | None] = (0, None)
    discarded: Mapping[Effect, Discard] = field(default_factory=dict)

    def state(self, effect: Effect) -> str:
        """``done``, ``pending``, ``retrying``, ``failed``, ``discarded`` or ``not configured``."""
        if effect in self.done:
            return "done"
        if effect in self.discarded:
            return "discarded"
        if effect not in self.open:
            return "not configured"
        failure = self.failures.get(effect)
        if failure is None:
            return "pending"
        return "failed" if failure.permanent else "retrying"

    @property
    def status(self) -> str:
        """The whole write in one word: ``complete``, ``failed``, ``stored`` or ``accepted``."""
        if not self.open:
            return "complete"
        if any(self.state(effect) == "failed" for effect in self.open):
            return "failed"
        return "accepted" if Effect.STORED in self.open else "stored"


def change_type(before: Product | None, after: Product) -> ChangeType:
    if before is None:
        return ChangeType.CREATE
    if before.active != after.active:
        return ChangeType.RESTORE if after.active else ChangeType.DELETE
    return ChangeType.UPDATE


def next_change(
    previous: Change | None,
    after: Product,
    origin: Origin,
    *,
    at: datetime,
    change_id: str,
    effects: frozenset[Effect],
) -> Change:
    """The change that makes ``after`` the newest version; it is stamped, chained to ``previous`` and hashed here.

    Times rise strictly within a product, whatever the clocks of two hosts say, so audit keys never collide.
    """
    if previous:
        at = max(at, previous.accepted_at + timedelta(microseconds=1))
    version = previous.version + 1 if previous else 1
    after = replace(after, version=version, updated_at=at, updated_by=origin.actor)
    if not previous:
        after = replace(after, created_at=at)
    change = Change(
        product_id=after.product_id,
        version=version,
        change_id=change_id,
        change_type=change_type(previous.after if previous else None, after),
        origin=origin,
        accepted_at=at,
        before=previous.after if previous else None,
        after=after,
        previous_hash=previous.record_hash if previous else None,
        open=effects,
    )
    return replace(change, record_hash=audit_hash(change))


def verified(change: Change) -> Change:
    """The change, or CorruptChange when it is not what was accepted."""
    if audit_hash(change) != change.record_hash:
        raise CorruptChange(
            f"Version {change.version} of {change.product_id} was altered after it was accepted."
        )
    return change


# The audit trail


def canonical_json(document: Any) -> bytes:
    """The one way to write a document, so that its hash can be computed again by anyone: sorted keys, UTF-8."""
    return json.dumps(
        document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain
    ).encode()


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no wire form for {type(value).__name__}")


def audit_record(change: Change) -> dict[str, Any]:
    """What the audit trail keeps of a change; its hash is the next change's ``previousHash``."""
    reason = {"reason": change.origin.reason} if change.origin.reason else {}
    return reason | {
        "timestamp": format_timestamp(change.accepted_at),
        "user": change.origin.actor,
        "source": change.origin.source,
        "requestId": change.origin.request_id,
        "changeType": str(change.change_type),
        "changeId": change.change_id,
        "productId": change.product_id,
        "version": change.version,
        "before": to_document(change.before) if change.before else None,
        "after": to_document(change.after),
        "previousHash": change.previous_hash,
    }


def audit_hash(change: Change) -> str:
    return hashlib.sha256(canonical_json(audit_record(change))).hexdigest()


def audit_key(change: Change) -> str:
    """``{year}/{month}/{day}/{productId}_{timestamp}.json`` (DESIGN §6)."""
    return f"{change.accepted_at:%Y/%m/%d}/{change.product_id}_{change.accepted_at:%Y%m%dT%H%M%S.%fZ}.json"
