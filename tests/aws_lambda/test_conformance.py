"""What becomes of a message, whatever it is, is the same on a Celery worker and on Lambda."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from deploy.local.engines import Engines
from products import bootstrap
from products.adapters.sqs.doorbell_direct import task_message
from products.catalogue import Catalogue
from products.changes import Origin
from tasks.queues import queue_names
from tests.gameday.fault_proxy import PASS, Proxy, Request
from tests.support.builders import fields
from tests.support.fakes import FakeDoorbell
from tests.support.lambda_events import pump
from tests.support.processes import Deployment, until
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]
DEAD = {"permanent", "unknown-task", "garbage", "foreign", "pickled", "no-arguments", "two-queues"}
"""What must end among the dead letters; everything else must be acknowledged."""


class Runner(Protocol):
    def __call__(self, done: Callable[[], Any]) -> None:
        """Take messages until it is ``done``."""


@pytest.fixture
def search(engines: Engines) -> Iterator[Proxy]:
    """An OpenSearch that can't serve the first two who write to it."""
    proxy = Proxy(engines.search_url)
    refused: list[Request] = []

    def fault(request: Request) -> str | int:
        if request.method in {"PUT", "POST"} and "/_doc/" in request.path and len(refused) < 2:
            refused.append(request)
            return 503
        return PASS

    proxy.fault = fault
    yield proxy
    proxy.close()


@pytest.fixture
def catalogue(
    deployment: Deployment, search: Proxy, shared_clients: None, settings: Any
) -> Iterator[Catalogue]:
    """The deployment's, in this process; nobody hears its doorbell."""
    deployment.variables["OPENSEARCH_URL"] = settings.OPENSEARCH_URL = search.url
    world, prefix = deployment.world, settings.SQS_QUEUE_URL_PREFIX
    settings.PRODUCTS_TABLE, settings.SEARCH_ALIAS, settings.AUDIT_BUCKET = (
        world.table,
        world.alias,
        world.bucket,
    )
    settings.CLOUDFRONT_DISTRIBUTION_ID, settings.CELERY = world.distribution, {}
    settings.TASK_URLS = {
        task: f"{prefix}/{name}" for task, name in queue_names(deployment.env).items()
    }
    settings.QUEUE_URLS = {
        name: (f"{prefix}/{name}", "") for name in queue_names(deployment.env).values()
    }
    forget_wiring()
    yield replace(bootstrap.catalogue(), doorbell=FakeDoorbell())
    forget_wiring()


@pytest.fixture(params=["worker", "lambda"])
def run(request: pytest.FixtureRequest, deployment: Deployment, catalogue: Catalogue) -> Runner:
    def by_worker(done: Callable[[], Any]) -> None:
        deployment.start_worker()
        until(done, seconds=120)

    def by_lambda(done: Callable[[], Any]) -> None:
        until(lambda: pump(deployment.world) or done(), seconds=120)

    return by_worker if request.param == "worker" else by_lambda


def text(task: str, about: dict[str, Any], marker: str, **headers: Any) -> str:
    return task_message(marker, task, about, {"request_id": marker, **headers}, queue="q")


def send(world: World, task: str, body: str, delay: int = 0) -> None:
    world.sqs.send_message(
        QueueUrl=world.queue_url(world.queue(task)), MessageBody=body, DelaySeconds=delay
    )


def accept(catalogue: Catalogue, origin: Origin, *product_ids: str) -> None:
    for product_id in product_ids:
        catalogue.create(product_id, fields(name=f"Hosting {product_id}"), origin)


def send_all(world: World) -> None:
    """One message of each kind at least, the bad ones among the good."""
    persist, about = "products.persist", {"version": 1, "product_id": "ok"}
    send(world, persist, "garbage, and no JSON")
    send(world, persist, text(persist, about, "ok"))
    send(world, persist, json.dumps({"hello": "foreign"}))
    send(world, persist, text("products.nosuch", about, "unknown-task"))
    send(world, persist, text(persist, {"product_id": "nobody", "version": 1}, "permanent"))
    send(world, persist, text(persist, {}, "no-arguments"))
    pickled = json.loads(text(persist, about, "pickled"))
    send(world, persist, json.dumps({**pickled, "content-type": "application/x-python-serialize"}))
    send(
        world,
        persist,
        text(
            persist,
            {"product_id": "expired", "version": 1},
            "expired",
            expires="2026-01-01T00:00:00Z",
        ),
    )
    send(world, persist, text(persist, {"product_id": "late", "version": 2}, "second"))
    send(world, persist, text(persist, {"product_id": "late", "version": 1}, "first"), delay=2)
    for _ in range(2):
        send(
            world,
            "products.audit",
            text("products.audit", {"product_id": "doubled", "version": 1}, "doubled"),
        )
    send(
        world,
        "products.index",
        text("products.index", {"product_id": "away", "version": 1}, "transient"),
    )
    send(world, "products.index", text("products.nosuch", {}, "two-queues"))


def letters(world: World) -> set[str]:
    """The messages that are dead, by what marks them."""
    found = [
        letter["Body"] for task in queue_names(world.env) for letter in world.dead_letters(task)
    ]
    return {marker for marker in DEAD for body in found if marker in body}


def test_the_same_becomes_of_every_message(
    run: Runner, deployment: Deployment, catalogue: Catalogue, ann: Origin
) -> None:
    world = deployment.world
    accept(catalogue, ann, "ok", "late", "doubled", "away", "expired")
    catalogue.update("late", {"price": "9.00"}, ann)
    send_all(world)

    def done() -> bool:
        waiting = sum(world.depth(name) for name in queue_names(world.env).values())
        return not waiting and letters(world) == DEAD

    run(done)
    change = world.change("ok", 1)
    assert change
    assert not change.get("openEffects")  # its message rang for all the others
    late = world.record("late")
    assert late
    assert late["version"] == 2
    assert [key for key in world.audit_records() if "/doubled_" in key] != []
    document = world.document("away")
    assert document
    assert document["version"] == 1
    assert world.record("expired") is None
    assert world.record("nobody") is None
