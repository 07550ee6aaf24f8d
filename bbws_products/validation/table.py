"""The DynamoDB table: what ``table_definition`` makes, and what keeps it safe."""

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
)
from products.adapters.dynamodb.items import EXPIRY, table_definition

GONE = {"ResourceNotFoundException", "TableNotFoundException"}


def validate() -> Iterator[Finding]:
    name = settings.PRODUCTS_TABLE
    dynamodb = aws_client("dynamodb")
    answer = call_aws(dynamodb.describe_table, TableName=name)
    if failure := answer.failure(name, "table", absent=GONE):
        yield failure
        return
    table = answer.content["Table"]
    yield compared(name, "status", table.get("TableStatus"), "ACTIVE")
    yield from _shape(name, table, table_definition(name))
    yield _encryption(name, table)
    yield condition(
        name,
        "deletion protection",
        table.get("DeletionProtectionEnabled"),
        "It can't be deleted by mistake.",
        "Anybody who may delete tables can delete it.",
        hardening=True,
    )
    yield from _recovery(dynamodb, name)
    yield from _expiry(dynamodb, name)


def _shape(name: str, table: dict[str, Any], design: dict[str, Any]) -> Iterator[Finding]:
    yield compared(name, "keys", _keys(table["KeySchema"]), _keys(design["KeySchema"]))
    mode = table.get("BillingModeSummary", {}).get("BillingMode")
    yield compared(name, "billing", mode, design["BillingMode"])
    standing = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    types = {key["AttributeName"]: key["AttributeType"] for key in table["AttributeDefinitions"]}
    for index in design["GlobalSecondaryIndexes"]:
        subject = index["IndexName"]
        if subject not in standing:
            yield missing(name, f"index {subject}", "There is no such index.")
            continue
        found = standing[subject]
        yield compared(
            name, f"index {subject}", _keys(found["KeySchema"]), _keys(index["KeySchema"])
        )
        yield compared(
            name, f"index {subject}, projection", found["Projection"]["ProjectionType"], "ALL"
        )
        yield compared(
            name, f"index {subject}, status", found.get("IndexStatus", "ACTIVE"), "ACTIVE"
        )
    for surplus in sorted(
        set(standing) - {index["IndexName"] for index in design["GlobalSecondaryIndexes"]}
    ):
        yield differs(name, f"index {surplus}", "Nothing reads it, and each write pays for it.")
    wanted = {key["AttributeName"]: key["AttributeType"] for key in design["AttributeDefinitions"]}
    both = {
        key: wanted[key] for key in wanted if key in types
    }  # one that is not there is that of a missing index
    yield compared(name, "types of keys", {key: types[key] for key in both}, both)


def _keys(schema: list[dict[str, str]]) -> list[str]:
    return [f"{key['AttributeName']} {key['KeyType']}" for key in schema]


def _encryption(name: str, table: dict[str, Any]) -> Finding:
    """Without a key of its own a table is encrypted all the same, by one of AWS's that nobody can look at."""
    status = table.get("SSEDescription", {}).get("Status")
    return compared(name, "encryption", status, "ENABLED", hardening=True)


def _recovery(dynamodb: Any, name: str) -> Iterator[Finding]:
    what = "point-in-time recovery"
    answer = call_aws(dynamodb.describe_continuous_backups, TableName=name)
    if failure := answer.failure(name, what):
        yield failure
        return
    backups = answer.content["ContinuousBackupsDescription"].get(
        "PointInTimeRecoveryDescription", {}
    )
    yield compared(name, what, backups.get("PointInTimeRecoveryStatus"), "ENABLED", hardening=True)


def _expiry(dynamodb: Any, name: str) -> Iterator[Finding]:
    what = "time to live"
    answer = call_aws(dynamodb.describe_time_to_live, TableName=name)
    if failure := answer.failure(name, what):
        yield failure
        return
    found = answer.content["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        yield differs(name, what, "It is off, so remembered requests and statistics stay for ever.")
    else:
        yield compared(name, what, found.get("AttributeName"), EXPIRY)
