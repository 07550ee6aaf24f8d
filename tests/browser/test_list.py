"""The list in a real browser: search as you type, filters, editing in place, undo, two people at one cell."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_product import serious
from tests.support.browser import LiveSite, open_window


def test_the_list_answers_while_somebody_types(page: Page, site: LiveSite) -> None:
    # Words that no other test's products are a slip of the finger away from.
    for name in ("Quokanto", "Quokbeld", "Beaver"):
        site.create(f"type{name}", name=f"{name} hosting", price="100")
    page.goto(site.url())
    page.keyboard.press("/")
    page.keyboard.type("quok")
    expect(page.locator("#result_list a.name")).to_have_text(
        [re.compile("Quok"), re.compile("Quok")]
    )
    expect(page.locator(".fresh")).to_contain_text("Complete up to")
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
    assert serious(page) == []


def test_cells_are_edited_by_keyboard_undone_and_two_people_are_told(
    page: Page, browser: Browser, site: LiveSite
) -> None:
    for number in range(2):
        site.create(f"cell{number}", name=f"Cell hosting {number}", price="100")
    page.goto(site.url("/admin/products/product/?q=cell&sort=cheapest"))
    rows = page.locator("#result_list tbody tr")
    price = rows.nth(0).locator("[data-cell=price]")
    price.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(rows.nth(0).locator(".cell-said")).to_contain_text("Must be between 0.01 and 999999.99.")
    page.keyboard.press("Control+A")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    expect(price).to_have_text("R120")
    expect(rows.nth(1).locator("[data-cell=price] input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="saved as v2")).to_be_visible()
    expect(rows.nth(0).locator(".state")).to_have_text("complete", timeout=20_000)
    # Somebody else changes what is on the screen.
    site.change("cell1", price="555.00")
    rows.nth(1).locator("[data-cell=price]").click()
    page.keyboard.type("130")
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator(".cell-said")).to_contain_text("ann changed this to 555.00.")
    page.get_by_role("button", name="Take mine").click()
    expect(rows.nth(1).locator("[data-cell=price]")).to_have_text("R130")
    page.get_by_role("button", name="Undo").click()
    expect(rows.nth(1).locator("[data-cell=price]")).to_have_text("R555")
    # A conflict that is no clash has no value of theirs to choose.
    page.route(
        "**/cell/",
        lambda route: route.fulfill(status=409, json={"message": "Too many writers."}),
        times=1,
    )
    rows.nth(1).locator("[data-cell=active]").click()
    expect(rows.nth(1).locator(".cell-said")).to_have_text("Too many writers.")
    expect(rows.nth(1).get_by_role("button", name="Take mine")).to_have_count(0)
    rows.nth(0).locator("[data-cell=active]").click()
    expect(rows.nth(0).locator("[data-cell=active]")).to_have_text("Deactivated")
    assert site.product("cell0")["active"] is False
    with open_window(browser, site, "vic", viewport={"width": 390, "height": 844}) as phone:
        phone.goto(site.url())
        expect(phone.locator("#cells")).to_have_attribute("data-may-change", "")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
