"""The use-cases on a running DynamoDB: accepting, merging, refusing, reading one's own writes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from products import bootstrap
from products.acceptance import MAX_ATTEMPTS, ContendedWrite
from products.catalogue import Catalogue
from products.changes import Change, ChangeType, Effect, Failure, Origin
from products.errors import (
    ChangeNotFound,
    DependencyUnavailable,
    Invalid,
    NameTaken,
    ProductExists,
    ProductNotFound,
)
from products.merging import EditConflict, VersionMismatch
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.fakes import AlwaysLosingTable
from tests.support.world import World

pytestmark = pytest.mark.engines


def test_a_product_is_accepted_at_once_and_read_back_at_once(
    catalogue: Catalogue, ann: Origin, world: World
) -> None:
    accepted = catalogue.create("p1", fields(), ann)
    assert accepted.change
    assert accepted.change.change_type is ChangeType.CREATE
    assert catalogue.newest("p1") == accepted.product
    assert world.record("p1") is None  # the record is still to be written
    with pytest.raises(ProductNotFound):
        catalogue.public("p1")


def test_an_id_is_made_where_none_is_chosen(catalogue: Catalogue, ann: Origin) -> None:
    assert catalogue.create(None, fields(), ann).product.product_id.startswith("prod_")


def test_an_id_is_given_out_once(catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    with pytest.raises(ProductExists):
        catalogue.create("p1", fields(name="Another one"), ann)
    with pytest.raises(ProductExists):
        catalogue.create("p1", fields(), ann)


def test_a_name_is_held_by_one_product_also_while_that_is_inactive(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(name="Basic Hosting"), ann)
    catalogue.deactivate("p1", ann)
    with pytest.raises(NameTaken, match="belongs to product 'p1'"):
        catalogue.create("p2", fields(name=" basic  hosting "), ann)
    with pytest.raises(ProductNotFound):
        catalogue.newest("p2")


def test_a_name_is_free_again_once_its_product_has_another(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(name="First name"), ann)
    catalogue.update("p1", {"name": "Second name"}, ann)
    catalogue.create("p2", fields(name="First name"), ann)
    with pytest.raises(NameTaken):
        catalogue.update("p2", {"name": "Second name"}, ann)
    catalogue.update("p1", {"name": "SECOND NAME"}, ann)  # its own name, written otherwise


def test_nothing_is_half_written_when_a_field_is_wrong(
    catalogue: Catalogue, ann: Origin, world: World
) -> None:
    with pytest.raises(Invalid):
        catalogue.create("p1", fields(price="free"), ann)
    assert world.dynamodb.describe_table(TableName=world.table)["Table"]["ItemCount"] == 0


def test_versions_have_no_gaps_and_the_log_keeps_before_and_after(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    for price in ("1.00", "2.00", "3.00"):
        catalogue.update("p1", {"price": price}, ann)
    history = catalogue.history("p1")
    assert [change.version for change in history] == [4, 3, 2, 1]
    assert all(newer.before == older.after for newer, older in itertools.pairwise(history))
    assert [change.version for change in catalogue.history("p1", before=3, limit=1)] == [2]


def test_a_write_that_changes_nothing_appends_nothing(
    catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    accepted = catalogue.update("p1", {"price": "1500"}, ben)
    assert accepted.change is None
    assert catalogue.newest("p1").version == 1


def test_two_editors_of_different_fields_both_win(
    catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    catalogue.update("p1", {"price": "2000"}, ann, base=1)
    merged = catalogue.update("p1", {"name": "Better hosting", "price": "1500.00"}, ben, base=1)
    assert (merged.product.version, merged.product.price) == (3, Decimal("2000.00"))
    assert merged.product.name == "Better hosting"


def test_two_editors_of_one_field_are_told(catalogue: Catalogue, ann: Origin, ben: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    catalogue.update("p1", {"price": "2000"}, ann, base=1)
    with pytest.raises(EditConflict) as conflict:
        catalogue.update("p1", {"price": "3000"}, ben, base=1)
    assert conflict.value.product.updated_by == "ann"
    assert catalogue.newest("p1").price == Decimal("2000.00")


def test_who_insists_on_a_version_is_refused_when_it_has_passed(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    catalogue.update("p1", {"price": "2000"}, ann, expected_version=1)
    with pytest.raises(VersionMismatch, match="at version 2 by now"):
        catalogue.update("p1", {"name": "Better hosting"}, ann, expected_version=1)


def test_a_write_based_on_a_version_that_never_was_is_refused(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    with pytest.raises(ChangeNotFound):
        catalogue.update("p1", {"price": "1"}, ann, base=9)


def test_deactivated_products_keep_their_history_and_come_back(
    catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    assert catalogue.deactivate("p1", ann).product.active is False
    assert catalogue.deactivate("p1", ann).change is None
    restored = catalogue.restore("p1", ann)
    assert restored.change
    assert restored.change.change_type is ChangeType.RESTORE
    assert restored.product.active


@pytest.mark.parametrize("act", ["update", "deactivate", "restore", "newest", "history", "public"])
def test_an_unknown_product_is_missing(catalogue: Catalogue, ann: Origin, act: str) -> None:
    arguments = {"update": ({"price": "1"}, ann), "deactivate": (ann,), "restore": (ann,)}.get(
        act, ()
    )
    with pytest.raises(ProductNotFound):
        getattr(catalogue, act)("nobody", *arguments)


def test_many_writers_at_once_lose_no_update(catalogue: Catalogue, ann: Origin) -> None:
    """Sixteen writers, each of its own feature count: as many versions as there were successful writes, no gap."""
    catalogue.create("p1", fields(), ann)
    texts = ["name", "description", "period", "price"]
    values = {
        "name": "Renamed {}",
        "description": "A description by {}.",
        "period": "period {}",
        "price": "{}.00",
    }
    barrier = threading.Barrier(8)

    def write(number: int) -> str:
        field = texts[number % 4]
        barrier.wait()
        try:
            return (
                "saved"
                if catalogue.update("p1", {field: values[field].format(10 + number)}, ann).change
                else "same"
            )
        except (EditConflict, ContendedWrite) as refusal:
            return type(refusal).__name__

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    history = catalogue.history("p1", limit=50)
    assert [change.version for change in history] == list(range(len(history), 0, -1))
    assert outcomes.count("saved") == len(history) - 1
    assert outcomes.count("saved") >= 4  # one of each field at least: disjoint edits always merge


def test_two_creators_of_one_id_end_with_one_product(catalogue: Catalogue, ann: Origin) -> None:
    barrier = threading.Barrier(4)

    def create(number: int) -> bool:
        barrier.wait()
        try:
            return catalogue.create("p1", fields(name=f"Hosting {number}"), ann).change is not None
        except ProductExists:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(create, range(4))).count(True) == 1
    assert len(catalogue.history("p1")) == 1


def test_a_writer_who_is_always_beaten_is_told_so(catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    beaten = replace(catalogue, table=AlwaysLosingTable(catalogue.table))  # type: ignore[arg-type]
    with pytest.raises(ContendedWrite, match="nothing was saved"):
        beaten.update("p1", {"price": "1"}, ann)
    with pytest.raises(ContendedWrite, match="nothing was saved"):
        beaten.create("p2", fields(name="Another one"), ann)
    assert MAX_ATTEMPTS > 1


def test_a_retried_append_that_had_arrived_is_a_success(catalogue: Catalogue, ann: Origin) -> None:
    lucky = replace(catalogue, table=AlwaysLosingTable(catalogue.table, ours=True))  # type: ignore[arg-type]
    assert lucky.create("p1", fields(), ann).product.version == 1
    assert len(catalogue.history("p1")) == 1


def test_who_waits_gets_the_change_as_soon_as_it_is_stored(
    catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            pipeline.store("p1", 1)

    reached = catalogue.await_effect(change, Effect.STORED, seconds=5, sleep=nap)
    assert Effect.STORED in reached.done
    assert naps[2:] == [
        catalogue.public_lag.total_seconds()
    ]  # until the public, too, is given the new one


def test_who_waits_too_long_is_told(catalogue: Catalogue, ann: Origin) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    def nap(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    impatient = replace(catalogue, clock=lambda: now[0])
    assert impatient.await_effect(change, Effect.STORED, seconds=3, sleep=nap) == change
    assert now[0] == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=3)


def test_who_waits_learns_at_once_of_a_failure_for_good_and_never_of_an_engine_that_is_away(
    catalogue: Catalogue, ann: Origin
) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    failed = Failure(reason="refused", at=change.accepted_at, attempts=1, permanent=True)

    class Away:
        naps = 0

        def change(self, product_id: str, version: int) -> Change:
            Away.naps += 1
            if Away.naps < 3:
                raise DependencyUnavailable("DynamoDB")
            return replace(change, failures={Effect.STORED: failed})

    waiting = replace(catalogue, table=Away())  # type: ignore[arg-type]
    reached = waiting.await_effect(change, Effect.STORED, seconds=5, sleep=lambda seconds: None)
    assert (reached.state(Effect.STORED), Away.naps) == ("failed", 3)


def test_an_effect_that_is_not_configured_is_not_waited_for(
    world: World, ann: Origin, settings: object
) -> None:
    settings.ENABLE_OPENSEARCH = settings.ENABLE_CLOUDFRONT = False  # type: ignore[attr-defined]
    change = bootstrap.catalogue().create("p1", fields(), ann).change
    assert change
    assert change.open == {Effect.STORED, Effect.AUDITED}
    assert change.state(Effect.SEARCHABLE) == "not configured"
    assert (
        bootstrap.catalogue().await_effect(change, Effect.SEARCHABLE, seconds=0, sleep=print)
        is change
    )
