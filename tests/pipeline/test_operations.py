"""What operators see and do: stuck effects by cause, retries, discards, statistics."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.admin.charts import completed_bars, latency_bars, slots_of
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from products.effects import complete
from products.errors import Invalid
from products.latencies import BOUNDS, Minute, bucket_of, latencies, percentile
from products.operations import NotOpen, Operations, StoredCannotBeDiscarded
from products.pipeline import Pipeline
from tests.plugin import ENV
from tests.support.builders import fields, origin
from tests.support.delivery import deliver
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines
OLGA = origin("olga")


@pytest.fixture
def operations(world: World, doorbell: FakeDoorbell) -> Operations:
    return replace(bootstrap.operations(), doorbell=doorbell)


def create_failing(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, product_id: str, reason: str
) -> None:
    """Create a product whose indexing has failed permanently for this reason."""
    acceptance.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    deliver(bootstrap.pipeline().store, product_id, 1)
    change = catalogue.receipt(product_id, 1)
    failure = Failure(reason=reason, at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(change, Effect.SEARCHABLE, failure)


def test_stuck_effects_are_grouped_by_cause(
    operations: Operations, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    create_failing(
        acceptance, catalogue, ann, "p1", "OpenSearch refused 'p1': field 17 of 0195567e-4a80-7c3e"
    )
    create_failing(
        acceptance, catalogue, ann, "p2", "OpenSearch refused 'p2': field 4 of 0195567e-4a80-9999"
    )
    create_failing(acceptance, catalogue, ann, "p3", "Another reason")
    stuck_effects = operations.stuck()
    found = [(stuck.mark.product_id, stuck.effect, stuck.attempts) for stuck in stuck_effects]
    assert found == [(f"p{number}", Effect.SEARCHABLE, 3) for number in (1, 2, 3)]
    assert {stuck.cause for stuck in stuck_effects} == {
        "searchable: OpenSearch refused …: field … of …",
        "searchable: Another reason",
    }
    later = replace(operations, clock=lambda: catalogue.clock() + timedelta(minutes=2))
    assert {stuck.error for stuck in later.stuck()} >= {"waits for a worker"}
    assert operations.open_count() == 3
    assert operations.oldest_open() == catalogue.receipt("p1", 1).accepted_at


def test_the_relay_requeues_a_retry_whose_message_is_lost(
    operations: Operations,
    acceptance: Acceptance,
    catalogue: Catalogue,
    ann: Origin,
    doorbell: FakeDoorbell,
) -> None:
    create_failing(acceptance, catalogue, ann, "p1", "Refused")
    later = catalogue.clock() + timedelta(minutes=2)
    relay = replace(bootstrap.relay(), doorbell=doorbell, clock=lambda: later)
    relay.requeue()
    assert "index" not in sent_tasks(doorbell)  # a permanent failure waits for a person
    operations.retry("p1", 1, Effect.SEARCHABLE, OLGA)
    assert catalogue.receipt("p1", 1).state(Effect.SEARCHABLE) == "retrying"
    doorbell.take_all()
    replace(relay, clock=lambda: later + timedelta(minutes=2)).requeue()
    assert "index" in sent_tasks(doorbell)


def sent_tasks(doorbell: FakeDoorbell) -> set[str]:
    return {message[0] for message in doorbell.take_all()}


def test_one_effect_or_all_of_a_cause_can_be_retried(
    operations: Operations,
    acceptance: Acceptance,
    catalogue: Catalogue,
    ann: Origin,
    doorbell: FakeDoorbell,
) -> None:
    for number in (1, 2):
        create_failing(acceptance, catalogue, ann, f"p{number}", f"Refused for reason {number}")
    operations.retry("p1", 1, Effect.SEARCHABLE, OLGA)
    assert [message[:3] for message in doorbell.take_all()] == [("index", "p1", 1)]
    # Only one of two, because the other is being retried already.
    assert operations.retry_cause("searchable: Refused for reason …", OLGA) == 1
    assert [message[:3] for message in doorbell.take_all()] == [("index", "p2", 1)]
    assert operations.retry_cause("nothing like it", OLGA) == 0
    deliver(bootstrap.pipeline().index, "p1", 1)
    with pytest.raises(NotOpen):
        operations.retry("p1", 1, Effect.SEARCHABLE, OLGA)


def test_a_discarded_effect_never_happens(
    operations: Operations,
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    ann: Origin,
    world: World,
) -> None:
    create_failing(acceptance, catalogue, ann, "p1", "Refused")
    operations.discard("p1", 1, Effect.SEARCHABLE, OLGA, reason="Search will be rebuilt")
    change = catalogue.receipt("p1", 1)
    assert change.state(Effect.SEARCHABLE) == "discarded"
    assert Effect.SEARCHABLE not in change.open
    assert change.discarded[Effect.SEARCHABLE].reason == "Search will be rebuilt"
    deliver(pipeline.index, "p1", 1)  # an overdue message
    assert world.document("p1") is None
    assert bootstrap.relay().requeue(failed=True) == 1  # for the other effects only
    with pytest.raises(NotOpen):
        operations.discard("p1", 1, Effect.SEARCHABLE, OLGA, reason="Once more")
    for effect in (Effect.AUDITED, Effect.PURGED):
        operations.discard("p1", 1, effect, OLGA, reason="The rest too")
    assert operations.open_count() == 0
    assert operations.stuck() == []


def test_storing_can_not_be_discarded(
    operations: Operations, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    with pytest.raises(StoredCannotBeDiscarded):
        operations.discard("p1", 1, Effect.STORED, OLGA, reason="No need")
    for reason in ("", "  x ", "x" * 201):
        with pytest.raises(Invalid):
            operations.discard("p1", 1, Effect.AUDITED, OLGA, reason=reason)


def test_actions_are_in_the_log_and_in_the_audit_trail(
    operations: Operations, acceptance: Acceptance, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    create_failing(acceptance, catalogue, ann, "p1", "Refused")
    operations.retry("p1", 1, Effect.SEARCHABLE, OLGA)
    operations.discard("p1", 1, Effect.SEARCHABLE, OLGA, reason="No need of it")
    actions = operations.log.actions(operations.clock(), 10)
    assert [(action.by, action.what, action.reason, action.changes) for action in actions] == [
        ("olga", "discarded searchable", "No need of it", ["p1 v1"]),
        ("olga", "retried searchable", "", ["p1 v1"]),
    ]
    trail = world.audit_records("operations/")
    assert sorted(record["action"] for record in trail.values()) == [
        "discarded searchable",
        "retried searchable",
    ]


SECONDS_TO_EFFECT = {
    Effect.STORED: 0.15,
    Effect.SEARCHABLE: 0.4,
    Effect.AUDITED: 0.4,
    Effect.PURGED: 3,
}
"""Seconds from the acceptance of a change to each effect."""


def test_completed_changes_are_counted_by_minute_and_latency(
    operations: Operations, acceptance: Acceptance, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    table = bootstrap.table()
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        change = catalogue.receipt(f"p{number}", 1)
        last = None
        for effect, seconds in SECONDS_TO_EFFECT.items():
            last = table.stamp(change, {effect: change.accepted_at + timedelta(seconds=seconds)})
        assert last is not None
        bootstrap.operations_log().count_completed([last])
    until = catalogue.clock() + timedelta(minutes=1)
    minutes = operations.log.minutes(until - timedelta(hours=1), until)
    assert sum(minute.changes for minute in minutes) == 3
    assert latencies(minutes)[Effect.STORED] == (0.2, 0.2)
    assert latencies(minutes)[Effect.PURGED] == (5.0, 5.0)
    assert latencies([])[Effect.STORED] == (None, None)
    world.empty_queues()


def test_the_newest_actions_include_those_of_last_month(operations: Operations) -> None:
    clock = Clock(datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    timed = replace(operations, clock=clock)
    timed.record_action("olga", "before midnight", "", [])
    clock.advance(120)
    timed.record_action("olga", "after midnight", "", [])
    newest = [action.what for action in timed.newest_actions(10)]
    assert newest == ["after midnight", "before midnight"]
    assert [action.what for action in timed.newest_actions(1)] == ["after midnight"]


@pytest.mark.parametrize("last", [Effect.SEARCHABLE, Effect.AUDITED])
def test_a_change_whose_last_effect_is_discarded_is_counted(
    operations: Operations, pipeline: Pipeline, ann: Origin, last: Effect, world: World
) -> None:
    bootstrap.acceptance().create("p1", fields(), ann)
    change = bootstrap.catalogue().receipt("p1", 1)
    for effect in set(Effect) - {last}:
        bootstrap.table().stamp(change, {effect: change.accepted_at})
    operations.discard("p1", 1, last, OLGA, reason="No need of it")
    assert bootstrap.relay().requeue(failed=True) == 0
    until = bootstrap.now() + timedelta(minutes=1)
    minutes = operations.log.minutes(until - timedelta(hours=1), until)
    assert [minute.changes for minute in minutes] == [1]
    assert list(bootstrap.table().open_changes()) == []


def test_a_change_that_two_workers_complete_is_counted_once(
    operations: Operations, pipeline: Pipeline, ann: Origin, world: World
) -> None:
    bootstrap.acceptance().create("p1", fields(), ann)
    change = bootstrap.catalogue().receipt("p1", 1)
    for effect in Effect:
        bootstrap.table().stamp(change, {effect: change.accepted_at})
    completed = bootstrap.catalogue().receipt("p1", 1)
    for _ in range(2):
        complete(completed, pipeline.table, pipeline.statistics)
    until = bootstrap.now() + timedelta(minutes=1)
    assert sum(m.changes for m in operations.minutes(until - timedelta(hours=1), until)) == 1


def test_a_crash_before_closing_leaves_a_change_that_is_counted_once(
    operations: Operations, pipeline: Pipeline, ann: Origin, world: World
) -> None:
    bootstrap.acceptance().create("p1", fields(), ann)
    change = bootstrap.catalogue().receipt("p1", 1)
    for effect in Effect:
        bootstrap.table().stamp(change, {effect: change.accepted_at})
    for _ in range(2):
        bootstrap.relay().requeue(failed=True)
    until = bootstrap.now() + timedelta(minutes=1)
    minutes = operations.log.minutes(until - timedelta(hours=1), until)
    assert [minute.changes for minute in minutes] == [1]


def test_a_change_completes_without_statistics(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    ann: Origin,
    settings: object,
    world: World,
) -> None:
    acceptance.create("p1", fields(), ann)
    failing = replace(bootstrap.operations_log(), name="no-such-table")
    pipeline = replace(pipeline, statistics=failing)
    deliver(pipeline.store, "p1", 1)
    deliver(pipeline.index, "p1", 1)
    deliver(pipeline.audit, "p1", 1)
    later = replace(pipeline, clock=lambda: catalogue.clock() + timedelta(seconds=5))
    deliver(later.purge, "p1", 1)
    assert catalogue.receipt("p1", 1).status == "complete"


def test_buckets_and_percentiles() -> None:
    buckets = [bucket_of(seconds) for seconds in (0, 0.1, 0.11, 5, 9999)]
    assert buckets == [0, 0, 1, 5, len(BOUNDS) - 1]
    counts = [0, 10, 80, 5, 5, 0, 0, 0, 0, 0]
    assert (percentile(counts, 0.5), percentile(counts, 0.95), percentile(counts, 1)) == (
        0.5,
        1.0,
        2.0,
    )


def test_the_charts_have_a_bar_for_each_known_minute() -> None:
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
        "11:01: 95 % within 5 s",
        "12:00: 95 % within 0,1 s",
    ]
    assert latency_bars(slots, Effect.AUDITED, 1)[1]["height"] == 80
    assert completed_bars(slots_of([], until)) == []


def test_depths_of_queues_are_read(
    operations: Operations, acceptance: Acceptance, ann: Origin, world: World
) -> None:
    acceptance.create("p1", fields(), ann)
    queues: Any = operations.queues
    depths = {depth.queue: depth for depth in queues.depths()}
    depth = depths[f"bbws-product-change-{ENV}"]
    assert (depth.waiting, depth.dead) == (1, 0)
    missing_urls = {"gone": (world.queue_url("no-such"), world.queue_url("no-such-dlq"))}
    assert replace(queues, urls=missing_urls).depths()[0].waiting is None
