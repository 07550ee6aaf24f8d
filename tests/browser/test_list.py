"""The list in a real browser: live search, filters, inline edits, undo, and conflicts."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import LiveSite, open_window, serious_accessibility_faults


def test_the_list_follows_the_search_box_and_filters(page: Page, site: LiveSite) -> None:
    # Search tolerates typing errors, so these words are far from all other products.
    for name in ("Quokanto", "Quokbeld", "Beaver"):
        site.create(f"type{name}", name=f"{name} hosting", price="100")
    page.goto(site.url())
    page.keyboard.press("/")
    page.keyboard.type("quok")
    expect(page.locator("#result_list a.name")).to_have_text(
        [re.compile("Quok"), re.compile("Quok")]
    )
    expect(page.locator(".freshness")).to_contain_text("Complete up to")
    expect(page).to_have_url(re.compile(r"\?q=quok$"))
    page.keyboard.type("anto")
    expect(page.locator("#result_list a.name")).to_have_text(["Quokanto hosting"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/typeQuokanto/change/"))
    page.go_back()
    page.get_by_label("Currency").select_option("USD")
    expect(page.get_by_text("0 shown")).to_be_visible()
    page.get_by_role("link", name="Remove the filter USD").click()
    expect(page.locator("#result_list a.name")).to_have_text(["Quokanto hosting"])
    assert serious_accessibility_faults(page) == []


def open_two_rows(page: Page, site: LiveSite, word: str) -> Locator:
    """Create two products with this word in their names, and return their rows in the list."""
    for number in range(2):
        site.create(f"{word}{number}", name=f"{word} hosting {number}", price="100")
    page.goto(site.url(f"/admin/products/product/?q={word}&sort=cheapest"))
    return page.locator("#result_list tbody tr")


def test_prices_are_edited_by_keyboard(page: Page, site: LiveSite) -> None:
    rows = open_two_rows(page, site, "Zulmira")
    price = rows.nth(0).locator("[data-cell=price]")
    price.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(rows.nth(0).locator(".cell-message")).to_contain_text(
        "Must be between 0.01 and 999999.99."
    )
    page.keyboard.press("Control+A")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    expect(price).to_have_text("R120")
    expect(rows.nth(1).locator("[data-cell=price] input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="saved as v2")).to_be_visible()
    expect(rows.nth(0).locator(".state")).to_have_text("complete")


def test_a_conflicting_price_is_replaced_and_undone(page: Page, site: LiveSite) -> None:
    row = open_two_rows(page, site, "Vextor").nth(1)
    site.change("Vextor1", price="555.00")  # another user, after the list was read
    row.locator("[data-cell=price]").click()
    page.keyboard.type("130")
    page.keyboard.press("Enter")
    expect(row.locator(".cell-message")).to_contain_text("ann changed this to 555.00.")
    page.get_by_role("button", name="Take mine").click()
    expect(row.locator("[data-cell=price]")).to_have_text("R130")
    page.get_by_role("button", name="Undo").click()
    expect(row.locator("[data-cell=price]")).to_have_text("R555")


def test_a_flag_is_switched_in_the_list(page: Page, site: LiveSite) -> None:
    rows = open_two_rows(page, site, "Plumbago")
    # A 409 without another user's value offers no choice.
    page.route(
        "**/cell/",
        lambda route: route.fulfill(status=409, json={"message": "Too many writers."}),
        times=1,
    )
    rows.nth(1).locator("[data-cell=active]").click()
    expect(rows.nth(1).locator(".cell-message")).to_have_text("Too many writers.")
    expect(rows.nth(1).get_by_role("button", name="Take mine")).to_have_count(0)
    rows.nth(0).locator("[data-cell=active]").click()
    expect(rows.nth(0).locator("[data-cell=active]")).to_have_text("Deactivated")
    assert site.product("Plumbago0")["active"] is False


def test_a_viewer_can_not_edit_cells(browser: Browser, site: LiveSite) -> None:
    with open_window(browser, site, "vic", viewport={"width": 390, "height": 844}) as phone:
        phone.goto(site.url())
        expect(phone.locator("#list-rows")).to_have_attribute("data-may-change", "")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
