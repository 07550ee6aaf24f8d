"""Every kind of message has the same result on a Celery worker and on Lambda."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from deploy.local.engines import Engines
from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.sqs.task_messages import task_message
from products.changes import Origin
from tasks.queues import queue_names
from tests.gameday.fault_proxy import PASS, Proxy, Request
from tests.support.builders import fields
from tests.support.fakes import FakeDoorbell
from tests.support.lambda_events import run_event_source_mappings
from tests.support.processes import Deployment, until
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]
DEAD = {"permanent", "unknown-task", "garbage", "foreign", "pickled", "no-arguments", "two-queues"}
"""Markers of the messages that must become dead letters; all others must be acknowledged."""


class Runner(Protocol):
    def __call__(self, is_done: Callable[[], bool]) -> None:
        """Process messages until ``is_done``."""


@pytest.fixture
def search(engines: Engines) -> Iterator[Proxy]:
    """An OpenSearch that refuses the first two writes with 503."""
    proxy = Proxy(engines.search_url)
    refused: list[Request] = []

    def fault(request: Request) -> str | int:
        if "/_bulk" in request.path and len(refused) < 2:
            refused.append(request)
            return 503
        return PASS

    proxy.fault = fault
    yield proxy
    proxy.close()


@pytest.fixture
def acceptance(
    deployment: Deployment, search: Proxy, shared_clients: None, settings: Any
) -> Iterator[Acceptance]:
    """The deployment's write use cases in this process, whose doorbell sends nothing."""
    deployment.variables["OPENSEARCH_URL"] = settings.OPENSEARCH_URL = search.url
    world, prefix = deployment.world, settings.SQS_QUEUE_URL_PREFIX
    queues = queue_names(deployment.env)
    settings.PRODUCTS_TABLE = world.table
    settings.SEARCH_ALIAS = world.alias
    settings.AUDIT_BUCKET = world.bucket
    settings.CLOUDFRONT_DISTRIBUTION_ID = world.distribution
    settings.CELERY = {}
    settings.TASK_URLS = {task: f"{prefix}/{name}" for task, name in queues.items()}
    settings.QUEUE_URLS = {name: (f"{prefix}/{name}", "") for name in queues.values()}
    forget_wiring()
    yield replace(bootstrap.acceptance(), doorbell=FakeDoorbell())
    forget_wiring()


@pytest.fixture(params=["worker", "lambda"])
def run(
    request: pytest.FixtureRequest, deployment: Deployment, acceptance: Acceptance, settings: Any
) -> Runner:
    def run_worker(is_done: Callable[[], bool]) -> None:
        deployment.start_worker()
        until(is_done, seconds=120)

    def run_lambda(is_done: Callable[[], bool]) -> None:
        settings.COMBINED_EFFECTS = frozenset()

        def invoke_and_check() -> bool:
            run_event_source_mappings(deployment.world)
            return is_done()

        until(invoke_and_check, seconds=120)

    return run_worker if request.param == "worker" else run_lambda


def message(task: str, product_id: str, version: int, marker: str, **headers: Any) -> str:
    """Return a task message that is recognised by its marker."""
    arguments = {"version": version, "product_id": product_id}
    return marked_message(task, arguments, marker, **headers)


def marked_message(task: str, arguments: dict[str, Any], marker: str, **headers: Any) -> str:
    return task_message(marker, task, arguments, {"request_id": marker, **headers}, queue="q")


def send(world: World, task: str, body: str, delay: int = 0) -> None:
    url = world.queue_url(world.queue(task))
    world.sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)


def accept(acceptance: Acceptance, origin: Origin, *product_ids: str) -> None:
    for product_id in product_ids:
        acceptance.create(product_id, fields(name=f"Hosting {product_id}"), origin)


def send_all(world: World) -> None:
    """Send at least one message of each kind, with the bad ones among the good."""
    persist, audit, index = "products.persist", "products.audit", "products.index"
    pickled = json.loads(message(persist, "ok", 1, "pickled"))
    pickled["content-type"] = "application/x-python-serialize"
    send(world, persist, "garbage, and no JSON")
    send(world, persist, message(persist, "ok", 1, "ok"))
    send(world, persist, json.dumps({"hello": "foreign"}))
    send(world, persist, message("products.nosuch", "ok", 1, "unknown-task"))
    send(world, persist, message(persist, "nobody", 1, "permanent"))
    send(world, persist, marked_message(persist, {}, "no-arguments"))
    send(world, persist, json.dumps(pickled))
    expired = message(persist, "expired", 1, "expired", expires="2026-01-01T00:00:00Z")
    send(world, persist, expired)
    send(world, persist, message(persist, "reordered", 2, "second"))
    send(world, persist, message(persist, "reordered", 1, "first"), delay=2)
    for _ in range(2):
        send(world, audit, message(audit, "doubled", 1, "doubled"))
    send(world, index, message(index, "transient", 1, "transient"))
    send(world, index, marked_message("products.nosuch", {}, "two-queues"))


def dead_markers(world: World) -> set[str]:
    """Return the markers of all dead letters."""
    bodies = [
        letter["Body"] for task in queue_names(world.env) for letter in world.dead_letters(task)
    ]
    return {marker for marker in DEAD if any(marker in body for body in bodies)}


def test_an_effect_waits_for_the_index_without_a_dead_letter(
    run: Runner, deployment: Deployment, acceptance: Acceptance, search: Proxy, ann: Origin
) -> None:
    world, index = deployment.world, "products.index"
    accept(acceptance, ann, "waiting")
    search.fault = lambda request: 503 if "/_bulk" in request.path else PASS
    send(world, index, message(index, "waiting", 1, "waiting"))

    def failure() -> dict[str, Any]:
        change = world.change("waiting", 1) or {}
        found: dict[str, Any] = change.get("failures", {}).get("searchable", {})
        return found

    def is_left_to_the_relay() -> bool:
        return world.depth(world.queue(index)) == 0 and failure().get("attempts", 0) >= 3

    run(is_left_to_the_relay)
    assert world.dead_letters(index) == []
    assert failure().items() >= {"waitingFor": "OpenSearch", "permanent": False}.items()
    search.fault = lambda request: PASS
    send(world, index, message(index, "waiting", 1, "requeued"))
    run(lambda: world.document("waiting") is not None)


def test_each_message_has_the_same_result_on_both(
    run: Runner, deployment: Deployment, acceptance: Acceptance, ann: Origin
) -> None:
    world = deployment.world
    accept(acceptance, ann, "ok", "reordered", "doubled", "transient", "expired")
    acceptance.update("reordered", {"price": "9.00"}, ann)
    send_all(world)

    def is_done() -> bool:
        waiting = sum(world.depth(name) for name in queue_names(world.env).values())
        return not waiting and dead_markers(world) == DEAD

    run(is_done)
    change = world.change("ok", 1)
    assert change
    assert not change.get("openEffects")  # its task sent the messages for the other effects
    reordered = world.record("reordered")
    assert reordered
    assert reordered["version"] == 2
    assert [key for key in world.audit_records() if "/doubled_" in key] != []
    document = world.document("transient")
    assert document
    assert document["version"] == 1
    assert world.record("expired") is None
    assert world.record("nobody") is None
