"""What each client asked for and what it was told: one side of every promise that is checked. Pure but for a lock."""

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
    UNKNOWN = "unknown"  # the connection was cut, or 503: it may have been accepted or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer to one attempt. ``version`` is None where the answer names none, as a page of the admin may."""

    request_id: str
    outcome: Outcome
    status: int | None = None
    version: int | None = None
    conflicts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Write:
    """One write of one product, with all its attempts. ``edits`` are by the names of the API.

    ``base`` is the version the client started from, ``only_if`` the one it insisted on; ``takes_back`` and ``back_to``
    are the versions an undo and a restore are about. ``once``: it was sent under a key, and may be sent again.
    ``together`` names the batch of all or none it is a part of; ``began`` is when it was sent, as the log has times.
    """

    write_id: str
    client: str
    kind: str
    product_id: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    expected_version: int | None = None
    takes_back: int | None = None
    back_to: int | None = None
    once: bool = False
    together: str = ""
    began: str = ""
    told: list[Told] = field(default_factory=list)

    @property
    def final(self) -> Told | None:
        """The last definite answer."""
        return next(
            (told for told in reversed(self.told) if told.outcome is not Outcome.UNKNOWN), None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a client read after it had been told ``at_least``. ``version`` 0 when the product was not there at all."""

    client: str
    where: str
    product_id: str
    at_least: int
    version: int
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A bulk edit: what its plan said, and the products it was about."""

    job_id: str
    client: str
    product_ids: tuple[str, ...]
    price: str


@dataclass
class Ledger:
    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    bulks: list[Bulk] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Answers no client may ever get, such as a 500."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, entry: Write | Read | Bulk) -> None:
        kept: list[Any] = self.writes if isinstance(entry, Write) else self.reads
        if isinstance(entry, Bulk):
            kept = self.bulks
        with self.lock:
            kept.append(entry)

    def complain(self, what: str) -> None:
        with self.lock:
            self.errors.append(what)

    def count(self) -> int:
        with self.lock:
            return len(self.writes) + sum(len(bulk.product_ids) for bulk in self.bulks)

    def outcomes(self) -> dict[str, int]:
        """How many writes were told what in the end."""
        found = dict.fromkeys(map(str, Outcome), 0)
        for write in self.writes:
            found[write.final.outcome if write.final else Outcome.UNKNOWN] += 1
        return found
