"""The drift check on a schedule: rounds through the catalogue in slices of a few seconds, which only report. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from products.errors import EngineAway
from products.reconciliation.differences import Difference
from products.reconciliation.verification import Batch, Stage, Verification

SLICE = timedelta(seconds=5)
KEPT_MOST = 50  # differences of a round that are kept one by one; all are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One way through the catalogue: how far it has come, what it has looked at, by stage, and what it has found."""

    began_at: datetime
    moved_at: datetime
    stage: Stage = Stage.ACTIVE
    after: str | None = None
    checked: Mapping[Stage, int] = field(default_factory=dict)
    differences: int = 0
    found: tuple[Difference, ...] = ()
    interrupted: str = ""

    def past(self, batch: Batch, at: datetime) -> "Round":
        checked = dict(self.checked) | {
            batch.stage: self.checked.get(batch.stage, 0) + batch.checked
        }
        return replace(
            self,
            moved_at=at,
            stage=batch.stage,
            after=batch.after,
            checked=checked,
            differences=self.differences + len(batch.found),
            found=(*self.found, *batch.found)[:KEPT_MOST],
        )


@dataclass(frozen=True, slots=True)
class Check:
    """The last round that came to its end, and the one under way; ``turn`` counts the slices."""

    turn: int = 0
    last: Round | None = None
    running: Round | None = None


class CheckTable(Protocol):
    def last_check(self) -> Check | None: ...

    def step(self, check: Check) -> bool:
        """Write down this turn; False when another slice has taken it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    table: CheckTable
    verification: Verification
    tell: Callable[[Difference], None]
    clock: Callable[[], datetime]

    def slice(self) -> Check:
        """Go on for SLICE. Two slices at once do the same work, and what the slower one found is dropped."""
        standing = self.table.last_check() or Check()
        began = self.clock()
        start = standing.running or Round(began_at=began, moved_at=began)
        found: list[Difference] = []
        reached, ended = self._walked(replace(start, interrupted=""), began + SLICE, found)
        last, running = (reached, None) if ended else (standing.last, reached)
        check = Check(standing.turn + 1, last, running)
        if self.table.step(check):
            for difference in found:
                self.tell(difference)
        return check

    def _walked(
        self, reached: Round, until: datetime, found: list[Difference]
    ) -> tuple[Round, bool]:
        """The round after as many batches as there was time for, and whether that was its end."""
        try:
            for batch in self.verification.walk(reached.stage, reached.after):
                reached = reached.past(batch, self.clock())
                found += batch.found
                if self.clock() >= until:
                    return reached, False
        except EngineAway as away:
            return replace(reached, moved_at=self.clock(), interrupted=str(away)), False
        return replace(reached, moved_at=self.clock()), True
