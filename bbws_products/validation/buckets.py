"""Check the buckets of the audit trail and of the product images."""

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

NO_BUCKET_CODES = {"NoSuchBucket", "404"}
NOT_SET_CODES = {
    "ObjectLockConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
}
PUBLIC_ACCESS_BLOCKS = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)


def validate() -> Iterator[Finding]:
    s3 = aws_client("s3")
    media_bucket = settings.STORAGES["default"]["OPTIONS"]["bucket_name"]
    yield from _validate_bucket(s3, settings.AUDIT_BUCKET, is_locked=True)
    yield from _validate_bucket(s3, media_bucket, is_locked=False)


def _validate_bucket(s3: Any, name: str, *, is_locked: bool) -> Iterator[Finding]:
    answer = call_aws(s3.head_bucket, Bucket=name)
    if failure := answer.failure(name, "bucket", absent=NO_BUCKET_CODES):
        yield failure
        return
    if is_locked:
        yield _versioning(s3, name)
        yield _object_lock(s3, name)
    yield _encryption(s3, name)
    yield _public_access(s3, name)
    yield _tls(s3, name)


def _versioning(s3: Any, name: str) -> Finding:
    what = "versioning"
    answer = call_aws(s3.get_bucket_versioning, Bucket=name)
    status = answer.content.get("Status")
    return answer.failure(name, what) or compared(name, what, status, "Enabled", hardening=True)


def _object_lock(s3: Any, name: str) -> Finding:
    """Check that records are locked against deletion; each environment chooses for how long."""
    what = "object lock"
    answer = call_aws(s3.get_object_lock_configuration, Bucket=name)
    lock = answer.content.get("ObjectLockConfiguration", {})
    rule = lock.get("Rule", {}).get("DefaultRetention", {})
    retention = f"{rule['Days']} days" if "Days" in rule else f"{rule.get('Years')} years"
    return _failure_or_not_set(answer, name, what) or condition(
        name,
        what,
        lock.get("ObjectLockEnabled") == "Enabled" and rule,
        f"Records are kept for {retention} ({rule.get('Mode')}).",
        "A record can be deleted.",
        hardening=True,
    )


def _encryption(s3: Any, name: str) -> Finding:
    what = "encryption"
    answer = call_aws(s3.get_bucket_encryption, Bucket=name)
    rules = answer.content.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    algorithms = [default.get("SSEAlgorithm") for default in defaults]
    return _failure_or_not_set(answer, name, what) or condition(
        name,
        what,
        any(algorithms),
        f"It is {algorithms}.",
        "The bucket is not encrypted.",
        hardening=True,
    )


def _public_access(s3: Any, name: str) -> Finding:
    what = "public access"
    answer = call_aws(s3.get_public_access_block, Bucket=name)
    configuration = answer.content.get("PublicAccessBlockConfiguration", {})
    not_set = [block for block in PUBLIC_ACCESS_BLOCKS if not configuration.get(block)]
    return _failure_or_not_set(answer, name, what) or condition(
        name,
        what,
        not not_set,
        "All public access is blocked.",
        f"Not set: {', '.join(not_set)}.",
        hardening=True,
    )


def _tls(s3: Any, name: str) -> Finding:
    what = "TLS only"
    answer = call_aws(s3.get_bucket_policy, Bucket=name)
    statements = json.loads(answer.content.get("Policy", "{}")).get("Statement", [])
    return _failure_or_not_set(answer, name, what) or condition(
        name,
        what,
        any(map(_denies_plain_http, statements)),
        "Plain HTTP is denied.",
        "Plain HTTP is not denied.",
        hardening=True,
    )


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    condition_text = json.dumps(statement.get("Condition", {}))
    return statement["Effect"] == "Deny" and "aws:SecureTransport" in condition_text


def _failure_or_not_set(answer: CallResult, name: str, what: str) -> Finding | None:
    return answer.failure(name, what, absent=NOT_SET_CODES, hardening=True)
