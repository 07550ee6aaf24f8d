"""The life of a product in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser import Shop


def test_a_product_is_made_found_changed_and_taken_away(page: Page, shop: Shop) -> None:
    page.goto(shop.url("/admin/products/product/add/"))
    page.fill("[name=product_id]", "life")
    page.fill("[name=name]", "Hosting for life")
    page.fill("[name=description]", "From the first to the last day.")
    page.fill("[name=price]", "120")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as v1.")).to_be_visible()
    page.goto(shop.url())
    expect(page.locator("#result_list")).to_contain_text("Hosting for life")
    page.get_by_role("link", name="Hosting for life").click()
    page.fill("[name=price]", "130")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as v2.")).to_be_visible()
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page).to_have_url(re.compile("/product/$"))
    assert shop.product("life")["active"] is False
