"""Each way in which the engines can depart from the log: made, found with its cause, mended, and gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from products.reconciliation.differences import Difference, Kind
from tests.support.builders import fields
from tests.support.tampering import (
    AT_ONCE,
    META,
    V1,
    V2,
    audit_key_of,
    change,
    claim,
    delete,
    forget_document,
    found,
    kinds,
    pk,
    put,
    put_document,
    put_object,
    shelve,
    through,
)
from tests.support.world import World


@pytest.fixture
def shelf(world: World) -> World:
    shelve("p1", 2)
    shelve("p2")
    return world


def test_a_catalogue_that_agrees_has_no_difference(shelf: World) -> None:
    ann = Origin(actor="ann", source="test", request_id="r")
    bootstrap.catalogue().deactivate("p2", ann)
    through(bootstrap.pipeline(), "p2", 2)
    batches = list(maintenance.verification(AT_ONCE).walk())
    assert [difference for batch in batches for difference in batch.differences] == []
    counts = {batch.stage: batch.checked for batch in batches}
    assert counts == {
        "active records": 1,
        "inactive records": 1,
        "documents": 2,
        "audit records": 4,
    }


Damage = Callable[[World, str], object]
# By product, each of which has two versions: what is done to it, what is found, and words of the first cause.
MENDED: dict[str, tuple[Damage, dict[Kind, int | None], str]] = {
    "record-lost": (
        lambda w, p: delete(w, pk(p), META),
        {Kind.RECORD_MISSING: 2},
        "v2 was stored, and it was lost or set back",
    ),
    "record-set-back": (
        lambda w, p: maintenance.reconciliation_source().overwrite_record(
            bootstrap.catalogue().version(p, 1), observed_version=2
        ),
        {Kind.RECORD_BEHIND: 2},
        "the record is at v1, the log at v2",
    ),
    "record-price": (
        lambda w, p: change(w, pk(p), META, "SET price = :price", price=Decimal(1)),
        {Kind.RECORD_DIFFERS: 2},
        "index keys do not fit",
    ),
    "record-text": (
        lambda w, p: change(w, pk(p), META, "SET description = :text", text="Quite another text."),
        {Kind.RECORD_DIFFERS: 2},
        "says v2, but not what v2 says",
    ),
    "record-unreadable": (
        lambda w, p: change(w, pk(p), META, "REMOVE features"),
        {Kind.RECORD_DIFFERS: 2},
        "can't be read",
    ),
    "record-ahead": (
        lambda w, p: bootstrap.table().put_record(
            replace(bootstrap.catalogue().newest(p), version=7)
        ),
        {Kind.RECORD_OF_NO_CHANGE: 2},
        "at v7, which nobody accepted",
    ),
    "claim-lost": (
        lambda w, p: delete(w, claim(p), "CLAIM"),
        {Kind.CLAIM_MISSING: 2},
        "nothing keeps others from its name 'claim-lost 2'",
    ),
    "claim-of-other": (
        lambda w, p: change(w, claim(p), "CLAIM", "SET productId = :p", p="record-lost"),
        {Kind.CLAIM_OF_OTHER: 2},
        "is claimed by 'record-lost'",
    ),
    "claim-of-nobody": (
        lambda w, p: change(w, claim(p), "CLAIM", "SET productId = :p", p="nobody"),
        {Kind.CLAIM_OF_OTHER: 2},
        "is claimed by 'nobody'",
    ),
    "claim-left": (
        lambda w, p: put(w, {"PK": claim(p, 1), "SK": "CLAIM", "productId": p}),
        {Kind.CLAIM_LEFT: 2},
        "still claims 'claim-left 1'",
    ),
    "document-lost": (
        forget_document,
        {Kind.DOCUMENT_MISSING: 2},
        "v2 was searchable, and it was lost",
    ),
    "document-edited": (
        lambda w, p: put_document(w, p, 2, (w.document(p) or {}) | {"name": "Something else"}),
        {Kind.DOCUMENT_DIFFERS: 2},
        "not what v2 says",
    ),
    "document-of-nobody": (
        lambda w, p: [put_document(w, "ghost", 3, (w.document(p) or {}) | {"productId": "ghost"})],
        {},
        "",
    ),
    "audit-lost": (
        lambda w, p: w.s3.delete_object(Bucket=w.bucket, Key=audit_key_of(w, p)),
        {Kind.AUDIT_MISSING: 1},
        "is gone from S3",
    ),
    "flag-left": (
        lambda w, p: change(w, pk(p), V1, "SET openFlag = :open", open="OPEN"),
        {Kind.OPEN_FLAG_LEFT: 1},
        "a worker died between its two last writes",
    ),
    "nearly-all-lost": (
        lambda w, p: [delete(w, pk(p), META), forget_document(w, p), delete(w, claim(p), "CLAIM")],
        {Kind.RECORD_MISSING: 2, Kind.DOCUMENT_MISSING: 2, Kind.CLAIM_MISSING: 2},
        "the record is not there",
    ),
}
BY_HAND: dict[str, tuple[Damage, dict[Kind, int | None], str]] = {
    "change-edited": (
        lambda w, p: change(w, pk(p), V2, "SET #after.price = :price", price=Decimal(1)),
        {Kind.CHANGE_ALTERED: 2},
        "another hash, or another place",
    ),
    "change-unreadable": (
        lambda w, p: change(w, pk(p), V1, "REMOVE #after"),
        {Kind.CHANGE_ALTERED: 1},
        "can't be read",
    ),
    "change-forgotten": (
        lambda w, p: delete(w, pk(p), V1),
        {Kind.VERSION_GAP: 1, Kind.AUDIT_OF_NO_CHANGE: None},
        "version 1 is missing from the log",
    ),
    "log-lost": (
        lambda w, p: [delete(w, pk(p), sk) for sk in (V1, V2)],
        {
            Kind.RECORD_OF_NO_PRODUCT: None,
            Kind.DOCUMENT_OF_NO_PRODUCT: None,
            Kind.AUDIT_OF_NO_CHANGE: None,
        },
        "no log of any change",
    ),
    "audit-edited": (
        lambda w, p: put_object(w, audit_key_of(w, p), b'{"price": "1"}'),
        {Kind.AUDIT_ALTERED: 1},
        "is not the one that was written",
    ),
    "audit-put-in": (
        lambda w, p: put_object(w, f"2026/03/01/{p}_20260301T120000.000000Z.json"),
        {Kind.AUDIT_OF_NO_CHANGE: None},
        "no change was accepted then",
    ),
    "document-ahead": (
        lambda w, p: put_document(w, p, 9, (w.document(p) or {}) | {"version": 9}),
        {Kind.DOCUMENT_OF_NO_CHANGE: 2},
        "at v9, which nobody accepted",
    ),
}


def by_product(differences: list[Difference]) -> dict[str, dict[Kind, int | None]]:
    sorted_: dict[str, dict[Kind, int | None]] = {}
    for difference in differences:
        sorted_.setdefault(difference.product_id, {})[difference.kind] = difference.version
    return sorted_


def damaged(world: World, damages: dict[str, Any]) -> list[Difference]:
    """What is found of it all; each damage is done to a product of its own."""
    for product_id in damages:
        shelve(product_id, 2)
    for product_id, (damage, _, _) in damages.items():
        damage(world, product_id)
    differences = found()
    causes = {d.product_id: d.cause for d in reversed(differences)}
    assert {
        p: words
        for p, (_, kinds, words) in damages.items()
        if kinds and words not in causes.get(p, "")
    } == {}
    return differences


def test_what_is_stamped_and_not_so_is_found_and_done_once_more(world: World) -> None:
    differences = damaged(world, MENDED)
    expected = {product_id: kinds for product_id, (_, kinds, _) in MENDED.items() if kinds}
    assert by_product(differences) == expected | {"ghost": {Kind.DOCUMENT_OF_NO_PRODUCT: None}}
    before = {product_id: bootstrap.catalogue().history(product_id) for product_id in MENDED}
    mending = replace(maintenance.repair(), cover=lambda at: None)
    done = {str(difference): mending.repair(difference) for difference in differences}
    assert {text for text in done.values() if text.startswith(("not ", "has moved"))} == set(), done
    assert found() == []
    assert {
        product_id: bootstrap.catalogue().history(product_id) for product_id in MENDED
    } == before


def test_what_only_a_person_can_judge_is_named_and_left(world: World) -> None:
    differences = damaged(world, BY_HAND)
    assert by_product(differences) == {
        product_id: kinds for product_id, (_, kinds, _) in BY_HAND.items()
    }
    mending = replace(maintenance.repair(), cover=lambda at: None)
    for difference in differences:
        if difference.kind != Kind.DOCUMENT_OF_NO_PRODUCT:
            assert mending.repair(difference).startswith("not mended")
    assert found() == differences


def test_a_document_that_was_set_back_is_put_forward_again(shelf: World) -> None:
    shelf.opensearch.indices.delete(index=f"{shelf.alias}-1")  # with what it remembers of versions
    standing: Any = bootstrap.index()
    standing.ensure()
    for product_id in ("p1", "p2"):
        standing.put(bootstrap.catalogue().version(product_id, 1))
    (difference,) = found()
    assert (difference.kind, difference.product_id, difference.version) == (
        Kind.DOCUMENT_BEHIND,
        "p1",
        2,
    )
    assert "is at v1, the log at v2" in difference.cause
    assert maintenance.repair().repair(difference) == "indexed anew"
    assert found() == []


def test_what_a_restored_table_has_forgotten_is_moved_back_to_its_log(shelf: World) -> None:
    """As after a restore to an earlier time, which the other engines know nothing of."""
    delete(shelf, pk("p1"), V2)
    assert kinds() == [
        (Kind.RECORD_OF_NO_CHANGE, "p1", 1),
        (Kind.DOCUMENT_OF_NO_CHANGE, "p1", 1),
        (Kind.CLAIM_MISSING, "p1", 1),
        (Kind.AUDIT_OF_NO_CHANGE, "p1", None),
    ]
    for difference in found():
        maintenance.repair().repair(difference)
    rebuilding = maintenance.reindex()
    assert rebuilding
    rebuilding.run("20260301", lambda products: products)
    assert kinds() == [(Kind.AUDIT_OF_NO_CHANGE, "p1", None)]


def test_other_things_in_the_bucket(shelf: World) -> None:
    """What operators did belongs to no product; anything else has no business there."""
    bootstrap.operations().record_action("olga", "looked", "", [])
    assert shelf.audit_records("operations/")
    put_object(shelf, "holiday.jpg")
    (difference,) = found()
    assert (difference.kind, difference.subject) == (Kind.AUDIT_OF_NO_CHANGE, "holiday.jpg")


# What is open


def test_a_change_under_way_is_no_difference_until_it_has_been_for_too_long(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    catalogue.create("p4", fields(name="Not stored yet"), ann)
    shelf.empty_queues()  # their doorbells are lost
    assert found(timedelta(minutes=2)) == []
    differences = found()
    assert [
        (difference.kind, difference.product_id, difference.version) for difference in differences
    ] == [
        (Kind.AUDIT_MISSING, "p2", 2),
        (Kind.RECORD_BEHIND, "p2", 2),
        (Kind.DOCUMENT_BEHIND, "p2", 2),
        (Kind.EFFECT_LATE, "p2", 2),
        (Kind.AUDIT_MISSING, "p4", 1),
        (Kind.RECORD_MISSING, "p4", 1),
        (Kind.DOCUMENT_MISSING, "p4", 1),
        (Kind.EFFECT_LATE, "p4", 1),
    ]
    assert all(
        "its doorbell was lost, or no worker takes it" in difference.cause
        for difference in differences
    )
    said = {maintenance.repair().repair(difference) for difference in differences}
    assert said == {"rung for, to be stored"}
    assert shelf.depth(shelf.queue("products.persist")) == 8
    for message in list(shelf.messages("products.persist")):
        payload = shelf.payload(message)
        assert payload in ({"product_id": "p2", "version": 2}, {"product_id": "p4", "version": 1})


def test_what_failed_for_good_is_a_difference_at_once(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().store("p2", 2)
    failure = Failure(
        reason="Refused: no such field", at=bootstrap.now(), attempts=3, permanent=True
    )
    bootstrap.table().fail(catalogue.receipt("p2", 2), Effect.SEARCHABLE, failure)
    (difference,) = found(timedelta(minutes=2))
    assert (difference.kind, difference.version) == (Kind.DOCUMENT_BEHIND, 2)
    assert "tried 3 times: Refused: no such field" in difference.cause
    shelf.empty_queues()
    assert maintenance.repair().repair(difference) == "rung for, to be searchable"
    shelf.work()
    assert found(timedelta(minutes=2)) == []


def test_an_open_change_nothing_rings_for_is_listed_again(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    shelf.empty_queues()
    change(shelf, pk("p2"), V2, "REMOVE openFlag")
    assert bootstrap.pipeline().relay(failed=True) == 0
    (difference,) = found(timedelta(minutes=2))
    assert difference.kind == Kind.OPEN_FLAG_MISSING
    assert maintenance.repair().repair(difference) == "rung for, to be stored"
    assert found(timedelta(minutes=2)) == []
    assert bootstrap.pipeline().relay(failed=True) == 1


def test_an_effect_that_was_given_up_is_not_missed(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().store("p2", 2)
    for effect in (Effect.SEARCHABLE, Effect.AUDITED, Effect.PURGED):
        bootstrap.operations().discard("p2", 2, effect, reason="No need of it", by="olga")
    assert found() == []
