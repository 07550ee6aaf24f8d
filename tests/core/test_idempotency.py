"""Requests with an Idempotency-Key take effect once, dry runs not at all; old versions are read and restored."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

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
from tests.support.builders import NOON, fields
from tests.support.fakes import Clock
from tests.support.world import World

pytestmark = pytest.mark.engines


def once(origin: Origin, key: str, fingerprint: str = "f") -> Origin:
    return replace(origin, idempotency_key=IdempotencyKey(key, fingerprint))


def test_the_same_request_again_gets_the_same_answer(catalogue: Catalogue, ann: Origin) -> None:
    first = catalogue.create(None, fields(), once(ann, "k"))
    again = catalogue.create(None, fields(), once(ann, "k"))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.change
    assert first.change
    assert (again.product, again.change.change_id) == (first.product, first.change.change_id)
    catalogue.update(first.product.product_id, {"price": "2"}, ann)
    assert catalogue.create(None, fields(), once(ann, "k")).product.version == 1


def test_a_request_that_changed_nothing_is_remembered_too(
    catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    assert catalogue.update("p1", {"price": "1500"}, once(ann, "k")).change is None
    catalogue.update("p1", {"price": "1"}, ben)
    again = catalogue.update("p1", {"price": "1500"}, once(ann, "k"))
    assert (again.replayed, again.change, again.product.version) == (True, None, 1)
    assert catalogue.newest("p1").price == Decimal("1.00")
    with pytest.raises(DuplicateRequest):
        catalogue.table.save_idempotency_record(
            once(ann, "k"),
            IdempotencyRecord("f", (Outcome("p1", 1, changed=False),)),
            catalogue.clock(),
        )


def test_a_key_is_for_one_request_of_one_actor(
    catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    catalogue.create("p1", fields(), once(ann, "k"))
    with pytest.raises(IdempotencyKeyReused):
        catalogue.update("p1", {"price": "2"}, once(ann, "k", "other"))
    assert not catalogue.update("p1", {"price": "2"}, once(ben, "k", "other")).replayed


def test_a_key_is_forgotten_after_a_day_and_one_that_was_refused_at_once(
    catalogue: Catalogue, ann: Origin
) -> None:
    clock = Clock(NOON)
    shop = replace(catalogue, clock=clock)
    with pytest.raises(Invalid):
        shop.create("p1", fields(price="x"), once(ann, "k", "wrong"))
    shop.create("p1", fields(), once(ann, "k"))
    clock.advance(timedelta(hours=24).total_seconds())
    assert shop.create("p1", fields(), once(ann, "k")).replayed
    clock.advance(1)
    assert not shop.update("p1", {"price": "2"}, once(ann, "k", "other")).replayed


def test_concurrent_duplicates_make_one_change_and_get_one_answer(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    for number in range(3):
        barrier = threading.Barrier(6)

        def write(
            _: int, number: int = number, barrier: threading.Barrier = barrier
        ) -> tuple[bool, int]:
            barrier.wait()
            accepted = catalogue.update(
                "p1", {"price": f"{number + 2}.00"}, once(ann, f"k{number}")
            )
            return accepted.replayed, accepted.product.version

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(write, range(6)))
        assert {version for _, version in outcomes} == {number + 2}
        assert [replayed for replayed, _ in outcomes].count(False) == 1
    assert len(catalogue.history("p1")) == 4


def test_a_dry_run_checks_everything_and_writes_nothing(
    catalogue: Catalogue, ann: Origin, world: World
) -> None:
    dry = catalogue.create("p1", fields(), ann, dry_run=True)
    assert dry.change
    assert dry.change.change_type is ChangeType.CREATE
    with pytest.raises(ProductNotFound):
        catalogue.newest("p1")
    catalogue.create("p1", fields(), ann)
    catalogue.create("p2", fields(name="Another one"), ann)
    world.empty_queues()
    with pytest.raises(ProductExists):
        catalogue.create("p1", fields(name="Third one"), ann, dry_run=True)
    with pytest.raises(NameTaken):
        catalogue.update("p2", {"name": "basic hosting"}, ann, dry_run=True)
    assert (
        catalogue.update(
            "p1", {"name": "BASIC hosting", "price": "2"}, ann, dry_run=True
        ).product.version
        == 2
    )
    assert catalogue.deactivate("p1", ann, dry_run=True).product.active is False
    assert catalogue.update("p1", {"name": "Free name"}, ann, dry_run=True).change
    assert catalogue.newest("p1").version == 1
    assert world.depth(world.queue("products.persist")) == 0


def test_a_product_can_be_seen_as_it_was(catalogue: Catalogue, ann: Origin) -> None:
    clock = Clock(NOON)
    shop = replace(catalogue, clock=clock)
    shop.create("p1", fields(price="1"), ann)
    for price in ("2", "3", "4", "5", "6", "7"):
        clock.advance(60)
        shop.update("p1", {"price": price}, ann)
    prices = [
        shop.as_of("p1", NOON + timedelta(seconds=seconds)).price for seconds in range(0, 400, 30)
    ]
    assert [int(price) for price in prices] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    with pytest.raises(ProductNotFound):
        shop.as_of("p1", NOON - timedelta(microseconds=1))


def test_an_old_version_is_restored_by_a_new_change(catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(features=["SSL"]), ann)
    catalogue.update("p1", {"price": "2", "features": []}, ann)
    catalogue.deactivate("p1", ann)
    restored = catalogue.restore_version("p1", 1, ann)
    assert restored.change
    assert (restored.product.version, restored.change.change_type) == (4, ChangeType.RESTORE)
    assert (restored.product.price, restored.product.features) == (Decimal("1500.00"), ("SSL",))
    assert catalogue.restore_version("p1", 1, ann).change is None
