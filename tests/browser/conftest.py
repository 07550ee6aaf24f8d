"""A browser and the product as processes; each is started once for all browser tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.local.engines import Engines
from tests.support.browser import Shop, launched, window
from tests.support.processes import PATIENCE


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1000)
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
