"""Requests that may be repeated and shall take effect once: their key, and the answer that is remembered. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from products.errors import Conflict

RETENTION = timedelta(hours=24)
"""How long the answer to a request with an Idempotency-Key is kept (DESIGN §3)."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A request that may be repeated and shall take effect once: its Idempotency-Key, and a hash of all it asks."""

    key: str
    fingerprint: str


class IdempotencyKeyReused(Conflict):
    """The same Idempotency-Key came with another request before."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request within the last 24 hours."
        )


class DuplicateRequest(Conflict):
    """The same request was answered a moment ago, while this one was under way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The version a write came to, and whether it made that."""

    product_id: str
    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is remembered of a request with an Idempotency-Key: what each of its writes came to."""

    fingerprint: str
    outcomes: tuple[Outcome, ...]
