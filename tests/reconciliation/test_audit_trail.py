"""Verification of the audit trail: by S3 alone, and against the log."""

from typing import Any

import pytest
from django.core.management import CommandError

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.changes import Origin
from products.reconciliation.audit_chain import AuditRecord, chain_differences
from products.reconciliation.differences import Difference, Kind
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.world import World

INTACT = "the audit trail is intact"


@pytest.fixture
def trail(world: World, acceptance: Acceptance, ann: Origin) -> World:
    """p1 with five versions and p_1 with two, all audited."""
    for product_id, versions in (("p1", 5), ("p_1", 2)):
        acceptance.create(product_id, fields(name=f"Hosting {product_id}"), ann)
        for version in range(2, versions + 1):
            acceptance.update(product_id, {"price": f"{version}"}, ann)
        for version in range(1, versions + 1):
            bootstrap.pipeline().audit(product_id, version)
    bootstrap.pipeline().store("p1", 1)
    bootstrap.operations().record_action("olga", "looked", "", [])
    return world


def verified(*, offline: bool = False, **options: Any) -> list[tuple[Kind, str, int | None]]:
    found = differences(offline=offline, **options)
    return [(d.kind, d.product_id, d.version) for d in found]


def differences(
    *, offline: bool, product_id: str | None = None, since: Any = None
) -> list[Difference]:
    run = maintenance.audit_verification(offline=offline).run
    return list(run(product_id=product_id, since=since, show_progress=lambda keys: keys))


def key(world: World, version: int, product_id: str = "p1") -> str:
    for name, record in world.audit_records().items():
        if (record.get("productId"), record.get("version")) == (product_id, version):
            return name
    raise LookupError(f"There is no audit record of {product_id} v{version}.")


def put(world: World, name: str, body: bytes) -> None:
    world.s3.put_object(Bucket=world.bucket, Key=name, Body=body)


def edit(
    world: World, version: int, old: bytes = b'"user":"ann"', new: bytes = b'"user":"eve"'
) -> None:
    name = key(world, version)
    body = world.s3.get_object(Bucket=world.bucket, Key=name)["Body"].read()
    assert old in body
    put(world, name, body.replace(old, new))


def delete(world: World, version: int, product_id: str = "p1") -> None:
    world.s3.delete_object(Bucket=world.bucket, Key=key(world, version, product_id))


def test_intact_trail_has_no_difference(trail: World) -> None:
    assert output("verify_audit") == INTACT
    assert output("verify_audit", offline=True) == INTACT
    assert output("verify_audit", product="p1") == INTACT


@pytest.mark.parametrize("offline", [True, False])
def test_altered_record_is_reported(trail: World, offline: bool) -> None:
    edit(trail, 3)
    assert verified(offline=offline) == [(Kind.AUDIT_ALTERED, "p1", 3)]
    assert verified(offline=offline, product_id="p_1") == []
    with pytest.raises(CommandError, match="1 differences"):
        output("verify_audit", offline=offline)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("version", [1, 3])
def test_missing_record_is_reported(trail: World, offline: bool, version: int) -> None:
    delete(trail, version)
    assert verified(offline=offline) == [(Kind.AUDIT_MISSING, "p1", version)]


@pytest.mark.parametrize("offline", [True, False])
def test_inserted_record_is_reported(trail: World, offline: bool) -> None:
    genuine = trail.s3.get_object(Bucket=trail.bucket, Key=key(trail, 3))["Body"].read()
    forged = genuine.replace(b'"timestamp":"', b'"timestamp":"2020-02-03T04:05:06.000007Z","was":"')
    put(trail, "2020/02/03/p1_20200203T040506.000007Z.json", forged)
    (difference,) = differences(offline=offline)
    assert (difference.kind, difference.version) == (Kind.AUDIT_OF_NO_CHANGE, 3)
    assert "2020/02/03/p1_20200203T040506.000007Z.json was inserted" in difference.cause


def test_newest_record_is_verified_by_the_log_only(trail: World) -> None:
    edit(trail, 5)
    delete(trail, 2, "p_1")
    assert verified(offline=True) == []
    assert verified() == [(Kind.AUDIT_ALTERED, "p1", 5), (Kind.AUDIT_MISSING, "p_1", 2)]


