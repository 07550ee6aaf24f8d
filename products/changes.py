"""The entries of the change log: their hash chain, and the progress of their effects. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from products.authority import COMMAND, Authority
from products.documents import format_timestamp, to_document
from products.errors import CorruptChange, Invalid
from products.idempotency import IdempotencyKey
from products.permissions import Permission
from products.product import Product

MAX_REASON_LENGTH = 200  # characters

type ChangeKey = tuple[str, int]
"""The product ID and the version of a change."""


class ChangeType(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    RESTORE = "RESTORE"


class Effect(StrEnum):
    """What follows from every accepted change, named by the state it reaches."""

    STORED = "stored"
    PURGED = "purged"
    SEARCHABLE = "searchable"
    AUDITED = "audited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an effect is not done yet. A ``permanent`` failure needs a person; retries don't help.

    ``waiting_for`` names the unavailable dependency that the effect waits for, if it is one.
    """

    reason: str
    at: datetime
    attempts: int
    permanent: bool
    waiting_for: str = ""

    @property
    def sentence(self) -> str:
        """The reason, in words for staff."""
        if self.waiting_for:
            return f"Waiting for {self.waiting_for}, retried automatically: {self.reason}"
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Who gave an effect up, and why. It will not be done any more."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who made a write, from where, in which request, and optionally why. Every write has one.

    ``permissions`` are those of the caller, and ``authority`` is what gives them. They are not
    stored: a stored origin has none.
    """

    actor: str
    source: str
    request_id: str
    reason: str = ""
    idempotency_key: IdempotencyKey | None = None
    permissions: frozenset[Permission] = field(default=frozenset(), compare=False, repr=False)
    authority: Authority = field(default=COMMAND, compare=False, repr=False)

    def __post_init__(self) -> None:
        validate_reason(self.reason)


def validate_reason(reason: str) -> None:
    """Raise Invalid when the reason is longer than MAX_REASON_LENGTH."""
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid({"reason": [f"Must have at most {MAX_REASON_LENGTH} characters."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entry of a product's change log: one accepted write.

    Only the last six fields ever change: they track the progress of the effects. ``requeues``
    is how often the relay requeued the change, and when it did so last. ``last_invalidation`` is
    the number of the latest invalidation right after the record was stored.
    """

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
    last_invalidation: int | None = None

    def state(self, effect: Effect) -> str:
        """Return the state of one effect.

        It is ``done``, ``pending``, ``retrying``, ``failed``, ``discarded``, or ``not configured``.
        """
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
    def progressed_at(self) -> datetime:
        """When the last effect so far was done or discarded; without any, the acceptance."""
        discards = (discard.at for discard in self.discarded.values())
        return max([self.accepted_at, *self.done.values(), *discards])

    @property
    def status(self) -> str:
        """The state of the whole write: ``complete``, ``failed``, ``stored`` or ``accepted``."""
        if not self.open:
            return "complete"
        if any(self.state(effect) == "failed" for effect in self.open):
            return "failed"
        return "accepted" if Effect.STORED in self.open else "stored"


def change_type(before: Product | None, after: Product) -> ChangeType:
    """Return the type of the change between these two versions of a product."""
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
    """Return the change that makes ``after`` the newest version of its product.

    It gets its version and time here, is chained to ``previous``, and is hashed. Times rise
    strictly within a product even if the clocks of two hosts differ, so audit keys never collide.
    """
    version = previous.version + 1 if previous else 1
    if previous:
        at = max(at, previous.accepted_at + timedelta(microseconds=1))
    else:
        after = replace(after, created_at=at)
    after = replace(after, version=version, updated_at=at, updated_by=origin.actor)
    before = previous.after if previous else None
    change = Change(
        product_id=after.product_id,
        version=version,
        change_id=change_id,
        change_type=change_type(before, after),
        origin=origin,
        accepted_at=at,
        before=before,
        after=after,
        previous_hash=previous.record_hash if previous else None,
        open=effects,
    )
    return replace(change, record_hash=audit_hash(change))


def is_unaltered(change: Change) -> bool:
    """Whether the contents of the change match its hash."""
    return audit_hash(change) == change.record_hash


def verified(change: Change) -> Change:
    """Return the change, or raise CorruptChange if its contents do not match its hash."""
    if not is_unaltered(change):
        raise CorruptChange(
            f"Version {change.version} of {change.product_id} was altered after it was accepted."
        )
    return change


# The audit trail


def canonical_json(document: Any) -> bytes:
    """Return the document as JSON in UTF-8, with sorted keys and no whitespace.

    Anyone can compute the hash of a document again from this form.
    """
    text = json.dumps(
        document,
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        default=_decimal_text,
    )
    return text.encode()


def _decimal_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def audit_record(change: Change) -> dict[str, Any]:
    """Return what the audit trail keeps of a change.

    The hash of this record is the ``previousHash`` of the product's next change.
    """
    origin = change.origin
    record = {
        "timestamp": format_timestamp(change.accepted_at),
        "user": origin.actor,
        "source": origin.source,
        "requestId": origin.request_id,
        "changeType": str(change.change_type),
        "changeId": change.change_id,
        "productId": change.product_id,
        "version": change.version,
        "before": to_document(change.before) if change.before else None,
        "after": to_document(change.after),
        "previousHash": change.previous_hash,
    }
    if origin.reason:
        record["reason"] = origin.reason
    return record


def audit_hash(change: Change) -> str:
    """Return the SHA-256 of the change's audit record, as hexadecimal text."""
    return hashlib.sha256(canonical_json(audit_record(change))).hexdigest()


def audit_key(change: Change) -> str:
    """Return the key: ``{year}/{month}/{day}/{productId}_{timestamp}.json``."""
    return audit_key_at(change.product_id, change.accepted_at)


def audit_key_at(product_id: str, accepted_at: datetime) -> str:
    """Return the key of the product's change that was accepted at this time."""
    day, time = f"{accepted_at:%Y/%m/%d}", f"{accepted_at:%Y%m%dT%H%M%S.%fZ}"
    return f"{day}/{product_id}_{time}.json"
