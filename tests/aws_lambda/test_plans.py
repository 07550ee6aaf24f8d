"""Plans start and end through the functions: by a message, by the relay, and after a lost one."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from products import scheduling
from products.acceptance import Acceptance
from products.bootstrap import now
from products.catalogue import Catalogue
from products.changes import Origin
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import Plan, PlanState
from tasks.aws_lambda import handler
from tasks.queues import RELAY
from tests.support.builders import fields
from tests.support.lambda_events import LambdaContext, run_event_source_mappings
from tests.support.processes import until
from tests.support.world import World


@pytest.fixture(autouse=True)
def product(acceptance: Acceptance, world: World, ann: Origin, settings: Any) -> None:
    settings.COMBINED_EFFECTS = frozenset()
    acceptance.create("p1", fields(price="100"), ann)
    run_event_source_mappings(world)
    world.empty_queues()


def plan(origin: Origin, seconds: float | None) -> Plan:
    """Plan a price that starts now and ends after so many seconds."""
    draft = Draft(
        name="Sale",
        rows=[DraftRow(product_id="p1", edits={"price": "80"})],
        starts_at=None,
        ends_at=None if seconds is None else now() + timedelta(seconds=seconds),
        zone="UTC",
    )
    return scheduling.plans().create(draft, origin).plan


def has_state(world: World, made: Plan, state: PlanState) -> Callable[[], bool]:
    """Return a check that invokes the functions for what the queues hold, and then looks."""

    def look() -> bool:
        run_event_source_mappings(world)
        return scheduling.plans().plan(made.plan_id).state is state

    return look


def test_plan_starts_by_its_message_and_ends_by_the_relay(
    world: World, catalogue: Catalogue, ann: Origin
) -> None:
    made = plan(ann, 4)
    until(has_state(world, made, PlanState.RUNNING))
    assert catalogue.newest("p1").price == 80
    handler({"task": RELAY}, LambdaContext())
    until(has_state(world, made, PlanState.ENDED))
    assert catalogue.newest("p1").price == Decimal(100)
    ended = scheduling.plans().plan(made.plan_id)
    change = catalogue.receipt("p1", 3)
    assert ended.ends_at is not None
    assert change.accepted_at >= ended.ends_at
    assert change.origin.request_id == f"{made.plan_id}-end"


def test_lost_message_is_announced_again(world: World, catalogue: Catalogue, ann: Origin) -> None:
    made = plan(ann, None)
    world.empty_queues()
    handler({"task": RELAY}, LambdaContext())
    until(has_state(world, made, PlanState.ENDED))
    assert catalogue.newest("p1").price == 80
    assert [change.version for change in catalogue.history("p1")] == [2, 1]
