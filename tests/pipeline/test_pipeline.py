"""The effects of a change, each on its running engine: idempotent, independent of order, and caught up by the relay."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from products import bootstrap
from products.catalogue import Catalogue
from products.changes import Effect, Origin, audit_hash
from products.errors import ChangeNotFound, CorruptChange, DependencyUnavailable, EffectRefused
from products.invalidation import MIN_PURGE_INTERVAL, Invalidation
from products.pipeline import Pipeline, effect_states
from tests.support.builders import fields
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines

TASKS = {"persist": "store", "invalidate": "purge", "index": "index", "audit": "audit"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def shop(catalogue: Catalogue, clock: Clock, bell: FakeDoorbell) -> Catalogue:
    return replace(catalogue, clock=clock, doorbell=bell)


@pytest.fixture
def line(pipeline: Pipeline, clock: Clock, bell: FakeDoorbell) -> Pipeline:
    return replace(pipeline, clock=clock, doorbell=bell, requeue_after=timedelta(seconds=30))


def deliver(line: Pipeline, bell: FakeDoorbell, clock: Clock) -> None:
    """Every message, at its time, until there is none."""
    while taken := bell.take_all():
        for task, product_id, version, delay in sorted(taken, key=lambda message: message[3]):
            clock.advance(delay)
            getattr(line, TASKS[task])(product_id, version)


def test_every_effect_comes_about_once(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    deliver(line, bell, clock)
    record, document = world.record("p1"), world.document("p1")
    assert record
    assert document
    assert (record["version"], document["version"], document["price"]) == (1, 1, "1500.00")
    assert [entry["changeType"] for entry in world.audit_records().values()] == ["CREATE"]
    assert len(world.invalidations()) == 1
    change = shop.receipt("p1", 1)
    assert (change.status, set(change.done)) == ("complete", set(Effect))
    assert list(bootstrap.table().open_changes()) == []


def test_the_audit_record_has_before_and_after_and_is_chained(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    clock.advance(60)
    shop.update("p1", {"price": "2000"}, ann)
    deliver(line, bell, clock)
    records = world.audit_records("2026/03/01/p1_")
    assert list(records) == [
        "2026/03/01/p1_20260301T120000.000000Z.json",
        "2026/03/01/p1_20260301T120100.000000Z.json",
    ]
    first, second = records.values()
    assert (first["before"], first["previousHash"]) == (None, None)
    assert (second["before"]["price"], second["after"]["price"]) == ("1500.00", "2000.00")
    assert (second["user"], second["requestId"], second["version"]) == ("ann", "request-of-ann", 2)
    assert second["previousHash"] == audit_hash(shop.receipt("p1", 1))


def test_the_last_version_wins_whichever_way_the_messages_arrive(
    shop: Catalogue, line: Pipeline, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    for price in ("2", "3"):
        shop.update("p1", {"price": price}, ann)
    for version in (3, 1, 2, 3, 1):
        line.store("p1", version)
        line.index("p1", version)
        line.audit("p1", version)
    record, document = world.record("p1"), world.document("p1")
    assert record
    assert document
    assert (record["version"], document["version"], len(world.audit_records())) == (3, 3, 3)


def test_a_message_delivered_twice_does_nothing_twice(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    deliver(line, bell, clock)
    before = shop.receipt("p1", 1)
    clock.advance(100)
    for task in TASKS.values():
        getattr(line, task)("p1", 1)
    deliver(line, bell, clock)
    assert shop.receipt("p1", 1) == before
    assert (len(world.invalidations()), len(world.audit_records())) == (1, 1)


def test_a_message_about_an_unknown_change_is_an_error(line: Pipeline) -> None:
    with pytest.raises(ChangeNotFound):
        line.store("nobody", 1)


# Invalidations


def test_a_thousand_changes_cost_a_handful_of_invalidations(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    """Here 60 changes over 12 seconds, each message handled at its time: as many as 12 seconds have room for."""
    waiting: list[tuple[float, str, str, int]] = []

    def run_until(moment: float) -> None:
        while waiting and min(waiting)[0] <= moment:
            due = min(waiting)
            waiting.remove(due)
            clock.advance(max(0.0, due[0] - (clock() - start).total_seconds()))
            getattr(line, TASKS[due[1]])(due[2], due[3])
            collect()

    def collect() -> None:
        now = (clock() - start).total_seconds()
        waiting.extend(
            (now + delay, task, product_id, version)
            for task, product_id, version, delay in bell.take_all()
        )

    start = clock()
    for number in range(60):
        shop.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        collect()
        run_until(number * 0.2)
        clock.advance(max(0.0, number * 0.2 - (clock() - start).total_seconds()))
    run_until(1000)
    assert all(shop.receipt(f"p{number}", 1).status == "complete" for number in range(60))
    assert 2 <= len(world.invalidations()) <= 1 + 60 * 0.2 / MIN_PURGE_INTERVAL.total_seconds()


def test_an_invalidation_begun_before_a_change_settled_does_not_cover_it(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    deliver(line, bell, clock)
    shop.update("p1", {"price": "2"}, ann)
    line.store("p1", 2)
    bell.take_all()
    line.purge("p1", 2)
    (_, _, _, delay) = bell.take_all()[0]
    assert delay == MIN_PURGE_INTERVAL.total_seconds()
    clock.advance(delay)
    line.purge("p1", 2)
    assert len(world.invalidations()) == 2
    assert shop.receipt("p1", 2).state(Effect.PURGED) == "done"


def test_a_purge_that_crashed_before_asking_cloudfront_is_finished_by_the_next(
    shop: Catalogue, line: Pipeline, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    line.store("p1", 1)
    clock.advance(2)
    assert line.table.begin_invalidation(Invalidation(number=1, started_at=clock()))
    assert not line.table.begin_invalidation(Invalidation(number=1, started_at=clock()))
    line.purge("p1", 1)
    assert len(world.invalidations()) == 1
    latest = line.table.invalidation()
    assert latest
    assert (latest.number, latest.confirmed) == (1, True)


def test_a_purge_that_crashed_after_asking_cloudfront_asks_for_the_same_one(
    shop: Catalogue, line: Pipeline, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    line.store("p1", 1)
    clock.advance(2)
    begun = Invalidation(number=1, started_at=clock())
    line.table.begin_invalidation(begun)
    line.cdn.purge(begun.reference)
    line.purge("p1", 1)
    assert len(world.invalidations()) == 1


@pytest.mark.parametrize("earlier", [0.0, 1.5])
def test_who_loses_the_race_for_an_invalidation_joins_the_winners_or_comes_back(
    shop: Catalogue,
    line: Pipeline,
    bell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
    earlier: float,
) -> None:
    """The winner's clock may be behind ours by more than what the invalidation has to be after the change."""
    joins = not earlier

    class Raced:
        def begin_invalidation(self, invalidation: Invalidation) -> bool:
            won = replace(invalidation, started_at=clock() - timedelta(seconds=earlier))
            assert line.table.begin_invalidation(won)
            return line.table.begin_invalidation(invalidation)

        def __getattr__(self, name: str) -> Any:
            return getattr(line.table, name)

    shop.create("p1", fields(), ann)
    line.store("p1", 1)
    bell.take_all()
    clock.advance(2)
    replace(line, table=Raced()).purge("p1", 1)  # type: ignore[arg-type]
    assert (len(world.invalidations()), bell.take_all()) == (
        (1, []) if joins else (0, [("invalidate", "p1", 1, 1)])
    )
    assert shop.receipt("p1", 1).state(Effect.PURGED) == ("done" if joins else "pending")


