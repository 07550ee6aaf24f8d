"""The buckets: the audit trail that nobody may alter, and the images."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import (
    CallResult,
    Finding,
    aws_client,
    call_aws,
    compared,
    condition,
)

GONE = {"NoSuchBucket", "404"}
UNSET = {
    "ObjectLockConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
}


def validate() -> Iterator[Finding]:
    s3 = aws_client("s3")
    yield from _bucket(s3, settings.AUDIT_BUCKET, kept=True)
    yield from _bucket(s3, settings.STORAGES["default"]["OPTIONS"]["bucket_name"], kept=False)


def _bucket(s3: Any, name: str, *, kept: bool) -> Iterator[Finding]:
    if failure := call_aws(s3.head_bucket, Bucket=name).failure(name, "bucket", absent=GONE):
        yield failure
        return
    if kept:
        yield from _versions(s3, name)
        yield from _lock(s3, name)
    yield from _encryption(s3, name)
    yield from _closed(s3, name)
    yield from _tls(s3, name)


def _versions(s3: Any, name: str) -> Iterator[Finding]:
    answer = call_aws(s3.get_bucket_versioning, Bucket=name)
    found = answer.content.get("Status")
    yield answer.failure(name, "versioning") or compared(
        name, "versioning", found, "Enabled", hardening=True
    )


def _lock(s3: Any, name: str) -> Iterator[Finding]:
    """A record is written once; for how long it can't be deleted either is each environment's own decision."""
    answer = call_aws(s3.get_object_lock_configuration, Bucket=name)
    lock = answer.content.get("ObjectLockConfiguration", {})
    rule = lock.get("Rule", {}).get("DefaultRetention", {})
    kept = f"{rule.get('Days', rule.get('Years'))} {'days' if 'Days' in rule else 'years'}"
    yield _unless_unset(answer, name, "object lock") or condition(
        name,
        "object lock",
        lock.get("ObjectLockEnabled") == "Enabled" and rule,
        f"Records are kept for {kept} ({rule.get('Mode')}).",
        "A record can be deleted.",
        hardening=True,
    )


def _encryption(s3: Any, name: str) -> Iterator[Finding]:
    answer = call_aws(s3.get_bucket_encryption, Bucket=name)
    rules = answer.content.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    found = [
        rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules
    ]
    yield _unless_unset(answer, name, "encryption") or condition(
        name, "encryption", any(found), f"It is {found}.", "It is not encrypted.", hardening=True
    )


def _closed(s3: Any, name: str) -> Iterator[Finding]:
    what = "public access"
    answer = call_aws(s3.get_public_access_block, Bucket=name)
    block = answer.content.get("PublicAccessBlockConfiguration", {})
    ways = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    left_open = [way for way in ways if not block.get(way)]
    yield _unless_unset(answer, name, what) or condition(
        name,
        what,
        not left_open,
        "Every way is blocked.",
        f"Not set: {', '.join(left_open)}.",
        hardening=True,
    )


def _tls(s3: Any, name: str) -> Iterator[Finding]:
    what = "TLS only"
    answer = call_aws(s3.get_bucket_policy, Bucket=name)
    statements = json.loads(answer.content.get("Policy", "{}")).get("Statement", [])
    denied = [
        statement
        for statement in statements
        if statement["Effect"] == "Deny"
        and "aws:SecureTransport" in json.dumps(statement.get("Condition", {}))
    ]
    yield _unless_unset(answer, name, what) or condition(
        name, what, denied, "Plain HTTP is denied.", "Plain HTTP is not denied.", hardening=True
    )


def _unless_unset(answer: CallResult, name: str, what: str) -> Finding | None:
    return answer.failure(name, what, absent=UNSET, hardening=True)
