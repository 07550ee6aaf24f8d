"""The tasks of the queues, one call to the product each: on Celery workers and on Lambda.

Names and payloads are a contract between releases: unknown keys are ignored.
"""

import logging
from collections.abc import Callable
from typing import Any

from products.bootstrap import jobs, now, operations, pipeline
from products.maintenance import drift_scan
from tasks.queues import JOB, RELAY, VERIFY

logger = logging.getLogger(__name__)


def store(*, product_id: str, version: int, **_: Any) -> None:
    """Store the product's record."""
    pipeline().store(product_id, version)


def purge(*, product_id: str, version: int, **_: Any) -> None:
    """Purge the CDN."""
    pipeline().purge(product_id, version)


def index(*, product_id: str, version: int, **_: Any) -> None:
    """Index the product for searches."""
    pipeline().index(product_id, version)


def audit(*, product_id: str, version: int, **_: Any) -> None:
    """Write the change's audit record."""
    pipeline().audit(product_id, version)


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


def job(*, job_id: str, **_: Any) -> None:
    """Continue a job."""
    jobs().work(job_id)


def verify(**_: Any) -> None:
    """Continue the drift scan."""
    drift_scan().step()


TASKS: dict[str, Callable[..., None]] = {
    "products.persist": store,
    "products.invalidate": purge,
    "products.index": index,
    "products.audit": audit,
    RELAY: relay,
    JOB: job,
    VERIFY: verify,
}
"""Each task by its name in messages."""
