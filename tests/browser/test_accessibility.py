"""Every page of the admin without findings of axe, and the key of the menu."""

import re
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


# States that a page has only after something was done


def account_menu(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    if page.viewport_size == WINDOWS["phone-dark"]["viewport"]:
        page.get_by_role("button", name="Menu", exact=True).click()
    page.get_by_role("button", name=re.compile("^Account menu of")).click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def palette(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    page.keyboard.press("Control+k")
    page.keyboard.type("oper")
    expect(page.locator("#command-results").get_by_role("link", name="Operations")).to_be_visible()


def shortcuts(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Available shortcuts")).to_be_visible()


def question(page: Page, site: LiveSite) -> None:
    page.goto(site.url(f"{P}?q=Hosting+for+everybody"))
    page.get_by_role("button", name="Deactivate Hosting for everybody", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def selection(page: Page, site: LiveSite) -> None:
    page.goto(site.url(f"{P}?q=Hosting+for+everybody"))
    page.get_by_label("Select Hosting for everybody", exact=True).check()
    expect(page.get_by_role("region", name="Selected products")).to_be_visible()


def form_with_errors(page: Page, site: LiveSite) -> None:
    page.goto(site.url(f"{P}add/"))
    page.get_by_role("textbox", name="Name").fill("ab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


def bulk_preview(page: Page, site: LiveSite) -> None:
    page.goto(site.url(f"{P}bulk/?id=axe-1"))
    page.locator("[name=by]").fill("10")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Apply to 1 product")).to_be_visible()


def plan_with_errors(page: Page, site: LiveSite) -> None:
    bulk_preview(page, site)
    page.get_by_role("button", name="At a time…").click()
    page.locator("[name=starts_at]").fill("2020-01-01T08:00")
    page.locator("[name=ends_at]").fill("2019-01-01T08:00")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".field-error, .errorlist").first).to_be_visible()


def password_over_the_page(page: Page, site: LiveSite) -> None:
    page.goto(site.url(f"{P}axe-1/change/"))
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("textbox", name=re.compile("^Price")).first.fill("1750")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog")).to_contain_text("Your session has ended")


STATES = (
    account_menu,
    palette,
    shortcuts,
    question,
    selection,
    form_with_errors,
    bulk_preview,
    plan_with_errors,
    password_over_the_page,  # the last one: it ends the session
)


def test_states_of_pages_have_no_accessibility_finding(root: Page, site: LiveSite) -> None:
    found = {}
    for show in STATES:
        show(root, site)
        if faults := findings(root):
            found[show.__name__] = faults
    assert found == {}


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
