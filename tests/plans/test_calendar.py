"""No cache that obeys the headers of public reads keeps a price beyond a switch."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from products import bootstrap, scheduling
from products.acceptance import Acceptance
from products.api import cache_control
from products.api.cache_control import LIST_TIMES, PRODUCT_TIMES
from products.errors import DependencyUnavailable
from products.invalidation import Pace
from products.plans.cache_purge import CachePurge
from products.plans.calendar import HORIZON, NOTICE, SETTLE_TIME, Switch, SwitchCalendar
from tests.support.builders import NOON, origin
from tests.support.fakes import Clock
from tests.support.plan_world import PlanWorld, plan_world
from tests.support.world import World


@dataclass
class Switches:
    """The steps to come, by plan."""

    due: dict[str, datetime] = field(default_factory=dict)
    is_unavailable: bool = False
    reads: int = 0

    def switches(self, until: datetime) -> list[Switch]:
        self.reads += 1
        if self.is_unavailable:
            raise DependencyUnavailable("DynamoDB")
        return [Switch(plan_id, at) for plan_id, at in self.due.items() if at <= until]

    def products_of(self, plan_id: str) -> frozenset[str]:
        return frozenset({f"product-of-{plan_id}"})


@pytest.mark.parametrize(
    ("left", "header"),
    [
        (None, "public, max-age=10, s-maxage=600, stale-while-revalidate=60"),
        (660, "public, max-age=10, s-maxage=600, stale-while-revalidate=60"),
        (659.9, "public, max-age=10, s-maxage=600, stale-while-revalidate=59, must-revalidate"),
        (600, "public, max-age=10, s-maxage=600, must-revalidate"),
        (20.5, "public, max-age=10, s-maxage=20, must-revalidate"),
        (3, "public, max-age=3, s-maxage=3, must-revalidate"),
        (0.9, "no-store"),
        (-5, "no-store"),
    ],
)
def test_cache_times_end_before_the_switch(left: float | None, header: str) -> None:
    assert PRODUCT_TIMES.header(left) == header


def test_calendar_knows_the_next_switch_of_each_product() -> None:
    clock, table = Clock(), Switches()
    table.due = {"one": NOON + timedelta(minutes=5), "two": NOON + timedelta(minutes=3)}
    calendar = SwitchCalendar(table, clock)
    assert calendar.next_switch("product-of-one") == NOON + timedelta(minutes=5)
    assert calendar.next_switch("product-of-two") == NOON + timedelta(minutes=3)
    assert calendar.next_switch("another") is None
    assert calendar.next_switch() == NOON + timedelta(minutes=3)
    assert table.reads == 1


def test_calendar_knows_a_plan_before_a_cache_could_outlive_its_start() -> None:
    clock, table = Clock(), Switches()
    calendar = SwitchCalendar(table, clock)
    calendar.next_switch()
    made_at = clock.now + timedelta(seconds=1)
    table.due = {"one": made_at + NOTICE}
    for _ in range(int(NOTICE.total_seconds())):
        clock.advance(1)
        left = table.due["one"] - clock.now
        if left <= timedelta(seconds=660):
            assert calendar.next_switch() == table.due["one"]
    assert timedelta(seconds=660) <= HORIZON


def test_switch_counts_as_due_until_it_is_settled() -> None:
    clock, table = Clock(), Switches()
    table.due = {"one": NOON + timedelta(seconds=10)}
    calendar = SwitchCalendar(table, clock)
    calendar.next_switch()
    clock.advance(11)
    assert calendar.next_switch() == NOON + timedelta(seconds=10)
    table.due = {}
    clock.advance(1)
    assert calendar.next_switch() == NOON + timedelta(seconds=10)
    clock.advance(SETTLE_TIME.total_seconds())
    assert calendar.next_switch() is None


def test_cancelled_switch_is_forgotten_immediately() -> None:
    clock, table = Clock(), Switches()
    table.due = {"one": NOON + timedelta(minutes=5)}
    calendar = SwitchCalendar(table, clock)
    calendar.next_switch()
    table.due = {}
    clock.advance(31)
    assert calendar.next_switch() is None


def test_calendar_keeps_what_it_knows_while_the_table_is_unavailable() -> None:
    clock, table = Clock(), Switches()
    table.due = {"one": NOON + timedelta(minutes=5)}
    calendar = SwitchCalendar(table, clock)
    calendar.next_switch()
    table.is_unavailable = True
    clock.advance(31)
    assert calendar.next_switch() == NOON + timedelta(minutes=5)


@dataclass
class ObedientCache:
    """A cache in front of the API that keeps a response exactly as long as its headers allow."""

    client: Client
    clock: Clock
    kept: dict[str, tuple[datetime, dict[str, object]]] = field(default_factory=dict)
    purges: int = 0

    def purge(self, reference: str) -> None:
        self.kept.clear()
        self.purges += 1

    def get(self, path: str) -> dict[str, object]:
        until, body = self.kept.get(path, (self.clock.now, {}))
        if self.clock.now < until:
            return body
        response = self.client.get(f"/v1.0{path}")
        found = dict(response.json())
        self.kept[path] = (self.clock.now + lifetime(response["Cache-Control"]), found)
        return found


def lifetime(header: str) -> timedelta:
    """Return how long a shared cache may serve a response, the time of revalidation included."""
    if header == "no-store":
        return timedelta()
    values = dict(part.partition("=")[::2] for part in header.split(", ") if "=" in part)
    seconds = int(values["s-maxage"]) + int(values.get("stale-while-revalidate", 0))
    return timedelta(seconds=seconds)


@pytest.fixture
def shop(acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch) -> PlanWorld:
    clock = Clock(NOON)
    world = plan_world(acceptance, clock)
    world.create_product("basic")
    for message in world.bell.take_all():
        world.store(message)
    calendar = replace(scheduling.switch_calendar(), clock=clock)
    monkeypatch.setattr(cache_control, "switch_calendar", lambda: calendar)
    monkeypatch.setattr(cache_control, "now", clock)
    return world


@pytest.mark.parametrize("path", ["/products/basic", "/products"])
def test_no_reader_gets_the_old_price_after_a_switch(shop: PlanWorld, path: str) -> None:
    cache = ObedientCache(Client(), shop.clock)
    plan = shop.plan("basic", "1500", 0.5, 1)
    assert plan.ends_at is not None
    while shop.clock.now < plan.ends_at + timedelta(minutes=12):
        shop.clock.advance(7.3)
        shop.switching.step()
        body = cache.get(path)
        products = body.get("products", [body])
        is_offer = plan.starts_at <= shop.clock.now < plan.ends_at
        price = "1500.00" if is_offer else "1600.00"
        assert products[0]["price"] == price, shop.clock.now  # type: ignore[index]


@pytest.mark.parametrize("notice", [15, 100, 400])
@pytest.mark.parametrize("path", ["/products/basic", "/products"])
def test_cdn_keeps_no_price_from_before_a_plan(shop: PlanWorld, path: str, notice: int) -> None:
    """A plan is made when the CDN has just cached the price beyond the plan's start."""
    cache = ObedientCache(Client(), shop.clock)
    cache.get(path)
    plan = shop.plan("basic", "1500", notice / 3600)
    [(delay, until, after)] = shop.bell.purges
    purge = purge_of(shop, cache)
    while shop.clock.now < plan.starts_at + timedelta(minutes=12):
        shop.clock.advance(1)
        if shop.clock.now - NOON == timedelta(seconds=delay):
            purge.purge(until, after)
        shop.switching.step()
        body = cache.get(path)
        products = body.get("products", [body])
        price = "1500.00" if plan.starts_at <= shop.clock.now else "1600.00"
        assert products[0]["price"] == price, shop.clock.now  # type: ignore[index]
    assert cache.purges == 1


