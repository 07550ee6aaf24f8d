"""What the index of open changes says of a change, without its contents. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from products.changes import ChangeKey, Effect, Failure


class OpenKey(NamedTuple):
    """Which change is open, as the index of open changes says; ``accepted_at`` as it is stored."""

    product_id: str
    version: int
    accepted_at: str

    @property
    def change_key(self) -> ChangeKey:
        return self.product_id, self.version


@dataclass(frozen=True, slots=True)
class OpenMark:
    """What the log knows of an open change without its contents: which effects are open."""

    product_id: str
    version: int
    accepted_at: datetime
    open: frozenset[Effect]
    failures: Mapping[Effect, Failure]

    def failed(self, effect: Effect) -> bool:
        """Whether the effect needs a person."""
        failure = self.failures.get(effect)
        return failure is not None and failure.permanent

    @property
    def has_failed(self) -> bool:
        return any(map(self.failed, self.open))

    @property
    def status(self) -> str:
        """The status of the change, as ``Change.status`` says it."""
        if self.has_failed:
            return "failed"
        return "accepted" if Effect.STORED in self.open else "stored"
