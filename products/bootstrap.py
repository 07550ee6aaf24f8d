"""The wiring: the only module that names adapters. Everything is built once, on first use.

What has a large library behind it is imported where it is made: a function on Lambda that only reads would pay at each
start for searching, storing files and Celery.
"""

import itertools
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import uuid6
from django.conf import settings
from django.utils.functional import SimpleLazyObject

from products.adapters.aws import calling, client
from products.adapters.cloudfront import CloudFront
from products.adapters.doorbell import Doorbell
from products.adapters.dynamodb import DynamoProductTable
from products.adapters.dynamodb_checks import DynamoChecks
from products.adapters.dynamodb_drift import DynamoDrift
from products.adapters.dynamodb_jobs import DynamoJobTable
from products.adapters.dynamodb_operations import DynamoOperations
from products.adapters.dynamodb_tokens import DynamoRevocations
from products.adapters.messages import SqsDoorbell
from products.adapters.sorting import SqliteSorting
from products.adapters.sql import check_sql
from products.adapters.sqs import SqsQueues
from products.adapters.sqs_dead_letters import SqsDeadLetters
from products.audit_verification import AuditVerification
from products.catalogue import Catalogue
from products.changes import Effect
from products.differences import Difference
from products.drift import PATIENCE
from products.jobs import Jobs
from products.listing import Listing
from products.operations import Operations
from products.pipeline import Pipeline
from products.redrive import Redrive
from products.reindex import Reindex
from products.repair import Repair
from products.rounds import Rounds
from products.verification import Verification

if TYPE_CHECKING:
    from products.adapters.opensearch import NoIndex, OpenSearchIndex
    from products.adapters.s3 import S3AuditRecords, S3AuditTrail

