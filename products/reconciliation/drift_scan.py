"""The scheduled drift scan: verify the catalogue in steps of a few seconds, and report. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from products.errors import DependencyUnavailable
from products.reconciliation.differences import Difference
from products.reconciliation.verification import Batch, Stage, Verification

TIME_BUDGET = timedelta(seconds=5)
"""How long one step takes; the next step continues where it ended."""
MAX_KEPT = 50  # differences kept in a scan; all are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan of the catalogue: its position, what it has checked by stage, and its findings.

    ``interrupted`` says which dependency was unavailable in the last step.
    """

    began_at: datetime
    updated_at: datetime
    stage: Stage = Stage.ACTIVE
    after: str | None = None
    checked: Mapping[Stage, int] = field(default_factory=dict)
    difference_count: int = 0
    kept_differences: tuple[Difference, ...] = ()
    interrupted: str = ""

    def advanced(self, batch: Batch, at: datetime) -> "Scan":
        """Return the scan after the batch."""
        checked = dict(self.checked)
        checked[batch.stage] = checked.get(batch.stage, 0) + batch.checked
        differences = (*self.kept_differences, *batch.differences)
        return replace(
            self,
            updated_at=at,
            stage=batch.stage,
            after=batch.after,
            checked=checked,
            difference_count=self.difference_count + len(batch.differences),
            kept_differences=differences[:MAX_KEPT],
        )


@dataclass(frozen=True, slots=True)
class ScanState:
    """The last complete scan and the running one; ``sequence`` counts the steps."""

    sequence: int = 0
    last: Scan | None = None
    running: Scan | None = None


class ScanTable(Protocol):
    def scan_state(self) -> ScanState | None: ...

    def save(self, state: ScanState) -> bool:
        """Store the state after a step; return False when another worker has stored this step."""


@dataclass(slots=True)
class _Step:
    """One step of a scan, with the differences it has found."""

    scan: Scan
    is_last: bool = False
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftScan:
    """Verify the catalogue step by step; ``on_difference`` reports each difference."""

    table: ScanTable
    verification: Verification
    on_difference: Callable[[Difference], None]
    clock: Callable[[], datetime]

    def step(self) -> ScanState:
        """Continue the scan for TIME_BUDGET, or begin a new one.

        Two concurrent steps do the same work, and the findings of the slower one are dropped.
        """
        previous = self.table.scan_state() or ScanState()
        now = self.clock()
        scan = previous.running or Scan(began_at=now, updated_at=now)
        step = self._walk(replace(scan, interrupted=""), deadline=now + TIME_BUDGET)
        sequence = previous.sequence + 1
        if step.is_last:
            state = ScanState(sequence, last=step.scan)
        else:
            state = ScanState(sequence, last=previous.last, running=step.scan)
        if self.table.save(state):
            for difference in step.differences:
                self.on_difference(difference)
        return state

    def _walk(self, scan: Scan, *, deadline: datetime) -> _Step:
        """Verify batch after batch until the deadline, the end, or an unavailable dependency."""
        step = _Step(scan)
        try:
            for batch in self.verification.walk(scan.stage, scan.after):
                step.scan = step.scan.advanced(batch, self.clock())
                step.differences += batch.differences
                if self.clock() >= deadline:
                    return step
        except DependencyUnavailable as fault:
            step.scan = replace(step.scan, updated_at=self.clock(), interrupted=str(fault))
            return step
        step.scan = replace(step.scan, updated_at=self.clock())
        step.is_last = True
        return step