# Failures


def test_a_document_opensearch_refuses_is_noted_with_the_reason(
    shop: Catalogue, line: Pipeline, world: World, ann: Origin
) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    body = {"mappings": {"properties": {"name": {"type": "integer"}}}, "aliases": {world.alias: {}}}
    world.opensearch.indices.create(index=f"{world.alias}-2", body=body)
    shop.create("p1", fields(), ann)
    for attempt in (1, 2):
        with pytest.raises(EffectRefused, match="OpenSearch refused the document"):
            line.index("p1", 1)
        state = effect_states(shop.receipt("p1", 1))["searchable"]
        assert (state["state"], state["attempts"]) == ("failed", attempt)
        assert "OpenSearch refused" in state["error"]
    assert shop.receipt("p1", 1).status == "failed"


def test_a_bucket_or_distribution_that_is_gone_is_retried_until_somebody_mends_that(
    shop: Catalogue, line: Pipeline, clock: Clock, world: World, ann: Origin, settings: Any
) -> None:
    shop.create("p1", fields(), ann)
    line.store("p1", 1)
    clock.advance(2)
    wrong = replace(line.cdn, distribution_id="NOSUCH")  # type: ignore[type-var]
    with pytest.raises(
        DependencyUnavailable, match="CloudFront does not serve us: NoSuchDistribution"
    ):
        replace(line, cdn=wrong).purge("p1", 1)
    world.s3.delete_bucket(Bucket=world.bucket)
    with pytest.raises(DependencyUnavailable, match="S3 does not serve us: NoSuchBucket"):
        line.audit("p1", 1)
    assert shop.receipt("p1", 1).state(Effect.AUDITED) == "retrying"


