"""The messages about due steps arrive when the step can be seen, and before it is due."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.acceptance import Acceptance
from products.plans.announcing import ANNOUNCED, LEAD, MARGIN, message_delay
from products.plans.plan import PlanState
from tests.support.builders import NOON, origin
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world


@pytest.fixture
def shop(acceptance: Acceptance) -> PlanWorld:
    world = plan_world(acceptance, Clock(NOON))
    world.create_product("basic")
    return world


@given(st.timedeltas(timedelta(seconds=2), ANNOUNCED))
def test_message_arrives_before_the_step_and_finds_it(wait: timedelta) -> None:
    left = wait - timedelta(seconds=message_delay(NOON + wait, NOON))
    assert timedelta() < left <= LEAD - MARGIN


def test_plan_that_starts_now_sends_its_message(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 0)
    shop.plan("basic", "1400", 30 / 3600)
    shop.plan("basic", "1300", 1)
    assert shop.bell.switches == [0, 29]


def test_plan_that_ends_early_sends_its_message(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 5)
    shop.pass_hours(1)
    assert shop.bell.switches == []
    shop.plans.end_now(plan.plan_id, origin("eve"))
    assert shop.bell.switches == [0]
    shop.pass_hours(0)
    assert shop.plans.plan(plan.plan_id).state is PlanState.ENDED


def test_relay_announces_coming_and_overdue_steps_once_a_time(shop: PlanWorld) -> None:
    for seconds in (40, 40, 70, 300):
        shop.plan("basic", "1500", seconds / 3600)
    shop.clock.advance(10)
    shop.bell.switches.clear()
    assert shop.switching.announce() == 2
    assert shop.bell.switches == [29, 59]
    shop.clock.advance(60)
    shop.bell.switches.clear()
    shop.switching.announce()
    assert shop.bell.switches == [0]
