"""Check that a role has the permissions it needs, and no dangerous ones.

IAM simulates the actions. If IAM may not be called, each dependency gets one read-only call.
"""

from collections.abc import Iterable, Iterator
from functools import partial

from botocore.exceptions import ClientError
from django.conf import settings
from django.db import Error as SqlError

from bbws_products.validation.findings import (
    Finding,
    aws_client,
    call_aws,
    condition,
    missing,
    not_checked,
    ok,
)
from products.errors import Unavailable
from products.readiness import readiness_checks

ROLES = ("web", "worker")
READS = ["GetItem", "BatchGetItem", "Query"]
WRITES = ["PutItem", "UpdateItem", "DeleteItem"]
SENDS = ["SendMessage", "GetQueueAttributes"]
CONSUMES = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]


def validate(role: str | None, principal: str | None) -> Iterator[Finding]:
    """Check a role's permissions for the ARN ``principal``, by default the caller's own."""
    if role is None:
        yield from _read_dependencies()
        return
    arn = principal or _caller_arn()
    if arn.endswith(":root"):
        yield not_checked(
            role, "IAM", "The root user may do everything; IAM does not simulate its permissions."
        )
        yield from _read_dependencies()
        return
    yield from _simulate(role, arn)


def _simulate(role: str, arn: str) -> Iterator[Finding]:
    simulate = partial(call_aws, aws_client("iam").simulate_principal_policy, PolicySourceArn=arn)
    for resource, actions in rights(role).items():
        answer = simulate(ActionNames=list(actions), ResourceArns=[resource])
        if answer.code:
            sentence = f"IAM can't simulate the permissions of {arn}: {answer.code}."
            yield not_checked(role, "IAM", sentence)
            yield from _read_dependencies()
            return
        for result in answer.content["EvaluationResults"]:
            action = result["EvalActionName"]
            what = f"{action} on {resource.rpartition(':')[2]}"
            is_allowed = result["EvalDecision"] == "allowed"
            yield _permission(role, what, is_allowed=is_allowed, is_needed=actions[action])


def _permission(role: str, what: str, *, is_allowed: bool, is_needed: bool) -> Finding:
    if is_needed:
        return condition(role, what, is_allowed, "It is allowed.", "It is needed, but not allowed.")
    return condition(
        role, what, not is_allowed, "It is not allowed.", "It is allowed, but not needed."
    )


def _caller_arn() -> str:
    """Return the caller's ARN; for a session of an assumed role, the role's ARN."""
    identity = call_aws(aws_client("sts").get_caller_identity)
    arn = str(identity.content.get("Arn", "unknown"))
    if ":assumed-role/" not in arn:
        return arn
    account, role = arn.split(":")[4], arn.split("/")[1]
    return f"arn:aws:iam::{account}:role/{role}"


def rights(role: str) -> dict[str, dict[str, bool]]:
    """Return, by resource, each action and whether the role needs it.

    Actions that are not needed are dangerous, so they must not be allowed.
    """
    table = _table_arn()
    queues = [_queue_arn(url) for url, _ in settings.QUEUE_URLS.values()]
    found = {
        table: _needed("dynamodb", READS + WRITES) | {"dynamodb:DeleteTable": False},
        f"{table}/index/OpenChangesIndex": _needed("dynamodb", ["Query"]),
        **dict.fromkeys(queues, _queue_actions(role)),
        **_audit_actions(role),
    }
    if role == "worker" and settings.ENABLE_CLOUDFRONT:
        found[_distribution_arn()] = _needed("cloudfront", ["CreateInvalidation"])
    return found


def _queue_actions(role: str) -> dict[str, bool]:
    needed = [*SENDS, *CONSUMES] if role == "worker" else SENDS
    return _needed("sqs", needed) | {"sqs:PurgeQueue": False}


def _audit_actions(role: str) -> dict[str, dict[str, bool]]:
    bucket = f"arn:aws:s3:::{settings.AUDIT_BUCKET}"
    key = "2026/01/01/p1.json" if role == "worker" else "operations/2026/01/01/a1.json"
    return {
        f"{bucket}/{key}": {"s3:PutObject": True, "s3:DeleteObject": False},
        bucket: {"s3:PutBucketPolicy": False},
    }


def _needed(service: str, actions: Iterable[str]) -> dict[str, bool]:
    return {f"{service}:{action}": True for action in actions}


def _table_arn() -> str:
    describe = aws_client("dynamodb").describe_table
    content = call_aws(describe, TableName=settings.PRODUCTS_TABLE).content
    return str(content.get("Table", {}).get("TableArn", "*"))


def _queue_arn(url: str) -> str:
    describe = aws_client("sqs").get_queue_attributes
    content = call_aws(describe, QueueUrl=url, AttributeNames=["QueueArn"]).content
    return str(content.get("Attributes", {}).get("QueueArn", "*"))


def _distribution_arn() -> str:
    describe = aws_client("cloudfront").get_distribution
    content = call_aws(describe, Id=settings.CLOUDFRONT_DISTRIBUTION_ID).content
    return str(content.get("Distribution", {}).get("ARN", "*"))


def _read_dependencies() -> Iterator[Finding]:
    """Make the same read-only calls as /readyz."""
    for name, call in readiness_checks().items():
        if call is None:
            yield ok(name, "reading", "It is switched off.")
            continue
        try:
            call()
        except (Unavailable, ClientError, SqlError) as refusal:
            yield missing(name, "reading", str(refusal)[:200])
        else:
            yield ok(name, "reading", "It responds.")