def test_product_without_any_audit_record_is_reported(trail: World) -> None:
    for version in range(1, 6):
        delete(trail, version)
    assert verified(offline=True) == []
    assert verified() == [(Kind.AUDIT_MISSING, "p1", version) for version in range(1, 6)]


def test_unreadable_record_is_not_reported_as_missing_too(trail: World) -> None:
    put(trail, key(trail, 3), b"not json")
    assert verified(offline=True) == [(Kind.AUDIT_ALTERED, "p1", None)]
    put(trail, "holiday.jpg", b"")
    assert differences(offline=True)[0].subject == "holiday.jpg"


def test_change_in_progress_is_not_reported(
    trail: World, acceptance: Acceptance, ann: Origin
) -> None:
    for price in ("6", "7"):
        acceptance.update("p1", {"price": price}, ann)
    bootstrap.pipeline().audit("p1", 7)
    assert verified() == []
    (difference,) = differences(offline=True)
    assert "it may still be in progress" in difference.cause


def test_altered_log_is_not_reported_as_an_altered_record(trail: World) -> None:
    names, values = {"#after": "after"}, {":price": {"N": "1"}}
    place = {"PK": {"S": "PRODUCT#p1"}, "SK": {"S": "CHANGE#000000000002"}}
    trail.dynamodb.update_item(
        TableName=trail.table,
        Key=place,
        UpdateExpression="SET #after.price = :price",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
    assert verified() == [(Kind.CHANGE_ALTERED, "p1", 2)]
    assert verified(offline=True) == []


def test_since_limits_the_verification_to_later_records(trail: World) -> None:
    forged = (
        b'{"productId":"p1","timestamp":"2020-02-03T04:05:06.000007Z",'
        b'"version":1,"previousHash":null}'
    )
    put(trail, "2020/02/03/p1_20200203T040506.000007Z.json", forged)
    today = f"{bootstrap.now():%Y-%m-%d}"
    assert output("verify_audit", since=today) == INTACT
    assert output("verify_audit", since=today, product="p1") == INTACT
    with pytest.raises(CommandError):
        output("verify_audit", since="2020-01-01")
    with pytest.raises(CommandError, match="takes a day"):
        output("verify_audit", since="yesterday")


# The chain alone


def chain(*records: tuple[int, str, str | None]) -> list[tuple[Kind, int | None]]:
    """Verify records given by version, own hash and previous hash."""
    chained = [
        AuditRecord("p1", version, f"{number}.json", own_hash, previous_hash)
        for number, (version, own_hash, previous_hash) in enumerate(records)
    ]
    return [(difference.kind, difference.version) for difference in chain_differences(chained)]


V1, V2, V3, V4 = (1, "a", None), (2, "b", "a"), (3, "c", "b"), (4, "d", "c")
ALTERED_V2 = (Kind.AUDIT_ALTERED, 2)


def test_intact_chain_has_no_difference() -> None:
    assert chain(V1, V2, V3, V4) == []
    assert chain() == []


def test_altered_record_is_proven_by_its_successor() -> None:
    assert chain(V1, (2, "x", "a"), V3, V4) == [ALTERED_V2]
    assert chain((1, "a", "q"), V2, V3, V4) == [(Kind.AUDIT_ALTERED, 1)]


def test_altered_record_proves_no_predecessor() -> None:
    """Version 2 was altered in its previous hash, so nothing proves version 1."""
    unproven = (Kind.AUDIT_UNPROVEN, 1)
    assert chain(V1, (2, "x", "y"), V3, V4) == [ALTERED_V2, unproven]
    assert chain((1, "z", None), (2, "x", "y"), V3, V4) == [ALTERED_V2, unproven]


def test_inserted_record_is_reported_by_the_chain() -> None:
    inserted = (Kind.AUDIT_OF_NO_CHANGE, 2)
    assert chain((2, "x", "a"), V1, V2, V3, V4) == [inserted]
    assert chain(V1, (2, "x", "a"), (2, "y", "a"), V3, V4) == [ALTERED_V2, inserted]


def test_all_newest_records_are_reported_when_none_is_proven() -> None:
    newest = (Kind.AUDIT_OF_NO_CHANGE, 4)
    assert chain(V1, V2, V3, V4, (4, "e", "c")) == [newest] * 2
    inserted = (Kind.AUDIT_OF_NO_CHANGE, 2)
    assert chain(V1, V2, (2, "x", "a"), (2, "y", "a")) == [inserted] * 3
