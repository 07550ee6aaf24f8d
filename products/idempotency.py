"""Idempotency keys, and what is remembered of the requests that carry them. Pure.

A request may be sent again with the same key: it takes effect once and gets the same answer.
"""

from dataclasses import dataclass
from datetime import timedelta

from products.errors import Conflict

RETENTION = timedelta(hours=24)
"""How long the answer to a request with an Idempotency-Key is kept."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A request's Idempotency-Key, and a hash of everything the request asks for."""

    key: str
    fingerprint: str


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used before, for another request."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request within the last 24 hours."
        )


class DuplicateRequest(Conflict):
    """The same request was answered while this one was being processed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The version a product had after a write, and whether the write created that version."""

    product_id: str
    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is remembered of a request with an Idempotency-Key: the outcome of each write."""

    fingerprint: str
    outcomes: tuple[Outcome, ...]
