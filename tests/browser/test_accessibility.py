"""Every page of the admin without findings of axe, and the key of the menu."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped] # no types
    Axe,
)
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LiveSite, open_window

P = "/admin/products/product/"
PAGES = (
    "/admin/",
    P,
    f"{P}?q=nothing-has-this-name",
    f"{P}?min=abc",
    f"{P}add/",
    f"{P}axe-1/change/",
    f"{P}axe-1/history/",
    f"{P}axe-1/delete/",
    f"{P}changes/",
    f"{P}jobs/",
    f"{P}import/",
    f"{P}bulk/?id=axe-1",
    f"{P}synonyms/",
    f"{P}operations/",
    "/admin/profile/",
    "/admin/security/",
    "/admin/security/app/",
    "/admin/security/passkeys/add/",
    "/admin/confirm/",
    "/admin/password_change/",
    "/admin/products/apitoken/",
    "/admin/products/apitoken/add/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/password/",
    "/admin/auth/user/1/delete/",
    "/admin/auth/group/",
    "/admin/auth/group/1/change/",
    "/admin/no/such/page/",
)
WINDOWS: dict[str, dict[str, Any]] = {
    "desk-light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


def findings(page: Page) -> list[str]:
    """Return what axe finds, of every impact, with the first places."""
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in violations]


@pytest.fixture(params=list(WINDOWS.values()), ids=list(WINDOWS))
def root(request: Any, browser: Browser, site: LiveSite) -> Iterator[Page]:
    site_has_product(site)
    with open_window(browser, site, "root", **request.param) as window:
        yield window


def site_has_product(site: LiveSite) -> None:
    status, _, _ = site.deployment.call("GET", "/v1.0/products/axe-1")
    if status == 404:
        site.create("axe-1", name="Hosting for everybody", features=["One", "Two"])


def test_no_page_has_an_accessibility_finding(root: Page, site: LiveSite) -> None:
    found = {}
    for path in PAGES:
        root.goto(site.url(path))
        if faults := findings(root):
            found[path] = faults
    assert found == {}


def test_dialogs_of_the_list_have_no_accessibility_finding(root: Page, site: LiveSite) -> None:
    root.goto(site.url(P))
    root.get_by_role("button", name="Save view…").click()
    assert findings(root) == []
    root.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    root.get_by_role("button", name="Columns…").click()
    assert findings(root) == []


def test_the_entrance_has_no_accessibility_finding(browser: Browser, site: LiveSite) -> None:
    for options in WINDOWS.values():
        page = browser.new_page(**options)
        for path in ("login/", "forgotten-password/", "invitation/x/", "new-password/MQ/x-y/"):
            page.goto(site.url(f"/admin/{path}"))
            assert findings(page) == [], path
        page.close()


def test_the_menu_key_works_on_every_page(page: Page, site: LiveSite) -> None:
    button = page.get_by_role("button", name="Menu", exact=True)
    for path in ("/admin/", P, f"{P}changes/", f"{P}jobs/", "/admin/profile/"):
        page.goto(site.url(path))
        for expanded in ("false", "true"):
            page.keyboard.press("[")
            expect(button).to_have_attribute("aria-expanded", expanded)
