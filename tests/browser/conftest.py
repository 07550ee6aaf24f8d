"""Fixtures of the browser tests. The browser and the product are started once a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.local.engines import Engines
from tests.support.browser import LiveSite, launch_chromium, open_window
from tests.support.processes import MAX_WAIT_SECONDS


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder as one that needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=MAX_WAIT_SECONDS * 1000)
    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    live_site = LiveSite(engines, tmp_path_factory.mktemp("site"))
    yield live_site
    live_site.stop()


@pytest.fixture
def page(browser: Browser, site: LiveSite) -> Iterator[Page]:
    """A window of ann, who may do everything with products."""
    with open_window(browser, site, "ann") as window:
        yield window
