"""What the running role may do: all it needs, and none of what would hurt. Nothing is done; IAM is asked what it would
say, and where that may not be asked, each dependency is called in a way that changes nothing."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings

from bbws_products.validation.findings import (
    Finding,
    aws_client,
    call_aws,
    condition,
    missing,
    not_checked,
    ok,
)
from products.bootstrap import readiness_checks
from products.errors import Unavailable

ROLES = ("web", "worker")
READS = ["GetItem", "BatchGetItem", "Query"]
WRITES = ["PutItem", "UpdateItem", "DeleteItem"]
RINGS = ["SendMessage", "GetQueueAttributes"]
CONSUMES = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]


def validate(role: str | None, principal: str | None) -> Iterator[Finding]:
    """``principal`` is the ARN of who plays this role; without one it is whoever runs this."""
    if role is None:
        yield from _harmless_calls()
        return
    arn = principal or _ourselves()
    if arn.endswith(":root"):
        yield not_checked(
            role, "IAM", "The root of an account may do everything, and IAM does not judge it."
        )
        yield from _harmless_calls()
        return
    simulate = partial(call_aws, aws_client("iam").simulate_principal_policy, PolicySourceArn=arn)
    for resource, actions in rights(role).items():
        answer = simulate(ActionNames=list(actions), ResourceArns=[resource])
        if answer.code:
            yield not_checked(role, "IAM", f"It can't be asked what {arn} may do: {answer.code}.")
            yield from _harmless_calls()
            return
        for result in answer.content["EvaluationResults"]:
            action, allowed = result["EvalActionName"], result["EvalDecision"] == "allowed"
            yield _judged(
                role, f"{action} on {resource.rpartition(':')[2]}", allowed, actions[action]
            )


def _judged(role: str, what: str, allowed: bool, wanted: bool) -> Finding:
    if wanted:
        return condition(role, what, allowed, "It is allowed.", "It is not allowed, and needed.")
    return condition(
        role, what, not allowed, "It is not allowed.", "It is allowed, and not needed."
    )


def _ourselves() -> str:
    """The role behind the session that STS knows us by."""
    arn = str(call_aws(aws_client("sts").get_caller_identity).content.get("Arn", "unknown"))
    if ":assumed-role/" not in arn:
        return arn
    account, role = arn.split(":")[4], arn.split("/")[1]
    return f"arn:aws:iam::{account}:role/{role}"


def rights(role: str) -> dict[str, dict[str, bool]]:
    """By what it is done to: each action, and whether the code needs it or it would only hurt."""
    table, audit = _table_arn(), f"arn:aws:s3:::{settings.AUDIT_BUCKET}"
    queues = [_queue_arn(url) for url, _ in settings.QUEUE_URLS.values()]
    written = "2026/01/01/p1.json" if role == "worker" else "operations/2026/01/01/a1.json"
    of_queue = _needed("sqs", [*RINGS, *(CONSUMES if role == "worker" else ())]) | {
        "sqs:PurgeQueue": False
    }
    found = {
        table: _needed("dynamodb", READS + WRITES) | {"dynamodb:DeleteTable": False},
        f"{table}/index/OpenChangesIndex": _needed("dynamodb", ["Query"]),
        **dict.fromkeys(queues, of_queue),
        f"{audit}/{written}": {"s3:PutObject": True, "s3:DeleteObject": False},
        audit: {"s3:PutBucketPolicy": False},
    }
    if role == "worker" and settings.ENABLE_CLOUDFRONT:
        found[_distribution_arn()] = _needed("cloudfront", ["CreateInvalidation"])
    return found


def _needed(service: str, actions: Iterable[str]) -> dict[str, bool]:
    return {f"{service}:{action}": True for action in actions}


def _table_arn() -> str:
    content = call_aws(
        aws_client("dynamodb").describe_table, TableName=settings.PRODUCTS_TABLE
    ).content
    return str(content.get("Table", {}).get("TableArn", "*"))


def _queue_arn(url: str) -> str:
    content = call_aws(
        aws_client("sqs").get_queue_attributes, QueueUrl=url, AttributeNames=["QueueArn"]
    ).content
    return str(content.get("Attributes", {}).get("QueueArn", "*"))


def _distribution_arn() -> str:
    content = call_aws(
        aws_client("cloudfront").get_distribution, Id=settings.CLOUDFRONT_DISTRIBUTION_ID
    ).content
    return str(content.get("Distribution", {}).get("ARN", "*"))


def _harmless_calls() -> Iterator[Finding]:
    """The same as readiness asks: a read of each dependency."""
    named: dict[str, Any] = readiness_checks()
    for name, call in named.items():
        if call is None:
            yield ok(name, "reading", "It is switched off.")
            continue
        try:
            call()
        except (Unavailable, ClientError) as refusal:
            yield missing(name, "reading", str(refusal)[:200])
        else:
            yield ok(name, "reading", "It answers us.")
