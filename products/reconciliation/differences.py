"""What can be found that is not as the log says, and the facts that are compared. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from products.changes import Change
from products.product import Product


class Kind(StrEnum):
    """What is not as the log says."""

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


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the log says, with its cause in plain words.

    ``version`` is the one that should be there, ``subject`` tells several of one kind and product apart: the name that
    is claimed, the key in S3, the version. ``observed_version`` is the version that was found instead.
    """

    kind: Kind
    product_id: str
    cause: str
    version: int | None = None
    subject: str = ""
    observed_version: int | None = None

    @property
    def identity(self) -> tuple[Kind, str, str]:
        """Equal for what two looks see of one difference."""
        return (self.kind, self.product_id, self.subject)

    def __str__(self) -> str:
        version = f" v{self.version}" if self.version else ""
        return f"{self.kind}  {self.product_id}{version}: {self.cause}"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One place in a product's log: ``change`` is None where what stands there can't be read; ``listed`` says whether
    it is in the index of open changes."""

    version: int
    change: Change | None
    listed: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """A record or a document as it was found: its version, and what it says - None when that can't be read."""

    version: int | None
    content: Product | dict[str, Any] | None
