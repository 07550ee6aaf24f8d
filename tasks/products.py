"""What a worker can be asked to do. Names and payload are a contract between deployments: extra keys are ignored."""

import logging
from typing import Any

from celery import shared_task

from products.bootstrap import jobs, now, operations, pipeline
from products.maintenance import drift_scan

logger = logging.getLogger(__name__)


@shared_task(name="products.persist")
def store(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().store(product_id, version)


@shared_task(name="products.invalidate")
def purge(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().purge(product_id, version)


@shared_task(name="products.index")
def index(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().index(product_id, version)


@shared_task(name="products.audit")
def audit(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().audit(product_id, version)


@shared_task(name="products.relay")
def relay(**_: Any) -> None:
    rung, stalled, oldest = pipeline().relay(), jobs().requeue_stalled(), operations().oldest_open()
    age = (now() - oldest).total_seconds() if oldest else 0
    logger.info(
        "relay done", extra={"rung": rung, "stalled_jobs": stalled, "oldest_seconds": round(age, 3)}
    )


@shared_task(name="products.job")
def job(*, job_id: str, **_: Any) -> None:
    jobs().work(job_id)


@shared_task(name="products.verify")
def verify(**_: Any) -> None:
    drift_scan().step()