@pytest.mark.parametrize("start", [0, 5])
@pytest.mark.parametrize("path", ["/products/basic", "/products"])
def test_cdn_keeps_no_price_of_a_plan_that_ends_soon(
    shop: PlanWorld, path: str, start: int
) -> None:
    """A plan starts before all processes know it: they do not know its end either."""
    cache = ObedientCache(Client(), shop.clock)
    cache.get(path)
    plan = shop.plan("basic", "1500", start / 3600, 60 / 3600)
    [(delay, until, after)] = shop.bell.purges
    assert plan.ends_at is not None
    while shop.clock.now < plan.ends_at + timedelta(minutes=12):
        shop.switching.step()
        shop.clock.advance(1)
        if shop.clock.now - plan.starts_at == timedelta(seconds=1):
            cache.purge("for the change that the start made")
        if shop.clock.now - NOON == timedelta(seconds=delay):
            purge_of(shop, cache).purge(until, after)
        body = cache.get(path)
        if shop.clock.now >= plan.ends_at:
            products = body.get("products", [body])
            assert products[0]["price"] == "1600.00", shop.clock.now  # type: ignore[index]


@pytest.mark.parametrize(("notice", "purges"), [(6, 0), (8, 1), (660, 1), (671, 0)])
def test_only_plans_with_short_notice_are_purged(shop: PlanWorld, notice: int, purges: int) -> None:
    plan = shop.plan("basic", "1500", 5)
    assert shop.bell.purges == []
    starts_at = shop.clock.now + timedelta(seconds=notice)
    shop.plans.change(plan.plan_id, {"starts_at": starts_at}, origin("eve"))
    assert len(shop.bell.purges) == purges


def purge_of(shop: PlanWorld, cdn: ObedientCache) -> CachePurge:
    return replace(
        scheduling.cache_purge(), cdn=cdn, clock=shop.clock, doorbell=shop.bell, pace=Pace()
    )


def test_purge_for_a_plan_waits_for_the_pace_and_for_cloudfront(shop: PlanWorld) -> None:
    cache = ObedientCache(Client(), shop.clock)
    purge, until = purge_of(shop, cache), NOON + timedelta(minutes=5)
    purge.purge(until)
    assert cache.purges == 1
    purge.purge(until)
    [(delay, _, after)] = shop.bell.purges
    assert (delay, cache.purges) == (3, 1)
    shop.clock.advance(delay)
    refused = replace(purge, cdn=UnavailableCdn())
    refused.purge(until, after)
    assert shop.bell.purges[1:] == [(10, until, after)]
    shop.clock.advance(10)
    purge.purge(until, after)
    assert cache.purges == 2
    purge.purge(until, after)  # a message that came twice
    assert cache.purges == 2


def test_message_of_a_plan_purges_cloudfront(world: World) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    bootstrap.doorbell().notify_purge(0, until)
    assert world.work() == 1
    assert len(world.invalidations()) == 1


def test_purge_for_a_plan_ends_with_the_step(shop: PlanWorld) -> None:
    cache = ObedientCache(Client(), shop.clock)
    purge_of(shop, cache).purge(NOON)
    assert (cache.purges, shop.bell.purges) == (0, [])


@dataclass
class UnavailableCdn:
    def purge(self, reference: str) -> None:
        raise DependencyUnavailable("CloudFront")


def test_usual_times_are_those_of_the_design() -> None:
    assert "s-maxage=600" in PRODUCT_TIMES.header()
    assert "s-maxage=300" in LIST_TIMES.header()
