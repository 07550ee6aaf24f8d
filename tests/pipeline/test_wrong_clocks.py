"""Workers and web servers whose clocks are wrong: no purge is made up, and nothing is held up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.changes import Effect
from products.invalidation import MIN_PURGE_INTERVAL, SETTLE_TIME, Pace
from products.pipeline import Pipeline, WritableIndex
from products.product import Product
from tests.support.builders import fields, origin
from tests.support.delivery import deliver
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines
ANN = origin("ann")
SKEWS = [-240.0, -1.5, -0.4, 0.0, 0.4, 1.5, 5.0, 240.0]
LONGEST = SETTLE_TIME + 2 * MIN_PURGE_INTERVAL
"""How long a purge may take, with two invalidations where the clocks disagree."""


@pytest.fixture
def acceptance(acceptance: Acceptance, clock: Clock, doorbell: FakeDoorbell) -> Acceptance:
    return replace(acceptance, clock=clock, doorbell=doorbell)


@pytest.fixture
def worker(pipeline: Pipeline, clock: Clock, doorbell: FakeDoorbell) -> Pipeline:
    return replace(pipeline, clock=clock, doorbell=doorbell)


def skewed(worker: Pipeline, clock: Clock, seconds: float) -> Pipeline:
    """Return a worker of another host, whose clock is off by these seconds."""

    def own_clock() -> datetime:
        return clock() + timedelta(seconds=seconds)

    return replace(worker, clock=own_clock, pace=Pace())


def is_purged(version: int) -> bool:
    return bootstrap.catalogue().receipt("p1", version).state(Effect.PURGED) == "done"


def purge_in_time(worker: Pipeline, version: int, clock: Clock, doorbell: FakeDoorbell) -> float:
    """Deliver the purge after each of its delays until it is done; return the seconds it took."""
    began, delay = clock(), SETTLE_TIME.total_seconds()
    while delay:
        clock.advance(delay)
        assert clock() - began < timedelta(minutes=1)
        doorbell.take_all()
        deliver(worker.purge, "p1", version)
        delay = sum(sent[3] for sent in doorbell.take_all() if sent[0] == "invalidate")
    return (clock() - began).total_seconds()


@pytest.mark.parametrize("other", SKEWS)
@pytest.mark.parametrize("look_after", [0.0, 2.0, 300.0])
def test_no_invalidation_from_before_a_store_covers_it(
    acceptance: Acceptance,
    worker: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    other: float,
    look_after: float,
) -> None:
    acceptance.create("p1", fields(), ANN)
    deliver(worker.store, "p1", 1)
    purge_in_time(skewed(worker, clock, other), 1, clock, doorbell)
    before = len(world.invalidations())
    acceptance.update("p1", {"price": "2"}, ANN)
    deliver(worker.store, "p1", 2)
    clock.advance(look_after)
    deliver(worker.purge, "p1", 2)
    assert is_purged(2) == (len(world.invalidations()) > before)


@pytest.mark.parametrize("storing", SKEWS)
@pytest.mark.parametrize("purging", SKEWS)
def test_no_clock_holds_up_a_purge(
    acceptance: Acceptance,
    worker: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    storing: float,
    purging: float,
) -> None:
    acceptance.create("p1", fields(), ANN)
    for version, host in enumerate([purging, storing, 0.0, purging], 1):
        if version > 1:
            acceptance.update("p1", {"price": str(version)}, ANN)
        deliver(skewed(worker, clock, storing).store, "p1", version)
        seconds = purge_in_time(skewed(worker, clock, host), version, clock, doorbell)
        assert is_purged(version)
        assert seconds <= LONGEST.total_seconds() + 1


def test_clocks_that_disagree_cost_few_invalidations(
    acceptance: Acceptance,
    worker: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
) -> None:
    """Two workers, one four minutes ahead, take turns with the purges of 40 changes."""
    acceptance.create("p1", fields(), ANN)
    hosts = [worker, skewed(worker, clock, 240)]
    for version in range(1, 41):
        if version > 1:
            acceptance.update("p1", {"price": str(version)}, ANN)
        deliver(hosts[version % 2].store, "p1", version)
        clock.advance(0.5)
        deliver(hosts[version // 2 % 2].purge, "p1", version)
    seconds = 40 * 0.5
    assert len(world.invalidations()) <= 2 * (1 + seconds / MIN_PURGE_INTERVAL.total_seconds())


def invalidation_starts(world: World) -> list[datetime]:
    """Return the times in the references of the invalidations."""
    batches = [
        world.cloudfront.get_invalidation(DistributionId=world.distribution, Id=one["Id"])
        for one in world.invalidations()
    ]
    references = [
        batch["Invalidation"]["InvalidationBatch"]["CallerReference"] for batch in batches
    ]
    times = [reference.split("-")[2] for reference in references]
    return [datetime.strptime(time, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) for time in times]


@dataclass
class SlowIndex:
    """An index that answers late, and what happens meanwhile."""

    index: WritableIndex
    meanwhile: Callable[[], None]

    def put(self, products: Sequence[Product]) -> Sequence[Exception | None]:
        self.meanwhile()
        return self.index.put(products)


def test_an_effect_is_stamped_with_the_time_when_it_was_done(
    acceptance: Acceptance,
    worker: Pipeline,
    clock: Clock,
    world: World,
) -> None:
    """While the index is slow, another worker makes two invalidations. The second one covers."""
    for number in (1, 2, 3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ANN)
    interval = MIN_PURGE_INTERVAL.total_seconds()

    def purge_others() -> None:
        for product_id in ("p2", "p3"):
            deliver(worker.store, product_id, 1)
            clock.advance(interval + 1)
            deliver(worker.purge, product_id, 1)

    slow = replace(worker, search_index=SlowIndex(worker.search_index, purge_others))
    slow.store([("p1", 1)], frozenset({Effect.SEARCHABLE}))
    deliver(worker.purge, "p1", 1)
    done = bootstrap.catalogue().receipt("p1", 1).done
    starts = invalidation_starts(world)
    assert len(starts) == 2
    assert any(done[Effect.STORED] + SETTLE_TIME <= at <= done[Effect.PURGED] for at in starts)
    assert (done[Effect.SEARCHABLE] - done[Effect.STORED]).total_seconds() == 2 * (interval + 1)


@pytest.mark.parametrize("ahead", [0.0, 5.0, 30.0, 240.0])
def test_relay_does_not_wait_for_a_time_in_the_future(
    acceptance: Acceptance, doorbell: FakeDoorbell, clock: Clock, ahead: float
) -> None:
    """One relay of two is ahead, and so is the web server. Each runs every ten seconds."""
    after = timedelta(seconds=30)
    relay = replace(bootstrap.relay(), clock=clock, doorbell=doorbell, requeue_after=after)

    def ahead_clock() -> datetime:
        return clock() + timedelta(seconds=ahead)

    replace(acceptance, clock=ahead_clock).create("p1", fields(), ANN)
    doorbell.take_all()  # the message is lost
    requeued_at = []
    for second in range(10, 200, 10):
        clock.advance(10)
        wrong = replace(relay, clock=ahead_clock) if second % 40 == 0 else relay
        if wrong.requeue():
            requeued_at.append(second)
    assert requeued_at[0] <= 40
    assert len(requeued_at) >= 2
