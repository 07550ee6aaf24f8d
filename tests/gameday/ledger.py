"""The ledger: what each client asked for, and how the product answered."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


def now_text() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # 503 or no response: the write may have been accepted or not


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientResult:
    """The answer to one attempt. ``version`` is None where the answer contains no version."""

    request_id: str
    outcome: Outcome
    status: int | None = None
    version: int | None = None
    conflicts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Write:
    """One write of one product, with the results of all its attempts.

    ``edits`` use the API's field names. ``base`` is the version that the client started from, and
    ``expected_version`` the one that it required. ``undoes`` and ``restores`` are the versions of
    an undo and of a restore. ``has_key`` says that it had an idempotency key. ``batch_id`` names
    the all-or-none batch that it is part of. ``sent_at`` is a timestamp in the log's format.
    """

    write_id: str
    client: str
    kind: str
    product_id: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    expected_version: int | None = None
    undoes: int | None = None
    restores: int | None = None
    has_key: bool = False
    batch_id: str = ""
    sent_at: str = ""
    results: list[ClientResult] = field(default_factory=list)

    @property
    def final(self) -> ClientResult | None:
        """The last result whose outcome is known."""
        return next(
            (result for result in reversed(self.results) if result.outcome is not Outcome.UNKNOWN),
            None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a client read after the product had answered with ``min_version``.

    ``version`` is 0 when the product was not found.
    """

    client: str
    where: str
    product_id: str
    min_version: int
    version: int
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A bulk edit: the products and the price of its plan."""

    job_id: str
    client: str
    product_ids: tuple[str, ...]
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A plan of one price, with its times as texts in UTC."""

    plan_id: str
    product_ids: tuple[str, ...]
    price: str
    starts_at: str
    ends_at: str


@dataclass
class Ledger:
    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    bulks: list[Bulk] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Answers that no client may get, such as a 500."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, entry: Write | Read | Bulk | Campaign) -> None:
        kept: dict[type, list[Any]] = {
            Write: self.writes,
            Read: self.reads,
            Bulk: self.bulks,
            Campaign: self.campaigns,
        }
        with self.lock:
            kept[type(entry)].append(entry)

    def record_error(self, what: str) -> None:
        with self.lock:
            self.errors.append(what)

    def count(self) -> int:
        with self.lock:
            return len(self.writes) + sum(len(bulk.product_ids) for bulk in self.bulks)

    def outcomes(self) -> dict[str, int]:
        """Return the number of writes by their final outcome."""
        found = dict.fromkeys(map(str, Outcome), 0)
        for write in self.writes:
            found[write.final.outcome if write.final else Outcome.UNKNOWN] += 1
        return found
