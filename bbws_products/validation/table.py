"""Check the DynamoDB table against ``table_definition``, and what protects its data."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import (
    Finding,
    aws_client,
    call_aws,
    compared,
    condition,
    differs,
    missing,
    ok,
)
from products.adapters.dynamodb.definition import table_definition
from products.adapters.dynamodb.items import EXPIRY
from products.errors import IndexMissing

NO_TABLE_CODES = {"ResourceNotFoundException", "TableNotFoundException"}


def validate() -> Iterator[Finding]:
    name = settings.PRODUCTS_TABLE
    dynamodb = aws_client("dynamodb")
    answer = call_aws(dynamodb.describe_table, TableName=name)
    if failure := answer.failure(name, "table", absent=NO_TABLE_CODES):
        yield failure
        return
    table = answer.content["Table"]
    design = table_definition(name)
    yield compared(name, "status", table.get("TableStatus"), "ACTIVE")
    yield compared(name, "keys", _keys(table["KeySchema"]), _keys(design["KeySchema"]))
    yield from _validate_indexes(name, table, design)
    yield _key_types(name, table, design)
    yield _deletion_protection(name, bool(table.get("DeletionProtectionEnabled")))
    yield _point_in_time_recovery(dynamodb, name)
    yield _time_to_live(dynamodb, name)


def _deletion_protection(name: str, is_on: bool) -> Finding:
    what = "deletion protection"
    if not settings.DELETION_PROTECTION:
        return ok(name, what, f"It is {'on' if is_on else 'off'}; this environment needs none.")
    risk = "It is off: a role that may delete tables can delete this one."
    return condition(name, what, is_on, "It is on.", risk, hardening=True)


def _validate_indexes(
    name: str, table: dict[str, Any], design: dict[str, Any]
) -> Iterator[Finding]:
    existing = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    expected = {index["IndexName"]: index for index in design["GlobalSecondaryIndexes"]}
    for index_name, index in expected.items():
        if index_name in existing:
            yield from _validate_index(name, existing[index_name], index)
        else:
            yield missing(name, f"index {index_name}", str(IndexMissing([index_name])))


def _validate_index(
    name: str, found: dict[str, Any], expected: dict[str, Any]
) -> Iterator[Finding]:
    what = f"index {expected['IndexName']}"
    yield compared(name, what, _keys(found["KeySchema"]), _keys(expected["KeySchema"]))
    projections = [index["Projection"]["ProjectionType"] for index in (found, expected)]
    yield compared(name, f"{what}, projection", *projections)
    yield compared(name, f"{what}, status", found.get("IndexStatus", "ACTIVE"), "ACTIVE")


def _key_types(name: str, table: dict[str, Any], design: dict[str, Any]) -> Finding:
    """Compare the types of key attributes; one that is absent belongs to a missing index."""
    types = _attribute_types(table)
    expected = {key: kind for key, kind in _attribute_types(design).items() if key in types}
    return compared(name, "types of keys", {key: types[key] for key in expected}, expected)


def _attribute_types(table: dict[str, Any]) -> dict[str, str]:
    return {key["AttributeName"]: key["AttributeType"] for key in table["AttributeDefinitions"]}


def _keys(schema: list[dict[str, str]]) -> list[str]:
    return [f"{key['AttributeName']} {key['KeyType']}" for key in schema]


def _point_in_time_recovery(dynamodb: Any, name: str) -> Finding:
    what = "point-in-time recovery"
    answer = call_aws(dynamodb.describe_continuous_backups, TableName=name)
    if failure := answer.failure(name, what):
        return failure
    backups = answer.content["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    status = recovery.get("PointInTimeRecoveryStatus")
    return compared(name, what, status, "ENABLED", hardening=True)


def _time_to_live(dynamodb: Any, name: str) -> Finding:
    what = "time to live"
    answer = call_aws(dynamodb.describe_time_to_live, TableName=name)
    if failure := answer.failure(name, what):
        return failure
    found = answer.content["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        return differs(name, what, "It is off: idempotency records and statistics never expire.")
    return compared(name, what, found.get("AttributeName"), EXPIRY)
