"""The drift check on a schedule: rounds through the catalogue in slices of a few seconds, which only report. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from products.errors import DependencyUnavailable
from products.reconciliation.differences import Difference
from products.reconciliation.verification import Batch, Stage, Verification

TIME_BUDGET = timedelta(seconds=5)
MAX_KEPT = 50  # differences of a round that are kept one by one; all are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One way through the catalogue: how far it has come, what it has looked at, by stage, and what it has found."""

    began_at: datetime
    updated_at: datetime
    stage: Stage = Stage.ACTIVE
    after: str | None = None
    checked: Mapping[Stage, int] = field(default_factory=dict)
    difference_count: int = 0
    kept_differences: tuple[Difference, ...] = ()
    interrupted: str = ""

    def past(self, batch: Batch, at: datetime) -> "Scan":
        checked = dict(self.checked) | {
            batch.stage: self.checked.get(batch.stage, 0) + batch.checked
        }
        return replace(
            self,
            updated_at=at,
            stage=batch.stage,
            after=batch.after,
            checked=checked,
            difference_count=self.difference_count + len(batch.differences),
            kept_differences=(*self.kept_differences, *batch.differences)[:MAX_KEPT],
        )


@dataclass(frozen=True, slots=True)
class ScanState:
    """The last round that came to its end, and the one under way; ``turn`` counts the slices."""

    sequence: int = 0
    last: Scan | None = None
    running: Scan | None = None


class ScanTable(Protocol):
    def scan_state(self) -> ScanState | None: ...

    def save(self, state: ScanState) -> bool:
        """Write down this turn; False when another slice has taken it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftScan:
    table: ScanTable
    verification: Verification
    on_difference: Callable[[Difference], None]
    clock: Callable[[], datetime]

    def step(self) -> ScanState:
        """Go on for SLICE. Two slices at once do the same work, and what the slower one found is dropped."""
        standing = self.table.scan_state() or ScanState()
        began = self.clock()
        start = standing.running or Scan(began_at=began, updated_at=began)
        found: list[Difference] = []
        reached, ended = self._walked(replace(start, interrupted=""), began + TIME_BUDGET, found)
        last, running = (reached, None) if ended else (standing.last, reached)
        state = ScanState(standing.sequence + 1, last, running)
        if self.table.save(state):
            for difference in found:
                self.on_difference(difference)
        return state

    def _walked(self, reached: Scan, until: datetime, found: list[Difference]) -> tuple[Scan, bool]:
        """The round after as many batches as there was time for, and whether that was its end."""
        try:
            for batch in self.verification.walk(reached.stage, reached.after):
                reached = reached.past(batch, self.clock())
                found += batch.differences
                if self.clock() >= until:
                    return reached, False
        except DependencyUnavailable as away:
            return replace(reached, updated_at=self.clock(), interrupted=str(away)), False
        return replace(reached, updated_at=self.clock()), True
