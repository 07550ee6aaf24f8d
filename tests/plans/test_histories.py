"""Any history of plans, edits and faults leaves the prices that a plain model says."""

import contextlib
import itertools
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from products.acceptance import Acceptance
from products.errors import DependencyUnavailable
from products.permissions import ALL_PERMISSIONS
from products.plans.announcing import Announcer
from products.plans.drafts import Draft, DraftRow
from products.plans.logs import ProductLogs
from products.plans.plan import ClashRule, PlanState, PlanStateConflict
from products.plans.plans import Plans
from products.plans.switching import Switching
from products.plans.transactions import Transactions
from products.plans.turns import Turn
from tests.support.builders import fields, origin
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.plan_memory import Faults, MemoryLog, MemoryPlans
from tests.support.plan_model import ModelPlan, PlanModel

PRODUCTS = ("a", "b")
PRICES = st.integers(1, 5)
products = st.sampled_from(PRODUCTS)
picks = st.integers(0, 1000)


class PlanHistories(RuleBasedStateMachine):
    """People edit and plan while hours pass; the model follows."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.hour = 0
        self.faults = Faults()
        self.log = MemoryLog(self.faults)
        self.table = MemoryPlans(self.faults)
        self.numbers = itertools.count(1)
        log: Any = self.log
        self.acceptance = Acceptance(
            log=log,
            doorbell=FakeDoorbell(),
            clock=self.clock,
            new_id=self._new_id,
            image_exists=lambda key: True,
        )
        logs = ProductLogs(self.log, self.table, map)
        self.plans = Plans(
            table=self.table,
            logs=logs,
            names=self.log,
            announcer=Announcer(FakeDoorbell(), self.clock, has_cdn=True),
            clock=self.clock,
            new_id=self._new_id,
        )
        transactions = Transactions(
            log=log,
            logs=logs,
            planner=self.acceptance.planner,
            doorbell=FakeDoorbell(),
            map_function=map,
        )
        self.switching = Switching(
            table=self.table,
            transactions=transactions,
            doorbell=FakeDoorbell(),
            permissions_of=lambda plan: ALL_PERMISSIONS,
            clock=self.clock,
            sleep=self.clock.advance,
            process_id="one",
            map_function=map,
        )
        for product in PRODUCTS:
            values = fields(name=f"Hosting {product}", price="9")
            self.acceptance.create(product, values, origin("ann"))
        self.model = PlanModel(dict.fromkeys(PRODUCTS, 9))
        self.made: list[tuple[str, ModelPlan]] = []

    def _new_id(self) -> str:
        return f"id{next(self.numbers):06}"

    @rule(product=products, price=PRICES)
    def edit(self, product: str, price: int) -> None:
        """People set a price."""
        self.acceptance.update(product, {"price": str(price)}, origin("ben"))
        self.model.edit(product, price)

    @rule(product=products)
    def edit_something_else(self, product: str) -> None:
        """People change a field that no plan sets."""
        text = f"The description number {next(self.numbers)} of this product."
        self.acceptance.update(product, {"description": text}, origin("ben"))

    @rule(
        chosen=st.sets(products, min_size=1),
        price=PRICES,
        start=st.integers(1, 4),
        length=st.none() | st.integers(1, 15),
        keeps=st.booleans(),
    )
    def make_plan(
        self, chosen: set[str], price: int, start: int, length: int | None, *, keeps: bool
    ) -> None:
        """Plan a price."""
        end = None if length is None else self.hour + start + length
        hours = [self.clock.now + timedelta(hours=start)]
        draft = Draft(
            name="Offer",
            rows=[DraftRow(product_id=i, edits={"price": str(price)}) for i in sorted(chosen)],
            starts_at=hours[0],
            ends_at=None if length is None else hours[0] + timedelta(hours=length),
            zone="UTC",
            clash_rule=ClashRule.KEEP if keeps else ClashRule.APPLY,
        )
        plan = self.plans.create(draft, origin("eve")).plan
        modelled = ModelPlan(
            order=len(self.made),
            products=tuple(sorted(chosen)),
            price=price,
            start=self.hour + start,
            end=end,
            keeps=keeps,
            originals={product: self.model.price(product) for product in chosen},
        )
        self.made.append((plan.plan_id, modelled))
        self.model.plans.append(modelled)

    @rule(
        hours=st.integers(1, 4),
        fault=st.none() | st.integers(1, 25),
        after=st.booleans(),
        twice=st.booleans(),
    )
    def pass_hours(self, hours: int, fault: int | None, *, after: bool, twice: bool) -> None:
        """Hours pass, in which nothing runs; then steps are made, perhaps with a crash."""
        self.hour += hours
        self.clock.now += timedelta(hours=hours)
        if fault:
            self.faults.arm(fault, after=after)
            with contextlib.suppress(DependencyUnavailable):
                self.switching.step()
            self.faults.disarm()
        self.make_steps()
        if twice:
            replace(self.switching, process_id="two").step()
        self.make_steps()
        self.model.run_until(self.hour)

    @rule(rows=st.none() | st.integers(1, 2))
    def move_to(self, rows: int | None) -> None:
        """A worker makes the steps from now on, or functions with time for so many rows."""
        turn = rows and Turn(rows, timedelta())
        self.switching = replace(self.switching, turn=turn or None)

    def make_steps(self) -> None:
        """Make the steps, with each message that a function sends for the rest."""
        bell: Any = self.switching.doorbell
        bell.switches.append(0)
        while bell.switches:
            bell.switches.clear()
            self.switching.step()

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        """People give up a plan."""
        if not self.made:
            return
        plan_id, modelled = self.made[pick % len(self.made)]
        try:
            self.plans.cancel(plan_id, origin("eve"))
        except PlanStateConflict:
            assert modelled.state not in ("scheduled", "cancelled")
        else:
            modelled.state = "cancelled"

    @rule(pick=picks)
    def end_early(self, pick: int) -> None:
        """People end a plan that runs."""
        if not self.made:
            return
        plan_id, modelled = self.made[pick % len(self.made)]
        try:
            self.plans.end_now(plan_id, origin("eve"))
        except PlanStateConflict:
            assert modelled.state != "running"
        else:
            modelled.end = self.hour
            self.make_steps()
            self.model.run_until(self.hour)

    @rule(pick=picks, hours=st.integers(1, 5))
    def postpone(self, pick: int, hours: int) -> None:
        """People move a plan, with its end."""
        if not self.made:
            return
        plan_id, modelled = self.made[pick % len(self.made)]
        plan = self.plans.plan(plan_id)
        if plan.state is not PlanState.SCHEDULED:
            return
        by = timedelta(hours=hours)
        facts = {
            "starts_at": plan.starts_at + by,
            "ends_at": plan.ends_at + by if plan.ends_at else None,
        }
        self.plans.change(plan_id, facts, origin("eve"))
        modelled.start += hours
        modelled.end = None if modelled.end is None else modelled.end + hours

    @invariant()
    def prices_are_those_of_the_model(self) -> None:
        """Compare every price, and the foreseen prices of the next hours."""
        for product in PRODUCTS:
            newest = self.log.newest(product)
            assert newest is not None
            assert newest.after.price == self.model.price(product), product

    @invariant()
    def no_step_is_made_twice(self) -> None:
        """A plan's step makes at most one change of a product."""
        for changes in self.log.logs.values():
            of_plans = [c.origin.request_id for c in changes if c.origin.source == "plan"]
            assert len(of_plans) == len(set(of_plans))


TestPlanHistories = PlanHistories.TestCase
TestPlanHistories.settings = settings(
    max_examples=int(os.environ.get("HISTORIES", "30")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
