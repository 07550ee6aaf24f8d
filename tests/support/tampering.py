"""Make products whose effects are complete, and damage their data behind the application's back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from products import bootstrap, maintenance
from products.changes import Effect
from products.effects import complete
from products.pipeline import Pipeline
from products.reconciliation.differences import Difference, Kind
from tests.support.builders import fields, origin
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell
from tests.support.world import World

NO_GRACE = timedelta()
META, V1, V2 = "METADATA", "CHANGE#000000000001", "CHANGE#000000000002"


def complete_effects(pipeline: Pipeline, product_id: str, version: int) -> None:
    """Run all effects of a change; the purge is only stamped, since CloudFront is a fake."""
    deliver(pipeline.store, product_id, version)
    deliver(pipeline.index, product_id, version)
    deliver(pipeline.audit, product_id, version)
    change = bootstrap.table().change(product_id, version)
    assert change
    stamped = pipeline.table.stamp(change, {Effect.PURGED: bootstrap.now()})
    assert stamped
    complete(stamped, pipeline.table, pipeline.statistics)


def create_complete(product_id: str, versions: int = 1) -> None:
    """Create a product and complete its effects; each version has a different name."""
    ann = origin("ann")
    acceptance = replace(bootstrap.acceptance(), doorbell=FakeDoorbell())
    pipeline = replace(bootstrap.pipeline(), doorbell=FakeDoorbell())
    for version in range(1, versions + 1):
        name = f"{product_id} {version}"
        if version == 1:
            acceptance.create(product_id, fields(name=name), ann)
        else:
            acceptance.update(product_id, {"name": name}, ann)
        complete_effects(pipeline, product_id, version)


def pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def claim_pk(product_id: str, version: int = 2) -> str:
    """Return the partition key that claims the name of this version."""
    return f"NAME#{product_id}{version}"


def update_item(world: World, pk: str, sk: str, expression: str, **values: Any) -> None:
    """Update an item; ``expression`` names its values by the keywords and may use ``#after``."""
    serialize = TypeSerializer().serialize
    arguments: dict[str, Any] = {}
    if "#after" in expression:
        arguments["ExpressionAttributeNames"] = {"#after": "after"}
    if values:
        serialized = {f":{name}": serialize(value) for name, value in values.items()}
        arguments["ExpressionAttributeValues"] = serialized
    world.dynamodb.update_item(
        TableName=world.table, Key=_key(pk, sk), UpdateExpression=expression, **arguments
    )


def delete_item(world: World, pk: str, sk: str) -> None:
    world.dynamodb.delete_item(TableName=world.table, Key=_key(pk, sk))


def put_item(world: World, item: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    serialized = {name: serialize(value) for name, value in item.items()}
    world.dynamodb.put_item(TableName=world.table, Item=serialized)


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def delete_document(world: World, product_id: str) -> None:
    version = world.opensearch.get(index=world.alias, id=product_id)["_version"]
    options = {"refresh": "true", "version": version, "version_type": "external_gte"}
    world.opensearch.delete(index=world.alias, id=product_id, params=options)


def put_document(world: World, product_id: str, version: int, document: dict[str, Any]) -> None:
    options = {"version": version, "version_type": "external_gte", "refresh": "true"}
    world.opensearch.index(index=world.alias, id=product_id, body=document, params=options)


def audit_key_of(world: World, product_id: str, version: int = 1) -> str:
    """Return the key of an audit record, by its content."""
    for key, record in world.audit_records().items():
        if f"/{product_id}_" in key and record["version"] == version:
            return key
    raise LookupError(f"There is no audit record of {product_id} v{version}.")


def put_object(world: World, name: str, body: bytes = b"{}") -> None:
    world.s3.put_object(Bucket=world.bucket, Key=name, Body=body)


def find_differences(grace_period: timedelta = NO_GRACE) -> list[Difference]:
    """Verify the whole catalogue."""
    batches = maintenance.verification(grace_period).walk()
    return [difference for batch in batches for difference in batch.differences]


def found_kinds() -> list[tuple[Kind, str, int | None]]:
    return [(d.kind, d.product_id, d.version) for d in find_differences()]
