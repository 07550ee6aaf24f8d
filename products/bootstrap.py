"""The wiring. Only this module and ``maintenance`` import adapters.

Everything is built once, on first use. Adapters with large libraries are imported where they
are built: a Lambda function that only reads must not load OpenSearch, S3 or Celery at its start.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import uuid6
from django.conf import settings
from django.utils.functional import SimpleLazyObject

from products.acceptance import Acceptance
from products.adapters.aws.clients import client
from products.adapters.aws.direct import direct_client
from products.adapters.dynamodb.table import DynamoProductTable
from products.adapters.dynamodb.tokens import DynamoRevocations
from products.adapters.sqs.doorbell import SqsDoorbell
from products.catalogue import Catalogue
from products.changes import Change, Effect
from products.feed import Feed
from products.parallel import context_map

if TYPE_CHECKING:
    from products.adapters.cloudfront import CloudFront
    from products.adapters.dynamodb.drift_scans import DynamoScanTable
    from products.adapters.dynamodb.operations import DynamoOperations
    from products.adapters.opensearch.guarded_search import GuardedSearch
    from products.adapters.opensearch.index import NoIndex, OpenSearchIndex
    from products.adapters.s3 import S3AuditTrail, S3Media
    from products.bulk.clashes import Clashes
    from products.bulk.importing import Imports
    from products.bulk.jobs import Jobs
    from products.effects import Failures
    from products.operations import Operations
    from products.pipeline import Pipeline
    from products.relay import Relay
    from products.search.editing import SynonymEditing

EFFECT_THREADS = 20  # make the calls for two batches of ten messages
JOB_THREADS = 8  # make the calls for the rows of jobs


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a UUIDv7: unique, and increasing with time."""
    return str(uuid6.uuid7())


sleep: Callable[[float], None] = time.sleep


@cache
def dynamodb() -> Any:
    """Return a DynamoDB client that makes two attempts: a direct call, then botocore's."""
    return direct_client("dynamodb", client, attempts=2)


@cache
def sqs() -> Any:
    """Return an SQS client that makes one attempt: the relay requeues lost messages."""
    return direct_client("sqs", client, attempts=1)


def polling_sqs(max_seconds: int) -> Any:
    """Return an SQS client for long polls, which are answered after ``max_seconds``."""
    return client("sqs", read=max_seconds, attempts=1)


