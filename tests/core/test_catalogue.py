"""The use cases on a running DynamoDB: accept, merge, refuse, and read your own writes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import MAX_ATTEMPTS, Acceptance, ContendedWrite
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
from products.writes import Write, WritesRefused
from tests.support.builders import NOON, fields
from tests.support.delivery import deliver
from tests.support.fakes import AlwaysLosingTable, Clock, OvertakenTable
from tests.support.world import World

pytestmark = pytest.mark.engines


def test_an_accepted_product_is_readable_before_it_is_stored(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    accepted = acceptance.create("p1", fields(), ann)
    assert accepted.change
    assert accepted.change.change_type is ChangeType.CREATE
    assert catalogue.newest("p1") == accepted.product
    assert world.record("p1") is None  # the record is not stored yet
    with pytest.raises(ProductNotFound):
        catalogue.public("p1")


def test_a_missing_id_is_generated(acceptance: Acceptance, ann: Origin) -> None:
    assert acceptance.create(None, fields(), ann).product.product_id.startswith("prod_")


def test_an_id_can_be_used_once(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    with pytest.raises(ProductExists):
        acceptance.create("p1", fields(name="Another one"), ann)
    with pytest.raises(ProductExists):
        acceptance.create("p1", fields(), ann)


def test_an_inactive_product_keeps_its_name(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(name="Basic Hosting"), ann)
    acceptance.deactivate("p1", ann)
    with pytest.raises(NameTaken, match="belongs to product 'p1'"):
        acceptance.create("p2", fields(name=" basic  hosting "), ann)
    with pytest.raises(ProductNotFound):
        catalogue.newest("p2")


def test_a_rename_frees_the_old_name(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(name="First name"), ann)
    acceptance.update("p1", {"name": "Second name"}, ann)
    acceptance.create("p2", fields(name="First name"), ann)
    with pytest.raises(NameTaken):
        acceptance.update("p2", {"name": "Second name"}, ann)
    acceptance.update("p1", {"name": "SECOND NAME"}, ann)  # its own name in another case


def test_an_invalid_field_writes_nothing(acceptance: Acceptance, ann: Origin, world: World) -> None:
    with pytest.raises(Invalid):
        acceptance.create("p1", fields(price="free"), ann)
    assert world.dynamodb.describe_table(TableName=world.table)["Table"]["ItemCount"] == 0


def test_the_log_has_no_gaps_and_keeps_both_states(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    for price in ("1.00", "2.00", "3.00"):
        acceptance.update("p1", {"price": price}, ann)
    history = catalogue.history("p1")
    assert [change.version for change in history] == [4, 3, 2, 1]
    assert all(newer.before == older.after for newer, older in itertools.pairwise(history))
    assert [change.version for change in catalogue.history("p1", before=3, limit=1)] == [2]


def test_a_write_that_changes_nothing_appends_nothing(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    accepted = acceptance.update("p1", {"price": "1500"}, ben)
    assert accepted.change is None
    assert catalogue.newest("p1").version == 1


def test_edits_of_different_fields_are_merged(
    acceptance: Acceptance, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    acceptance.update("p1", {"price": "2000"}, ann, base=1)
    merged = acceptance.update("p1", {"name": "Better hosting", "price": "1500.00"}, ben, base=1)
    assert (merged.product.version, merged.product.price) == (3, Decimal("2000.00"))
    assert merged.product.name == "Better hosting"


def test_edits_of_the_same_field_conflict(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    acceptance.update("p1", {"price": "2000"}, ann, base=1)
    with pytest.raises(EditConflict) as conflict:
        acceptance.update("p1", {"price": "3000"}, ben, base=1)
    assert conflict.value.product.updated_by == "ann"
    assert catalogue.newest("p1").price == Decimal("2000.00")


def test_an_expected_version_must_be_the_newest(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    acceptance.update("p1", {"price": "2000"}, ann, expected_version=1)
    with pytest.raises(VersionMismatch, match="at version 2 by now"):
        acceptance.update("p1", {"name": "Better hosting"}, ann, expected_version=1)


def test_a_base_version_must_exist(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    with pytest.raises(ChangeNotFound):
        acceptance.update("p1", {"price": "1"}, ann, base=9)


def test_a_deactivated_product_can_be_restored(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    assert acceptance.deactivate("p1", ann).product.active is False
    assert acceptance.deactivate("p1", ann).change is None
    restored = acceptance.restore("p1", ann)
    assert restored.change
    assert restored.change.change_type is ChangeType.RESTORE
    assert restored.product.active


@pytest.mark.parametrize("act", ["update", "deactivate", "restore", "newest", "history", "public"])
def test_an_unknown_product_is_not_found(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, act: str
) -> None:
    arguments: dict[str, tuple[object, ...]] = {
        "update": ({"price": "1"}, ann),
        "deactivate": (ann,),
        "restore": (ann,),
    }
    owner = acceptance if act in arguments else catalogue
    with pytest.raises(ProductNotFound):
        getattr(owner, act)("nobody", *arguments.get(act, ()))


def test_concurrent_writers_lose_no_update(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    """Eight writers change four fields: there is one version for each successful write."""
    acceptance.create("p1", fields(), ann)
    templates = {
        "name": "Renamed {}",
        "description": "A description by {}.",
        "period": "period {}",
        "price": "{}.00",
    }
    barrier = threading.Barrier(8)

    def write(number: int) -> str:
        field, template = list(templates.items())[number % len(templates)]
        edits = {field: template.format(10 + number)}
        barrier.wait()
        try:
            accepted = acceptance.update("p1", edits, ann)
        except (EditConflict, ContendedWrite) as refusal:
            return type(refusal).__name__
        return "saved" if accepted.change else "same"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    history = catalogue.history("p1", limit=50)
    assert [change.version for change in history] == list(range(len(history), 0, -1))
    assert outcomes.count("saved") == len(history) - 1
    assert outcomes.count("saved") >= 4  # at least one of each field: different fields always merge


def test_concurrent_creations_of_one_id_create_one_product(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    barrier = threading.Barrier(4)

    def create(number: int) -> bool:
        barrier.wait()
        try:
            return acceptance.create("p1", fields(name=f"Hosting {number}"), ann).change is not None
        except ProductExists:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(create, range(4))).count(True) == 1
    assert len(catalogue.history("p1")) == 1


def test_a_write_gives_up_after_some_lost_races(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    losing = replace(acceptance, log=AlwaysLosingTable(acceptance.log))
    with pytest.raises(ContendedWrite, match="nothing was saved"):
        losing.update("p1", {"price": "1"}, ann)
    with pytest.raises(ContendedWrite, match="nothing was saved"):
        losing.create("p2", fields(name="Another one"), ann)
    assert MAX_ATTEMPTS > 1


@pytest.mark.parametrize("mode", ["one", "all"])
@pytest.mark.parametrize("base", [None, 1])
def test_a_write_that_was_overtaken_replaces_nobodys_edit(
    acceptance: Acceptance,
    catalogue: Catalogue,
    ann: Origin,
    ben: Origin,
    mode: str,
    base: int | None,
) -> None:
    """The caller saw version 1, so an edit of the same field by somebody else is a conflict."""
    acceptance.create("p1", fields(), ann)

    def update_overtaken(edits: dict[str, Any], **overtaking: Any) -> None:
        table = OvertakenTable(acceptance.log, lambda: acceptance.update("p1", overtaking, ben))
        overtaken = replace(acceptance, log=table)
        write = Write(product_id="p1", edits=edits, base=base)
        if mode == "one":
            overtaken.write(write, ann)
        else:
            overtaken.write_all([write], ann)

    update_overtaken({"price": "2"}, description="Hosting by ben.")
    newest = catalogue.newest("p1")
    assert (newest.version, newest.description) == (3, "Hosting by ben.")
    with pytest.raises((EditConflict, WritesRefused)):
        update_overtaken({"name": "By ann"}, name="By ben")
    assert (catalogue.newest("p1").version, catalogue.newest("p1").name) == (4, "By ben")


def test_a_retried_append_finds_its_own_first_try(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    retrying = replace(acceptance, log=AlwaysLosingTable(acceptance.log, ours=True))
    assert retrying.create("p1", fields(), ann).product.version == 1
    assert len(catalogue.history("p1")) == 1


def test_waiting_ends_when_the_effect_is_done(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    change = acceptance.create("p1", fields(), ann).change
    assert change
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            deliver(pipeline.store, "p1", 1)

    reached = catalogue.await_effect(change, Effect.STORED, seconds=5, sleep=sleep)
    assert Effect.STORED in reached.done
    # The last pause is for public reads, which may still return the previous answer.
    assert pauses[2:] == [catalogue.public_lag.total_seconds()]


def test_waiting_ends_at_the_deadline(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    change = acceptance.create("p1", fields(), ann).change
    assert change
    clock = Clock(NOON)
    waiting = replace(catalogue, clock=clock)
    reached = waiting.await_effect(change, Effect.STORED, seconds=3, sleep=clock.advance)
    assert reached == change
    assert clock() == NOON + timedelta(seconds=3)


class FailingTable:
    """A table that is unavailable for two reads, and then returns a permanent failure."""

    def __init__(self, change: Change) -> None:
        failure = Failure(reason="refused", at=change.accepted_at, attempts=1, permanent=True)
        self.failed = replace(change, failures={Effect.STORED: failure})
        self.reads = 0

    def change(self, product_id: str, version: int) -> Change:
        self.reads += 1
        if self.reads < 3:
            raise DependencyUnavailable("DynamoDB")
        return self.failed


def test_waiting_ends_at_a_permanent_failure_but_not_at_an_outage(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    change = acceptance.create("p1", fields(), ann).change
    assert change
    table = FailingTable(change)
    waiting = replace(catalogue, table=table)  # type: ignore[arg-type] # has only what is called
    reached = waiting.await_effect(change, Effect.STORED, seconds=5, sleep=lambda seconds: None)
    assert (reached.state(Effect.STORED), table.reads) == ("failed", 3)


def test_waiting_for_an_unconfigured_effect_ends_immediately(
    world: World, ann: Origin, settings: Any
) -> None:
    settings.ENABLE_OPENSEARCH = False
    settings.ENABLE_CLOUDFRONT = False
    catalogue = bootstrap.catalogue()
    change = bootstrap.acceptance().create("p1", fields(), ann).change
    assert change
    assert change.open == {Effect.STORED, Effect.AUDITED}
    assert change.state(Effect.SEARCHABLE) == "not configured"
    reached = catalogue.await_effect(change, Effect.SEARCHABLE, seconds=0, sleep=print)
    assert reached is change
