"""The tasks of the queues, one call to the product each: on workers and on Lambda.

Names and payloads are a contract between releases: unknown keys are ignored.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from products import bootstrap
from products.bootstrap import imports, jobs, now, operations, pipeline
from products.changes import ChangeKey
from products.effects import Failures
from products.maintenance import drift_scan
from tasks.queues import JOB, RELAY, VERIFY

logger = logging.getLogger(__name__)


def store(keys: Sequence[ChangeKey]) -> Failures:
    """Store the products' records, and bring about the effects that this process combines."""
    return pipeline().store(keys, settings.COMBINED_EFFECTS)


def purge(keys: Sequence[ChangeKey]) -> Failures:
    """Purge the CDN."""
    return pipeline().purge(keys)


def index(keys: Sequence[ChangeKey]) -> Failures:
    """Index the products for searches."""
    return pipeline().index(keys)


def audit(keys: Sequence[ChangeKey]) -> Failures:
    """Write the changes' audit records."""
    return pipeline().audit(keys)


def relay(**_: Any) -> None:
    """Requeue open changes and stalled jobs, and log how old the oldest open change is."""
    requeued = bootstrap.relay().requeue()
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
    """Continue a job: its plan, or its writes."""
    imports().work_on(job_id)


def verify(**_: Any) -> None:
    """Continue the drift scan."""
    drift_scan().step()


EFFECT_TASKS: dict[str, Callable[[Sequence[ChangeKey]], Failures]] = {
    "products.persist": store,
    "products.invalidate": purge,
    "products.index": index,
    "products.audit": audit,
}
"""The tasks that take changes in batches, by their names in messages."""
SINGLE_TASKS: dict[str, Callable[..., None]] = {RELAY: relay, JOB: job, VERIFY: verify}
"""The tasks that run one at a time, by their names in messages."""
