"""The walk of the verification: its order, and concurrent writes."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.adapters.dynamodb.items import change_item
from products.changes import Effect, Origin, audit_hash
from products.pipeline import Pipeline
from products.reconciliation.differences import Kind, LogEntry
from products.reconciliation.verification import Stage
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell
from tests.support.tampering import (
    META,
    NO_GRACE,
    claim_pk,
    complete_effects,
    create_complete,
    delete_document,
    delete_item,
    find_differences,
    found_kinds,
    pk,
    put_item,
)
from tests.support.world import World


@pytest.fixture
def silent_pipeline(pipeline: Pipeline) -> Pipeline:
    """A pipeline that sends no messages."""
    return replace(pipeline, doorbell=FakeDoorbell())


@pytest.fixture
def shelf(world: World) -> World:
    create_complete("p1", 2)
    create_complete("p2")
    return world


def test_product_without_a_record_is_found_once_in_the_first_stage(
    shelf: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("open", fields(name="Only in the log"), ann)
    delete_item(shelf, pk("p1"), META)
    delete_item(shelf, pk("p2"), META)
    delete_document(shelf, "p2")
    stages = {
        (difference.product_id, batch.stage)
        for batch in maintenance.verification(NO_GRACE).walk()
        for difference in batch.differences
        if difference.kind == Kind.RECORD_MISSING
    }
    assert stages == {("open", "open changes"), ("p1", "documents"), ("p2", "audit records")}
    assert len([kind for kind, _, _ in found_kinds() if kind == Kind.RECORD_MISSING]) == 3


def test_since_limits_the_walk_to_later_changes(
    shelf: World, acceptance: Acceptance, ann: Origin
) -> None:
    create_complete("p3")
    since = bootstrap.now()
    delete_item(shelf, claim_pk("p1", 2), "CLAIM")
    delete_item(shelf, claim_pk("p2", 1), "CLAIM")
    acceptance.update("p2", {"price": "7"}, ann)
    deliver(bootstrap.pipeline().store, "p2", 2)
    acceptance.update("p3", {"price": "8"}, ann)  # not stored, so its record is old
    batches = list(maintenance.verification(NO_GRACE).walk(since=since))
    found = {(d.kind, d.product_id) for batch in batches for d in batch.differences}
    assert (Kind.CLAIM_MISSING, "p2") in found
    assert (Kind.RECORD_BEHIND, "p3") in found
    assert "p1" not in {product_id for _, product_id in found}


def walk_positions(
    stage: Stage | None = None, after: str | None = None
) -> list[tuple[Stage, str, int]]:
    batches = maintenance.verification(NO_GRACE).walk(stage, after)
    return [(batch.stage, batch.after, batch.checked) for batch in batches]


def test_walk_continues_from_any_position(shelf: World) -> None:
    positions = walk_positions()
    for number, (stage, after, _) in enumerate(positions):
        assert walk_positions(stage, after) == positions[number + 1 :]


def test_product_that_changes_during_the_comparison_is_no_difference(
    shelf: World, acceptance: Acceptance, silent_pipeline: Pipeline, ann: Origin
) -> None:
    """Rename the product, with all effects, each time after its log was read."""
    versions = itertools.count(3)

    source = maintenance.reconciliation_source()

    class ChangingLogs:
        def entries(self, product_id: str) -> Iterator[LogEntry]:
            yield from source.entries(product_id)
            if product_id == "p1":
                version = next(versions)
                acceptance.update("p1", {"name": f"Name number {version}"}, ann)
                complete_effects(silent_pipeline, "p1", version)

        def __getattr__(self, name: str) -> Any:
            return getattr(source, name)

    logs: Any = ChangingLogs()
    verification = replace(maintenance.verification(NO_GRACE), logs=logs)
    assert verification.verify(["p1"]) == []
    assert next(versions) > 4, "it was compared twice, and differed each time"


def test_two_products_with_one_name_are_not_repaired(shelf: World) -> None:
    """After a partial restore of a table, no claim can be correct."""
    twin = replace(bootstrap.catalogue().receipt("p2", 1), product_id="p9", open=frozenset(Effect))
    twin = replace(twin, after=replace(twin.after, product_id="p9"))
    put_item(shelf, change_item(replace(twin, record_hash=audit_hash(twin))))
    difference = next(d for d in find_differences() if d.kind == Kind.CLAIM_OF_OTHER)
    assert difference.product_id == "p9"
    assert "one of the two must be renamed" in maintenance.repair().repair(difference)
    claim = {"PK": claim_pk("p2", 1), "SK": "CLAIM", "productId": "p2"}
    assert shelf.item(claim_pk("p2", 1), "CLAIM") == claim


def test_log_entry_without_a_version_is_reported(shelf: World) -> None:
    put_item(shelf, {"PK": pk("p1"), "SK": "CHANGE#x", "acceptedAt": "2026"})
    assert [kind for kind, _, _ in found_kinds()] == [Kind.CHANGE_ALTERED]
