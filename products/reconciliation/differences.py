"""The kinds of difference from the change log, and the observed facts that are compared. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from products.changes import Change
from products.product import Product


class Kind(StrEnum):
    """The kind of a difference between the log and what follows from it."""

    CHANGE_ALTERED = "change-altered"
    VERSION_GAP = "version-gap"
    EFFECT_LATE = "effect-late"
    OPEN_FLAG_LEFT = "open-flag-left"
    OPEN_FLAG_MISSING = "open-flag-missing"
    RECORD_MISSING = "record-missing"
    RECORD_BEHIND = "record-behind"
    RECORD_DIFFERS = "record-differs"
    RECORD_OF_NO_CHANGE = "record-of-no-change"
    RECORD_OF_NO_PRODUCT = "record-of-no-product"
    CLAIM_MISSING = "claim-missing"
    CLAIM_OF_OTHER = "claim-of-other"
    CLAIM_LEFT = "claim-left"
    DOCUMENT_MISSING = "document-missing"
    DOCUMENT_BEHIND = "document-behind"
    DOCUMENT_DIFFERS = "document-differs"
    DOCUMENT_OF_NO_CHANGE = "document-of-no-change"
    DOCUMENT_OF_NO_PRODUCT = "document-of-no-product"
    AUDIT_MISSING = "audit-missing"
    AUDIT_ALTERED = "audit-altered"
    AUDIT_UNPROVEN = "audit-unproven"
    AUDIT_OF_NO_CHANGE = "audit-of-no-change"


AUDIT_KINDS = frozenset(
    {
        Kind.CHANGE_ALTERED,
        Kind.VERSION_GAP,
        Kind.AUDIT_MISSING,
        Kind.AUDIT_ALTERED,
        Kind.AUDIT_UNPROVEN,
        Kind.AUDIT_OF_NO_CHANGE,
    }
)
"""The differences that concern the audit trail, or the log that proves it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference from the log, with its cause in plain words.

    ``version`` is the expected version, and ``observed_version`` is the one found instead.
    ``subject`` distinguishes several differences of one kind and product: it is the claimed name,
    the key in S3, or the version.
    """

    kind: Kind
    product_id: str
    cause: str
    version: int | None = None
    subject: str = ""
    observed_version: int | None = None

    @property
    def identity(self) -> tuple[Kind, str, str]:
        """A key that is equal when two comparisons find the same difference."""
        return (self.kind, self.product_id, self.subject)

    def __str__(self) -> str:
        version = f" v{self.version}" if self.version else ""
        return f"{self.kind}  {self.product_id}{version}: {self.cause}"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a product's log.

    ``change`` is None when the entry can't be read. ``listed`` is whether the entry is in the index
    of open changes. ``accepted_at`` may be known even when the entry can't be read.
    """

    version: int
    change: Change | None
    listed: bool
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Observed:
    """An observed record or document; ``content`` is None when it can't be read."""

    version: int | None
    content: Product | dict[str, Any] | None
