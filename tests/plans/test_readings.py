"""What a local time can mean, and what plans foresee for the pages of staff."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from products.acceptance import Acceptance
from products.errors import Invalid
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import plan_id_of
from products.plans.times import exists, readings
from tests.support.builders import NOON, origin
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "hours", "is_shown"),
    [
        ("2027-03-28T02:30", [0, 1], False),
        ("2027-10-31T02:30", [0, 1], True),
        ("2027-06-01T02:30", [0], True),
    ],
)
def test_local_time_has_its_readings(text: str, hours: list[int], is_shown: bool) -> None:
    typed = datetime.fromisoformat(text)
    found = readings(typed, BERLIN)
    assert [reading.hour for reading in found] == hours
    assert all(reading.tzinfo is UTC for reading in found)
    assert exists(typed, BERLIN) == is_shown


@pytest.fixture
def shop(acceptance: Acceptance) -> PlanWorld:
    world = plan_world(acceptance, Clock(NOON))
    world.create_product("basic")
    return world


def test_preview_foresees_the_overlapping_products(shop: PlanWorld) -> None:
    assert shop.preview("basic", "1500", 1, 9).outlooks == {}
    found = shop.preview("basic", "1400", 3, 5, name="Weekend").outlooks["basic"]
    assert [step.after.price for step in found.steps] == [1500, 1400, 1500, 1600]
    assert {step.fields for step in found.steps} == {frozenset({"price"})}


def test_products_without_open_plans_have_nothing_to_come(shop: PlanWorld) -> None:
    assert shop.plans.coming("basic") is None
    plan = shop.plan("basic", "1500", 1, 2)
    coming = shop.plans.coming("basic")
    assert coming is not None
    assert len(coming.steps) == 2
    shop.plans.cancel(plan.plan_id, origin("eve"))
    assert shop.plans.coming("basic") is None


def test_change_of_a_plan_names_the_plan(shop: PlanWorld) -> None:
    for end in (None, 3):
        plan = shop.plan("basic", f"15{end or 0}0", 1, end)
        shop.pass_hours(1)
        change = shop.acceptance.log.newest("basic")
        assert change is not None
        assert plan_id_of(change) == plan.plan_id
    edited = shop.acceptance.update("basic", {"price": "9"}, origin("ben")).change
    assert edited is not None
    assert plan_id_of(edited) is None


def test_plan_with_too_long_a_reason_is_refused(shop: PlanWorld) -> None:
    draft = Draft(
        name="Offer",
        rows=[DraftRow(product_id="basic", edits={"price": "1"})],
        starts_at=None,
        ends_at=None,
        zone="UTC",
        reason="x" * 2000,
    )
    with pytest.raises(Invalid, match="reason"):
        shop.plans.create(draft, origin("eve"))
