"""The wiring: this and ``upkeep`` alone name adapters. Everything is built once, on first use.

What has a large library behind it is imported where it is made: a function on Lambda that only reads would pay at each
start for searching, storing files and Celery.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import uuid6
from django.conf import settings
from django.utils.functional import SimpleLazyObject

from products.adapters.aws.clients import calling, client
from products.adapters.dynamodb.table import DynamoProductTable
from products.adapters.dynamodb.tokens import DynamoRevocations
from products.adapters.sqs.doorbell import Doorbell
from products.catalogue import Catalogue
from products.changes import Effect

if TYPE_CHECKING:
    from products.adapters.cloudfront import CloudFront
    from products.adapters.dynamodb.drift_scans import DynamoScanTable
    from products.adapters.dynamodb.operations import DynamoOperations
    from products.adapters.opensearch.index import NoIndex, OpenSearchIndex
    from products.adapters.s3 import S3AuditRecords, S3AuditTrail
    from products.bulk.jobs import Jobs
    from products.operations import Operations
    from products.pipeline import Pipeline


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7: unique, and rising with time."""
    return str(uuid6.uuid7())


sleep: Callable[[float], None] = time.sleep


@cache
def dynamodb() -> Any:
    """Two tries a call: the direct one, and botocore's."""
    if settings.DIRECT_CALLS == "libcurl":
        return _over_libcurl(client("dynamodb", attempts=1), again=True)
    return _made("dynamodb", attempts=2)


@cache
def sqs() -> Any:
    """One try: to send a message again is the relay's business."""
    return _made("sqs", attempts=1)


def direct_sqs(plain: Any) -> Any:
    """For the tasks' transport, as ``sqs``."""
    return _over_libcurl(plain, again=False) if settings.DIRECT_CALLS == "libcurl" else plain


def _over_libcurl(plain: Any, *, again: bool) -> Any:
    from products.adapters.aws.curl import CurlConnection
    from products.adapters.aws.direct import DirectClient

    return DirectClient(plain, partial(CurlConnection, plain), again=again)


def _made(service: str, *, attempts: int) -> Any:
    if settings.DIRECT_CALLS != "sigv4":
        return client(service, attempts=attempts)
    from products.adapters.aws.sigv4 import signed_client

    return signed_client(service, client, attempts=attempts)


@cache
def table() -> DynamoProductTable:
    return DynamoProductTable(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def revocations() -> DynamoRevocations:
    return DynamoRevocations(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def index() -> "OpenSearchIndex | NoIndex":
    from products.adapters.opensearch.index import NoIndex, OpenSearchIndex, connect

    if not settings.ENABLE_OPENSEARCH:
        return NoIndex()
    return OpenSearchIndex(connect(settings.OPENSEARCH_URL), settings.SEARCH_ALIAS)


def searchable() -> Any:
    """The OpenSearchIndex; None where there is none."""
    return index() if settings.ENABLE_OPENSEARCH else None


@cache
def cdn() -> "CloudFront":
    from products.adapters.cloudfront import CloudFront

    return CloudFront(client("cloudfront", read=10), settings.CLOUDFRONT_DISTRIBUTION_ID)


@cache
def trail() -> "S3AuditTrail":
    from products.adapters.s3 import S3AuditTrail, WriteOnceStorage

    storage = WriteOnceStorage(
        bucket_name=settings.AUDIT_BUCKET, client_config=client("s3", read=5).meta.config
    )
    return S3AuditTrail(storage)


def effects() -> frozenset[Effect]:
    """The effects this deployment has; the others are "not configured" on its receipts."""
    absent = {
        Effect.SEARCHABLE: not settings.ENABLE_OPENSEARCH,
        Effect.PURGED: not settings.ENABLE_CLOUDFRONT,
    }
    return frozenset(effect for effect in Effect if not absent.get(effect))


@cache
def doorbell() -> Doorbell:
    """Rung through Celery, or without it where a process does not load it."""
    if not settings.CELERY:
        from products.adapters.sqs.doorbell_direct import SqsDoorbell

        return SqsDoorbell(client=sqs(), urls=settings.TASK_URLS)
    from products.adapters.sqs.doorbell_celery import CeleryDoorbell

    return CeleryDoorbell()


@cache
def catalogue() -> Catalogue:
    return Catalogue(
        table=table(),
        index=cast(Any, SimpleLazyObject(index)),  # few processes search
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
        effects=effects(),
        public_lag=timedelta(seconds=settings.HOT_ANSWER_SECONDS),
    )


@cache
def pipeline() -> "Pipeline":
    from products.pipeline import Pipeline

    return Pipeline(
        table=table(),
        search_index=index(),
        cdn=cdn(),
        trail=trail(),
        doorbell=doorbell(),
        statistics=operations_log(),
        clock=now,
        requeue_after=settings.RELAY_AFTER,
    )


@cache
def operations_log() -> "DynamoOperations":
    from products.adapters.dynamodb.operations import DynamoOperations

    return DynamoOperations(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def operations() -> "Operations":
    from products.adapters.sqs.depths import SqsQueues
    from products.operations import Operations

    return Operations(
        table=table(),
        log=operations_log(),
        queues=SqsQueues(sqs(), settings.QUEUE_URLS),
        trail=trail(),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
    )


@cache
def jobs() -> "Jobs":
    from products.adapters.dynamodb.jobs import DynamoJobTable
    from products.bulk.jobs import Jobs

    return Jobs(
        table=DynamoJobTable(dynamodb(), settings.PRODUCTS_TABLE),
        catalogue=catalogue(),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
        requeue_after=settings.RELAY_AFTER,
    )


@cache
def audit_records() -> "S3AuditRecords":
    from products.adapters.s3 import S3AuditRecords

    return S3AuditRecords(client("s3", read=5), settings.AUDIT_BUCKET)


@cache
def scan_table() -> "DynamoScanTable":
    from products.adapters.dynamodb.drift_scans import DynamoScanTable

    return DynamoScanTable(dynamodb(), settings.PRODUCTS_TABLE)


def image_url(key: str | None) -> str | None:
    """Where browsers find an image that is kept under this key."""
    return f"{settings.MEDIA_URL}{key}" if key else None


def readiness_checks() -> dict[str, Callable[[], None] | None]:
    """A check per dependency by name; None where this deployment does without it."""
    if not settings.CELERY:
        return {"dynamodb": table().ping}  # the API alone needs nothing else to serve
    standing = searchable()
    return {
        "dynamodb": table().ping,
        "sql": _ping_sql,
        "sqs": _ping_sqs,
        "opensearch": standing.ping if standing else None,
        "cloudfront": cdn().ping if settings.ENABLE_CLOUDFRONT else None,
        "s3": trail().ping,
    }


def _ping_sql() -> None:
    from django.db import connection

    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # checks run on threads of their own, which must not leave connections behind


def _ping_sqs() -> None:
    with calling("SQS"):
        for url, _ in settings.QUEUE_URLS.values():
            sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
