"""What the running role may do: all it needs, and none of what would hurt. Nothing is done; IAM is asked what it would
say, and where that may not be asked, each dependency is called in a way that changes nothing."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings

from bbws_products.validation.findings import Answer, Finding, asked, aws, holds, missing, not_checked, ok
from products.bootstrap import checks
from products.product import TryLater

ROLES = ("web", "worker")
READS = ["GetItem", "BatchGetItem", "Query"]
WRITES = ["PutItem", "UpdateItem", "DeleteItem"]
CONSUMES = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]
Right = tuple[str, str, bool]
"""An action, what it is done to, and whether it must be allowed."""


def check(role: str, principal: str | None) -> Iterator[Finding]:
    """``principal`` is the ARN of a role; without one it is whoever runs this."""
    arn = principal or _ourselves()
    simulate = partial(asked, aws("iam").simulate_principal_policy, PolicySourceArn=arn)
    for action, resource, wanted in rights(role):
        answer = simulate(ActionNames=[action], ResourceArns=[resource])
        if answer.code:
            yield not_checked(role, "IAM", f"It can't be asked what {arn} may do: {answer.code}.")
            yield from _harmless_calls()
            return
        yield _judged(role, action, resource, wanted, answer)


def _judged(role: str, action: str, resource: str, wanted: bool, answer: Answer) -> Finding:
    allowed = answer.content["EvaluationResults"][0]["EvalDecision"] == "allowed"
    name = resource.rpartition(":")[2]
    if wanted:
        return holds(role, f"{action} on {name}", allowed, "It is allowed.", "It is not allowed, and needed.")
    return holds(role, f"{action} on {name}", not allowed, "It is not allowed.", "It is allowed, and not needed.")


def _ourselves() -> str:
    """The role behind the session that STS knows us by."""
    arn = str(asked(aws("sts").get_caller_identity).content.get("Arn", "unknown"))
    if ":assumed-role/" not in arn:
        return arn
    account, role = arn.split(":")[4], arn.split("/")[1]
    return f"arn:aws:iam::{account}:role/{role}"


def rights(role: str) -> Iterator[Right]:
    """What the code asks AWS for, by who runs it."""
    table, audit = _table_arn(), f"arn:aws:s3:::{settings.AUDIT_BUCKET}"
    queues = [_queue_arn(url) for url, _ in settings.QUEUE_URLS.values()]
    yield from _all("dynamodb", READS + WRITES, [table])
    yield from _all("dynamodb", ["Query"], [f"{table}/index/OpenChangesIndex"])
    yield from _all("sqs", ["SendMessage", "GetQueueAttributes"], queues)
    if role == "worker":
        yield from _all("sqs", CONSUMES, queues)
        yield from _all("s3", ["PutObject"], [f"{audit}/2026/01/01/p1.json"])
        if settings.ENABLE_CLOUDFRONT:
            yield from _all("cloudfront", ["CreateInvalidation"], [_distribution_arn()])
    else:
        yield from _all("s3", ["PutObject"], [f"{audit}/operations/2026/01/01/a1.json"])
    for action, resource in (
        ("dynamodb:DeleteTable", table),
        ("sqs:PurgeQueue", queues[0]),
        ("s3:DeleteObject", f"{audit}/2026/01/01/p1.json"),
        ("s3:PutBucketPolicy", audit),
        ("iam:CreateUser", "*"),
    ):
        yield (action, resource, False)


def _all(service: str, actions: Iterable[str], resources: Iterable[str]) -> Iterator[Right]:
    return ((f"{service}:{action}", resource, True) for resource in resources for action in actions)


def _table_arn() -> str:
    content = asked(aws("dynamodb").describe_table, TableName=settings.PRODUCTS_TABLE).content
    return str(content.get("Table", {}).get("TableArn", "*"))


def _queue_arn(url: str) -> str:
    content = asked(aws("sqs").get_queue_attributes, QueueUrl=url, AttributeNames=["QueueArn"]).content
    return str(content.get("Attributes", {}).get("QueueArn", "*"))


def _distribution_arn() -> str:
    content = asked(aws("cloudfront").get_distribution, Id=settings.CLOUDFRONT_DISTRIBUTION_ID).content
    return str(content.get("Distribution", {}).get("ARN", "*"))


def _harmless_calls() -> Iterator[Finding]:
    """The same as readiness asks: a read of each dependency."""
    named: dict[str, Any] = checks()
    for name, call in named.items():
        if call is None:
            yield ok(name, "reading", "It is switched off.")
            continue
        try:
            call()
        except (TryLater, ClientError) as refusal:
            yield missing(name, "reading", str(refusal)[:200])
        else:
            yield ok(name, "reading", "It answers us.")
