"""The audit trail verified: by S3 alone as far as the hash chain reaches, and against the log the rest of the way."""

from typing import Any

import pytest
from django.core.management import CommandError

from products import bootstrap, maintenance
from products.catalogue import Catalogue
from products.changes import Origin
from products.reconciliation.audit_chain import AuditRecord, chain_differences
from products.reconciliation.differences import Difference, Kind
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.world import World


@pytest.fixture
def trail(world: World, catalogue: Catalogue, ann: Origin) -> World:
    """p1 has five versions and p_1 two, all audited."""
    for product_id, versions in (("p1", 5), ("p_1", 2)):
        catalogue.create(product_id, fields(name=f"Hosting {product_id}"), ann)
        for version in range(2, versions + 1):
            catalogue.update(product_id, {"price": f"{version}"}, ann)
        for version in range(1, versions + 1):
            bootstrap.pipeline().audit(product_id, version)
    bootstrap.pipeline().store("p1", 1)
    bootstrap.operations().record_action("olga", "looked", "", [])
    return world


def verified(*, offline: bool = False, **options: Any) -> list[tuple[Kind, str, int | None]]:
    return [(d.kind, d.product_id, d.version) for d in differences(offline=offline, **options)]


def differences(
    *, offline: bool, product_id: str | None = None, since: Any = None
) -> list[Difference]:
    run = maintenance.audit_verification(offline=offline).run
    return list(run(product_id=product_id, since=since, show_progress=lambda keys: keys))


def key(world: World, version: int, product_id: str = "p1") -> str:
    records = world.audit_records()
    return next(
        k
        for k, r in records.items()
        if (r.get("productId"), r.get("version")) == (product_id, version)
    )


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


def test_a_trail_that_is_whole_says_so(trail: World) -> None:
    assert (
        output("verify_audit") == output("verify_audit", offline=True) == "the audit trail is whole"
    )
    assert output("verify_audit", product="p1") == "the audit trail is whole"


@pytest.mark.parametrize("offline", [True, False])
def test_a_record_that_was_altered_is_named(trail: World, offline: bool) -> None:
    edit(trail, 3)
    assert verified(offline=offline) == [(Kind.AUDIT_ALTERED, "p1", 3)]
    assert verified(offline=offline, product_id="p_1") == []
    with pytest.raises(CommandError, match="1 differences"):
        output("verify_audit", offline=offline)


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("version", [1, 3])
def test_a_record_that_is_missing_is_named(trail: World, offline: bool, version: int) -> None:
    delete(trail, version)
    assert verified(offline=offline) == [(Kind.AUDIT_MISSING, "p1", version)]


@pytest.mark.parametrize("offline", [True, False])
def test_a_record_that_was_put_in_is_named(trail: World, offline: bool) -> None:
    genuine = trail.s3.get_object(Bucket=trail.bucket, Key=key(trail, 3))["Body"].read()
    forged = genuine.replace(b'"timestamp":"', b'"timestamp":"2020-02-03T04:05:06.000007Z","was":"')
    put(trail, "2020/02/03/p1_20200203T040506.000007Z.json", forged)
    (difference,) = differences(offline=offline)
    assert (difference.kind, difference.version) == (Kind.AUDIT_OF_NO_CHANGE, 3)
    assert "2020/02/03/p1_20200203T040506.000007Z.json was inserted" in difference.cause


def test_the_newest_can_only_be_told_by_the_log(trail: World) -> None:
    edit(trail, 5)
    delete(trail, 2, "p_1")
    assert verified(offline=True) == []
    assert verified() == [(Kind.AUDIT_ALTERED, "p1", 5), (Kind.AUDIT_MISSING, "p_1", 2)]


def test_a_product_without_any_record_is_known_by_its_own(trail: World) -> None:
    for version in range(1, 6):
        delete(trail, version)
    assert verified(offline=True) == []
    assert verified() == [(Kind.AUDIT_MISSING, "p1", version) for version in range(1, 6)]


def test_what_can_not_be_read_stands_for_one_that_is_missing(trail: World) -> None:
    put(trail, key(trail, 3), b"not json")
    assert verified(offline=True) == [(Kind.AUDIT_ALTERED, "p1", None)]
    put(trail, "holiday.jpg", b"")
    assert differences(offline=True)[0].subject == "holiday.jpg"


def test_a_change_under_way_is_not_missed(trail: World, catalogue: Catalogue, ann: Origin) -> None:
    for price in ("6", "7"):
        catalogue.update("p1", {"price": price}, ann)
    bootstrap.pipeline().audit("p1", 7)
    assert verified() == []
    (difference,) = differences(offline=True)
    assert "it may still be under way" in difference.cause


def test_a_log_that_was_altered_convicts_no_record(trail: World) -> None:
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


def test_since_a_day_only_what_was_written_then(trail: World) -> None:
    forged = b'{"productId":"p1","timestamp":"2020-02-03T04:05:06.000007Z","version":1,"previousHash":null}'
    put(trail, "2020/02/03/p1_20200203T040506.000007Z.json", forged)
    today = f"{bootstrap.now():%Y-%m-%d}"
    assert output("verify_audit", since=today) == "the audit trail is whole"
    assert output("verify_audit", since=today, product="p1") == "the audit trail is whole"
    with pytest.raises(CommandError):
        output("verify_audit", since="2020-01-01")
    with pytest.raises(CommandError, match="takes a day"):
        output("verify_audit", since="yesterday")


# The chain by itself


def chain(*records: tuple[int, str, str | None]) -> list[tuple[Kind, int | None]]:
    links = [
        AuditRecord("p1", version, f"{n}.json", own, previous)
        for n, (version, own, previous) in enumerate(records)
    ]
    return [(difference.kind, difference.version) for difference in chain_differences(links)]


def test_who_vouches_for_whom() -> None:
    whole = [(1, "a", None), (2, "b", "a"), (3, "c", "b"), (4, "d", "c")]
    assert chain(*whole) == []
    assert chain() == []
    assert chain(*whole[:1], (2, "x", "a"), *whole[2:]) == [(Kind.AUDIT_ALTERED, 2)]
    # Version 2 was altered in what it says of version 1, so nothing vouches for that.
    assert chain(*whole[:1], (2, "x", "y"), *whole[2:]) == [
        (Kind.AUDIT_ALTERED, 2),
        (Kind.AUDIT_UNPROVEN, 1),
    ]
    assert chain((1, "z", None), (2, "x", "y"), *whole[2:]) == [
        (Kind.AUDIT_ALTERED, 2),
        (Kind.AUDIT_UNPROVEN, 1),
    ]
    assert chain(*whole, (4, "e", "c")) == [(Kind.AUDIT_OF_NO_CHANGE, 4)] * 2, (
        "nothing tells which is genuine"
    )
    assert chain((1, "a", "q"), *whole[1:]) == [(Kind.AUDIT_ALTERED, 1)]
    assert chain(*whole[:2], (2, "x", "a"), (2, "y", "a")) == [(Kind.AUDIT_OF_NO_CHANGE, 2)] * 3
    assert chain((2, "x", "a"), *whole) == [(Kind.AUDIT_OF_NO_CHANGE, 2)]
    assert chain(*whole[:1], (2, "x", "a"), (2, "y", "a"), *whole[2:]) == [
        (Kind.AUDIT_ALTERED, 2),
        (Kind.AUDIT_OF_NO_CHANGE, 2),
    ]
