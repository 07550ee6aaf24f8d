"""What verification reads: the table, the search index and the audit trail. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from products.changes import Change
from products.reconciliation.differences import LogEntry, Observed


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product id to verify; ``after`` is the position from which the walk continues."""

    after: str
    product_id: str
    updated_at: datetime | None = None


class Logs(Protocol):
    """The product table. Each method may raise DependencyUnavailable."""

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        """Yield the product's log from its first version on, with consistent reads."""

    def change(self, product_id: str, version: int) -> Change | None: ...

    def records(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        """Return the records by id, with consistent reads.

        A record whose index keys do not match its content has the content None.
        """

    def name_owners(self, names: list[str]) -> dict[str, str]: ...

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]: ...

    def open_after(self, after: str | None) -> Iterator[Candidate]: ...

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        """Return when the product's changes from ``first`` to ``last`` were accepted."""


class Documents(Protocol):
    """The search index."""

    def documents(self, product_ids: Sequence[str]) -> dict[str, Observed]: ...

    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        """Yield the sorted ids of all documents, or of those updated since."""


class AuditRecords(Protocol):
    """The audit trail in S3, for reading. Each method may raise DependencyUnavailable."""

    def read(self, key: str) -> bytes | None: ...

    def keys_after(self, after: str = "", prefix: str = "") -> Iterator[str]:
        """Yield the sorted keys that follow ``after`` and begin with the prefix."""

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the folders one level below a prefix, e.g. ``2026/03/`` below ``2026/``."""
