"""A plan: its times, its rows, its state, and the names of the changes it makes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from products.authority import COMMAND, Authority
from products.changes import MAX_REASON_LENGTH, Change
from products.errors import Conflict, NotFound
from products.permissions import Permission

MAX_ROWS = 1000
MAX_NAME_LENGTH = 100  # characters
HORIZON = timedelta(days=730)
"""How far in the future a plan may start or end."""
RETENTION = timedelta(days=1096)
"""How long a plan is kept after it was made: a year after the last day that it may end."""
SOURCE = "plan"
"""The source of the changes that a plan makes."""

type FieldChanges = Mapping[str, tuple[Any, Any]]
"""The value before and the value after, by field."""


class PlanState(StrEnum):
    SCHEDULED = "scheduled"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    CANCELLED = "cancelled"
    MISSED = "missed"
    """Its end had passed before its start could be made, so nothing was changed."""


class Step(StrEnum):
    START = "start"
    END = "end"


class ClashRule(StrEnum):
    """What happens to a row if others changed the same field after the plan was made."""

    KEEP = "keep"
    """Their value stays, and the row is left out."""
    APPLY = "apply"
    """The plan's value is set."""


class RowState(StrEnum):
    """What became of a row at one of its steps."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """Others changed the same field, and their value stays."""
    REFUSED = "refused"


BEFORE_START = frozenset({PlanState.SCHEDULED, PlanState.STARTING})
WHILE_RUNNING = frozenset({PlanState.RUNNING, PlanState.ENDING})
FINAL = frozenset({PlanState.ENDED, PlanState.CANCELLED, PlanState.MISSED})
STEP_STATES = {Step.START: PlanState.STARTING, Step.END: PlanState.ENDING}
"""The state of a plan while a step is being made."""


class PlanNotFound(NotFound):
    def __init__(self, plan_id: str) -> None:
        super().__init__(f"There is no plan {plan_id[:64]!r}.")


class PlanStateConflict(Conflict):
    """The plan's current state does not allow the action."""


class PlanVersionMismatch(Conflict):
    """The caller required one version (If-Match), and the plan has another by now."""

    def __init__(self, plan: "Plan") -> None:
        self.plan = plan
        super().__init__(f"The plan is at version {plan.version} by now.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What became of a row at its start or its end.

    ``version`` is the product's version after the step. ``changed`` are the changes that it made.
    """

    state: RowState
    version: int | None = None
    changed: FieldChanges = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One product of a plan.

    ``base`` is the version that the row was planned on. ``changed`` holds what the start will
    change, as it was foreseen then. ``start`` and ``end`` are None until these steps are made.
    ``chunk`` is the part of the plan in which the row is stored.
    """

    number: int
    product_id: str
    name: str
    currency: str
    edits: Mapping[str, Any]
    base: int
    changed: FieldChanges = field(default_factory=dict)
    start: RowOutcome | None = None
    end: RowOutcome | None = None
    chunk: int = 0

    @property
    def has_started(self) -> bool:
        """Whether the start set the row's fields, or found them set."""
        return self.start is not None and self.start.version is not None

    def outcome(self, step: Step) -> RowOutcome | None:
        return self.start if step is Step.START else self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Edits of products that start at one time, and perhaps end at another.

    ``version`` counts what people did to the plan; ``sequence`` counts everything that was saved.
    ``zone`` is the IANA name of the time zone in which the times were typed. The rows are stored
    in ``chunks``. ``permissions`` are those that the rows need, and ``authority`` is what gave them
    to the owner. ``started_at`` and ``ended_at`` are when these steps were complete.
    """

    plan_id: str
    name: str
    owner: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    rows: int
    chunks: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    permissions: frozenset[Permission]
    authority: Authority = COMMAND
    reason: str = ""
    clash_rule: ClashRule = ClashRule.KEEP
    state: PlanState = PlanState.SCHEDULED
    version: int = 1
    sequence: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    counts: Mapping[Step, Mapping[RowState, int]] = field(default_factory=dict)

    @property
    def next_step(self) -> Step | None:
        """The step that is still to be made."""
        if self.state in BEFORE_START:
            return Step.START
        return Step.END if self.state in WHILE_RUNNING else None

    @property
    def due(self) -> datetime | None:
        """When the next step is to be made."""
        if self.next_step is None:
            return None
        return self.starts_at if self.next_step is Step.START else self.ends_at

    def time_of(self, step: Step) -> datetime:
        """Return when the step is due. Raise ValueError for the end of a plan without one."""
        at = self.starts_at if step is Step.START else self.ends_at
        if at is None:
            raise ValueError(f"plan {self.plan_id} has no end")
        return at

    def is_late_at(self, now: datetime) -> bool:
        """Whether the end has passed before the start was made."""
        return self.next_step is Step.START and self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Entry:
    """One product's row of a plan."""

    plan: Plan
    row: PlanRow

    @property
    def order(self) -> tuple[datetime, str]:
        """The order in which plans start. Of two plans, the later one wins."""
        return self.plan.starts_at, self.plan.plan_id

    @property
    def is_running(self) -> bool:
        """Whether the row's values are set, and are to be taken back."""
        has_end = self.plan.ends_at is not None and self.plan.state not in FINAL
        return has_end and self.row.has_started and self.row.end is None


def request_id_of(plan: Plan, step: Step) -> str:
    """Return the request ID of the changes that this step makes. ``is_of_campaign`` reads it."""
    if step is Step.START and plan.ends_at is None:
        return f"{plan.plan_id}-set"
    return f"{plan.plan_id}-{step}"


def is_by_people(change: Change) -> bool:
    """Whether no plan made the change."""
    return change.origin.source != SOURCE


def is_of_campaign(change: Change) -> bool:
    """Whether a plan with an end made the change: it takes it back, or has taken it back by it.

    A plan without an end changes a product as an editor does.
    """
    return not is_by_people(change) and change.origin.request_id.endswith(("-start", "-end"))


def plan_id_of(change: Change) -> str | None:
    """Return the ID of the plan that made the change, None for a change of another source."""
    if change.origin.source != SOURCE:
        return None
    return change.origin.request_id.rpartition("-")[0]


def made_by(plan: Plan, step: Step, changes: Sequence[Change]) -> Change | None:
    """Return the change among these that the plan's step made."""
    wanted = request_id_of(plan, step)
    return next(
        (c for c in changes if c.origin.source == SOURCE and c.origin.request_id == wanted), None
    )


def reason_of(plan: Plan, late_by: timedelta) -> str:
    """Return the reason of the changes: the plan's name, its reason, and how late they are."""
    text = f"{plan.name}: {plan.reason}" if plan.reason else plan.name
    if late_by >= timedelta(minutes=1):
        suffix = f" (late by {_duration(late_by)})"
        return text[: MAX_REASON_LENGTH - len(suffix)] + suffix
    return text[:MAX_REASON_LENGTH]


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