def test_an_index_that_is_gone_is_away_not_refusing(
    shop: Catalogue, line: Pipeline, world: World, ann: Origin
) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    shop.create("p1", fields(), ann)
    with pytest.raises(Exception, match="OpenSearch does not answer"):
        line.index("p1", 1)
    assert shop.receipt("p1", 1).state(Effect.SEARCHABLE) == "retrying"


def test_a_change_altered_in_the_table_is_never_applied(
    shop: Catalogue, line: Pipeline, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    alter(world, "p1", 1, "SET #after.price = :price", {":price": {"N": "1"}})
    with pytest.raises(CorruptChange):
        line.store("p1", 1)
    assert world.record("p1") is None
    assert "CorruptChange" in effect_states(shop.receipt("p1", 1))["stored"]["error"]


def alter(
    world: World, product_id: str, version: int, update: str, values: dict[str, Any] | None = None
) -> None:
    key = {"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": f"CHANGE#{version:012d}"}}
    given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    if "#after" in update:
        given["ExpressionAttributeNames"] = {"#after": "after"}
    world.dynamodb.update_item(TableName=world.table, Key=key, UpdateExpression=update, **given)


def test_a_change_that_cannot_be_read_stands_in_nobodys_way(
    shop: Catalogue, line: Pipeline, world: World, ann: Origin, clock: Clock, bell: FakeDoorbell
) -> None:
    shop.create("p1", fields(), ann)
    shop.create("p2", fields(name="Another one"), ann)
    alter(world, "p1", 1, "REMOVE #after")
    with pytest.raises(CorruptChange, match="can't be read"):
        line.store("p1", 1)
    bell.take_all()
    clock.advance(60)
    assert line.relay() == 1
    assert bell.take_all() == [("persist", "p2", 1, 0)]


# The relay


def test_the_relay_rings_again_for_what_stayed_open_and_waits_longer_each_time(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    bell.take_all()  # the message is lost
    rings = []
    for second in range(0, 600, 10):
        if line.relay():
            rings.append(second)
        clock.advance(10)
    assert rings == [30, 90, 210, 450]
    assert set(bell.take_all()) == {("persist", "p1", 1, 0)}


def test_the_relay_rings_only_for_the_effects_still_open(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    line.store("p1", 1)
    line.audit("p1", 1)
    bell.take_all()
    clock.advance(60)
    line.relay()
    assert bell.take_all() == [("invalidate", "p1", 1, 1), ("index", "p1", 1, 0)]


def test_the_relay_leaves_to_people_what_failed_for_good(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    alter(world, "p1", 1, "SET #after.price = :price", {":price": {"N": "1"}})
    with pytest.raises(CorruptChange):
        line.store("p1", 1)
    bell.take_all()
    clock.advance(60)
    assert (line.relay(), bell.take_all()) == (0, [])
    assert (line.relay(failed=True), bell.take_all()) == (1, [("persist", "p1", 1, 0)])
    clock.advance(600)
    assert (line.relay(), bell.take_all()) == (
        1,
        [("persist", "p1", 1, 0)],
    )  # the first may have been lost


def test_the_relay_ends_before_its_task_would_be_ended(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    for number in range(5):
        shop.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    bell.take_all()
    clock.advance(60)

    def slow() -> Any:
        clock.advance(2)
        return clock()

    assert 0 < replace(line, clock=slow).relay() < 5


def test_a_change_left_open_by_a_crash_between_two_writes_is_closed(
    shop: Catalogue, line: Pipeline, bell: FakeDoorbell, clock: Clock, world: World, ann: Origin
) -> None:
    shop.create("p1", fields(), ann)
    deliver(line, bell, clock)
    alter(world, "p1", 1, "SET openFlag = :open", {":open": {"S": "OPEN"}})
    clock.advance(60)
    assert (line.relay(), bell.take_all()) == (0, [])
    assert list(bootstrap.table().open_changes()) == []


def test_an_audit_record_that_is_there_stays_as_it_is(world: World) -> None:
    """As when a worker died after it was written, and before the stamp."""
    for record in (b'{"first": true}', b'{"first": false}'):
        bootstrap.audit_trail().write("2026/p1.json", record)
    assert world.audit_records() == {"2026/p1.json": {"first": True}}
