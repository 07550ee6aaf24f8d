"""The wiring of maintenance: repair, the search index's rebuild, dead letters, secrets.

It builds on ``bootstrap`` and is separate from it, because no request needs it and a Lambda
function would pay for its imports.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial

from django.conf import settings
from opensearchpy import OpenSearch

from products.adapters.audit_spool import SqliteAuditSpool
from products.adapters.aws.clients import client
from products.adapters.dynamodb.indexes import DynamoIndexes
from products.adapters.dynamodb.reconciliation import DynamoReconciliation
from products.adapters.opensearch.index import FILL_TIMEOUT_SECONDS, OpenSearchIndex, connect
from products.adapters.opensearch.rebuild import OpenSearchRebuild
from products.adapters.sqs.dead_letters import SqsDeadLetters
from products.adapters.ssm import SecretParameters
from products.bootstrap import (
    audit_trail,
    cdn,
    doorbell,
    dynamodb,
    jobs,
    now,
    opensearch_index,
    operations,
    scan_table,
    sleep,
    sqs,
    table,
)
from products.invalidation import wait_until_covered
from products.lists import ListQuery
from products.parallel import bounded_map
from products.reconciliation.differences import Difference
from products.reconciliation.drift_scan import DriftScan
from products.reconciliation.offline_verification import OfflineVerification
from products.reconciliation.product_log import GRACE_PERIOD
from products.reconciliation.repair import Repair
from products.reconciliation.verification import Verification
from products.redrive import Redrive
from products.reindex import Reindex
from products.retries import Retries

logger = logging.getLogger(__name__)

VERIFICATION_THREADS = 8
REBUILD_AHEAD = 3  # reads, and bulk requests, that a rebuild has under way at a time
PAGE_SIZE = 100  # records in one read


@cache
def reconciliation_source() -> DynamoReconciliation:
    return DynamoReconciliation(dynamodb(), settings.PRODUCTS_TABLE, now)


@cache
def _verification_threads() -> ThreadPoolExecutor:
    """Return the threads of verification, which mostly waits for responses.

    It is built at the first verification, so in the worker's child process: threads don't
    survive a fork.
    """
    return ThreadPoolExecutor(VERIFICATION_THREADS, "check")


def verification(grace_period: timedelta = GRACE_PERIOD) -> Verification:
    return Verification(
        logs=reconciliation_source(),
        documents=opensearch_index(),
        trail=audit_trail(),
        clock=now,
        map_function=_verification_threads().map,
        grace_period=grace_period,
    )


def audit_verification() -> Verification:
    """Return the verification of the audit trail, which needs no search index."""
    return replace(verification(), documents=None)


def offline_audit_verification() -> OfflineVerification:
    """Return the verification of the audit trail by S3 alone."""
    return OfflineVerification(
        records=audit_trail(),
        spool=SqliteAuditSpool(),
        map_function=_verification_threads().map,
    )


def repair() -> Repair:
    return Repair(
        table=table(),
        items=reconciliation_source(),
        index=opensearch_index(),
        trail=audit_trail(),
        doorbell=doorbell(),
        cover=_wait_until_covered,
        clock=now,
    )


def _wait_until_covered() -> None:
    if settings.ENABLE_CLOUDFRONT:
        wait_until_covered(table(), cdn(), now, sleep)


@cache
def drift_scan() -> DriftScan:
    return DriftScan(
        table=scan_table(), verification=verification(), on_difference=_log_difference, clock=now
    )


def _log_difference(difference: Difference) -> None:
    facts = {
        "kind": str(difference.kind),
        "product_id": difference.product_id,
        "version": difference.version,
        "cause": difference.cause,
    }
    logger.warning("drift", extra=facts)


def reindex() -> Reindex | None:
    """Return the rebuild of the search index, or None where there is no index."""
    if not settings.ENABLE_OPENSEARCH:
        return None
    parallel = partial(bounded_map, _rebuild_threads(), REBUILD_AHEAD)
    retries = Retries(sleep)
    rebuild = OpenSearchRebuild(_fill_client(), settings.SEARCH_ALIAS, retries, parallel)
    logs = reconciliation_source()
    return Reindex(logs=logs, index=rebuild, retries=retries, map_function=parallel)


@cache
def _rebuild_threads() -> ThreadPoolExecutor:
    """Return the threads that read records and send documents during a rebuild."""
    return ThreadPoolExecutor(2 * REBUILD_AHEAD, "rebuild")


@cache
def _fill_client() -> OpenSearch:
    """Return a client whose requests may wait for a merge."""
    return connect(settings.OPENSEARCH_URL, timeout_seconds=FILL_TIMEOUT_SECONDS)


@cache
def redrive() -> Redrive:
    letters = SqsDeadLetters(sqs(), settings.QUEUE_URLS)
    return Redrive(letters=letters, changes=table(), jobs=jobs(), operations=operations())


def index_records() -> int:
    """Index all records, except where the index has a later version; return how many are new."""
    if not settings.ENABLE_OPENSEARCH:
        return 0
    search = OpenSearchIndex(_fill_client(), settings.SEARCH_ALIAS)
    search.ensure()
    records = (
        product
        for active in (True, False)
        for product in table().in_order(ListQuery(limit=PAGE_SIZE), active=active)
    )
    return search.put_all(records, sleep)


def secret_parameters() -> SecretParameters:
    """Return the parameters in which a command leaves a secret for a person."""
    key = f"alias/bbws-products-secrets-{settings.ENVIRONMENT}"
    return SecretParameters(client("ssm", read=5), key)


def indexes() -> DynamoIndexes:
    return DynamoIndexes(dynamodb(), settings.PRODUCTS_TABLE)
