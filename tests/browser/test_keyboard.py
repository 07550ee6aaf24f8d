"""A day without a mouse, and what a screen reader hears."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PASSWORD, LiveSite
from tests.support.keyboard import Keyboard

LIST = "/admin/products/product/"
IN_ORDER = ["Price", "Currency", "Renewal price", "Billing cycle", "Price note"]
pytestmark = pytest.mark.slow


@pytest.fixture
def own_page(browser: Browser) -> Page:
    """A window without a session: the test logs in and out."""
    return browser.new_context(viewport={"width": 1280, "height": 800}).new_page()


def test_a_day_is_worked_by_keyboard_alone(own_page: Page, site: LiveSite) -> None:
    for number in (1, 2):
        site.create(f"key-{number}", name=f"Tabulon hosting {number}")
    keys = Keyboard(own_page)
    log_in(keys, site)
    open_by_palette(keys)
    open_by_search(keys)
    edit_the_price(keys, site)
    undo_in_the_history(keys, site)
    preview_a_bulk_edit(keys)
    use_the_menus(keys)


def log_in(keys: Keyboard, site: LiveSite) -> None:
    keys.page.goto(site.url("/admin/"))
    expect(keys.page.locator("[name=username]")).to_be_focused()
    keys.write("ann")
    keys.tab_to('textbox "Password')
    keys.write(PASSWORD)
    keys.press("Enter")
    expect(keys.page).to_have_url(re.compile("/admin/$"))


def open_by_palette(keys: Keyboard) -> None:
    keys.press("Control+k")
    keys.write("tabulon hosting 1")
    found = keys.page.locator("#command-results").get_by_role("link", name="Tabulon hosting 1")
    expect(found).to_be_visible()
    keys.press("ArrowDown", "Enter")
    expect(keys.page).to_have_url(re.compile("/key-1/change/"))


def open_by_search(keys: Keyboard) -> None:
    search_for_both(keys)
    keys.tab_to('link "Tabulon hosting 2"')
    keys.press("Enter")
    expect(keys.page).to_have_url(re.compile("/key-2/change/"))


def search_for_both(keys: Keyboard) -> None:
    keys.tab_to('link "Products"')
    keys.press("Enter")
    expect(keys.page).to_have_title(re.compile("^Products"))
    keys.page.wait_for_load_state()
    keys.press("/")
    assert keys.look().startswith('searchbox "Search products"')
    keys.write("tabulon hosting")
    expect(keys.page.get_by_role("status").first).to_contain_text("2 products")


def edit_the_price(keys: Keyboard, site: LiveSite) -> None:
    keys.tab_to('textbox "Price')
    keys.write("1750")
    keys.tab_to('button "Save"')
    keys.press("Enter")
    said = keys.page.get_by_role("status").filter(has_text="Saved as version 2.")
    expect(said).to_be_visible()
    expect(keys.page.locator("#receipt .state")).to_have_text("Published")
    order = [stop for stop in keys.stops if re.match('(textbox|combobox) "', stop)]
    names = [stop.partition('"')[2].partition('"')[0].rstrip(" *") for stop in order]
    assert [name for name in names if name in IN_ORDER][-len(IN_ORDER) :] == IN_ORDER
    assert site.product("key-2")["price"] == "1750.00"


def undo_in_the_history(keys: Keyboard, site: LiveSite) -> None:
    keys.tab_to('link "History"')
    keys.press("Enter")
    expect(keys.page).to_have_url(re.compile("/history/"))
    keys.tab_to('button "Undo this change: version 2"')
    keys.press("Enter")
    said = keys.page.get_by_role("status").filter(has_text="Version 2 is undone")
    expect(said).to_be_visible()
    assert site.product("key-2")["price"] == "1500.00"


def preview_a_bulk_edit(keys: Keyboard) -> None:
    search_for_both(keys)
    for number in (2, 1):
        keys.tab_to(f'checkbox "Select Tabulon hosting {number}"')
        keys.press("Space")
    expect(keys.page.locator("#selection-count")).to_contain_text("2")
    keys.tab_to('button "Bulk edit…"')
    keys.press("Enter")
    keys.tab_to('textbox "Percent')
    keys.write("10")
    keys.press("Enter")
    expect(keys.page.get_by_role("row", name=re.compile("Tabulon hosting 1"))).to_be_visible()
    expect(keys.page.get_by_role("button", name="Apply to 2 products")).to_be_visible()


def use_the_menus(keys: Keyboard) -> None:
    keys.tab_to('button "Menu"')
    keys.press("Enter")
    menu = keys.page.get_by_role("button", name="Menu", exact=True)
    expect(menu).to_have_attribute("aria-expanded", "false")
    keys.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    keys.tab_to('link "Skip to the content"')
    keys.tab_to('button "Account menu of ann"')
    keys.press("Enter")
    keys.tab_to('button "Dark"')
    keys.press("Enter")
    expect(keys.page.locator("html")).to_have_class(re.compile("dark"))
    keys.tab_to('button "Log out"')
    keys.press("Enter")
    expect(keys.page).to_have_url(re.compile("/admin/log(in|out)/"))


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/admin/", "Catalogue"),
        (LIST, "Product catalogue Products"),
        (f"{LIST}reader/change/", "Product catalogue Products Hosting to hear"),
        (f"{LIST}jobs/", "Bulk edits and imports"),
        (f"{LIST}operations/", "Operations"),
    ],
)
def test_pages_have_landmarks_and_a_heading(
    page: Page, site: LiveSite, path: str, heading: str
) -> None:
    site_has_product(site)
    page.goto(site.url(path))
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
    level_one = page.get_by_role("heading", level=1)
    expect(level_one).to_have_count(1)
    expect(level_one).to_have_accessible_name(heading)


def test_rows_and_their_controls_are_announced_by_name(page: Page, site: LiveSite) -> None:
    site_has_product(site)
    page.goto(site.url(f"{LIST}?q=Hosting+to+hear"))
    row = page.get_by_role("row", name=re.compile("Hosting to hear"))
    for role, name in (
        ("checkbox", "Select Hosting to hear"),
        ("link", "Hosting to hear"),
        ("button", "Price of Hosting to hear: R1\u00a0500. Edit"),
        ("button", "Deactivate Hosting to hear"),
    ):
        expect(row.get_by_role(role, name=name)).to_be_visible()  # type: ignore[arg-type]


def test_focus_goes_to_the_first_error_which_vanishes_when_cured(
    page: Page, site: LiveSite
) -> None:
    page.goto(site.url(f"{LIST}add/"))
    page.get_by_label("Name").fill("ab")
    page.get_by_role("button", name="Save", exact=True).click()
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("Must have 3 to 100 characters"))
    name.fill("A hosting that is named")
    expect(name).not_to_have_attribute("aria-invalid", "true")
    expect(name).not_to_have_accessible_description(re.compile("it has 2"))


def site_has_product(site: LiveSite) -> None:
    if site.deployment.call("GET", "/v1.0/products/reader")[0] == 404:
        site.create("reader", name="Hosting to hear")
