"""Drift from the log: each kind is found with its cause, and repaired where that is safe."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.repair import Repair
from tests.reconciliation.damages import NOT_REPAIRABLE, REPAIRABLE, Case
from tests.support.builders import fields, origin
from tests.support.delivery import deliver
from tests.support.tampering import (
    NO_GRACE,
    V2,
    complete_effects,
    create_complete,
    delete_item,
    find_differences,
    found_kinds,
    pk,
    put_object,
    update_item,
)
from tests.support.world import World

GRACE = timedelta(minutes=2)


@pytest.fixture
def shelf(world: World) -> World:
    create_complete("p1", 2)
    create_complete("p2")
    return world


def test_consistent_catalogue_has_no_difference(shelf: World) -> None:
    ann = origin("ann")
    bootstrap.acceptance().deactivate("p2", ann)
    complete_effects(bootstrap.pipeline(), "p2", 2)
    batches = list(maintenance.verification(NO_GRACE).walk())
    assert [difference for batch in batches for difference in batch.differences] == []
    counts = {batch.stage: batch.checked for batch in batches}
    assert counts == {
        "active records": 1,
        "inactive records": 1,
        "documents": 2,
        "audit records": 4,
    }


def by_product(differences: list[Difference]) -> dict[str, dict[Kind, int | None]]:
    versions: dict[str, dict[Kind, int | None]] = {}
    for difference in differences:
        versions.setdefault(difference.product_id, {})[difference.kind] = difference.version
    return versions


def apply_damages(world: World, cases: Mapping[str, Case]) -> list[Difference]:
    """Damage a product for each case, and return the differences, whose causes are asserted."""
    for product_id in cases:
        create_complete(product_id, 2)
    for product_id, case in cases.items():
        case.damage(world, product_id)
    differences = find_differences()
    first_causes = {d.product_id: d.cause for d in reversed(differences)}
    wrong_causes = {
        product_id: first_causes.get(product_id)
        for product_id, case in cases.items()
        if case.kinds and case.cause not in first_causes.get(product_id, "")
    }
    assert wrong_causes == {}
    return differences


def repair_without_purge() -> Repair:
    return replace(maintenance.repair(), cover=lambda: None)


def histories(product_ids: Mapping[str, Case]) -> dict[str, object]:
    return {product_id: bootstrap.catalogue().history(product_id) for product_id in product_ids}


def test_lost_effect_is_found_and_repeated(world: World) -> None:
    differences = apply_damages(world, REPAIRABLE)
    expected = {product_id: case.kinds for product_id, case in REPAIRABLE.items() if case.kinds}
    assert by_product(differences) == expected | {"ghost": {Kind.DOCUMENT_OF_NO_PRODUCT: None}}
    before = histories(REPAIRABLE)
    repair = repair_without_purge()
    outcomes = {str(difference): repair.repair(difference) for difference in differences}
    failed = {text for text in outcomes.values() if text.startswith(("not ", "changed in"))}
    assert failed == set(), outcomes
    assert find_differences() == []
    assert histories(REPAIRABLE) == before


def test_difference_that_needs_a_person_is_found_and_not_repaired(world: World) -> None:
    differences = apply_damages(world, NOT_REPAIRABLE)
    expected = {product_id: case.kinds for product_id, case in NOT_REPAIRABLE.items()}
    assert by_product(differences) == expected
    repair = repair_without_purge()
    for difference in differences:
        if difference.kind != Kind.DOCUMENT_OF_NO_PRODUCT:
            assert repair.repair(difference).startswith("not repaired")
    assert find_differences() == differences


def test_reverted_document_is_reindexed(shelf: World) -> None:
    shelf.opensearch.indices.delete(index=f"{shelf.alias}-1")  # forgets the versions
    index = bootstrap.opensearch_index()
    assert index
    index.ensure()
    for product_id in ("p1", "p2"):
        index.put([bootstrap.catalogue().version(product_id, 1)])
    (difference,) = find_differences()
    assert (difference.kind, difference.product_id) == (Kind.DOCUMENT_BEHIND, "p1")
    assert difference.version == 2
    assert "is at v1, the log at v2" in difference.cause
    assert maintenance.repair().repair(difference) == "reindexed"
    assert find_differences() == []


def test_restored_table_is_repaired_towards_its_log(shelf: World) -> None:
    """After a restore to an earlier time, the other stores are ahead of the table."""
    delete_item(shelf, pk("p1"), V2)
    assert found_kinds() == [
        (Kind.RECORD_OF_NO_CHANGE, "p1", 1),
        (Kind.DOCUMENT_OF_NO_CHANGE, "p1", 1),
        (Kind.CLAIM_MISSING, "p1", 1),
        (Kind.AUDIT_OF_NO_CHANGE, "p1", 2),
    ]
    for difference in find_differences():
        maintenance.repair().repair(difference)
    rebuilding = maintenance.reindex()
    assert rebuilding
    rebuilding.run("20260301", lambda products: products)
    assert found_kinds() == [(Kind.AUDIT_OF_NO_CHANGE, "p1", 2)]


def test_only_operator_actions_may_share_the_bucket(shelf: World) -> None:
    """Operator actions belong to no product; any other key is reported."""
    bootstrap.operations().record_action("olga", "looked", "", [])
    assert shelf.audit_records("operations/")
    keys = ["9999/99/99/p1_99999999T999999.999999Z.json", "holiday.jpg"]
    for key in keys:
        put_object(shelf, key)
    differences = find_differences()
    assert {difference.kind for difference in differences} == {Kind.AUDIT_OF_NO_CHANGE}
    assert [difference.subject for difference in differences] == keys


# Open effects


def test_open_effect_is_a_difference_only_after_the_grace_period(
    shelf: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.update("p2", {"price": "7"}, ann)
    acceptance.create("p4", fields(name="Not stored yet"), ann)
    shelf.empty_queues()  # their messages are lost
    assert find_differences(GRACE) == []
    differences = find_differences()
    assert [(d.kind, d.product_id, d.version) for d in differences] == [
        (Kind.AUDIT_MISSING, "p2", 2),
        (Kind.RECORD_BEHIND, "p2", 2),
        (Kind.DOCUMENT_BEHIND, "p2", 2),
        (Kind.EFFECT_LATE, "p2", 2),
        (Kind.AUDIT_MISSING, "p4", 1),
        (Kind.RECORD_MISSING, "p4", 1),
        (Kind.DOCUMENT_MISSING, "p4", 1),
        (Kind.EFFECT_LATE, "p4", 1),
    ]
    for difference in differences:
        assert "its message was lost, or no worker handles it" in difference.cause
    outcomes = {maintenance.repair().repair(difference) for difference in differences}
    assert outcomes == {"requeued, to be stored"}
    assert shelf.depth(shelf.queue("products.persist")) == 8
    for message in list(shelf.messages("products.persist")):
        payload = shelf.payload(message)
        assert payload in ({"product_id": "p2", "version": 2}, {"product_id": "p4", "version": 1})


def test_permanently_failed_effect_is_a_difference_immediately(
    shelf: World, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.update("p2", {"price": "7"}, ann)
    deliver(bootstrap.pipeline().store, "p2", 2)
    failure = Failure(
        reason="Refused: no such field", at=bootstrap.now(), attempts=3, permanent=True
    )
    bootstrap.table().fail(catalogue.receipt("p2", 2), Effect.SEARCHABLE, failure)
    (difference,) = find_differences(GRACE)
    assert (difference.kind, difference.version) == (Kind.DOCUMENT_BEHIND, 2)
    assert "tried 3 times: Refused: no such field" in difference.cause
    shelf.empty_queues()
    assert maintenance.repair().repair(difference) == "requeued, to be searchable"
    shelf.work()
    assert find_differences(GRACE) == []


def test_open_change_without_its_flag_is_flagged_again(
    shelf: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.update("p2", {"price": "7"}, ann)
    shelf.empty_queues()
    update_item(shelf, pk("p2"), V2, "REMOVE openFlag")
    assert bootstrap.relay().requeue(failed=True) == 0
    (difference,) = find_differences(GRACE)
    assert difference.kind == Kind.OPEN_FLAG_MISSING
    assert maintenance.repair().repair(difference) == "requeued, to be stored"
    assert find_differences(GRACE) == []
    assert bootstrap.relay().requeue(failed=True) == 1


def test_discarded_effect_is_no_difference(
    shelf: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.update("p2", {"price": "7"}, ann)
    deliver(bootstrap.pipeline().store, "p2", 2)
    for effect in (Effect.SEARCHABLE, Effect.AUDITED, Effect.PURGED):
        bootstrap.operations().discard("p2", 2, effect, origin("olga"), reason="No need of it")
    assert find_differences() == []
