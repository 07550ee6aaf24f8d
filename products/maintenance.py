"""The wiring of what keeps the catalogue right: checks of it, repairs, the index made anew, dead letters.

Apart from ``bootstrap``, which it builds on, since no request needs it and a function on Lambda would pay for it.
"""

import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache

from django.conf import settings

from products.adapters.audit_spool import SqliteAuditSpool
from products.adapters.dynamodb.reconciliation import DynamoReconciliation
from products.adapters.opensearch.rebuild import OpenSearchRebuild
from products.adapters.sqs.dead_letters import SqsDeadLetters
from products.bootstrap import (
    audit_records,
    doorbell,
    dynamodb,
    jobs,
    now,
    operations,
    pipeline,
    scan_table,
    searchable,
    sleep,
    sqs,
    table,
    trail,
)
from products.lists import ListQuery
from products.reconciliation.audit_verification import AuditVerification
from products.reconciliation.differences import Difference
from products.reconciliation.drift_scan import DriftScan
from products.reconciliation.product_log import GRACE_PERIOD
from products.reconciliation.repair import Repair
from products.reconciliation.verification import Verification
from products.redrive import Redrive
from products.reindex import Reindex

logger = logging.getLogger(__name__)


@cache
def reconciliation_source() -> DynamoReconciliation:
    return DynamoReconciliation(dynamodb(), settings.PRODUCTS_TABLE)


@cache
def _several() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        8, "check"
    )  # a check mostly waits; made in the worker's child, at its first check


def verification(grace_period: timedelta = GRACE_PERIOD) -> Verification:
    return Verification(
        logs=reconciliation_source(),
        documents=searchable(),
        trail=audit_records(),
        clock=now,
        map_function=_several().map,
        grace_period=grace_period,
    )


def audit_verification(*, offline: bool) -> AuditVerification:
    logs = None if offline else reconciliation_source()
    return AuditVerification(
        records=audit_records(), spool=SqliteAuditSpool(), logs=logs, map_function=_several().map
    )


def repair() -> Repair:
    return Repair(
        table=table(),
        items=reconciliation_source(),
        index=searchable(),
        trail=trail(),
        doorbell=doorbell(),
        cover=lambda at: pipeline().cover(at, sleep) if settings.ENABLE_CLOUDFRONT else None,
        clock=now,
    )


@cache
def drift_scan() -> DriftScan:
    return DriftScan(
        table=scan_table(), verification=verification(), on_difference=_warn_of, clock=now
    )


def _warn_of(difference: Difference) -> None:
    about = {
        "kind": str(difference.kind),
        "product_id": difference.product_id,
        "version": difference.version,
    }
    logger.warning("drift", extra={**about, "cause": difference.cause})


def reindex() -> Reindex | None:
    """None where there is no search index."""
    if not (standing := searchable()):
        return None
    return Reindex(
        records=reconciliation_source(), index=OpenSearchRebuild(standing.client, standing.alias)
    )


@cache
def redrive() -> Redrive:
    letters = SqsDeadLetters(sqs(), settings.QUEUE_URLS)
    return Redrive(letters=letters, changes=table(), jobs=jobs().table, log=operations())


def index_records() -> int:
    """Index all records at once; later versions in the index stay. Returns how many were indexed."""
    if not (standing := searchable()):
        return 0
    standing.ensure()
    listings = (table().in_order(ListQuery(limit=100), active=active) for active in (True, False))
    return int(standing.put_all(itertools.chain.from_iterable(listings)))
