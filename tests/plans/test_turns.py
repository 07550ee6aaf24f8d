"""A function makes what fits into its time, and the next message goes on where it stopped."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from products import scheduling
from products.acceptance import Acceptance
from products.adapters.dynamodb.table import DynamoProductTable
from products.changes import Origin
from products.plans.plan import Plan, PlanState, RowState
from products.plans.transactions import Transactions
from products.plans.turns import Turn
from tests.support.builders import NOON
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world
from tests.support.wiring import forget_wiring

IDS = "p1 p2 p3 p4 p5"


class CutOff(BaseException):
    """Lambda ends a process at its time-out without a word."""


@pytest.fixture
def shop(acceptance: Acceptance, ann: Origin) -> PlanWorld:
    world = plan_world(acceptance, Clock(NOON))
    for product_id in IDS.split():
        world.create_product(product_id)
    world.switching = replace(world.switching, turn=Turn(2, timedelta()))
    return world


def switched_products(shop: PlanWorld) -> list[str]:
    return [one for one in IDS.split() if shop.price(one) == 1500]


def state(shop: PlanWorld, plan: Plan) -> PlanState:
    return shop.plans.plan(plan.plan_id).state


def test_large_plan_is_continued_by_messages(shop: PlanWorld) -> None:
    plan = shop.plan(IDS, "1500", 1, 3)
    for made in (2, 4):
        assert shop.pass_hours(1 if made == 2 else 0) == []
        assert (len(switched_products(shop)), state(shop, plan)) == (made, PlanState.STARTING)
    assert shop.bell.switches == [0, 0]
    [started] = shop.pass_hours(0)
    assert started.counts == {RowState.APPLIED: 5}
    assert state(shop, plan) is PlanState.RUNNING
    assert shop.bell.switches == [0, 0]
    for hours in (2, 0, 0):
        shop.pass_hours(hours)
    assert state(shop, plan) is PlanState.ENDED
    assert switched_products(shop) == []
    histories = {one: shop.acceptance.log.newest(one) for one in IDS.split()}
    assert {change.version for change in histories.values() if change} == {3}


def test_repeated_message_goes_on_where_the_function_was_cut_off(
    shop: PlanWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = shop.plan(IDS, "1500", 1)
    shop.pass_hours(1)
    append = Transactions._append

    def cut_off_after(self: Transactions, group: Any) -> Any:
        append(self, group)
        raise CutOff

    with monkeypatch.context() as patch:
        patch.setattr(Transactions, "_append", cut_off_after)
        with pytest.raises(CutOff):
            shop.pass_hours(0)
    assert len(switched_products(shop)) == 4
    reads: Counter[str] = Counter()
    history = DynamoProductTable.history

    def counted(self: DynamoProductTable, product_id: str, *page: Any) -> Any:
        reads[product_id] += 1
        return history(self, product_id, *page)

    monkeypatch.setattr(DynamoProductTable, "history", counted)
    shop.clock.advance(60)  # the message comes back after its visibility time-out
    shop.switching = replace(shop.switching, process_id="another sandbox")
    assert shop.pass_hours(0) == []
    assert reads == {"p3": 1, "p4": 1}  # the first two were noted, and are not read again
    [started] = shop.pass_hours(0)
    assert started.counts == {RowState.APPLIED: 5}
    assert state(shop, plan) is PlanState.ENDED
    newest = [shop.acceptance.log.newest(one) for one in IDS.split()]
    assert {change.version for change in newest if change} == {2}


def test_many_plans_of_the_same_time_are_made_in_turns(shop: PlanWorld) -> None:
    for product_id in IDS.split():
        shop.plan(product_id, "1500", 1)
    assert len(shop.pass_hours(1)) == 2
    assert len(shop.pass_hours(0)) == 2
    assert len(shop.pass_hours(0)) == 1
    assert len(switched_products(shop)) == 5
    assert shop.bell.switches == [0, 0]


def test_lease_ends_with_the_turn_and_a_busy_one_is_asked_again(shop: PlanWorld) -> None:
    shop.plan(IDS, "1500", 1)
    shop.pass_hours(1)
    other = replace(shop.switching, process_id="other")
    now = shop.clock()
    assert other.table.take_lease("other", now, now + timedelta(seconds=12))
    assert shop.pass_hours(0) == []
    assert (shop.bell.switches, len(switched_products(shop))) == ([0, 2], 2)
    other.table.release_lease("somebody else", now)
    assert shop.pass_hours(0) == []
    assert len(switched_products(shop)) == 2
    assert other.step() == []
    assert len(switched_products(shop)) == 4
    [started] = shop.pass_hours(0)
    assert started.counts == {RowState.APPLIED: 5}


def test_end_that_comes_before_the_relay_is_announced_by_the_start(shop: PlanWorld) -> None:
    shop.plan("p1", "1500", 1, 1 + 40 / 3600)
    shop.pass_hours(1)
    assert shop.bell.switches == [39]


def test_functions_have_turns_and_workers_make_everything(settings: Any) -> None:
    assert scheduling.switching().turn is None
    settings.CELERY = {}
    forget_wiring()
    turn = scheduling.switching().turn
    assert turn
    assert turn.time < timedelta(seconds=5)
