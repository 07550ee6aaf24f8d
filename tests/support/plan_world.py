"""Plans on real adapters and a clock that tests advance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from products import bootstrap, scheduling
from products.acceptance import Acceptance
from products.bulk.storing_doorbell import StoringDoorbell
from products.changes import Origin
from products.permissions import ALL_PERMISSIONS, Permission
from products.pipeline import Pipeline
from products.plans.announcing import Announcer
from products.plans.drafts import Draft, DraftRow, Preview
from products.plans.plan import ClashRule, Plan, PlanRow
from products.plans.plans import Plans
from products.plans.switching import Switched, Switching
from tests.support.builders import fields, origin
from tests.support.fakes import Clock, FakeDoorbell

ZONE = "Africa/Johannesburg"


@dataclass
class PlanWorld:
    """The use cases of plans, and the making of their steps."""

    plans: Plans
    switching: Switching
    acceptance: Acceptance
    clock: Clock
    bell: FakeDoorbell
    pipeline: Pipeline
    held: frozenset[Permission] = ALL_PERMISSIONS

    def store(self, message: tuple[str, str, int, int]) -> None:
        """Store the record that a message is about."""
        _, product_id, version, _ = message
        assert not self.pipeline.store([(product_id, version)], frozenset())

    def in_hours(self, hours: float) -> datetime:
        return self.clock.now + timedelta(hours=hours)

    def create_product(self, product_id: str, price: str = "1600", **values: Any) -> None:
        named = {"name": f"Hosting {product_id}", "price": price, **values}
        self.acceptance.create(product_id, fields(**named), origin("ann"))

    def price(self, product_id: str) -> Decimal:
        newest = self.acceptance.log.newest(product_id)
        assert newest is not None
        return newest.after.price

    def name(self, product_id: str) -> str:
        newest = self.acceptance.log.newest(product_id)
        assert newest is not None
        return newest.after.name

    def plan(
        self,
        product_ids: str,
        price: str,
        start: float,
        end: float | None = None,
        *,
        by: Origin | None = None,
        rule: ClashRule = ClashRule.KEEP,
        name: str = "Offer",
    ) -> Plan:
        """Plan a price of these products, from so many hours from now to so many hours."""
        return self.preview(product_ids, price, start, end, by=by, rule=rule, name=name).plan

    def preview(
        self,
        product_ids: str,
        price: str,
        start: float,
        end: float | None = None,
        *,
        by: Origin | None = None,
        rule: ClashRule = ClashRule.KEEP,
        name: str = "Offer",
    ) -> Preview:
        rows = [DraftRow(product_id=i, edits={"price": price}) for i in product_ids.split()]
        draft = self.draft(rows, start, end, name=name, rule=rule)
        return self.plans.create(draft, by or origin("eve"))

    def rename(self, names: Mapping[str, str], start: float) -> Plan:
        """Plan new names, by product."""
        rows = [DraftRow(product_id=i, edits={"name": name}) for i, name in names.items()]
        return self.plans.create(self.draft(rows, start), origin("eve")).plan

    def draft(
        self,
        rows: Sequence[DraftRow],
        start: float,
        end: float | None = None,
        *,
        name: str = "Offer",
        rule: ClashRule = ClashRule.KEEP,
    ) -> Draft:
        return Draft(
            name=name,
            rows=rows,
            starts_at=self.in_hours(start),
            ends_at=None if end is None else self.in_hours(end),
            zone=ZONE,
            clash_rule=rule,
        )

    def pass_hours(self, hours: float) -> list[Switched]:
        """Let time pass, and make the steps that are due then."""
        self.clock.advance(hours * 3600)
        return self.switching.step()

    def row(self, plan: Plan, number: int = 1) -> PlanRow:
        return list(self.plans.rows(self.plans.plan(plan.plan_id)))[number - 1]


def plan_world(
    acceptance: Acceptance, clock: Clock, sleep: Callable[[float], None] | None = None
) -> PlanWorld:
    """Return a world on the wired adapters. Without ``sleep``, waiting advances the clock."""
    bell = FakeDoorbell()
    accepts = replace(acceptance, doorbell=bell, clock=clock)
    wired = scheduling.switching()
    pipeline = replace(bootstrap.pipeline(), clock=clock, doorbell=bell)
    storing = StoringDoorbell(lambda changes: pipeline.store_appended(changes, frozenset()), bell)
    transactions = replace(
        wired.transactions, planner=accepts.planner, doorbell=storing, map_function=map
    )
    world = PlanWorld(
        plans=replace(
            scheduling.plans(), clock=clock, announcer=Announcer(bell, clock, has_cdn=True)
        ),
        switching=wired,
        acceptance=accepts,
        clock=clock,
        bell=bell,
        pipeline=pipeline,
    )
    world.switching = replace(
        wired,
        transactions=transactions,
        doorbell=bell,
        clock=clock,
        sleep=sleep or clock.advance,
        permissions_of=lambda plan: world.held,
        map_function=map,
    )
    return world
