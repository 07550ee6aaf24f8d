"""What operators see and do: stuck changes by cause, retrying, giving up for good, speed by the minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from products import bootstrap
from products.admin.charts import completed_bars, latency_bars, slots_of
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from products.errors import Invalid
from products.operations import (
    BOUNDS,
    Minute,
    NotOpen,
    Operations,
    StoredCannotBeDiscarded,
    bucket_of,
    latencies,
    percentile,
)
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.fakes import FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines


@pytest.fixture
def bell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def desk(world: World, bell: FakeDoorbell) -> Operations:
    return replace(bootstrap.operations(), doorbell=bell)


def broken(catalogue: Catalogue, ann: Origin, product_id: str, reason: str) -> None:
    catalogue.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    bootstrap.pipeline().store(product_id, 1)
    change = catalogue.receipt(product_id, 1)
    failure = Failure(reason=reason, at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(change, Effect.SEARCHABLE, failure)


def test_what_is_stuck_is_grouped_by_what_it_has_in_common(
    desk: Operations, catalogue: Catalogue, ann: Origin
) -> None:
    broken(catalogue, ann, "p1", "OpenSearch refused 'p1': field 17 of 0195567e-4a80-7c3e")
    broken(catalogue, ann, "p2", "OpenSearch refused 'p2': field 4 of 0195567e-4a80-9999")
    broken(catalogue, ann, "p3", "Another reason")
    stuck = desk.stuck()
    assert [(s.change.product_id, s.effect, s.attempts) for s in stuck] == [
        (f"p{number}", Effect.SEARCHABLE, 3) for number in (1, 2, 3)
    ]
    assert {s.cause for s in stuck} == {
        "searchable: OpenSearch refused …: field … of …",
        "searchable: Another reason",
    }
    later = replace(desk, clock=lambda: catalogue.clock() + timedelta(minutes=2))
    assert {s.error for s in later.stuck()} >= {"waits for a worker"}
    assert desk.open_count() == 3
    assert desk.oldest_open() == catalogue.receipt("p1", 1).accepted_at


def test_a_retry_whose_message_is_lost_is_taken_up_by_the_relay(
    desk: Operations, catalogue: Catalogue, ann: Origin, bell: FakeDoorbell
) -> None:
    broken(catalogue, ann, "p1", "Refused")
    later = catalogue.clock() + timedelta(minutes=2)
    relay = replace(bootstrap.pipeline(), doorbell=bell, clock=lambda: later)
    relay.relay()
    assert "index" not in {ring[0] for ring in bell.take_all()}  # it waits for a person
    desk.retry("p1", 1, Effect.SEARCHABLE, by="olga")
    assert catalogue.receipt("p1", 1).state(Effect.SEARCHABLE) == "retrying"
    bell.take_all()
    replace(relay, clock=lambda: later + timedelta(minutes=2)).relay()
    assert "index" in {ring[0] for ring in bell.take_all()}


def test_one_or_all_of_a_cause_are_rung_for(
    desk: Operations, catalogue: Catalogue, ann: Origin, bell: FakeDoorbell
) -> None:
    for number in (1, 2):
        broken(catalogue, ann, f"p{number}", f"Refused for reason {number}")
    desk.retry("p1", 1, Effect.SEARCHABLE, by="olga")
    assert [ring[:3] for ring in bell.take_all()] == [("index", "p1", 1)]
    assert (
        desk.retry_cause("searchable: Refused for reason …", by="olga") == 1
    )  # the other is being tried already
    assert [ring[:3] for ring in bell.take_all()] == [("index", "p2", 1)]
    assert desk.retry_cause("nothing like it", by="olga") == 0
    bootstrap.pipeline().index("p1", 1)
    with pytest.raises(NotOpen):
        desk.retry("p1", 1, Effect.SEARCHABLE, by="olga")


def test_an_effect_that_was_given_up_never_comes_back(
    desk: Operations, catalogue: Catalogue, pipeline: Pipeline, ann: Origin, world: World
) -> None:
    broken(catalogue, ann, "p1", "Refused")
    desk.discard("p1", 1, Effect.SEARCHABLE, reason="Search will be rebuilt", by="olga")
    change = catalogue.receipt("p1", 1)
    assert (change.state(Effect.SEARCHABLE), Effect.SEARCHABLE in change.open) == (
        "discarded",
        False,
    )
    assert change.discarded[Effect.SEARCHABLE].reason == "Search will be rebuilt"
    pipeline.index("p1", 1)  # a late message
    assert world.document("p1") is None
    assert pipeline.relay(failed=True) == 1  # for what is still open, and not for this
    with pytest.raises(NotOpen):
        desk.discard("p1", 1, Effect.SEARCHABLE, reason="Once more", by="olga")
    for effect in (Effect.AUDITED, Effect.PURGED):
        desk.discard("p1", 1, effect, reason="The rest too", by="olga")
    assert desk.open_count() == 0
    assert desk.stuck() == []


def test_what_was_accepted_is_stored_whatever_anybody_says(
    desk: Operations, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    with pytest.raises(StoredCannotBeDiscarded):
        desk.discard("p1", 1, Effect.STORED, reason="No need", by="olga")
    for reason in ("", "  x ", "x" * 201):
        with pytest.raises(Invalid):
            desk.discard("p1", 1, Effect.AUDITED, reason=reason, by="olga")


def test_everything_done_is_in_the_log_and_in_the_audit_trail(
    desk: Operations, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    broken(catalogue, ann, "p1", "Refused")
    desk.retry("p1", 1, Effect.SEARCHABLE, by="olga")
    desk.discard("p1", 1, Effect.SEARCHABLE, reason="No need of it", by="olga")
    done = desk.log.actions(desk.clock(), 10)
    assert [(a.by, a.what, a.reason, a.changes) for a in done] == [
        ("olga", "discarded searchable", "No need of it", ["p1 v1"]),
        ("olga", "retried searchable", "", ["p1 v1"]),
    ]
    trail = world.audit_records("operations/")
    assert sorted(record["action"] for record in trail.values()) == [
        "discarded searchable",
        "retried searchable",
    ]


def test_completed_changes_are_counted_by_the_minute_and_by_how_long_each_effect_took(
    desk: Operations, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    table = bootstrap.table()
    for number in range(3):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        change = catalogue.receipt(f"p{number}", 1)
        last = None
        for seconds, effect in (
            (0.15, Effect.STORED),
            (0.4, Effect.SEARCHABLE),
            (0.4, Effect.AUDITED),
            (3, Effect.PURGED),
        ):
            last = table.stamp(change, effect, change.accepted_at + timedelta(seconds=seconds))
        assert last is not None
        bootstrap.operations_log().count_completed(last)
    until = catalogue.clock() + timedelta(minutes=1)
    minutes = desk.log.minutes(until - timedelta(hours=1), until)
    assert sum(minute.changes for minute in minutes) == 3
    assert latencies(minutes)[Effect.STORED] == (0.2, 0.2)
    assert latencies(minutes)[Effect.PURGED] == (5.0, 5.0)
    assert latencies([])[Effect.STORED] == (None, None)
    world.empty_queues()


def test_statistics_that_can_not_be_written_harm_nobody(
    catalogue: Catalogue, pipeline: Pipeline, ann: Origin, settings: object, world: World
) -> None:
    catalogue.create("p1", fields(), ann)
    lost = replace(bootstrap.operations_log(), name="no-such-table")
    line = replace(pipeline, statistics=lost)
    line.store("p1", 1)
    line.index("p1", 1)
    line.audit("p1", 1)
    later = replace(line, clock=lambda: catalogue.clock() + timedelta(seconds=5))
    later.purge("p1", 1)
    assert catalogue.receipt("p1", 1).status == "complete"


def test_buckets_and_percentiles() -> None:
    assert [bucket_of(seconds) for seconds in (0, 0.1, 0.11, 5, 9999)] == [
        0,
        0,
        1,
        5,
        len(BOUNDS) - 1,
    ]
    counts = [0, 10, 80, 5, 5, 0, 0, 0, 0, 0]
    assert (percentile(counts, 0.5), percentile(counts, 0.95), percentile(counts, 1)) == (
        0.5,
        1.0,
        2.0,
    )


def test_the_charts_have_a_bar_for_each_minute_that_is_known() -> None:
    until = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
    slow, quick = [0] * 10, [0] * 10
    slow[BOUNDS.index(5.0)], quick[0], quick[BOUNDS.index(600.0)] = 4, 19, 1
    known = [
        Minute(until.replace(minute=0), 20, dict.fromkeys(Effect, quick)),
        Minute(until - timedelta(minutes=59), 10, dict.fromkeys(Effect, slow)),
    ]
    slots = slots_of(known, until)
    assert (slots[0][0], slots[-1][0], len(slots)) == ("11:01", "12:00", 60)
    assert [(bar["x"], bar["height"], bar["text"]) for bar in completed_bars(slots)] == [
        (0, 40.0, "11:01: 10"),
        (590, 80.0, "12:00: 20"),
    ]
    assert [bar["text"] for bar in latency_bars(slots, Effect.AUDITED, 0.95)] == [
        "11:01: 95% within 5 s",
        "12:00: 95% within 0.1 s",
    ]
    assert latency_bars(slots, Effect.AUDITED, 1)[1]["height"] == 80
    assert completed_bars(slots_of([], until)) == []


def test_queues_tell_how_deep_they_are(
    desk: Operations, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    catalogue.create("p1", fields(), ann)
    depths = {depth.queue: depth for depth in desk.queues.depths()}
    assert (
        depths["bbws-product-change-test"].waiting,
        depths["bbws-product-change-test"].dead,
    ) == (1, 0)
    nowhere = replace(
        desk.queues, urls={"gone": (world.queue_url("no-such"), world.queue_url("no-such-dlq"))}
    )  # type: ignore[type-var]
    assert nowhere.depths()[0].waiting is None
