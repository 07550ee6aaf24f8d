"""Every test has a table, an index, a bucket and a distribution of its own, on this run's own engines."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.local.engines import Engines
from deploy.local.resources import create_queues
from products import bootstrap
from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from tests import plugin
from tests.browser import CHROMIUM, Shop, launched, refuse_to_skip, window
from tests.deployment import Deployment
from tests.worlds import World, fresh_world


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    plugin.ENGINES.start()
    create_queues("test", visibility=60)
    yield plugin.ENGINES
    plugin.ENGINES.stop()
    shutil.rmtree(plugin.HOME, ignore_errors=True)


@pytest.fixture
def world(engines: Engines, settings: Any) -> Iterator[World]:
    """The resources this test's code works on, to look at from outside."""
    fresh = fresh_world(engines)
    settings.PRODUCTS_TABLE, settings.SEARCH_ALIAS = fresh.table, fresh.alias
    settings.AUDIT_BUCKET, settings.CLOUDFRONT_DISTRIBUTION_ID = fresh.bucket, fresh.distribution
    forget_wiring()
    fresh.empty_queues()
    yield fresh
    forget_wiring()


def forget_wiring() -> None:
    for made in vars(bootstrap).values():
        if hasattr(made, "cache_clear"):
            made.cache_clear()


@pytest.fixture
def catalogue(world: World) -> Catalogue:
    return bootstrap.catalogue()


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return bootstrap.pipeline()


@pytest.fixture
def ann() -> Origin:
    return Origin(actor="ann", source="test", request_id="request-of-ann")


@pytest.fixture
def ben() -> Origin:
    return Origin(actor="ben", source="test", request_id="request-of-ben")


@pytest.fixture
def deployment(engines: Engines, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(engines, tmp_path)
    yield made
    made.stop()


# A browser before the whole product; started once for all such tests of a process


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        refuse_to_skip("There is no Chromium here (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        made = launched(playwright)
        yield made
        made.close()


@pytest.fixture(scope="session")
def shop(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(engines, tmp_path_factory.mktemp("shop"))
    yield made
    made.stop()


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    """Ann's window; she may do everything with products."""
    with window(browser, shop, "ann") as opened:
        yield opened
