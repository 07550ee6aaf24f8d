"""Fixtures for every test: the run's own engines, and resources that no other test uses."""

import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.urls import clear_script_prefix

from bbws_products.celery import app
from bbws_products.validation import findings
from deploy.local.engines import Engines
from deploy.local.resources import create_bucket, create_queues
from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.adapters.aws.clients import client as aws_client
from products.api.throttling import CALL_COUNTER
from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from tasks.queues import queue_names, queue_urls, task_urls
from tests import plugin
from tests.gameday.fault_proxy import Proxy
from tests.support import processes
from tests.support.api_client import Api
from tests.support.aws_environment import ALL_SERVICES, KEY, Environment, create_environment
from tests.support.builders import fields, origin
from tests.support.delivery import deliver
from tests.support.processes import Deployment
from tests.support.tools import reason_to_skip, skip
from tests.support.wiring import forget_wiring
from tests.support.world import World, delete_queues, fresh_world


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tools are missing before any of its fixtures starts something."""
    tools = [tool for marker in item.iter_markers("needs") for tool in marker.args]
    if reason := reason_to_skip(tuple(tools)):
        skip(reason)


@pytest.fixture(autouse=True)
def clean_script_prefix() -> Iterator[None]:
    """Reset Django's URL prefix, which a request through API Gateway sets for the whole thread."""
    yield
    clear_script_prefix()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each xdist worker begin with its share of the long tests, so that none starts last.

    The order stays random within long and short tests.
    """
    long = sorted(filter(expected_length, items), key=expected_length, reverse=True)
    short = [item for item in items if not expected_length(item)]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [
        item
        for number in range(workers)
        for item in long[number::workers] + share(short, number, workers)
    ]


def expected_length(item: pytest.Item) -> int:
    """Return 0 for a short test; a time limit or real processes make it a long one."""
    processes = {"deployment", "site", "server"} & set(getattr(item, "fixturenames", ()))
    return 2 * bool(item.get_closest_marker("timeout")) + bool(processes)


def share(items: list[pytest.Item], number: int, workers: int) -> list[pytest.Item]:
    return items[len(items) * number // workers : len(items) * (number + 1) // workers]


@pytest.fixture(scope="session", autouse=True)
def measure_only_workers() -> None:
    """Measure coverage only in worker processes.

    All other code also runs in the tests' own process, and measuring doubles a start-up time.
    """
    name = "COVERAGE_PROCESS_CONFIG"
    if name in os.environ:
        processes.MEASURED[name] = os.environ.pop(name)


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    plugin.ENGINES.start()
    create_queues(plugin.ENV, visibility=60)
    create_bucket(f"bbws-product-media-{plugin.ENV}")
    yield plugin.ENGINES
    if plugin.GIVEN:
        delete_queues(plugin.ENGINES, plugin.ENV)
    plugin.ENGINES.stop()
    shutil.rmtree(plugin.HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_clients(engines: Engines) -> Iterator[None]:
    """Let the wiring of every test share AWS clients with the same environment and limits.

    Creating a client takes longer than most tests.
    """

    @cache
    def cached_client(environment: tuple[tuple[str, str], ...], service: str, **limits: Any) -> Any:
        return aws_client(service, **limits)

    def client(service: str, **limits: Any) -> Any:
        environment = sorted(
            (name, value) for name, value in os.environ.items() if name.startswith("AWS_")
        )
        return cached_client(tuple(environment), service, **limits)

    # The transport keeps one client too. A test with a wrong SQS address must not create it.
    with app.connection_for_write() as connection:
        connection.default_channel.sqs(queue_names(plugin.ENV)["products.persist"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "client", client)
        yield


@pytest.fixture
def world(engines: Engines, shared_clients: None, settings: Any) -> Iterator[World]:
    """Create this test's resources, and point the settings and the wiring at them."""
    fresh = fresh_world(engines)
    settings.PRODUCTS_TABLE, settings.SEARCH_ALIAS = fresh.table, fresh.alias
    settings.AUDIT_BUCKET, settings.CLOUDFRONT_DISTRIBUTION_ID = fresh.bucket, fresh.distribution
    forget_wiring()
    CALL_COUNTER.clear()
    fresh.empty_queues()
    yield fresh
    forget_wiring()
    if plugin.GIVEN:
        fresh.delete()


