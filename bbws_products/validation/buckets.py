"""Check that the buckets of the audit trail and the product images exist and are not public."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import Finding, aws_client, call_aws, condition

NO_BUCKET_CODES = {"NoSuchBucket", "404"}
NOT_SET_CODES = {"NoSuchPublicAccessBlockConfiguration"}
PUBLIC_ACCESS_BLOCKS = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)


def validate() -> Iterator[Finding]:
    s3 = aws_client("s3")
    for name in (settings.AUDIT_BUCKET, settings.STORAGES["default"]["OPTIONS"]["bucket_name"]):
        answer = call_aws(s3.head_bucket, Bucket=name)
        failure = answer.failure(name, "bucket", absent=NO_BUCKET_CODES)
        yield failure or _public_access(s3, name)


def _public_access(s3: Any, name: str) -> Finding:
    what = "public access"
    answer = call_aws(s3.get_public_access_block, Bucket=name)
    configuration = answer.content.get("PublicAccessBlockConfiguration", {})
    not_set = [block for block in PUBLIC_ACCESS_BLOCKS if not configuration.get(block)]
    return answer.failure(name, what, absent=NOT_SET_CODES, hardening=True) or condition(
        name,
        what,
        not not_set,
        "All public access is blocked.",
        f"Not set: {', '.join(not_set)}.",
        hardening=True,
    )
