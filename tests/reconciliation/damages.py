"""The ways in which data can depart from the log, with the differences that each one causes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from products import bootstrap, maintenance
from products.adapters.dynamodb.items import open_flag
from products.reconciliation.differences import Kind
from tests.support.tampering import (
    META,
    V1,
    V2,
    audit_key_of,
    claim_pk,
    delete_document,
    delete_item,
    pk,
    put_document,
    put_item,
    put_object,
    update_item,
)
from tests.support.world import World


@dataclass(frozen=True)
class Case:
    """A damage to a product of two versions, the expected differences, and the first cause.

    ``kinds`` holds the expected version of each difference.
    """

    damage: Callable[[World, str], None]
    kinds: dict[Kind, int | None]
    cause: str = ""


# Records


def delete_record(world: World, product_id: str) -> None:
    delete_item(world, pk(product_id), META)


def revert_record(world: World, product_id: str) -> None:
    first = bootstrap.catalogue().version(product_id, 1)
    maintenance.reconciliation_source().overwrite_record(first, observed_version=2)


def edit_price_of_record(world: World, product_id: str) -> None:
    update_item(world, pk(product_id), META, "SET price = :price", price=Decimal(1))


def edit_description_of_record(world: World, product_id: str) -> None:
    text = "Quite another text."
    update_item(world, pk(product_id), META, "SET description = :text", text=text)


def make_record_unreadable(world: World, product_id: str) -> None:
    update_item(world, pk(product_id), META, "REMOVE features")


def put_record_of_later_version(world: World, product_id: str) -> None:
    product = bootstrap.catalogue().newest(product_id)
    bootstrap.table().put_record(replace(product, version=7), product.updated_at)


# Names


def delete_claim(world: World, product_id: str) -> None:
    delete_item(world, claim_pk(product_id), "CLAIM")


def give_claim_to(owner: str) -> Callable[[World, str], None]:
    def damage(world: World, product_id: str) -> None:
        update_item(world, claim_pk(product_id), "CLAIM", "SET productId = :owner", owner=owner)

    return damage


def claim_former_name(world: World, product_id: str) -> None:
    put_item(world, {"PK": claim_pk(product_id, 1), "SK": "CLAIM", "productId": product_id})


# Documents


def edit_document(world: World, product_id: str) -> None:
    document = world.document(product_id) or {}
    put_document(world, product_id, 2, document | {"name": "Something else"})


def put_document_of_later_version(world: World, product_id: str) -> None:
    document = world.document(product_id) or {}
    put_document(world, product_id, 9, document | {"version": 9})


def put_document_of_no_product(world: World, product_id: str) -> None:
    document = world.document(product_id) or {}
    put_document(world, "ghost", 3, document | {"productId": "ghost"})


# Audit records


def delete_audit_record(world: World, product_id: str) -> None:
    world.s3.delete_object(Bucket=world.bucket, Key=audit_key_of(world, product_id))


def edit_audit_record(world: World, product_id: str) -> None:
    put_object(world, audit_key_of(world, product_id), b'{"price": "1"}')


def insert_audit_record(world: World, product_id: str) -> None:
    put_object(world, f"2026/03/01/{product_id}_20260301T120000.000000Z.json")


# The log


def leave_open_flag(world: World, product_id: str) -> None:
    update_item(world, pk(product_id), V1, "SET openFlag = :open", open=open_flag(product_id))


def edit_change(world: World, product_id: str) -> None:
    update_item(world, pk(product_id), V2, "SET #after.price = :price", price=Decimal(1))


def make_change_unreadable(world: World, product_id: str) -> None:
    update_item(world, pk(product_id), V1, "REMOVE #after")


def delete_first_change(world: World, product_id: str) -> None:
    delete_item(world, pk(product_id), V1)


def delete_log(world: World, product_id: str) -> None:
    for sk in (V1, V2):
        delete_item(world, pk(product_id), sk)


def delete_record_document_and_claim(world: World, product_id: str) -> None:
    delete_record(world, product_id)
    delete_document(world, product_id)
    delete_claim(world, product_id)


REPAIRABLE = {
    "record-lost": Case(
        delete_record, {Kind.RECORD_MISSING: 2}, "v2 was stored, and was lost or reverted"
    ),
    "record-set-back": Case(
        revert_record, {Kind.RECORD_BEHIND: 2}, "the record is at v1, the log at v2"
    ),
    "record-price": Case(
        edit_price_of_record, {Kind.RECORD_DIFFERS: 2}, "index keys do not match its content"
    ),
    "record-text": Case(
        edit_description_of_record,
        {Kind.RECORD_DIFFERS: 2},
        "is at v2, but its content differs from v2",
    ),
    "record-unreadable": Case(make_record_unreadable, {Kind.RECORD_DIFFERS: 2}, "can't be read"),
    "record-ahead": Case(
        put_record_of_later_version,
        {Kind.RECORD_OF_NO_CHANGE: 2},
        "at v7, which was never accepted",
    ),
    "claim-lost": Case(
        delete_claim, {Kind.CLAIM_MISSING: 2}, "its name 'claim-lost 2' is not claimed"
    ),
    "claim-of-other": Case(
        give_claim_to("record-lost"), {Kind.CLAIM_OF_OTHER: 2}, "is claimed by 'record-lost'"
    ),
    "claim-of-nobody": Case(
        give_claim_to("nobody"), {Kind.CLAIM_OF_OTHER: 2}, "is claimed by 'nobody'"
    ),
    "claim-left": Case(
        claim_former_name, {Kind.CLAIM_LEFT: 2}, "still claims its former name 'claim-left 1'"
    ),
    "document-lost": Case(
        delete_document, {Kind.DOCUMENT_MISSING: 2}, "v2 was searchable, and was lost"
    ),
    "document-edited": Case(
        edit_document, {Kind.DOCUMENT_DIFFERS: 2}, "its content differs from v2"
    ),
    "document-of-nobody": Case(put_document_of_no_product, {}),
    "audit-lost": Case(delete_audit_record, {Kind.AUDIT_MISSING: 1}, "is missing from S3"),
    "flag-left": Case(
        leave_open_flag, {Kind.OPEN_FLAG_LEFT: 1}, "a worker died between its last two writes"
    ),
    "nearly-all-lost": Case(
        delete_record_document_and_claim,
        {Kind.RECORD_MISSING: 2, Kind.DOCUMENT_MISSING: 2, Kind.CLAIM_MISSING: 2},
        "the record is missing",
    ),
}
"""Cases by the id of the damaged product."""
NOT_REPAIRABLE = {
    "change-edited": Case(
        edit_change, {Kind.CHANGE_ALTERED: 2}, "its hash or its place in the chain is wrong"
    ),
    "change-unreadable": Case(make_change_unreadable, {Kind.CHANGE_ALTERED: 1}, "can't be read"),
    "change-forgotten": Case(
        delete_first_change,
        {Kind.VERSION_GAP: 1, Kind.AUDIT_OF_NO_CHANGE: 1},
        "version 1 is missing from the log",
    ),
    "log-lost": Case(
        delete_log,
        {
            Kind.RECORD_OF_NO_PRODUCT: None,
            Kind.DOCUMENT_OF_NO_PRODUCT: None,
            Kind.AUDIT_OF_NO_CHANGE: 2,
        },
        "there is a record, but no change in the log",
    ),
    "audit-edited": Case(
        edit_audit_record, {Kind.AUDIT_ALTERED: 1}, "differs from the change in the log"
    ),
    "audit-put-in": Case(
        insert_audit_record, {Kind.AUDIT_OF_NO_CHANGE: None}, "no change was accepted at that time"
    ),
    "document-ahead": Case(
        put_document_of_later_version,
        {Kind.DOCUMENT_OF_NO_CHANGE: 2},
        "at v9, which was never accepted",
    ),
}
