"""What may become of an effect instead of coming about. Pure."""

from dataclasses import dataclass
from datetime import datetime


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
