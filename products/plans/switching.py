"""Making the steps of plans when they are due: their starts and their ends. Pure.

A step may be begun by two processes, and again after a crash. It takes effect once: a change that
it made before is found in the change log, and a write requires the version that was read.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from products.appending import Doorbell
from products.authority import Authority
from products.changes import Origin
from products.errors import DependencyUnavailable, NotAllowed
from products.parallel import MapFunction
from products.permissions import ALL_PERMISSIONS, Permission, require_permissions
from products.plans.announcing import ANNOUNCED, MAX_LEAD, lead_of, message_delay
from products.plans.plan import (
    SOURCE,
    STEP_STATES,
    WHILE_RUNNING,
    Entry,
    Plan,
    PlanRow,
    PlanState,
    RowOutcome,
    RowState,
    Step,
    reason_of,
    request_id_of,
)
from products.plans.transactions import StepRequest, Transactions

logger = logging.getLogger(__name__)

MAX_STORE_WAIT = timedelta(minutes=1)
"""How long after its time a step waits for its records. Then only their changes stay open."""
LEASE = timedelta(seconds=12)
"""How long one process makes all steps before another may take over."""


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


type Grantee = tuple[Step, str, Authority, frozenset[Permission]]
"""What the permissions for a step depend on: its owner, and what the plan needs."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The permissions for a step, and why nothing may start, if that is so."""

    permissions: frozenset[Permission]
    refusal: str = ""


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
    DependencyUnavailable. ``map_function`` stores plans, several at a time.
    """

    table: SwitchTable
    transactions: Transactions
    doorbell: Doorbell
    permissions_of: Callable[[Plan], frozenset[Permission]]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    process_id: str
    map_function: MapFunction

    def step(self) -> list[Switched]:
        """Make the steps that are due now or very soon, each at its time and not before.

        Steps that are overdue are made in the order of their times. Return what was made.
        """
        now = self.clock()
        coming = self.table.due_plans(now + MAX_LEAD)
        until = now + lead_of(len(coming))
        due = [plan for plan in coming if plan.due and plan.due <= until]
        if not due or not self.table.take_lease(self.process_id, now, now + LEASE):
            return []
        switched: list[Switched] = []
        for due_at, group in groupby(sorted(due, key=_order), key=lambda plan: plan.due):
            if due_at is not None:
                switched += self._switch(list(group), due_at)
        return switched

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

    def _switch(self, plans: Sequence[Plan], due_at: datetime) -> list[Switched]:
        """Make the steps of plans that are due at the same time."""
        grants = self._grants(plans)
        ready = [plan for plan in plans if _grantee(plan) in grants]
        claimed = [plan for plan in self.map_function(self._claim, ready) if plan]
        if not claimed:
            return []
        rows = self.table.all_rows(claimed)
        requests = [
            request
            for plan in claimed
            for request in self._requests(plan, rows[plan.plan_id], due_at, grants[_grantee(plan)])
        ]
        prepared = self.transactions.prepare(requests)
        while (wait := (due_at - self.clock()).total_seconds()) > 0:
            self.sleep(wait)
        outcomes = self.transactions.make(prepared)

        def finish(plan: Plan) -> Switched | None:
            return self._finish(plan, rows[plan.plan_id], outcomes, due_at)

        return [switched for switched in self.map_function(finish, claimed) if switched]

    def _grants(self, plans: Sequence[Plan]) -> dict[Grantee, Grant]:
        """Return the owners' permissions of today, each looked up once.

        A start waits while its owner can't be looked up. It must not hold up other plans.
        """
        grants: dict[Grantee, Grant] = {}
        unknown: set[Grantee] = set()
        for plan in plans:
            grantee = _grantee(plan)
            if grantee in grants or grantee in unknown:
                continue
            try:
                grants[grantee] = self._grant(plan)
            except DependencyUnavailable as fault:
                unknown.add(grantee)
                facts = {"owner": plan.owner, "fault": str(fault)}
                logger.warning("start waits for its owner's permissions", extra=facts)
        return grants

    def _grant(self, plan: Plan) -> Grant:
        """Return what the owner of a plan may do now. An end only takes back what was allowed."""
        if plan.next_step is not Step.START:
            return Grant(ALL_PERMISSIONS)
        try:
            permissions = self.permissions_of(plan)
            require_permissions(permissions, {Permission.PLAN})
        except NotAllowed as refusal:
            reason = f"{plan.owner} may not start this plan any more. {refusal}"
            return Grant(frozenset(), reason)
        return Grant(permissions)

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
        outcomes: Mapping[tuple[str, int], RowOutcome],
        due_at: datetime,
    ) -> Switched | None:
        """Store what became of the rows, and that the step is made.

        The step is not made before the public reads its prices: until then no cache may keep any.
        One record that can't be stored must not hold up the end of the others, though.
        """
        step = plan.next_step or Step.START
        after = [_row_after(plan, row, step, outcomes) for row in rows]
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
        self.table.save_plan(finished, after)
        return Switched(plan=finished, step=step, late_by=now - due_at, counts=counts)

    def _next(self, plan: Plan, **facts: object) -> Plan:
        return replace(plan, sequence=plan.sequence + 1, **facts)  # type: ignore[arg-type]


def _order(plan: Plan) -> tuple[datetime, bool, str]:
    """Sort by time, ends before starts."""
    if plan.due is None:
        raise ValueError(f"plan {plan.plan_id} has no step left")
    return plan.due, plan.state not in WHILE_RUNNING, plan.plan_id


def _grantee(plan: Plan) -> Grantee:
    return plan.next_step or Step.START, plan.owner, plan.authority, plan.permissions


def _state_after(plan: Plan, step: Step) -> PlanState:
    if step is Step.START and plan.ends_at is not None:
        return PlanState.RUNNING
    return PlanState.ENDED


def _row_after(
    plan: Plan, row: PlanRow, step: Step, outcomes: Mapping[tuple[str, int], RowOutcome]
) -> PlanRow:
    outcome = outcomes.get((plan.plan_id, row.number))
    if outcome is None:
        return row
    return replace(row, start=outcome) if step is Step.START else replace(row, end=outcome)
