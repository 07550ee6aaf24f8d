"""The checks that operators run do not stumble over plans, nor over the changes they make."""

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.feed import FeedQuery
from products.plans.plan import PlanState, RowState, Step
from tests.support.builders import NOON
from tests.support.commands import output
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world
from tests.support.processes import until
from tests.support.world import World

pytestmark = [pytest.mark.engines, pytest.mark.django_db]


@pytest.fixture
def shop(acceptance: Acceptance) -> PlanWorld:
    """A shop with a plan that has ended, one that runs, and one that is to come."""
    shop = plan_world(acceptance, Clock(NOON))
    for product_id in ("basic", "premium"):
        shop.create_product(product_id)
    shop.plan("basic premium", "1500", 1, 2, name="Ended")
    shop.plan("basic", "1400", 3, 9, name="Running")
    shop.plan("premium", "1300", 8, 9, name="Coming")
    for hours in (1, 1, 1):
        shop.pass_hours(hours)
    return shop


def complete_all_effects(world: World) -> None:
    """Do all effects: a purge is confirmed in the round after it began."""

    def is_done() -> bool:
        bootstrap.relay().requeue(failed=True)
        world.work()
        return not list(bootstrap.table().open_keys())

    until(is_done)


def test_verification_finds_no_difference(shop: PlanWorld, world: World) -> None:
    assert [plan.state for plan in shop.plans.newest(3)] == [
        PlanState.SCHEDULED,
        PlanState.RUNNING,
        PlanState.ENDED,
    ]
    complete_all_effects(world)
    output("verify_catalogue")
    output("verify_audit")
    output("verify_audit", "--offline")
    state = maintenance.drift_scan().step()
    assert state.last is not None
    assert (state.last.difference_count, state.last.interrupted) == (0, "")


def test_feed_has_the_changes_of_each_step(shop: PlanWorld) -> None:
    changes = bootstrap.feed().page(FeedQuery(limit=20, source="plan")).changes
    steps = [change.origin.request_id.rpartition("-")[2] for change in changes]
    assert steps == ["start", "end", "end", "start", "start"]
    [ended] = [plan for plan in shop.plans.newest(3) if plan.name == "Ended"]
    assert changes[-1].origin.request_id == f"{ended.plan_id}-start"


def test_open_changes_are_no_plans_and_no_jobs(shop: PlanWorld, world: World) -> None:
    complete_all_effects(world)
    assert bootstrap.operations().oldest_open() is None
    assert bootstrap.jobs().requeue_stalled() == 0
    assert len(shop.plans.open()) == 2


def test_receipt_of_a_row_leads_to_its_change(shop: PlanWorld, catalogue: Catalogue) -> None:
    [running] = [plan for plan in shop.plans.open() if plan.name == "Running"]
    outcome = shop.row(running).outcome(Step.START)
    assert outcome is not None
    assert outcome.version is not None
    change = catalogue.receipt("basic", outcome.version)
    assert change.origin.request_id == f"{running.plan_id}-start"
    assert outcome.state is RowState.APPLIED