@cache
def table() -> DynamoProductTable:
    return DynamoProductTable(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def revocations() -> DynamoRevocations:
    return DynamoRevocations(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def index() -> "OpenSearchIndex | NoIndex":
    from products.adapters.opensearch.index import NoIndex, OpenSearchIndex, connect
    from products.search.editing import CurrentSynonyms

    synonyms = CurrentSynonyms(synonym_editing())
    if not settings.ENABLE_OPENSEARCH:
        return NoIndex(synonyms)
    return OpenSearchIndex(connect(settings.OPENSEARCH_URL), settings.SEARCH_ALIAS, synonyms)


def synonym_editing() -> "SynonymEditing":
    from products.adapters.dynamodb.synonyms import DynamoSynonyms
    from products.search.editing import SynonymEditing

    return SynonymEditing(DynamoSynonyms(dynamodb(), settings.PRODUCTS_TABLE), now)


@cache
def guarded_search() -> "GuardedSearch":
    """Return the searches for people, who get an answer from the table while OpenSearch hangs."""
    from products.adapters.opensearch.guarded_search import GuardedSearch

    return GuardedSearch(index())


def opensearch_index() -> "OpenSearchIndex | None":
    """Return the search index, or None where ENABLE_OPENSEARCH is off."""
    return cast("OpenSearchIndex", index()) if settings.ENABLE_OPENSEARCH else None


@cache
def cdn() -> "CloudFront":
    from products.adapters.cloudfront import CloudFront

    return CloudFront(client("cloudfront", read=5, attempts=1), settings.CLOUDFRONT_DISTRIBUTION_ID)


@cache
def audit_trail() -> "S3AuditTrail":
    from products.adapters.aws.direct_uploads import upload_client
    from products.adapters.s3 import S3AuditTrail

    return S3AuditTrail(upload_client(client, read=5), settings.AUDIT_BUCKET)


def effects() -> frozenset[Effect]:
    """Return the effects of this deployment; receipts show the others as "not configured"."""
    is_enabled = {
        Effect.SEARCHABLE: settings.ENABLE_OPENSEARCH,
        Effect.PURGED: settings.ENABLE_CLOUDFRONT,
    }
    return frozenset(effect for effect in Effect if is_enabled.get(effect, True))


@cache
def doorbell() -> SqsDoorbell:
    return SqsDoorbell(sqs(), settings.TASK_URLS, new_id)


@cache
def catalogue() -> Catalogue:
    return Catalogue(
        table=table(),
        index=cast(Any, SimpleLazyObject(guarded_search)),  # built only by processes that search
        clock=now,
        public_lag=timedelta(seconds=settings.HOT_ANSWER_SECONDS),
    )


@cache
def feed() -> Feed:
    return Feed(table())


@cache
def acceptance() -> Acceptance:
    return Acceptance(
        log=table(),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
        image_exists=lambda key: media().exists(key),  # built only for an image
        effects=effects(),
    )


@cache
def media() -> "S3Media":
    from products.adapters.s3 import S3Media

    return S3Media(client("s3", read=3, attempts=1), settings.MEDIA_BUCKET)


@cache
def pipeline() -> "Pipeline":
    from products.pipeline import Pipeline

    return Pipeline(
        table=table(),
        search_index=index(),
        cdn=cdn(),
        trail=audit_trail(),
        doorbell=doorbell(),
        statistics=operations_log(),
        clock=now,
        map_function=partial(context_map, _effect_threads()),
    )


@cache
def _job_pipeline() -> "Pipeline":
    """Return a pipeline with threads of its own, so that other edits do not wait behind jobs."""
    threads = ThreadPoolExecutor(JOB_THREADS, "job")
    return replace(pipeline(), map_function=partial(context_map, threads))


@cache
def _effect_threads() -> ThreadPoolExecutor:
    """Return the threads that make the calls of a batch at the same time. They start when used."""
    return ThreadPoolExecutor(EFFECT_THREADS, "effect")


def relay() -> "Relay":
    from products.relay import Relay

    return Relay(
        table=table(),
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
    from products.adapters.sqs.depths import SqsQueueDepths
    from products.operations import Operations

    return Operations(
        table=table(),
        log=operations_log(),
        queues=SqsQueueDepths(sqs(), settings.QUEUE_URLS),
        trail=audit_trail(),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
    )


@cache
def jobs() -> "Jobs":
    from products.adapters import sql
    from products.adapters.dynamodb.jobs import DynamoJobTable
    from products.bulk.authorities import Authorities
    from products.bulk.job_pace import JobPace
    from products.bulk.jobs import Jobs
    from products.bulk.storing_doorbell import StoringDoorbell

    def store(changes: Sequence[Change]) -> "Failures":
        return _job_pipeline().store_appended(changes, settings.COMBINED_EFFECTS)

    accounts = sql.account_permissions if settings.DATABASES else None
    return Jobs(
        table=DynamoJobTable(dynamodb(), settings.PRODUCTS_TABLE),
        authorities=Authorities(revocations().is_revoked, accounts),
        acceptance=replace(acceptance(), doorbell=StoringDoorbell(store, doorbell())),
        doorbell=doorbell(),
        clock=now,
        new_id=new_id,
        requeue_after=settings.RELAY_AFTER,
        pace=JobPace(clock=time.monotonic, sleep=time.sleep),
    )


@cache
def imports() -> "Imports":
    from products.adapters.dynamodb.mappings import DynamoMappings
    from products.adapters.dynamodb.uploads import DynamoUploads
    from products.bulk.importing import Imports

    mappings = DynamoMappings(dynamodb(), settings.PRODUCTS_TABLE, now)
    uploads = DynamoUploads(dynamodb(), settings.PRODUCTS_TABLE)
    return Imports(products=catalogue(), jobs=jobs(), mappings=mappings, uploads=uploads)


@cache
def clashes() -> "Clashes":
    from products.bulk.clashes import Clashes

    return Clashes(jobs())


@cache
def scan_table() -> "DynamoScanTable":
    from products.adapters.dynamodb.drift_scans import DynamoScanTable

    return DynamoScanTable(dynamodb(), settings.PRODUCTS_TABLE)


def image_url(key: str | None) -> str | None:
    """Return the URL of the image with this key."""
    return f"{settings.MEDIA_URL}{key}" if key else None
