"""Saved views and columns of the product list in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LiveSite, open_window

HEADS = "#result_list thead th"


def heads(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(HEADS).all_inner_texts()][2:]


def test_a_view_is_saved_with_columns_and_opened_again(browser: Browser, site: LiveSite) -> None:
    site.create("viewed", name="Hosting in a view", billingCycle="monthly")
    with open_window(browser, site, "ben") as page:
        page.goto(site.url())
        page.get_by_label("Billing cycle").select_option("monthly")
        expect(page).to_have_url(re.compile("cycle=monthly"))
        page.get_by_role("button", name="Save view…").click()
        page.get_by_label("Name", exact=True).fill("Every month")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("The view “Every month” is saved.")).to_be_visible()
        tab = page.get_by_role("link", name="Every month")
        expect(tab).to_have_attribute("aria-current", "page")

        page.get_by_role("button", name="Columns…").click()
        page.get_by_role("checkbox", name="Version").uncheck()
        page.get_by_role("button", name="Move Price down").click()
        page.get_by_role("button", name="Move Price down").press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(page.locator("#arrange-columns")).to_be_hidden()
        expect(page.locator(HEADS).nth(2)).to_have_text("Renewal")
        assert heads(page)[:3] == ["Renewal", "Period", "Price"]
        assert "Version" not in heads(page)

        page.get_by_role("link", name="All products", exact=True).click()
        expect(page.locator(HEADS).nth(2)).to_have_text("Price")
        page.get_by_role("link", name="Every month").click()
        expect(page.locator(HEADS).nth(2)).to_have_text("Renewal")
        expect(page.get_by_label("Billing cycle")).to_have_value("monthly")
        page.get_by_role("button", name="Save view…").click()
        page.get_by_role("button", name="Delete “Every month”").click()
        expect(page.get_by_role("link", name="Every month")).to_have_count(0)
