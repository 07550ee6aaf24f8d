"""Batches: each kind of failure at each position concerns its own change only."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.changes import Change, ChangeKey, Discard, Effect, Origin
from products.errors import (
    ChangeNotFound,
    CorruptChange,
    DependencyUnavailable,
    EffectRefused,
)
from products.pipeline import COMBINED_PAUSE, Pipeline
from products.product import Product
from tests.support.builders import fields
from tests.support.delivery import alter_change
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines

SIZE = 4
COMBINED = frozenset({Effect.SEARCHABLE, Effect.AUDITED})


@dataclass
class Failing:
    """A dependency whose call fails for one product."""

    dependency: Any
    product_id: str
    error: Exception

    def put(self, products: Sequence[Product]) -> list[Exception | None]:
        errors = self.dependency.put([p for p in products if p.product_id != self.product_id])
        found = iter(errors)
        return [
            self.error if product.product_id == self.product_id else next(found)
            for product in products
        ]

    def put_record(self, product: Product, stored_at: datetime) -> None:
        if product.product_id == self.product_id:
            raise self.error
        self.dependency.put_record(product, stored_at)

    def stamp_last(self, change: Change, *arguments: Any) -> Any:
        return self._unless(change.product_id, self.dependency.stamp_last, change, *arguments)

    def stamp(self, change: Change, *arguments: Any) -> Any:
        return self._unless(change.product_id, self.dependency.stamp, change, *arguments)

    def write(self, key: str, record: bytes) -> None:
        if f"/{self.product_id}_" in key:
            raise self.error
        self.dependency.write(key, record)

    def _unless(self, product_id: str, call: Callable[..., Any], *arguments: Any) -> Any:
        if product_id == self.product_id:
            raise self.error
        return call(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dependency, name)


class FailingStamps(Failing):
    """A table that can't stamp one product's changes."""

    def put_record(self, product: Product, stored_at: datetime) -> None:
        self.dependency.put_record(product, stored_at)


class FailingRecords(Failing):
    """A table that can't store one product's record."""

    def stamp_last(self, change: Change, *arguments: Any) -> Any:
        return self.dependency.stamp_last(change, *arguments)

    def stamp(self, change: Change, *arguments: Any) -> Any:
        return self.dependency.stamp(change, *arguments)


@pytest.fixture
def pipeline(pipeline: Pipeline, clock: Clock, doorbell: FakeDoorbell) -> Pipeline:
    return replace(pipeline, clock=clock, doorbell=doorbell, paused={})


@pytest.fixture
def keys(acceptance: Acceptance, clock: Clock, ann: Origin) -> list[ChangeKey]:
    quiet = replace(acceptance, clock=clock, doorbell=FakeDoorbell())
    for number in range(SIZE):
        quiet.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    return [(f"p{number}", 1) for number in range(SIZE)]


def states(product_id: str) -> dict[Effect, str]:
    change = bootstrap.catalogue().receipt(product_id, 1)
    return {effect: change.state(effect) for effect in Effect}


def assert_done(product_ids: Iterable[str], *effects: Effect) -> None:
    for product_id in product_ids:
        found = states(product_id)
        assert {found[effect] for effect in effects} == {"done"}, product_id


ERRORS = [DependencyUnavailable("It"), EffectRefused("no"), RuntimeError("a bug")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("position", range(SIZE))
def test_a_record_that_can_not_be_stored_fails_alone(
    pipeline: Pipeline, keys: list[ChangeKey], doorbell: FakeDoorbell, position: int, error: Any
) -> None:
    bad = f"p{position}"
    failing = replace(pipeline, table=FailingRecords(pipeline.table, bad, error))
    assert failing.store(keys, COMBINED) == {(bad, 1): error}
    others = [product_id for product_id, _ in keys if product_id != bad]
    assert_done(others, Effect.STORED, Effect.SEARCHABLE, Effect.AUDITED)
    expected = "retrying" if isinstance(error, DependencyUnavailable) else "failed"
    assert states(bad)[Effect.STORED] == expected
    assert states(bad)[Effect.SEARCHABLE] == "pending"  # never before the record
    assert [sent[1] for sent in doorbell.take_all()] == others
    assert pipeline.store(keys, COMBINED) == {}
    assert_done([bad], Effect.STORED, Effect.SEARCHABLE, Effect.AUDITED)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("position", range(SIZE))
@pytest.mark.parametrize("effect", [Effect.SEARCHABLE, Effect.AUDITED])
def test_a_combined_effect_that_fails_is_left_to_its_own_task(
    pipeline: Pipeline,
    keys: list[ChangeKey],
    doorbell: FakeDoorbell,
    position: int,
    effect: Effect,
    error: Any,
) -> None:
    bad = f"p{position}"
    part = "search_index" if effect is Effect.SEARCHABLE else "trail"
    changes: Any = {part: Failing(getattr(pipeline, part), bad, error)}
    failing = replace(pipeline, **changes)
    assert failing.store(keys, COMBINED) == {}  # the record is stored, so its message is done
    assert_done([product_id for product_id, _ in keys], Effect.STORED)
    others = [product_id for product_id, _ in keys if product_id != bad]
    assert_done(others, Effect.SEARCHABLE, Effect.AUDITED)
    task = "index" if effect is Effect.SEARCHABLE else "audit"
    sent = doorbell.take_all()
    assert [message for message in sent if message[0] == task] == [(task, bad, 1, 2)]
    assert {message[1] for message in sent if message[0] == "invalidate"} == {k for k, _ in keys}
    step = pipeline.index if effect is Effect.SEARCHABLE else pipeline.audit
    assert step([(bad, 1)]) == {}
    assert_done([bad], effect)


@pytest.mark.parametrize("position", range(SIZE))
def test_a_stamp_that_fails_lets_its_message_fail(
    pipeline: Pipeline, keys: list[ChangeKey], doorbell: FakeDoorbell, position: int
) -> None:
    error, bad = DependencyUnavailable("DynamoDB"), f"p{position}"
    failing = replace(pipeline, table=FailingStamps(pipeline.table, bad, error))
    assert failing.store(keys, COMBINED) == {(bad, 1): error}
    assert states(bad)[Effect.STORED] == "pending"
    assert bad not in [sent[1] for sent in doorbell.take_all()]
    assert pipeline.store(keys, COMBINED) == {}
    assert_done([bad], Effect.STORED, Effect.SEARCHABLE, Effect.AUDITED)


@pytest.mark.parametrize("position", range(SIZE))
def test_an_altered_change_takes_no_neighbour_along(
    pipeline: Pipeline, keys: list[ChangeKey], world: World, position: int
) -> None:
    bad = f"p{position}"
    alter_change(world, bad, "SET #after.price = :price", {":price": {"N": "1"}})
    for step in (pipeline.index, pipeline.audit, pipeline.store):
        failures = step(keys)
        assert list(failures) == [(bad, 1)]
        assert isinstance(failures[bad, 1], CorruptChange)
    others = [product_id for product_id, _ in keys if product_id != bad]
    assert_done(others, Effect.STORED, Effect.SEARCHABLE, Effect.AUDITED)


@pytest.mark.parametrize("position", range(SIZE))
def test_a_product_that_makes_the_whole_request_fail_fails_alone(
    pipeline: Pipeline, keys: list[ChangeKey], position: int
) -> None:
    bad = f"p{position}"

    class Refusing:
        def put(self, products: Sequence[Product]) -> Sequence[Exception | None]:
            if any(product.product_id == bad for product in products):
                raise EffectRefused("no")
            return pipeline.search_index.put(products)

    failures = replace(pipeline, search_index=Refusing()).index(keys)
    assert list(failures) == [(bad, 1)]
    assert_done([key for key, _ in keys if key != bad], Effect.SEARCHABLE)
    assert states(bad)[Effect.SEARCHABLE] == "failed"


def test_unknown_and_unreadable_changes_fail_alone(
    pipeline: Pipeline, keys: list[ChangeKey], world: World
) -> None:
    alter_change(world, "p1", "REMOVE #after")
    failures = pipeline.store([("nobody", 1), *keys, ("p0", 7)])
    assert set(failures) == {("nobody", 1), ("p0", 7), ("p1", 1)}
    assert isinstance(failures["nobody", 1], ChangeNotFound)
    assert_done(["p0", "p2", "p3"], Effect.STORED)


def test_a_table_that_can_not_be_read_fails_all(pipeline: Pipeline, keys: list[ChangeKey]) -> None:
    class Unreadable:
        def changes(self, keys: Sequence[ChangeKey]) -> Any:
            raise DependencyUnavailable("DynamoDB")

        def __getattr__(self, name: str) -> Any:
            return getattr(pipeline.table, name)

    table: Any = Unreadable()
    failures = replace(pipeline, table=table).store(keys)
    assert set(failures) == set(keys)


def test_versions_of_a_product_may_come_in_one_batch(
    pipeline: Pipeline, acceptance: Acceptance, keys: list[ChangeKey], world: World, ann: Origin
) -> None:
    quiet = replace(acceptance, doorbell=FakeDoorbell())
    for price in ("2", "3"):
        quiet.update("p0", {"price": price}, ann)
    batch = [("p0", 3), ("p0", 1), ("p0", 2), ("p0", 3)]
    assert pipeline.store(batch, COMBINED) == {}
    record, document = world.record("p0"), world.document("p0")
    assert record
    assert document
    assert (record["version"], document["version"]) == (3, 3)
    assert len([key for key in world.audit_records() if "/p0_" in key]) == 3


def test_an_unavailable_index_is_left_out_of_combined_steps_for_a_while(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock, doorbell: FakeDoorbell
) -> None:
    calls: list[int] = []

    class Unavailable:
        def put(self, products: Sequence[Product]) -> list[Exception | None]:
            calls.append(len(products))
            raise DependencyUnavailable("OpenSearch")

    failing = replace(pipeline, search_index=Unavailable())
    failing.store(keys[:1], COMBINED)
    failing.store(keys[1:2], COMBINED)
    assert calls == [1]
    assert states("p1") | {Effect.PURGED: ""} == {
        Effect.STORED: "done",
        Effect.AUDITED: "done",
        Effect.SEARCHABLE: "pending",
        Effect.PURGED: "",
    }
    clock.advance(COMBINED_PAUSE.total_seconds())
    failing.store(keys[2:3], COMBINED)
    assert calls == [1, 1]


def test_purges_of_a_batch_share_one_invalidation_and_wait_alone(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock, doorbell: FakeDoorbell, world: World
) -> None:
    pipeline.store(keys[:2])
    clock.advance(1)
    pipeline.store(keys[2:3])
    doorbell.take_all()
    assert pipeline.purge(keys) == {}  # p3 is not stored: its message is sent again then
    assert len(world.invalidations()) == 1
    assert_done(["p0", "p1"], Effect.PURGED)
    ((task, product_id, _, delay),) = doorbell.take_all()
    assert (task, product_id) == ("invalidate", "p2")
    clock.advance(delay)
    assert pipeline.purge([(product_id, 1)]) == {}
    assert len(world.invalidations()) == 2


def test_a_purge_waits_for_the_next_invalidation_in_one_message(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock, doorbell: FakeDoorbell, world: World
) -> None:
    pipeline.store(keys[:1], COMBINED)
    clock.advance(1)
    assert pipeline.purge(keys[:1]) == {}
    clock.advance(0.4)
    doorbell.take_all()
    pipeline.store(keys[1:3], COMBINED)
    messages = doorbell.take_all()
    assert [message[:2] for message in messages] == [("invalidate", "p1"), ("invalidate", "p2")]
    assert {delay for *_, delay in messages} == {3}  # 2.6 seconds until the next invalidation
    clock.advance(3)
    assert pipeline.purge(keys[1:3]) == {}
    assert doorbell.take_all() == []
    assert len(world.invalidations()) == 2


def test_a_purge_that_fails_is_recorded_on_each_change(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock
) -> None:
    class Unavailable:
        def purge(self, reference: str) -> None:
            raise DependencyUnavailable("CloudFront")

    pipeline.store(keys)
    clock.advance(2)
    failures = replace(pipeline, cdn=Unavailable()).purge(keys)
    assert set(failures) == set(keys)
    assert {states(product_id)[Effect.PURGED] for product_id, _ in keys} == {"retrying"}


def test_the_last_stamp_closes_the_change_and_counts_it_once(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock
) -> None:
    pipeline.store(keys, COMBINED)
    clock.advance(2)
    for _ in range(2):
        assert pipeline.purge(keys) == {}
    assert list(bootstrap.table().open_changes()) == []
    log = bootstrap.operations_log()
    minutes = log.minutes(clock() - timedelta(hours=1), clock() + timedelta(minutes=1))
    assert sum(minute.changes for minute in minutes) == SIZE


def test_the_last_stamp_returns_the_change_as_it_is_then(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock
) -> None:
    class Unavailable:
        def purge(self, reference: str) -> None:
            raise DependencyUnavailable("CloudFront")

    pipeline.store(keys[:1], COMBINED)
    clock.advance(2)
    replace(pipeline, cdn=Unavailable()).purge(keys[:1])
    table = bootstrap.table()
    change = bootstrap.catalogue().receipt("p0", 1)
    assert change.failures
    stamped = table.stamp_last(change, dict.fromkeys(change.open, clock()))
    assert stamped == table.change("p0", 1)


def test_a_last_stamp_does_not_overtake_a_discard(
    pipeline: Pipeline, keys: list[ChangeKey], clock: Clock
) -> None:
    """An operator discards the effect after the worker has read the change."""
    pipeline.store(keys[:1], COMBINED)
    table = bootstrap.table()
    stale = bootstrap.catalogue().receipt("p0", 1)
    discard = Discard(by="olga", at=clock(), reason="No need of it")
    assert table.discard(stale, Effect.PURGED, discard)
    purged = {Effect.PURGED: clock()}
    assert table.stamp_last(stale, purged) is None
    assert table.stamp(stale, purged) is None
    assert states("p0")[Effect.PURGED] == "discarded"