logger = logging.getLogger(__name__)


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7: unique, and rising with time."""
    return str(uuid6.uuid7())


sleep: Callable[[float], None] = time.sleep


@cache
def dynamodb() -> Any:
    """Two tries a call: the direct one, and boto3's; both boto3's in a function, whose package has no libcurl."""
    return direct(client("dynamodb", attempts=1), again=True) if settings.CELERY else client("dynamodb")


def direct(boto3_client: Any, *, again: bool) -> Any:
    from products.adapters.direct import DirectClient

    return DirectClient(boto3_client, again=again)


@cache
def table() -> DynamoProductTable:
    return DynamoProductTable(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def revocations() -> DynamoRevocations:
    return DynamoRevocations(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def index() -> "OpenSearchIndex | NoIndex":
    from products.adapters.opensearch import NoIndex, OpenSearchIndex, connect

    if not settings.ENABLE_OPENSEARCH:
        return NoIndex()
    return OpenSearchIndex(connect(settings.OPENSEARCH_URL), settings.SEARCH_ALIAS)


def _searchable() -> Any:
    """The OpenSearchIndex; None where there is none."""
    return index() if settings.ENABLE_OPENSEARCH else None


@cache
def cdn() -> CloudFront:
    return CloudFront(client("cloudfront", read=10), settings.CLOUDFRONT_DISTRIBUTION_ID)


@cache
def trail() -> "S3AuditTrail":
    from products.adapters.s3 import S3AuditTrail, WriteOnceStorage

    storage = WriteOnceStorage(bucket_name=settings.AUDIT_BUCKET, client_config=client("s3", read=5).meta.config)
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
        return SqsDoorbell(client=sqs(), urls=settings.TASK_URLS)
    from products.adapters.queue import CeleryDoorbell

    return CeleryDoorbell()


@cache
def catalogue() -> Catalogue:
    searched: Any = SimpleLazyObject(index)  # few processes search
    made: Any = {"clock": now, "new_id": new_id, "public_lag": timedelta(seconds=settings.HOT_ANSWER_SECONDS)}
    return Catalogue(table=table(), index=searched, doorbell=doorbell(), effects=effects(), **made)


@cache
def pipeline() -> Pipeline:
    return Pipeline(
        table=table(),
        index=index(),
        cdn=cdn(),
        trail=trail(),
        doorbell=doorbell(),
        statistics=operations_log(),
        clock=now,
        ring_after=settings.RELAY_AFTER,
    )


@cache
def operations_log() -> DynamoOperations:
    return DynamoOperations(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def operations() -> Operations:
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
def jobs() -> Jobs:
    return Jobs(
        table=DynamoJobTable(dynamodb(), settings.PRODUCTS_TABLE),
        catalogue=catalogue(),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
        ring_after=settings.RELAY_AFTER,
    )


@cache
def drift() -> DynamoDrift:
    return DynamoDrift(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def _several() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8, "check")  # a check mostly waits; made in the worker's child, at its first check


def verification(patience: timedelta = PATIENCE) -> Verification:
    return Verification(
        logs=drift(),
        documents=_searchable(),
        trail=audit_records(),
        clock=now,
        mapped=_several().map,
        patience=patience,
    )


@cache
def audit_records() -> "S3AuditRecords":
    from products.adapters.s3 import S3AuditRecords

    return S3AuditRecords(client("s3", read=5), settings.AUDIT_BUCKET)


def audit_verification(*, offline: bool) -> AuditVerification:
    logs = None if offline else drift()
    return AuditVerification(records=audit_records(), sorting=SqliteSorting(), logs=logs, mapped=_several().map)


def repair() -> Repair:
    return Repair(
        table=table(),
        items=drift(),
        index=_searchable(),
        trail=trail(),
        doorbell=doorbell(),
        cover=lambda at: pipeline().cover(at, sleep) if settings.ENABLE_CLOUDFRONT else None,
        clock=now,
    )


@cache
def check_table() -> DynamoChecks:
    return DynamoChecks(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def rounds() -> Rounds:
    return Rounds(table=check_table(), verification=verification(), tell=_warn_of, clock=now)


def _warn_of(difference: Difference) -> None:
    about = {"kind": str(difference.kind), "product_id": difference.product_id, "version": difference.version}
    logger.warning("drift", extra={**about, "cause": difference.cause})


def reindex() -> Reindex | None:
    """None where there is no search index."""
    from products.adapters.opensearch_rebuild import OpenSearchRebuild

    if not (standing := _searchable()):
        return None
    return Reindex(records=drift(), index=OpenSearchRebuild(standing.client, standing.alias))


@cache
def redrive() -> Redrive:
    letters = SqsDeadLetters(sqs(), settings.QUEUE_URLS)
    return Redrive(letters=letters, changes=table(), jobs=jobs().table, log=operations())


def image_url(key: str | None) -> str | None:
    """Where browsers find an image that is kept under this key."""
    return f"{settings.MEDIA_URL}{key}" if key else None


def checks() -> dict[str, Callable[[], None] | None]:
    """A check per dependency by name; None where this deployment does without it."""
    if not settings.CELERY:
        return {"dynamodb": table().check}  # the API alone needs nothing else to serve
    standing = _searchable()
    return {
        "dynamodb": table().check,
        "sql": check_sql,
        "sqs": _check_sqs,
        "opensearch": standing.check if standing else None,
        "cloudfront": cdn().check if settings.ENABLE_CLOUDFRONT else None,
        "s3": trail().check,
    }


@cache
def sqs() -> Any:
    return client("sqs", attempts=1)


def _check_sqs() -> None:
    with calling("SQS"):
        for url, _ in settings.QUEUE_URLS.values():
            sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])


def index_records() -> int:
    """Index all records at once; later versions in the index stay. Returns how many were indexed."""
    if not (standing := _searchable()):
        return 0
    standing.ensure()
    listings = (table().in_order(Listing(limit=100), active=active) for active in (True, False))
    return int(standing.put_all(itertools.chain.from_iterable(listings)))
