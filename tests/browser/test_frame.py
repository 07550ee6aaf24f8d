"""The frame of the admin in a real browser: menu, keys, palette, tokens, phone, and errors."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LiveSite, open_window, serious_accessibility_faults

LIST = "/admin/products/product/"
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("width", [1279, 1280, 1281])
def test_the_menu_opens_and_stays_open_at_every_width(
    browser: Browser, site: LiveSite, width: int
) -> None:
    viewport = {"width": width, "height": 800}
    with open_window(browser, site, "ann", viewport=viewport) as page:
        page.goto(site.url(f"{LIST}add/"))
        menu = page.locator("#nav-sidebar-apps")
        button = page.get_by_role("button", name="Menu", exact=True)
        expect(button).to_have_attribute("aria-expanded", "false" if width < 1280 else "true")
        if width < 1280:
            button.click()
        expect(menu).to_be_visible()
        page.evaluate("document.body.append(document.createElement('hr'))")  # the page grows
        expect(menu.get_by_role("link", name="Changes")).to_be_visible()


def test_the_account_menu_is_used_by_keyboard_alone(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="Account menu of ann").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.get_by_role("button", name="System").press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name("Catalogue")


def test_a_letter_in_a_list_of_choices_stays_there(page: Page, site: LiveSite) -> None:
    site.create("letters", name="Hosting with letters")
    page.goto(site.url(f"{LIST}letters/change/"))
    page.locator("[name=currency]").focus()
    page.keyboard.press("c")
    expect(page.locator("[name=currency]")).to_have_value(re.compile("^C"))
    expect(page).to_have_url(re.compile("/letters/change/"))


def test_the_palette_finds_products_pages_and_actions(page: Page, site: LiveSite) -> None:
    site.create("palette", name="Unmistakable hosting")
    page.goto(site.url("/admin/"))
    page.keyboard.press("Control+k")
    results = page.locator("#command-results")
    for text, found in (
        ("raise", "Change many prices"),
        ("oper", "Operations"),
        ("unmistak", "Unmistakable hosting"),
    ):
        page.locator("#search-input-command").fill(text)
        page.locator("#search-input-command").press("End")
        expect(results.get_by_role("link", name=found)).to_be_visible()
    results.get_by_role("link", name="Unmistakable hosting").click()
    expect(page).to_have_url(re.compile("/palette/change/"))


def test_the_palette_takes_the_letters_that_follow_its_keys(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    box = page.evaluate(
        """() => {
          const keys = { key: "k", ctrlKey: true, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new KeyboardEvent("keydown", keys));
          return document.activeElement.id;
        }"""
    )
    assert box == "search-input-command"


def test_a_new_token_is_whole_and_can_be_copied(browser: Browser, site: LiveSite) -> None:
    with open_window(browser, site, "root", viewport=PHONE) as page:
        page.goto(site.url("/admin/products/apitoken/add/"))
        page.select_option("[name=user]", label="root")
        page.fill("[name=label]", "Portal")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#new-token")).to_be_visible()
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(page.get_by_text("was added successfully")).to_have_count(0)
        assert serious_accessibility_faults(page) == []


def test_save_is_in_reach_on_a_phone(browser: Browser, site: LiveSite) -> None:
    site.create("thumb", name="Hosting for a thumb", features=["Q" * 150] * 15)
    with open_window(browser, site, "ann", viewport=PHONE) as page:
        page.goto(site.url(f"{LIST}thumb/change/"))
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_in_viewport()
        page.locator("[name=reason]").scroll_into_view_if_needed()
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_in_viewport()
        assert page.locator("#submit-row").bounding_box()["height"] < 130  # type: ignore[index]


def test_the_keys_that_work_are_listed(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/"))
    page.keyboard.press("Shift+Slash")
    keys = page.get_by_role("dialog", name="Available shortcuts")
    for text in ("Search", "Save", "Move a feature", "Find products, pages and actions"):
        expect(keys.get_by_text(text, exact=True)).to_be_visible()
    expect(keys.get_by_text("Toggle filter")).to_have_count(0)
    assert serious_accessibility_faults(page) == []
