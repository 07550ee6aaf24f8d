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
from products.documents import parse_timestamp
from products.effects import Failures
from products.maintenance import drift_scan
from products.scheduling import cache_purge, switching
from tasks.queues import JOB, PURGE_FOR_PLAN, RELAY, SWITCH, VERIFY

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
    """Requeue open changes and stalled jobs, announce due plans, and log how old the oldest are."""
    requeued = bootstrap.relay().requeue()
    stalled_jobs = jobs().requeue_stalled()
    announced = switching().announce()
    oldest_accepted_at = operations().oldest_open()
    oldest_seconds = (now() - oldest_accepted_at).total_seconds() if oldest_accepted_at else 0
    facts = {
        "requeued": requeued,
        "stalled_jobs": stalled_jobs,
        "oldest_seconds": round(oldest_seconds, 3),
        "announced_steps": announced,
        "overdue_plan_seconds": round(switching().overdue().total_seconds(), 3),
    }
    logger.info("relay done", extra=facts)


def job(*, job_id: str, **_: Any) -> None:
    """Continue a job: its plan, or its writes."""
    imports().work_on(job_id)


def switch(**_: Any) -> None:
    """Make the steps of plans that are due, and log how late they were."""
    for switched in switching().step():
        facts = {
            "plan_id": switched.plan.plan_id,
            "step": str(switched.step),
            "late_seconds": round(switched.late_by.total_seconds(), 3),
            "rows": {str(state): count for state, count in switched.counts.items()},
        }
        logger.info("plan switched", extra=facts)


def purge_for_plan(*, until: str, after: int | None = None, **_: Any) -> None:
    """Purge the CDN for a plan whose next step is due then."""
    cache_purge().purge(parse_timestamp(until), after)


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
SINGLE_TASKS: dict[str, Callable[..., None]] = {
    RELAY: relay,
    JOB: job,
    VERIFY: verify,
    SWITCH: switch,
    PURGE_FOR_PLAN: purge_for_plan,
}
"""The tasks that run one at a time, by their names in messages."""
