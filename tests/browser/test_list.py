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
    expect(page).to_have_url(re.compile(r"\?q=quok$"))
    expect(page).to_have_title("Products: “quok” (2 products) | BBWS products")
    expect(page.get_by_label("Order").locator("option").first).to_have_text("Best match first")
    page.keyboard.type("anto")
    expect(page.locator("#result_list a.name")).to_have_text(["Quokanto hosting"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/typeQuokanto/change/"))
    page.go_back()
    page.get_by_label("Currency").select_option("USD")
    expect(page.get_by_role("heading", name="No product matches")).to_be_visible()
    expect(page).to_have_title(re.compile("USD, “quokanto” .0 products."))
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
    expect(price).to_be_focused()  # the next price is opened only on demand
    expect(page.locator(".toast")).to_contain_text("price R100 → R120. Saved;")
    expect(rows.nth(0).locator(".state")).to_have_text("Up to date")
    page.keyboard.press("Enter")
    page.keyboard.type("1 300")
    page.keyboard.press("ArrowDown")
    expect(price).to_have_text("R1\u00a0300")
    expect(page.get_by_role("textbox", name="Price of Zulmira hosting 1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(1).locator("[data-cell=price]")).to_be_focused()


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


def test_deactivating_in_the_list_asks_first(page: Page, site: LiveSite) -> None:
    row = open_two_rows(page, site, "Plumbago").nth(0)
    row.locator(".flag").click()  # a badge, no switch
    expect(page.get_by_role("dialog")).to_have_count(0)
    row.hover()
    row.get_by_role("button", name="Deactivate Plumbago hosting 0").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Deactivate Plumbago hosting 0?")
    assert serious_accessibility_faults(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(row.locator(".flag")).to_have_text("Active")
    row.get_by_role("button", name="Deactivate").click()
    dialog.get_by_role("button", name="Deactivate").click()
    expect(row.locator(".flag")).to_have_text("Deactivated")
    assert site.product("Plumbago0")["active"] is False
    page.get_by_role("button", name="Undo").click()
    expect(row.locator(".flag")).to_have_text("Active")


def test_a_refused_switch_says_why(page: Page, site: LiveSite) -> None:
    row = open_two_rows(page, site, "Cornelia").nth(1)
    # A 409 without another user's value offers no choice.
    page.route(
        "**/cell/",
        lambda route: route.fulfill(status=409, json={"message": "Too many writers."}),
        times=1,
    )
    row.hover()
    row.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(row.locator(".cell-message")).to_have_text("Too many writers.")
    expect(row.get_by_role("button", name="Take mine")).to_have_count(0)


def test_a_price_is_kept_when_the_session_has_ended(page: Page, site: LiveSite) -> None:
    row = open_two_rows(page, site, "Sundew").nth(0)
    row.locator("[data-cell=price]").click()
    page.keyboard.type("150")
    # Only now: the list asks for news, and would open the dialog before the price is typed.
    page.context.clear_cookies(name=re.compile("session"))
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    expect(row.locator(".cell-message")).to_contain_text("Your session has ended")
    expect(page.get_by_role("textbox", name="Price of Sundew hosting 0")).to_have_value("150")
    page.get_by_label("Search products").fill("Sundew hosting")
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()


def test_a_filter_that_is_not_understood_acts_on_nothing(page: Page, site: LiveSite) -> None:
    rows = open_two_rows(page, site, "Wombat")
    edit_all = page.get_by_role("link", name="Edit all 2 products: ZAR, “Wombat”")
    expect(edit_all).to_be_visible()
    box = page.get_by_label("Price from")
    for text, sentence in (
        ("1,000", "Can mean 1000.00 or 1.00; write one of these."),
        ("abc", "Must be an amount such as 1500.00, 1 500,00 or R1 500."),
    ):
        box.fill(text)
        expect(page.locator("#error-min")).to_have_text(sentence)
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(rows).to_have_count(0)
        expect(page.get_by_role("link", name=re.compile("Edit all|Export"))).to_have_count(0)
        expect(page).to_have_title(re.compile("not understood"))
    assert serious_accessibility_faults(page) == []
    box.fill("R50")
    expect(page.locator("#error-min")).to_be_hidden()
    expect(rows).to_have_count(2)


def test_the_selection_outlives_searches_and_pages(page: Page, site: LiveSite) -> None:
    for number in range(52):
        site.create(f"axolotl{number:02}", name=f"Axolotl {number:02}", price="100")
    page.goto(site.url("/admin/products/product/?q=axolotl&sort=newest"))
    rows = page.locator("#result_list tbody tr")
    bar = page.locator("#selection-bar")
    rows.nth(0).get_by_role("checkbox").check()
    page.get_by_label("Search products").fill("axolotl 0")
    expect(page).to_have_url(re.compile("q=axolotl(\\+|%20)0&"))
    expect(bar).to_contain_text("1 product selected (1 not in view)")
    page.get_by_label("Search products").fill("axolotl")
    expect(rows.nth(0).get_by_role("checkbox")).to_be_checked()
    page.get_by_role("link", name="Next page").click()
    expect(rows).to_have_count(2)
    page.get_by_label("Select all products on this page").check()
    expect(bar).to_contain_text("3 products selected (1 not in view)")
    page.get_by_role("button", name="Select all 52 products that match: “axolotl”").click()
    expect(bar).to_contain_text("Selected: all 52 products that match: “axolotl”")
    assert serious_accessibility_faults(page) == []
    bar.get_by_role("button", name="Bulk edit").click()
    expect(page.get_by_text("Applies to all 52 products that match: “axolotl”")).to_be_visible()
    page.get_by_role("link", name="Back to products").click()
    expect(page).to_have_url(re.compile(r"\?q=axolotl"))


def test_filters_are_remembered_on_return(page: Page, site: LiveSite) -> None:
    open_two_rows(page, site, "Quetzal")
    page.get_by_role("link", name="Quetzal hosting 0").click()
    page.get_by_role("link", name="Back to products").click()
    expect(page).to_have_url(re.compile(r"\?q=Quetzal&sort=cheapest$"))
    page.get_by_role("link", name="Quetzal hosting 1").click()
    page.get_by_label("Name").fill("Quetzal hosting one")
    page.get_by_role("button", name="Save and close").click()
    expect(page).to_have_url(re.compile(r"\?q=Quetzal&sort=cheapest$"))
    page.get_by_label("Currency").select_option("USD")
    expect(page.get_by_role("heading", name="No product matches")).to_be_visible()
    page.get_by_role("link", name="Remove the filter USD").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.go_back()
    expect(page.get_by_label("Currency")).to_have_value("USD")
    expect(page.locator("#result_list tbody tr")).to_have_count(0)


def test_a_viewer_can_not_edit_cells(browser: Browser, site: LiveSite) -> None:
    with open_window(browser, site, "vic", viewport={"width": 390, "height": 844}) as phone:
        phone.goto(site.url())
        expect(phone.locator("#list")).to_have_attribute("data-may-change", "")
        expect(phone.locator("[data-cell]")).to_have_count(0)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
