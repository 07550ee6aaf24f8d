"""The relay: it requeues changes that stay open."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import CorruptChange
from products.pipeline import Pipeline
from products.relay import Relay
from tests.support.builders import fields
from tests.support.delivery import alter_change, deliver, deliver_all
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines


@pytest.fixture
def acceptance(acceptance: Acceptance, clock: Clock, doorbell: FakeDoorbell) -> Acceptance:
    return replace(acceptance, clock=clock, doorbell=doorbell)


@pytest.fixture
def catalogue(catalogue: Catalogue, clock: Clock) -> Catalogue:
    return replace(catalogue, clock=clock)


@pytest.fixture
def pipeline(pipeline: Pipeline, clock: Clock, doorbell: FakeDoorbell) -> Pipeline:
    return replace(pipeline, clock=clock, doorbell=doorbell)


@pytest.fixture
def relay(world: World, clock: Clock, doorbell: FakeDoorbell) -> Relay:
    after = timedelta(seconds=30)
    return replace(bootstrap.relay(), clock=clock, doorbell=doorbell, requeue_after=after)


def test_an_open_change_is_requeued_at_growing_intervals(
    acceptance: Acceptance, relay: Relay, doorbell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    doorbell.take_all()  # the message is lost
    requeued_at = []
    for second in range(0, 600, 10):
        if relay.requeue():
            requeued_at.append(second)
        clock.advance(10)
    assert requeued_at == [30, 90, 210, 390, 570]
    assert set(doorbell.take_all()) == {("persist", "p1", 1, 0)}


def test_only_open_effects_are_requeued(
    acceptance: Acceptance,
    pipeline: Pipeline,
    relay: Relay,
    doorbell: FakeDoorbell,
    clock: Clock,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    deliver(pipeline.audit, "p1", 1)
    doorbell.take_all()
    clock.advance(60)
    relay.requeue()
    assert doorbell.take_all() == [("invalidate", "p1", 1, 1), ("index", "p1", 1, 0)]


def test_a_permanent_failure_is_requeued_only_on_request(
    acceptance: Acceptance,
    pipeline: Pipeline,
    relay: Relay,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    alter_change(world, "p1", "SET #after.price = :price", {":price": {"N": "1"}})
    with pytest.raises(CorruptChange):
        deliver(pipeline.store, "p1", 1)
    doorbell.take_all()
    clock.advance(60)
    assert (relay.requeue(), doorbell.take_all()) == (0, [])
    assert (relay.requeue(failed=True), doorbell.take_all()) == (1, [("persist", "p1", 1, 0)])
    clock.advance(600)
    # The message may have been lost, so the relay repeats it.
    assert (relay.requeue(), doorbell.take_all()) == (1, [("persist", "p1", 1, 0)])


def test_the_relay_ends_before_its_time_limit(
    acceptance: Acceptance, relay: Relay, doorbell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    for number in range(5):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    doorbell.take_all()
    clock.advance(60)

    def slow_clock() -> datetime:
        clock.advance(2)
        return clock()

    assert 0 < replace(relay, clock=slow_clock).requeue() < 5


def test_a_change_that_a_crash_left_open_is_closed(
    acceptance: Acceptance,
    pipeline: Pipeline,
    relay: Relay,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver_all(pipeline, doorbell, clock)
    alter_change(world, "p1", "SET openFlag = :open", {":open": {"S": "OPEN"}})
    clock.advance(60)
    assert (relay.requeue(), doorbell.take_all()) == (0, [])
    assert list(bootstrap.table().open_changes()) == []


def test_an_unreadable_change_does_not_block_others(
    acceptance: Acceptance,
    pipeline: Pipeline,
    relay: Relay,
    world: World,
    ann: Origin,
    clock: Clock,
    doorbell: FakeDoorbell,
) -> None:
    acceptance.create("p1", fields(), ann)
    acceptance.create("p2", fields(name="Another one"), ann)
    alter_change(world, "p1", "REMOVE #after")
    with pytest.raises(CorruptChange, match="can't be read"):
        deliver(pipeline.store, "p1", 1)
    doorbell.take_all()
    clock.advance(60)
    assert relay.requeue() == 1
    assert doorbell.take_all() == [("persist", "p2", 1, 0)]
