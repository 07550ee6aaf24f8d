"""Making the steps of plans when they are due: their starts and their ends. Pure.

A step may be begun by two processes, and again after a crash. It takes effect once: a change that
it made before is found in the change log, and a write requires the version that was read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from products.appending import Doorbell
from products.changes import Origin
from products.parallel import MapFunction
from products.permissions import Permission
from products.plans.announcing import ANNOUNCED, LEAD, MAX_LEAD, lead_of, message_delay, near_delay
from products.plans.grants import Grant, grantee_of, grants_of
from products.plans.logs import OutcomeKey, Outcomes
from products.plans.plan import (
    SOURCE,
    STEP_STATES,
    WHILE_RUNNING,
    Entry,
    Plan,
    PlanRow,
    PlanState,
    RowState,
    Step,
    reason_of,
    request_id_of,
)
from products.plans.transactions import StepRequest, Transactions
from products.plans.turns import Turn, plans_together, rows_together

MAX_STORE_WAIT = timedelta(minutes=1)
"""How long after its time a step waits for its records. Then only their changes stay open."""
LEASE = timedelta(seconds=12)
"""How long one process makes all steps before another may take over."""
BUSY_SECONDS = 2
"""After how long a function looks again when another one makes steps."""


class SwitchTable(Protocol):
    """Where plans are stored, as far as their steps need it.

    Methods may raise DependencyUnavailable.
    """

    def due_plans(self, until: datetime) -> list[Plan]:
        """Return the plans whose next step is due by then."""

    def all_rows(self, plans: Sequence[Plan]) -> dict[str, list[PlanRow]]:
        """Return the rows of these plans, by the plan's ID."""

    def save_plan(self, plan: Plan, rows: Sequence[PlanRow] = ()) -> bool:
        """Store the plan's next sequence, with the chunks of these rows.

        Return False when another process has stored this sequence.
        """

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        """Return whether the holder may make the steps until then: one process at a time."""

    def release_lease(self, holder: str, now: datetime) -> None:
        """Let others make the steps, unless another process has taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A step that was made, how late it was complete, and what became of its rows."""

    plan: Plan
    step: Step
    late_by: timedelta
    counts: Mapping[RowState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """Makes due steps.

    ``permissions_of`` returns what the owner of a plan may do now. It may raise NotAllowed, and
    DependencyUnavailable. ``map_function`` stores plans, several at a time. ``turn`` is for a
    function, which leaves to a message what does not fit into its time. A worker makes all.
    """

    table: SwitchTable
    transactions: Transactions
    doorbell: Doorbell
    permissions_of: Callable[[Plan], frozenset[Permission]]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    process_id: str
    map_function: MapFunction
    turn: Turn | None = None

    def step(self) -> list[Switched]:
        """Make the steps that are due now or very soon, each at its time and not before.

        Steps that are overdue are made in the order of their times. Return what was made.
        """
        began = self.clock()
        coming = self.table.due_plans(began + MAX_LEAD)
        until = began + (LEAD if self.turn else lead_of(len(coming)))
        due = sorted((plan for plan in coming if plan.due and plan.due <= until), key=_order)
        if not due:
            return []
        if not self.table.take_lease(self.process_id, began, began + LEASE):
            self._leave_to_message(BUSY_SECONDS)
            return []
        switched, is_complete = self._make_due(due, began)
        self.table.release_lease(self.process_id, self.clock())
        if not is_complete:
            self._leave_to_message(0)
        for made in switched:  # a plan may end before the relay looks again
            self._leave_to_message(near_delay(made.plan.due, self.clock()))
        return switched

    def _make_due(self, due: Sequence[Plan], began: datetime) -> tuple[list[Switched], bool]:
        """Return the steps that were made, and whether all were begun."""
        switched: list[Switched] = []
        for number, plans in enumerate(plans_together(due, self.turn)):
            if number and self._is_over(began):
                return switched, False
            made, is_complete = self._switch(plans, began)
            switched += made
            if not is_complete:
                return switched, False
        return switched, True

    def _is_over(self, began: datetime) -> bool:
        return self.turn is not None and self.clock() - began >= self.turn.time

    def _leave_to_message(self, delay: int | None) -> None:
        """Have a function look again. A worker looks each second anyway."""
        if self.turn and delay is not None:
            self.doorbell.notify_switch(delay)

    def announce(self) -> int:
        """Send a message for each time at which a step is due soon. Return how many.

        Each arrives before that time. It is for the functions on Lambda, which do not poll. A
        step that is overdue is announced too: a process that made it may have ended.
        """
        now = self.clock()
        times = {plan.due for plan in self.table.due_plans(now + ANNOUNCED) if plan.due}
        delays = {message_delay(at, now) for at in times}
        for delay in sorted(delays):
            self.doorbell.notify_switch(delay)
        return len(delays)

    def overdue(self) -> timedelta:
        """Return how long the oldest due step has been waiting; zero if none has."""
        now = self.clock()
        due = [plan.due for plan in self.table.due_plans(now) if plan.due]
        return now - min(due) if due else timedelta()

    def _switch(self, plans: Sequence[Plan], began: datetime) -> tuple[list[Switched], bool]:
        """Make the steps of plans that are due at the same time, as far as the turn allows.

        Return those that were made, and whether all rows were.
        """
        due_at = plans[0].due or began
        grants = grants_of(plans, self.permissions_of)
        ready = [plan for plan in plans if grantee_of(plan) in grants]
        claimed = [plan for plan in self.map_function(self._claim, ready) if plan]
        if not claimed:
            return [], True
        rows = self.table.all_rows(claimed)
        requests = [
            request
            for plan in claimed
            for request in self._requests(
                plan, rows[plan.plan_id], due_at, grants[grantee_of(plan)]
            )
        ]
        outcomes, is_complete = self._make_rows(requests, due_at, began)

        def finish(plan: Plan) -> Switched | None:
            return self._finish(plan, rows[plan.plan_id], outcomes, due_at)

        made = [switched for switched in self.map_function(finish, claimed) if switched]
        return made, is_complete

    def _make_rows(
        self, requests: Sequence[StepRequest], due_at: datetime, began: datetime
    ) -> tuple[Outcomes, bool]:
        """Make the rows, a portion after the other. Each is read before it is due."""
        outcomes: Outcomes = {}
        for number, portion in enumerate(rows_together(requests, self.turn)):
            if number and self._is_over(began):
                return outcomes, False
            prepared = self.transactions.prepare(portion, outcomes)
            while (wait := (due_at - self.clock()).total_seconds()) > 0:
                self.sleep(wait)
            outcomes = self.transactions.make(prepared)
        return outcomes, True

    def _claim(self, plan: Plan) -> Plan | None:
        """Return the plan if its step begins here: nobody can cancel or move it from now on."""
        if plan.is_late_at(self.clock()) and plan.state is PlanState.SCHEDULED:
            self.table.save_plan(self._next(plan, state=PlanState.MISSED))
            return None
        if plan.next_step is None:
            return None
        state = STEP_STATES[plan.next_step]
        if plan.state is state:
            return plan  # its step was begun before
        claimed = self._next(plan, state=state)
        return claimed if self.table.save_plan(claimed) else None

    def _requests(
        self, plan: Plan, rows: Sequence[PlanRow], due_at: datetime, grant: Grant
    ) -> Iterator[StepRequest]:
        step = plan.next_step or Step.START
        has_expired = plan.is_late_at(self.clock())
        origin = Origin(
            actor=plan.owner,
            source=SOURCE,
            request_id=request_id_of(plan, step),
            reason=reason_of(plan, self.clock() - due_at),
            permissions=grant.permissions,
        )
        for row in rows:
            if row.outcome(step) is None:
                yield StepRequest(Entry(plan, row), step, origin, has_expired, grant.refusal)

    def _finish(
        self,
        plan: Plan,
        rows: Sequence[PlanRow],
        outcomes: Outcomes,
        due_at: datetime,
    ) -> Switched | None:
        """Store what became of the rows, and that the step is made, or how far it came.

        The step is not made before the public reads its prices: until then no cache may keep any.
        One record that can't be stored must not hold up the end of the others, though.
        """
        step = plan.next_step or Step.START
        after = [_row_after(plan, row, step, outcomes) for row in rows]
        changed_rows = _in_changed_chunks(rows, after)
        if any(row.outcome(step) is None for row in after):
            self.table.save_plan(self._next(plan), changed_rows)
            return None
        is_patient = self.clock() - due_at < MAX_STORE_WAIT
        if is_patient and not self.transactions.are_stored(after, step):
            return None
        made = [outcome for row in after if (outcome := row.outcome(step))]
        counts = Counter(outcome.state for outcome in made)
        now = self.clock()
        finished = self._next(
            plan,
            state=_state_after(plan, step),
            counts={**plan.counts, step: counts},
            **{"started_at" if step is Step.START else "ended_at": now},
        )
        self.table.save_plan(finished, changed_rows)
        return Switched(plan=finished, step=step, late_by=now - due_at, counts=counts)

    def _next(self, plan: Plan, **facts: object) -> Plan:
        return replace(plan, sequence=plan.sequence + 1, **facts)  # type: ignore[arg-type]


def _order(plan: Plan) -> tuple[datetime, bool, str]:
    """Sort by time, ends before starts."""
    if plan.due is None:
        raise ValueError(f"plan {plan.plan_id} has no step left")
    return plan.due, plan.state not in WHILE_RUNNING, plan.plan_id


def _state_after(plan: Plan, step: Step) -> PlanState:
    if step is Step.START and plan.ends_at is not None:
        return PlanState.RUNNING
    return PlanState.ENDED


def _in_changed_chunks(before: Sequence[PlanRow], after: Sequence[PlanRow]) -> list[PlanRow]:
    """Return the rows of the chunks in which a row has changed: chunks are stored whole."""
    changed = {new.chunk for old, new in zip(before, after, strict=True) if new is not old}
    return [row for row in after if row.chunk in changed]


def _row_after(plan: Plan, row: PlanRow, step: Step, outcomes: Outcomes) -> PlanRow:
    key: OutcomeKey = (plan.plan_id, row.number)
    outcome = outcomes.get(key)
    if outcome is None:
        return row
    return replace(row, start=outcome) if step is Step.START else replace(row, end=outcome)