@pytest.fixture
def acceptance(world: World) -> Acceptance:
    return bootstrap.acceptance()


@pytest.fixture
def catalogue(world: World) -> Catalogue:
    return bootstrap.catalogue()


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return bootstrap.pipeline()


@pytest.fixture
def ann() -> Origin:
    return origin("ann", request_id="request-of-ann")


@pytest.fixture
def ben() -> Origin:
    return origin("ben", request_id="request-of-ben")


@pytest.fixture
def aws(engines: Engines) -> Iterator[Proxy]:
    """Start a proxy in front of the embedded AWS, which injects faults."""
    proxy = Proxy(engines.aws_url)
    yield proxy
    proxy.close()


@pytest.fixture
def deployment(engines: Engines, tmp_path: Path) -> Iterator[Deployment]:
    processes = Deployment(engines, tmp_path)
    yield processes
    processes.stop()


@pytest.fixture(scope="module")
def whole_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    engines = Engines(tmp_path_factory.mktemp("aws"), services=ALL_SERVICES)
    engines.start_aws()
    findings.aws_client.cache_clear()  # cached clients know other addresses
    yield engines
    findings.aws_client.cache_clear()
    engines.stop()


@pytest.fixture
def environment(
    whole_aws: Engines,
    engines: Engines,
    shared_clients: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Environment]:
    """Create a complete environment whose application uses strong keys."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", whole_aws.aws_url)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    prefix = f"{whole_aws.aws_url}/000000000000"
    environment = create_environment(engines.search_url, prefix)
    settings.ENVIRONMENT = environment.name
    settings.QUEUE_URLS = queue_urls(environment.name, prefix)
    settings.TASK_URLS = task_urls(environment.name, prefix)
    settings.PRODUCTS_TABLE = settings.SEARCH_ALIAS = environment.table
    settings.AUDIT_BUCKET = environment.audit
    settings.CLOUDFRONT_DISTRIBUTION_ID = environment.distribution
    options = settings.STORAGES["default"]["OPTIONS"] | {
        "bucket_name": f"bbws-product-media-{environment.name}"
    }
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": options}
    }
    # Playwright runs an event loop in the test process, which this system check reports.
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "async.E001"]
    settings.SECRET_KEY, settings.TOKEN_KEYS = KEY + "one", [KEY + "two"]
    forget_wiring()
    yield environment
    forget_wiring()


# The API's callers, and products they find


@pytest.fixture
def public(world: World, db: None) -> Api:
    return Api(anonymous=True)


@pytest.fixture
def staff(world: World, db: None) -> Api:
    return Api("Product viewers")


@pytest.fixture
def api(world: World, db: None) -> Api:
    return Api()


@pytest.fixture
def p1(api: Api) -> str:
    """Create a product that is accepted but not yet stored; return its path."""
    assert api("post", "/products", fields(productId="p1")).status_code == 202
    return "/products/p1"


@pytest.fixture
def six(acceptance: Acceptance, pipeline: Pipeline, ann: Origin) -> None:
    """Store p0 to p5, most expensive first: odd ones are yearly, and only p5 is in US dollars."""
    for number in range(6):
        changes = {"billing_cycle": "yearly"} if number % 2 else {}
        currency = "USD" if number == 5 else "ZAR"
        edits = fields(
            name=f"Hosting {number}", price=f"{60 - number}", currency=currency, **changes
        )
        acceptance.create(f"p{number}", edits, ann)
        deliver(pipeline.store, f"p{number}", 1)
    maintenance.index_records()


@pytest.fixture
def unwritten(p1: str, world: World) -> Iterator[None]:
    """Check that the test with product p1 leaves table and queue unchanged."""

    def contents() -> tuple[list[str], int]:
        items = world.dynamodb.scan(TableName=world.table)["Items"]
        return sorted(json.dumps(item, sort_keys=True) for item in items), world.depth(
            world.queue("products.persist")
        )

    before = contents()
    yield
    assert contents() == before
