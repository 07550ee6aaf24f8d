"""Plans start and end on time, once, and take back only what they set."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from products.acceptance import Acceptance
from products.changes import Change, Origin
from products.errors import DependencyUnavailable
from products.permissions import ALL_PERMISSIONS, Permission
from products.plans.plan import ClashRule, Plan, PlanState, RowState, Step
from products.writes import WritesRefused
from tests.support.builders import NOON, origin
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world

pytestmark = pytest.mark.engines


@pytest.fixture
def shop(acceptance: Acceptance) -> PlanWorld:
    world = plan_world(acceptance, Clock(NOON))
    world.create_product("basic")
    return world


def prices_of_hours(shop: PlanWorld, hours: int) -> list[int]:
    """Let so many hours pass, and return the price after each."""
    prices = []
    for _ in range(hours):
        shop.pass_hours(1)
        prices.append(int(shop.price("basic")))
    return prices


def edit_price(shop: PlanWorld, price: str, by: str = "ben") -> None:
    shop.acceptance.update("basic", {"price": price}, origin(by))


def test_plan_sets_and_takes_back_a_price(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 3)
    assert shop.pass_hours(0.9) == []
    assert shop.price("basic") == 1600
    [started] = shop.pass_hours(0.1)
    assert (started.step, started.counts) == (Step.START, {RowState.APPLIED: 1})
    assert shop.price("basic") == 1500
    change = shop.acceptance.log.newest("basic")
    assert change is not None
    assert (change.origin.source, change.origin.actor, change.origin.reason) == (
        "plan",
        "eve",
        "Offer",
    )
    assert shop.plans.plan(plan.plan_id).state is PlanState.RUNNING
    [ended] = shop.pass_hours(2)
    assert ended.step is Step.END
    assert shop.price("basic") == 1600
    assert shop.plans.plan(plan.plan_id).state is PlanState.ENDED


def test_plan_without_an_end_stays(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1)
    shop.pass_hours(1)
    shop.pass_hours(100)
    assert shop.price("basic") == 1500
    assert shop.plans.plan(plan.plan_id).state is PlanState.ENDED


def test_end_keeps_what_others_changed(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 3)
    shop.pass_hours(1)
    edit_price(shop, "1450")
    [ended] = shop.pass_hours(2)
    assert ended.counts == {RowState.KEPT: 1}
    assert shop.price("basic") == 1450
    assert shop.row(plan).end.message == (  # type: ignore[union-attr]
        "ben changed price in version 3, so that value stays."
    )


def test_later_plan_wins_and_the_earlier_returns(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 10, name="Summer")
    shop.plan("basic", "1400", 2, 4, name="Weekend")
    expected = [1500, 1400, 1400, 1500, 1500, 1500, 1500, 1500, 1500, 1600, 1600]
    assert prices_of_hours(shop, 11) == expected


def test_end_beneath_another_plan_changes_nothing_yet(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 3, name="Summer")
    shop.plan("basic", "1400", 2, 5, name="Weekend")
    assert prices_of_hours(shop, 6) == [1500, 1400, 1400, 1400, 1600, 1600]


def test_same_value_on_top_is_held_too(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 3, name="Summer")
    shop.plan("basic", "1500", 2, 5, name="Weekend")
    assert prices_of_hours(shop, 6) == [1500, 1500, 1500, 1500, 1600, 1600]


@pytest.mark.parametrize(
    ("rule", "price", "state"),
    [(ClashRule.KEEP, 1700, RowState.KEPT), (ClashRule.APPLY, 1500, RowState.APPLIED)],
)
def test_edit_after_planning_is_a_clash(
    shop: PlanWorld, rule: ClashRule, price: int, state: RowState
) -> None:
    plan = shop.plan("basic", "1500", 1, 3, rule=rule)
    edit_price(shop, "1700")
    shop.pass_hours(1)
    assert shop.price("basic") == price
    assert shop.row(plan).start.state is state  # type: ignore[union-attr]
    shop.pass_hours(2)
    assert shop.price("basic") == 1700


def test_missed_plan_changes_nothing(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 2)
    assert shop.pass_hours(5) == []
    assert shop.price("basic") == 1600
    assert shop.plans.plan(plan.plan_id).state is PlanState.MISSED


def test_late_start_is_named_on_the_receipt(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 5)
    shop.pass_hours(2.5)
    change = shop.acceptance.log.newest("basic")
    assert change is not None
    assert change.origin.reason == "Offer (late by 1 h 30 min)"


def test_second_switcher_changes_nothing(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 5)
    other = replace(shop.switching, process_id="other")
    shop.pass_hours(1)
    shop.clock.advance(60)
    assert other.step() == []
    newest = shop.acceptance.log.newest("basic")
    assert newest is not None
    assert newest.version == 2


def test_owner_without_the_permission_is_refused(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 5)
    shop.held = frozenset({Permission.VIEW, Permission.PLAN})
    [started] = shop.pass_hours(1)
    assert started.counts == {RowState.REFUSED: 1}
    assert "products.change_product" in shop.row(plan).start.message  # type: ignore[union-attr]
    assert shop.price("basic") == 1600


def test_owner_who_may_not_plan_any_more_is_refused(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 5)
    shop.held = frozenset({Permission.VIEW, Permission.CHANGE})
    shop.pass_hours(1)
    assert shop.row(plan).start.message == (  # type: ignore[union-attr]
        "eve may not start this plan any more. This requires the permission products.plan_product."
    )
    assert shop.price("basic") == 1600


def test_running_plan_ends_also_without_permissions(shop: PlanWorld) -> None:
    shop.plan("basic", "1500", 1, 5)
    shop.pass_hours(1)
    shop.held = frozenset()
    shop.pass_hours(4)
    assert shop.price("basic") == 1600


def test_start_waits_for_unknown_permissions_and_no_end_does(shop: PlanWorld) -> None:
    shop.create_product("other")
    shop.plan("basic", "1500", 1, 2)
    waiting = shop.plan("other", "1500", 2, 5, by=origin("eve"))
    shop.pass_hours(1)

    def look_up(plan: Plan) -> frozenset[Permission]:
        raise DependencyUnavailable("PostgreSQL")

    shop.clock.advance(3600)
    [ended] = replace(shop.switching, permissions_of=look_up).step()
    assert ended.step is Step.END
    assert shop.price("basic") == 1600
    assert shop.plans.plan(waiting.plan_id).state is PlanState.SCHEDULED
    [started] = shop.switching.step()
    assert started.plan.plan_id == waiting.plan_id
    assert shop.price("other") == 1500


def test_owner_of_many_plans_is_looked_up_once(shop: PlanWorld) -> None:
    ids = ["basic", "second", "third"]
    for product_id in ids[1:]:
        shop.create_product(product_id)
    for product_id in ids:
        shop.plan(product_id, "1500", 1)
    looked_up = []

    def look_up(plan: Plan) -> frozenset[Permission]:
        looked_up.append(plan.owner)
        return ALL_PERMISSIONS

    shop.clock.advance(3600)
    assert len(replace(shop.switching, permissions_of=look_up).step()) == 3
    assert looked_up == ["eve"]


def test_change_too_large_for_one_transaction_is_split(shop: PlanWorld) -> None:
    ids = [f"p{number:02}" for number in range(40)]
    for product_id in ids:
        shop.create_product(product_id)
    names = {i: f"New name of {i}" for i in ids}  # a new name takes three actions more
    shop.rename(names, 1)
    [started] = shop.pass_hours(1)
    assert started.counts == {RowState.APPLIED: 40}
    assert {shop.name(i) for i in ids} == set(names.values())


def test_editors_of_some_products_keep_no_other_from_starting(shop: PlanWorld) -> None:
    """An edit comes before each transaction, so that it is refused; each time of another product.

    The last product is edited each time.
    """
    ids = [f"p{number:02}" for number in range(40)]
    for product_id in [*ids, "busy"]:
        shop.create_product(product_id)
    shop.plan(" ".join([*ids, "busy"]), "1500", 1)
    editing: Any = EditingLog(shop)
    transactions = replace(shop.switching.transactions, log=editing)
    shop.clock.advance(3600)
    [started] = replace(shop.switching, transactions=transactions).step()
    assert started.counts == {RowState.APPLIED: 40, RowState.REFUSED: 1}
    assert {shop.price(i) for i in ids} == {Decimal(1500)}
    assert shop.price("busy") == 1600


class EditingLog:
    """A log before which other people edit two products of each transaction."""

    def __init__(self, shop: PlanWorld) -> None:
        self.shop = shop
        self.log: Any = shop.switching.transactions.log
        self.edits = itertools.count()

    def append(self, changes: Sequence[Change], answers: Any = ()) -> Any:
        ids = [change.product_id for change in changes]
        number = next(self.edits)
        edited = {ids[number % len(ids)]} if len(ids) > 2 else set()
        for product_id in edited | {"busy"} & set(ids):
            text = f"Edited for the {number}th time."
            self.shop.acceptance.update(product_id, {"description": text}, origin("ben"))
        return self.log.append(changes, answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)


def test_many_products_switch_in_one_transaction(shop: PlanWorld) -> None:
    ids = [f"p{number:02}" for number in range(60)]
    for product_id in ids:
        shop.create_product(product_id)
    shop.plan(" ".join(ids), "1500", 1, 2)
    [started] = shop.pass_hours(1)
    assert started.counts == {RowState.APPLIED: 60}
    times = {shop.acceptance.log.newest(i).accepted_at for i in ids}  # type: ignore[union-attr]
    assert len(times) == 1
    shop.pass_hours(1)
    assert {shop.price(i) for i in ids} == {Decimal(1600)}


def test_invalid_rows_are_all_named(shop: PlanWorld, ann: Origin) -> None:
    with pytest.raises(WritesRefused) as refused:
        shop.plan("basic missing", "0", 1, 2)
    assert set(refused.value.refusals) == {0, 1}


def test_step_waits_for_its_time(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 5)
    shop.clock.advance(3599)
    [started] = shop.switching.step()
    change = shop.acceptance.log.newest("basic")
    assert change is not None
    assert change.accepted_at >= plan.starts_at
    assert started.late_by.total_seconds() < 1


def test_crash_after_the_transaction_does_not_repeat_the_start(shop: PlanWorld) -> None:
    plan = shop.plan("basic", "1500", 1, 5)
    unstored: Any = FailingTable(shop.switching.table)
    shop.clock.advance(3600)
    with pytest.raises(DependencyUnavailable):
        replace(shop.switching, table=unstored).step()
    assert shop.price("basic") == 1500
    edit_price(shop, "1600")  # somebody takes the start back before the next attempt
    shop.clock.advance(60)
    [started] = shop.switching.step()
    assert started.counts == {RowState.APPLIED: 1}
    assert shop.price("basic") == 1600
    assert shop.row(plan).start.version == 2  # type: ignore[union-attr]


class FailingTable:
    """A table that takes the claim of a step, and is unavailable afterwards."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.saves = 0

    def save_plan(self, *arguments: Any, **options: Any) -> Any:
        self.saves += 1
        if self.saves > 1:
            raise DependencyUnavailable("DynamoDB")
        return self.table.save_plan(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)
