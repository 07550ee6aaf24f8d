"""Idempotency keys, dry runs, and reading and restoring old versions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance, ContendedWrite
from products.appending import Obstacles
from products.catalogue import Catalogue
from products.changes import ChangeType, Origin
from products.errors import Invalid, NameTaken, ProductExists, ProductNotFound
from products.idempotency import (
    DuplicateRequest,
    IdempotencyKey,
    IdempotencyKeyReused,
    IdempotencyRecord,
    Outcome,
)
from products.writes import Accepted, Write
from tests.support.builders import NOON, fields
from tests.support.fakes import Clock, OvertakenTable
from tests.support.world import World

pytestmark = pytest.mark.engines


def keyed(origin: Origin, key: str, fingerprint: str = "f") -> Origin:
    """Return the origin of a request with this Idempotency-Key."""
    return replace(origin, idempotency_key=IdempotencyKey(key, fingerprint))


def test_a_repeated_request_gets_the_same_answer(acceptance: Acceptance, ann: Origin) -> None:
    first = acceptance.create(None, fields(), keyed(ann, "k"))
    again = acceptance.create(None, fields(), keyed(ann, "k"))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.change
    assert first.change
    assert (again.product, again.change.change_id) == (first.product, first.change.change_id)
    acceptance.update(first.product.product_id, {"price": "2"}, ann)
    assert acceptance.create(None, fields(), keyed(ann, "k")).product.version == 1


def test_a_request_that_changed_nothing_is_remembered(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    assert acceptance.update("p1", {"price": "1500"}, keyed(ann, "k")).change is None
    acceptance.update("p1", {"price": "1"}, ben)
    again = acceptance.update("p1", {"price": "1500"}, keyed(ann, "k"))
    assert (again.replayed, again.change, again.product.version) == (True, None, 1)
    assert catalogue.newest("p1").price == Decimal("1.00")
    with pytest.raises(DuplicateRequest):
        acceptance.log.save_idempotency_record(
            keyed(ann, "k"),
            IdempotencyRecord("f", (Outcome("p1", 1, changed=False),)),
            acceptance.clock(),
        )


def test_a_key_belongs_to_one_request_of_one_actor(
    acceptance: Acceptance, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(), keyed(ann, "k"))
    with pytest.raises(IdempotencyKeyReused):
        acceptance.update("p1", {"price": "2"}, keyed(ann, "k", "other"))
    assert not acceptance.update("p1", {"price": "2"}, keyed(ben, "k", "other")).replayed


@pytest.mark.parametrize("mode", ["one", "all"])
def test_a_request_that_its_duplicate_overtakes_gets_the_duplicates_answer(
    acceptance: Acceptance, ann: Origin, world: World, mode: str
) -> None:
    """Both create a product with a generated ID, so only the key shows that they are the same."""
    first: list[Accepted] = []
    write = Write(product_id=None, edits=fields(), creates=True)

    def request(log: Any) -> Accepted:
        writer = replace(acceptance, log=log)
        if mode == "one":
            return writer.write(write, keyed(ann, "k"))
        return writer.write_all([write], keyed(ann, "k"))[0]

    overtaken = OvertakenTable(acceptance.log, lambda: first.append(request(acceptance.log)))
    answer = request(overtaken)
    assert (answer.product, answer.replayed) == (first[0].product, True)
    assert len(list(bootstrap.table().open_changes())) == 1


@pytest.mark.parametrize(
    "obstacles",
    [Obstacles({}, {}), Obstacles({}, {}, frozenset("k")), Obstacles({"x": "y"}, {})],
)
def test_a_refused_append_is_never_reported_as_appended(
    acceptance: Acceptance, ann: Origin, obstacles: Obstacles
) -> None:
    class RefusingTable(OvertakenTable):
        def append(self, changes: object, record: object = None) -> Obstacles:
            return obstacles

    refusing: Any = RefusingTable(acceptance.log, list)
    with pytest.raises(ContendedWrite):
        replace(acceptance, log=refusing).create("p1", fields(), ann)


def test_a_key_expires_after_a_day_and_a_refused_one_is_not_kept(
    acceptance: Acceptance, ann: Origin
) -> None:
    clock = Clock(NOON)
    timed = replace(acceptance, clock=clock)
    with pytest.raises(Invalid):
        timed.create("p1", fields(price="x"), keyed(ann, "k", "wrong"))
    timed.create("p1", fields(), keyed(ann, "k"))
    clock.advance(timedelta(hours=24).total_seconds())
    assert timed.create("p1", fields(), keyed(ann, "k")).replayed
    clock.advance(1)
    assert not timed.update("p1", {"price": "2"}, keyed(ann, "k", "other")).replayed


def write_concurrently(acceptance: Acceptance, origin: Origin, price: str) -> list[Accepted]:
    """Make the same request in six threads, and return the answers."""
    barrier = threading.Barrier(6)

    def write(_: int) -> Accepted:
        barrier.wait()
        return acceptance.update("p1", {"price": price}, origin)

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(write, range(6)))


def test_concurrent_duplicates_make_one_change(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    for number in range(3):
        outcomes = write_concurrently(acceptance, keyed(ann, f"k{number}"), f"{number + 2}.00")
        assert {accepted.product.version for accepted in outcomes} == {number + 2}
        assert [accepted.replayed for accepted in outcomes].count(False) == 1
    assert len(catalogue.history("p1")) == 4


def test_a_dry_run_validates_everything_and_writes_nothing(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    dry = acceptance.create("p1", fields(), ann, dry_run=True)
    assert dry.change
    assert dry.change.change_type is ChangeType.CREATE
    with pytest.raises(ProductNotFound):
        catalogue.newest("p1")
    acceptance.create("p1", fields(), ann)
    acceptance.create("p2", fields(name="Another one"), ann)
    world.empty_queues()
    with pytest.raises(ProductExists):
        acceptance.create("p1", fields(name="Third one"), ann, dry_run=True)
    with pytest.raises(NameTaken):
        acceptance.update("p2", {"name": "basic hosting"}, ann, dry_run=True)
    own_name = {"name": "BASIC hosting", "price": "2"}
    assert acceptance.update("p1", own_name, ann, dry_run=True).product.version == 2
    assert acceptance.deactivate("p1", ann, dry_run=True).product.active is False
    assert acceptance.update("p1", {"name": "Free name"}, ann, dry_run=True).change
    assert catalogue.newest("p1").version == 1
    assert world.depth(world.queue("products.persist")) == 0


def test_a_product_can_be_read_as_of_a_time(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    clock = Clock(NOON)
    timed = replace(acceptance, clock=clock)
    timed.create("p1", fields(price="1"), ann)
    for price in ("2", "3", "4", "5", "6", "7"):
        clock.advance(60)
        timed.update("p1", {"price": price}, ann)
    times = [NOON + timedelta(seconds=seconds) for seconds in range(0, 400, 30)]
    prices = [catalogue.as_of("p1", time).price for time in times]
    assert [int(price) for price in prices] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    with pytest.raises(ProductNotFound):
        catalogue.as_of("p1", NOON - timedelta(microseconds=1))


def test_restoring_a_version_appends_a_change(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(features=["SSL"]), ann)
    acceptance.update("p1", {"price": "2", "features": []}, ann)
    acceptance.deactivate("p1", ann)
    restored = acceptance.restore_version("p1", 1, ann)
    assert restored.change
    assert (restored.product.version, restored.change.change_type) == (4, ChangeType.RESTORE)
    assert (restored.product.price, restored.product.features) == (Decimal("1500.00"), ("SSL",))
    assert acceptance.restore_version("p1", 1, ann).change is None
