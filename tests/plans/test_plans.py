"""Plans can be moved, cancelled and undone by people, each under its own rule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from products.acceptance import Acceptance
from products.changes import Origin
from products.errors import Invalid, NotAllowed
from products.idempotency import IdempotencyKey, IdempotencyKeyReused
from products.permissions import Permission
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import PlanState, PlanStateConflict, PlanVersionMismatch, RowState
from products.writes import WritesRefused
from tests.support.builders import NOON, origin
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world

pytestmark = pytest.mark.engines

EVE = origin("eve")


@pytest.fixture
def shop(acceptance: Acceptance) -> PlanWorld:
    world = plan_world(acceptance, Clock(NOON))
    world.create_product("basic")
    return world


def test_plan_can_be_postponed_and_the_move_undone(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 3)
    later = {"starts_at": shop.in_hours(2), "ends_at": shop.in_hours(4)}
    moved = shop.plans.change(plan.plan_id, later, EVE, expected_version=1)
    assert (moved.version, moved.starts_at) == (2, shop.in_hours(2))
    restored = shop.plans.undo(plan.plan_id, EVE)
    assert (restored.version, restored.starts_at) == (3, plan.starts_at)
    assert [one.version for one in shop.plans.versions(plan.plan_id)] == [3, 2, 1]


def test_cancelled_plan_does_not_start_until_it_is_restored(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 2)
    shop.plans.cancel(plan.plan_id, EVE)
    assert shop.plans.undo(plan.plan_id, EVE).state is PlanState.SCHEDULED
    shop.plans.cancel(plan.plan_id, EVE)
    assert shop.pass_hours(3) == []
    with pytest.raises(Invalid):  # its start has passed
        shop.plans.undo(plan.plan_id, EVE)
    assert shop.price("basic") == 1600


def test_running_plan_can_only_end(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 9)
    shop.pass_hours(1)
    with pytest.raises(PlanStateConflict):
        shop.plans.cancel(plan.plan_id, EVE)
    with pytest.raises(PlanStateConflict):
        shop.plans.change(plan.plan_id, {"starts_at": shop.in_hours(2)}, EVE)
    with pytest.raises(Invalid):
        shop.plans.change(plan.plan_id, {"ends_at": None}, EVE)
    shop.plans.end_now(plan.plan_id, EVE)
    [ended] = shop.switching.step()
    assert ended.counts == {RowState.APPLIED: 1}
    assert shop.price("basic") == 1600


def test_other_version_of_a_plan_is_refused(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 3)
    shop.plans.change(plan.plan_id, {"name": "Summer"}, EVE)
    with pytest.raises(PlanVersionMismatch):
        shop.plans.cancel(plan.plan_id, EVE, expected_version=1)


def test_repeated_request_makes_one_plan(shop: PlanWorld) -> None:
    keyed = replace(EVE, idempotency_key=IdempotencyKey("k", "hash"))
    first = shop.plan("basic", "1500", 1, 3, by=keyed)
    assert shop.plan("basic", "1500", 1, 3, by=keyed).plan_id == first.plan_id
    other = replace(EVE, idempotency_key=IdempotencyKey("k", "other"))
    with pytest.raises(IdempotencyKeyReused):
        shop.plan("basic", "1400", 1, 3, by=other)
    assert len(shop.plans.newest(10)) == 1


def test_planning_needs_its_own_permission_and_those_of_the_edits(shop: PlanWorld) -> None:
    with pytest.raises(NotAllowed):
        shop.plan("basic", "1500", 1, 3, by=may(Permission.CHANGE))
    with pytest.raises(WritesRefused) as refused:
        shop.plan("basic", "1500", 1, 3, by=may(Permission.PLAN))
    assert isinstance(refused.value.refusals[0], NotAllowed)
    shop.plan("basic", "1500", 1, 3, by=may(Permission.PLAN, Permission.CHANGE))


def may(*permissions: Permission) -> Origin:
    return replace(EVE, permissions=frozenset(permissions))


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (2, 1), (1, 24 * 800), (24 * 731, None)])
def test_impossible_times_are_refused(shop: PlanWorld, start: float, end: float | None) -> None:
    with pytest.raises(Invalid):
        shop.plan("basic", "1500", start, end)


def test_outlook_names_each_switch_to_come(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 10, name="Summer")
    shop.plan("basic", "1400", 2, 4, name="Weekend")
    outlook = shop.plans.outlook("basic")
    assert outlook is not None
    told = [(one.plan.name, str(one.step), int(one.after.price)) for one in outlook.steps]
    assert told == [
        ("Summer", "start", 1500),
        ("Weekend", "start", 1400),
        ("Weekend", "end", 1500),
        ("Summer", "end", 1600),
    ]
    assert outlook.at(shop.in_hours(3)).price == 1400
    assert [plan.name for plan in outlook.plans_at(shop.in_hours(1))] == ["Summer"]


def test_outlook_says_which_plan_an_edit_leaves_out(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 10)
    shop.acceptance.update("basic", {"price": "1700"}, origin("ben"))
    outlook = shop.plans.outlook("basic")
    assert outlook is not None
    assert outlook.steps[0].message == "ben changed price in version 2 after the plan was made."
    assert outlook.at(shop.in_hours(2)).price == 1700


def test_percentage_is_of_the_price_at_the_start(shop: PlanWorld) -> None:
    shop.plan("basic", "2000", 1, name="Increase")
    preview = shop.preview("basic", "1", 2, 3)
    assert preview.rows[0].changed["price"][0] == 2000
    assert [overlap.plan.name for overlap in preview.overlaps] == []


def test_old_plans_of_a_product_are_forgotten(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 2, name="Old")
    shop.pass_hours(1)
    shop.pass_hours(1)
    shop.clock.advance(timedelta(days=40).total_seconds())
    shop.plan("basic", "1500", 1, 2, name="New")
    assert [entry.plan.name for entry in shop.plans.entries("basic")] == ["New"]
    draft = Draft(
        name="Now",
        rows=[DraftRow(product_id="basic", edits={"price": "1"})],
        starts_at=None,
        ends_at=None,
        zone="UTC",
    )
    assert shop.plans.create(draft, EVE).plan.starts_at == shop.clock.now
