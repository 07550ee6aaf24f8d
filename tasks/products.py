"""The tasks of the workers, one call to the product each.

Names and payloads are a contract between releases: unknown keys are ignored.
"""

import logging
from typing import Any

from celery import shared_task

from products.bootstrap import jobs, now, operations, pipeline
from products.maintenance import drift_scan

logger = logging.getLogger(__name__)


@shared_task(name="products.persist")
def store(*, product_id: str, version: int, **_: Any) -> None:
    """Store the product's record."""
    pipeline().store(product_id, version)


@shared_task(name="products.invalidate")
def purge(*, product_id: str, version: int, **_: Any) -> None:
    """Purge the CDN."""
    pipeline().purge(product_id, version)


@shared_task(name="products.index")
def index(*, product_id: str, version: int, **_: Any) -> None:
    """Index the product for searches."""
    pipeline().index(product_id, version)


@shared_task(name="products.audit")
def audit(*, product_id: str, version: int, **_: Any) -> None:
    """Write the change's audit record."""
    pipeline().audit(product_id, version)


@shared_task(name="products.relay")
def relay(**_: Any) -> None:
    """Requeue open changes and stalled jobs, and log how old the oldest open change is."""
    requeued = pipeline().relay()
    stalled_jobs = jobs().requeue_stalled()
    oldest_accepted_at = operations().oldest_open()
    oldest_seconds = (now() - oldest_accepted_at).total_seconds() if oldest_accepted_at else 0
    facts = {
        "requeued": requeued,
        "stalled_jobs": stalled_jobs,
        "oldest_seconds": round(oldest_seconds, 3),
    }
    logger.info("relay done", extra=facts)


@shared_task(name="products.job")
def job(*, job_id: str, **_: Any) -> None:
    """Continue a job."""
    jobs().work(job_id)


@shared_task(name="products.verify")
def verify(**_: Any) -> None:
    """Continue the drift scan."""
    drift_scan().step()
