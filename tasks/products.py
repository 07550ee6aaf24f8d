"""What a worker can be asked to do. Names and payload are a contract between deployments: extra keys are ignored."""

from typing import Any

from celery import shared_task

from products.bootstrap import jobs, pipeline, rounds


@shared_task(name="products.persist")
def persist(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().persist(product_id, version)


@shared_task(name="products.invalidate")
def invalidate(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().purge(product_id, version)


@shared_task(name="products.index")
def index(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().make_searchable(product_id, version)


@shared_task(name="products.audit")
def audit(*, product_id: str, version: int, **_: Any) -> None:
    pipeline().audit(product_id, version)


@shared_task(name="products.relay")
def relay(**_: Any) -> None:
    pipeline().relay()
    jobs().ring_again()


@shared_task(name="products.job")
def job(*, job_id: str, **_: Any) -> None:
    jobs().work(job_id)


@shared_task(name="products.verify")
def verify(**_: Any) -> None:
    rounds().slice()
