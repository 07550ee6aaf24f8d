"""Verification of the audit trail: by S3 alone, and against the log."""

import re
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.items import change_item
from products.changes import Origin, audit_hash, audit_record, canonical_json
from products.reconciliation.audit_chain import chain_differences
from products.reconciliation.audit_records import AuditRecord
from products.reconciliation.differences import Kind
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.tampering import delete_item, pk, put_item, update_item
from tests.support.world import World

INTACT = "the audit trail is intact"
LINE = re.compile(r"(?P<kind>\S+)  (?P<product>\S*?)(?: v(?P<version>\d+))?: (?P<cause>.+)")
Found = tuple[Kind, str, int | None, str]


@pytest.fixture
def trail(world: World, acceptance: Acceptance, ann: Origin) -> World:
    """p1 with five versions and p_1 with two, all audited."""
    for product_id, versions in (("p1", 5), ("p_1", 2)):
        acceptance.create(product_id, fields(name=f"Hosting {product_id}"), ann)
        for version in range(2, versions + 1):
            acceptance.update(product_id, {"price": f"{version}"}, ann)
        for version in range(1, versions + 1):
            deliver(bootstrap.pipeline().audit, product_id, version)
    deliver(bootstrap.pipeline().store, "p1", 1)
    bootstrap.operations().record_action("olga", "looked", "", [])
    return world


def verified(**options: Any) -> list[tuple[Kind, str, int | None]]:
    """Run the command; return the kind, the product and the version of each difference."""
    return [found[:3] for found in differences(**options)]


def differences(**options: Any) -> list[Found]:
    """Run the command; return the kind, product, version and cause of each difference."""
    out = StringIO()
    with suppress(CommandError):
        call_command("verify_audit", stdout=out, **options)
    lines = [LINE.fullmatch(line) for line in out.getvalue().splitlines()]
    return [
        (Kind(line["kind"]), line["product"], int(line["version"] or 0) or None, line["cause"])
        for line in lines
        if line
    ]


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
    assert verified(offline=offline, product="p_1") == []
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
    for options in ({}, {"product": "p1"}):
        ((kind, _, version, cause),) = differences(offline=offline, **options)
        assert (kind, version) == (Kind.AUDIT_OF_NO_CHANGE, 3)
        assert cause.startswith("S3 has 2020/02/03/p1_20200203T040506.000007Z.json, but ")
    assert verified(offline=offline, product="p_1") == []


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
    assert "S3 has holiday.jpg, but" in differences(offline=True)[0][3]


def test_change_in_progress_is_not_reported(
    trail: World, acceptance: Acceptance, ann: Origin
) -> None:
    for price in ("6", "7"):
        acceptance.update("p1", {"price": price}, ann)
    deliver(bootstrap.pipeline().audit, "p1", 7)
    assert verified() == []
    ((*_, cause),) = differences(offline=True)
    assert "it may still be in progress" in cause


def test_altered_log_is_not_reported_as_an_altered_record(trail: World) -> None:
    edit_change(trail, 2)
    update_item(trail, pk("p1"), log_key(4), "SET recordHash = :hash", hash="forged")
    assert verified() == [
        (Kind.CHANGE_ALTERED, "p1", 2),
        (Kind.CHANGE_ALTERED, "p1", 4),
        (Kind.CHANGE_ALTERED, "p1", 5),
    ]
    assert verified(offline=True) == []


def test_record_of_an_altered_change_is_verified(trail: World) -> None:
    """The change still names its record's hash, also for the newest one, and whether S3 has it."""
    for version in (2, 3, 5):
        edit_change(trail, version)
    delete(trail, 2)
    edit(trail, 5)
    altered = [(Kind.CHANGE_ALTERED, "p1", version) for version in (2, 3, 5)]
    assert sorted(verified()) == sorted(
        [*altered, (Kind.AUDIT_MISSING, "p1", 2), (Kind.AUDIT_ALTERED, "p1", 5)]
    )


def test_chain_proves_an_altered_record_where_the_log_was_forged_to_match(trail: World) -> None:
    """Version 2 was altered in both stores with a matching hash; version 3 betrays it."""
    change = bootstrap.table().change("p1", 2)
    assert change
    after = replace(change.after, price=Decimal("1.00"))
    forged = replace(change, after=after)
    forged = replace(forged, record_hash=audit_hash(forged))
    put_item(trail, change_item(forged))
    put(trail, key(trail, 2), canonical_json(audit_record(forged)))
    assert verified() == [(Kind.CHANGE_ALTERED, "p1", 3), (Kind.AUDIT_ALTERED, "p1", 2)]


def test_chain_proves_an_altered_record_of_an_unreadable_change(trail: World) -> None:
    update_item(trail, pk("p1"), log_key(2), "REMOVE #after")
    assert verified() == [(Kind.CHANGE_ALTERED, "p1", 2)]
    edit(trail, 2)
    assert verified() == [(Kind.CHANGE_ALTERED, "p1", 2), (Kind.AUDIT_ALTERED, "p1", 2)]


def test_gap_in_the_log_is_reported(trail: World) -> None:
    delete_item(trail, pk("p1"), log_key(3))
    assert verified() == [(Kind.VERSION_GAP, "p1", 3), (Kind.AUDIT_OF_NO_CHANGE, "p1", 3)]


def edit_change(world: World, version: int) -> None:
    update_item(world, pk("p1"), log_key(version), "SET #after.price = :price", price=Decimal(1))


def log_key(version: int) -> str:
    return f"CHANGE#{version:012}"


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
