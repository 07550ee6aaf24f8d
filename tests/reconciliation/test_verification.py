"""The walk of the drift check: what it comes to, and what it does while others write."""

from dataclasses import replace
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.adapters.dynamodb.items import change_item
from products.catalogue import Catalogue
from products.changes import Effect, Origin, audit_hash
from products.pipeline import Pipeline
from products.reconciliation.differences import Kind
from tests.support.builders import fields
from tests.support.fakes import FakeDoorbell
from tests.support.tampering import (
    AT_ONCE,
    META,
    claim,
    delete,
    forget_document,
    found,
    kinds,
    pk,
    put,
    shelve,
    through,
)
from tests.support.world import World


@pytest.fixture
def line(pipeline: Pipeline) -> Pipeline:
    """Its messages go nowhere; each effect is asked for by name."""
    return replace(pipeline, doorbell=FakeDoorbell())


@pytest.fixture
def shelf(world: World) -> World:
    shelve("p1", 2)
    shelve("p2")
    return world


def test_what_has_no_record_is_found_by_whoever_knows_of_it_and_reported_once(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("open", fields(name="Only in the log"), ann)
    delete(shelf, pk("p1"), META)
    delete(shelf, pk("p2"), META)
    forget_document(shelf, "p2")
    stages = {
        (difference.product_id, batch.stage)
        for batch in maintenance.verification(AT_ONCE).walk()
        for difference in batch.differences
        if difference.kind == Kind.RECORD_MISSING
    }
    assert stages == {("open", "open changes"), ("p1", "documents"), ("p2", "audit records")}
    assert len([kind for kind, _, _ in kinds() if kind == Kind.RECORD_MISSING]) == 3


def test_only_what_was_changed_since_then_is_looked_at(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    shelve("p3")
    since = bootstrap.now()
    for product_id in ("p1", "p2"):
        delete(shelf, claim(product_id, 2 if product_id == "p1" else 1), "CLAIM")
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().store("p2", 2)
    catalogue.update("p3", {"price": "8"}, ann)  # its record is as old as before
    looked = list(maintenance.verification(AT_ONCE).walk(since=since))
    about = {(d.kind, d.product_id) for batch in looked for d in batch.differences}
    assert (Kind.CLAIM_MISSING, "p2") in about
    assert (Kind.RECORD_BEHIND, "p3") in about
    assert "p1" not in {product_id for _, product_id in about}


def test_the_walk_goes_on_from_any_place(shelf: World) -> None:
    whole = [(b.stage, b.after, b.checked) for b in maintenance.verification(AT_ONCE).walk()]
    for place, (stage, after, _) in enumerate(whole):
        rest = [
            (b.stage, b.after, b.checked)
            for b in maintenance.verification(AT_ONCE).walk(stage, after)
        ]
        assert rest == whole[place + 1 :]


def test_a_product_that_moves_on_while_it_is_looked_at_is_no_difference(
    shelf: World, catalogue: Catalogue, line: Pipeline, ann: Origin
) -> None:
    """Each time its log has been read, it gets another name, and all effects come about before the rest is read."""
    version = iter(range(3, 99))

    class Moving:
        def entries(self, product_id: str) -> Any:
            yield from maintenance.reconciliation_source().entries(product_id)
            if product_id == "p1":
                number = next(version)
                catalogue.update("p1", {"name": f"Name number {number}"}, ann)
                through(line, "p1", number)

        def __getattr__(self, name: str) -> Any:
            return getattr(maintenance.reconciliation_source(), name)

    moving = replace(maintenance.verification(AT_ONCE), logs=Moving())  # type: ignore[arg-type]
    assert moving.verify(["p1"]) == []
    assert next(version) > 4, "it was looked at twice, and differed each time"


def test_two_products_with_one_name_are_left_to_people(shelf: World) -> None:
    """As when a table was restored in part: no claim can be right."""
    twin = replace(bootstrap.catalogue().receipt("p2", 1), product_id="p9", open=frozenset(Effect))
    twin = replace(twin, after=replace(twin.after, product_id="p9"))
    put(shelf, change_item(replace(twin, record_hash=audit_hash(twin))))
    difference = next(d for d in found() if d.kind == Kind.CLAIM_OF_OTHER)
    assert (
        difference.product_id,
        "one of them must be renamed" in maintenance.repair().repair(difference),
    ) == ("p9", True)
    assert shelf.item(claim("p2", 1), "CLAIM") == {
        "PK": claim("p2", 1),
        "SK": "CLAIM",
        "productId": "p2",
    }


def test_a_place_in_a_log_that_is_no_version_stops_nothing(shelf: World) -> None:
    put(shelf, {"PK": pk("p1"), "SK": "CHANGE#x", "acceptedAt": "2026"})
    assert [kind for kind, _, _ in kinds()] == [Kind.CHANGE_ALTERED]
