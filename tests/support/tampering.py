"""A catalogue whose effects have all come about, and what can be done to it behind the application's back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from products import bootstrap, maintenance
from products.changes import Effect, Origin
from products.pipeline import Pipeline
from products.reconciliation.differences import Difference, Kind
from tests.support.builders import fields
from tests.support.fakes import FakeDoorbell
from tests.support.world import World

AT_ONCE = timedelta()
META, V1, V2 = "METADATA", "CHANGE#000000000001", "CHANGE#000000000002"


def through(line: Pipeline, product_id: str, version: int) -> None:
    """All its effects; the purge is only said to have been, since nothing can look into CloudFront."""
    line.store(product_id, version)
    line.index(product_id, version)
    line.audit(product_id, version)
    change = bootstrap.table().change(product_id, version)
    assert change
    line.table.stamp(change, Effect.PURGED, bootstrap.now())


def shelve(product_id: str, versions: int = 1) -> None:
    """A product whose effects have all come about; each version has another name."""
    ann = Origin(actor="ann", source="test", request_id="r")
    quiet, line = (
        replace(part, doorbell=FakeDoorbell())
        for part in (bootstrap.catalogue(), bootstrap.pipeline())
    )
    for version in range(1, versions + 1):
        name = {"name": f"{product_id} {version}"}
        quiet.create(product_id, fields(**name), ann) if version == 1 else quiet.update(
            product_id, name, ann
        )
        through(line, product_id, version)


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def change(world: World, pk: str, sk: str, update: str, **values: Any) -> None:
    serialize = TypeSerializer().serialize
    given: dict[str, Any] = (
        {"ExpressionAttributeNames": {"#after": "after"}} if "#after" in update else {}
    )
    if values:
        given["ExpressionAttributeValues"] = {
            f":{name}": serialize(value) for name, value in values.items()
        }
    world.dynamodb.update_item(
        TableName=world.table, Key=key(pk, sk), UpdateExpression=update, **given
    )


def delete(world: World, pk: str, sk: str) -> None:
    world.dynamodb.delete_item(TableName=world.table, Key=key(pk, sk))


def put(world: World, item: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    world.dynamodb.put_item(
        TableName=world.table, Item={name: serialize(value) for name, value in item.items()}
    )


def forget_document(world: World, product_id: str) -> None:
    version = world.opensearch.get(index=world.alias, id=product_id)["_version"]
    options = {"refresh": "true", "version": version, "version_type": "external_gte"}
    world.opensearch.delete(index=world.alias, id=product_id, params=options)


def put_document(world: World, product_id: str, version: int, body: dict[str, Any]) -> None:
    options = {"version": version, "version_type": "external_gte", "refresh": "true"}
    world.opensearch.index(index=world.alias, id=product_id, body=body, params=options)


def audit_key_of(world: World, product_id: str, version: int = 1) -> str:
    found = {k: record for k, record in world.audit_records().items() if f"/{product_id}_" in k}
    return next(k for k, record in found.items() if record["version"] == version)


def put_object(world: World, name: str, body: bytes = b"{}") -> None:
    world.s3.put_object(Bucket=world.bucket, Key=name, Body=body)


def pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def claim(product_id: str, version: int = 2) -> str:
    return f"NAME#{product_id}{version}"


def found(grace_period: timedelta = AT_ONCE) -> list[Difference]:
    return [d for batch in maintenance.verification(grace_period).walk() for d in batch.differences]


def kinds() -> list[tuple[Kind, str, int | None]]:
    return [(difference.kind, difference.product_id, difference.version) for difference in found()]
