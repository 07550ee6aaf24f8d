"""The effects of a change on their running services: idempotent, and independent of order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Origin, audit_hash
from products.effects import effect_states
from products.errors import ChangeNotFound, CorruptChange, DependencyUnavailable, EffectRefused
from products.invalidation import MIN_PURGE_INTERVAL, Invalidation
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.delivery import METHODS, alter_change, deliver, deliver_all, run_task
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


def test_every_effect_happens_once(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver_all(pipeline, doorbell, clock)
    record, document = world.record("p1"), world.document("p1")
    assert record
    assert document
    assert (record["version"], document["version"], document["price"]) == (1, 1, "1500.00")
    assert [entry["changeType"] for entry in world.audit_records().values()] == ["CREATE"]
    assert len(world.invalidations()) == 1
    change = catalogue.receipt("p1", 1)
    assert (change.status, set(change.done)) == ("complete", set(Effect))
    assert list(bootstrap.table().open_changes()) == []


def test_the_audit_record_has_before_and_after_and_the_previous_hash(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    clock.advance(60)
    acceptance.update("p1", {"price": "2000"}, ann)
    deliver_all(pipeline, doorbell, clock)
    records = world.audit_records("2026/03/01/p1_")
    assert list(records) == [
        "2026/03/01/p1_20260301T120000.000000Z.json",
        "2026/03/01/p1_20260301T120100.000000Z.json",
    ]
    first, second = records.values()
    assert (first["before"], first["previousHash"]) == (None, None)
    assert (second["before"]["price"], second["after"]["price"]) == ("1500.00", "2000.00")
    assert (second["user"], second["requestId"], second["version"]) == ("ann", "request-of-ann", 2)
    assert second["previousHash"] == audit_hash(catalogue.receipt("p1", 1))


def test_the_last_version_wins_in_any_order_of_messages(
    acceptance: Acceptance, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    for price in ("2", "3"):
        acceptance.update("p1", {"price": price}, ann)
    for version in (3, 1, 2, 3, 1):
        deliver(pipeline.store, "p1", version)
        deliver(pipeline.index, "p1", version)
        deliver(pipeline.audit, "p1", version)
    record, document = world.record("p1"), world.document("p1")
    assert record
    assert document
    assert (record["version"], document["version"], len(world.audit_records())) == (3, 3, 3)


def test_a_duplicate_message_has_no_effect(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver_all(pipeline, doorbell, clock)
    before = catalogue.receipt("p1", 1)
    clock.advance(100)
    for task in METHODS:
        run_task(pipeline, task, "p1", 1)
    deliver_all(pipeline, doorbell, clock)
    assert catalogue.receipt("p1", 1) == before
    assert (len(world.invalidations()), len(world.audit_records())) == (1, 1)


def test_a_message_for_an_unknown_change_is_an_error(pipeline: Pipeline) -> None:
    with pytest.raises(ChangeNotFound):
        deliver(pipeline.store, "nobody", 1)


# Invalidations


def test_many_changes_share_a_few_invalidations(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    """60 changes in 12 seconds need at most as many invalidations as fit into 12 seconds."""
    start = clock()
    pending: list[tuple[float, str, str, int]] = []  # due after seconds, task, id, version

    def elapsed() -> float:
        return (clock() - start).total_seconds()

    def advance_to(second: float) -> None:
        clock.advance(max(0.0, second - elapsed()))

    def collect_messages() -> None:
        for task, product_id, version, delay in doorbell.take_all():
            pending.append((elapsed() + delay, task, product_id, version))

    def deliver_until(second: float) -> None:
        while pending and min(pending)[0] <= second:
            message = min(pending)
            pending.remove(message)
            due, task, product_id, version = message
            advance_to(due)
            run_task(pipeline, task, product_id, version)
            collect_messages()

    for number in range(60):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        collect_messages()
        deliver_until(number * 0.2)
        advance_to(number * 0.2)
    deliver_until(1000)
    assert all(catalogue.receipt(f"p{number}", 1).status == "complete" for number in range(60))
    assert 2 <= len(world.invalidations()) <= 1 + 60 * 0.2 / MIN_PURGE_INTERVAL.total_seconds()


def test_an_invalidation_before_a_change_settled_does_not_cover_it(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver_all(pipeline, doorbell, clock)
    acceptance.update("p1", {"price": "2"}, ann)
    deliver(pipeline.store, "p1", 2)
    doorbell.take_all()
    deliver(pipeline.purge, "p1", 2)
    (_, _, _, delay) = doorbell.take_all()[0]
    assert delay == MIN_PURGE_INTERVAL.total_seconds()
    clock.advance(delay)
    deliver(pipeline.purge, "p1", 2)
    assert len(world.invalidations()) == 2
    assert catalogue.receipt("p1", 2).state(Effect.PURGED) == "done"


def test_the_next_purge_finishes_one_that_crashed_before_its_request(
    acceptance: Acceptance, pipeline: Pipeline, clock: Clock, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    clock.advance(2)
    assert pipeline.table.begin_invalidation(Invalidation(number=1, started_at=clock()))
    assert not pipeline.table.begin_invalidation(Invalidation(number=1, started_at=clock()))
    deliver(pipeline.purge, "p1", 1)
    assert len(world.invalidations()) == 1
    latest = pipeline.table.invalidation()
    assert latest
    assert (latest.number, latest.confirmed) == (1, True)


def test_a_purge_repeated_after_a_crash_is_the_same_invalidation(
    acceptance: Acceptance, pipeline: Pipeline, clock: Clock, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    clock.advance(2)
    begun = Invalidation(number=1, started_at=clock())
    pipeline.table.begin_invalidation(begun)
    pipeline.cdn.purge(begun.reference)
    deliver(pipeline.purge, "p1", 1)
    assert len(world.invalidations()) == 1


@pytest.mark.parametrize("seconds_behind", [0.0, 1.5])
def test_concurrent_purges_share_one_invalidation(
    acceptance: Acceptance,
    pipeline: Pipeline,
    doorbell: FakeDoorbell,
    clock: Clock,
    world: World,
    ann: Origin,
    seconds_behind: float,
) -> None:
    """The loser reuses the winner's invalidation if it covers the change, or else tries again.

    It does not cover the change if the winner's clock is behind ours by more than SETTLE_TIME.
    """

    class OvertakenTable:
        """A table on which another worker always begins the invalidation first."""

        def begin_invalidation(self, invalidation: Invalidation) -> bool:
            started_at = clock() - timedelta(seconds=seconds_behind)
            assert pipeline.table.begin_invalidation(replace(invalidation, started_at=started_at))
            return pipeline.table.begin_invalidation(invalidation)

        def __getattr__(self, name: str) -> Any:
            return getattr(pipeline.table, name)

    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    doorbell.take_all()
    clock.advance(2)
    table: Any = OvertakenTable()
    deliver(replace(pipeline, table=table).purge, "p1", 1)
    state = bootstrap.catalogue().receipt("p1", 1).state(Effect.PURGED)
    if seconds_behind == 0:
        assert (len(world.invalidations()), doorbell.take_all(), state) == (1, [], "done")
    else:
        assert len(world.invalidations()) == 0
        assert doorbell.take_all() == [("invalidate", "p1", 1, 2)]
        assert state == "pending"


# Failures


def test_a_refused_document_is_recorded_with_its_reason(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    body = {"mappings": {"properties": {"name": {"type": "integer"}}}, "aliases": {world.alias: {}}}
    world.opensearch.indices.create(index=f"{world.alias}-2", body=body)
    acceptance.create("p1", fields(), ann)
    for attempt in (1, 2):
        with pytest.raises(EffectRefused, match="OpenSearch refused the document"):
            deliver(pipeline.index, "p1", 1)
        state = effect_states(catalogue.receipt("p1", 1))["searchable"]
        assert (state["state"], state["attempts"]) == ("failed", attempt)
        assert "OpenSearch refused" in state["error"]
    assert catalogue.receipt("p1", 1).status == "failed"


def test_a_missing_bucket_or_distribution_is_retried(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    clock: Clock,
    world: World,
    ann: Origin,
    settings: Any,
) -> None:
    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    clock.advance(2)
    cdn: Any = pipeline.cdn
    missing = replace(cdn, distribution_id="NOSUCH")
    with pytest.raises(
        DependencyUnavailable, match="CloudFront does not serve us: NoSuchDistribution"
    ):
        deliver(replace(pipeline, cdn=missing).purge, "p1", 1)
    world.s3.delete_bucket(Bucket=world.bucket)
    with pytest.raises(DependencyUnavailable, match="S3 does not serve us: NoSuchBucket"):
        deliver(pipeline.audit, "p1", 1)
    assert catalogue.receipt("p1", 1).state(Effect.AUDITED) == "retrying"


def test_a_missing_index_is_unavailable_and_not_a_refusal(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    acceptance.create("p1", fields(), ann)
    with pytest.raises(Exception, match="OpenSearch does not serve us: no index has the alias"):
        deliver(pipeline.index, "p1", 1)
    assert catalogue.receipt("p1", 1).state(Effect.SEARCHABLE) == "retrying"


def test_an_altered_change_is_never_applied(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    alter_change(world, "p1", "SET #after.price = :price", {":price": {"N": "1"}})
    with pytest.raises(CorruptChange):
        deliver(pipeline.store, "p1", 1)
    assert world.record("p1") is None
    assert "CorruptChange" in effect_states(catalogue.receipt("p1", 1))["stored"]["error"]


def test_an_existing_audit_record_is_never_overwritten(world: World) -> None:
    """A worker may be killed after it has written the record and before it stamps the effect."""
    for record in (b'{"first": true}', b'{"first": false}'):
        bootstrap.audit_trail().write("2026/p1.json", record)
    assert world.audit_records() == {"2026/p1.json": {"first": True}}
