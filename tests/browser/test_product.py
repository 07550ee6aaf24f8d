"""The life of a product in a real browser, with one user, with two, and by keyboard alone."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.browser import LiveSite, open_window, serious_accessibility_faults


def save(page: Page, message: str) -> None:
    """Press the save button and wait for the message."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(message)).to_be_visible()


def test_a_product_is_added_with_a_live_preview(page: Page, site: LiveSite) -> None:
    page.goto(site.url("/admin/products/product/add/"))
    page.fill("[name=product_id]", "life")
    page.fill("[name=name]", "Hosting for life")
    page.fill("[name=description]", "From the first")
    page.fill("[name=price]", "12O")
    expect(page.locator("#preview-error-price")).to_have_text(
        "Must be an amount such as 1500.00, 1 500,00 or R1 500."
    )
    page.fill("[name=price]", "120")
    expect(page.locator(".card-price")).to_have_text("R120")
    expect(page.locator("#preview-error-price")).to_be_empty()
    page.get_by_role("button", name="Add a feature").click()
    page.keyboard.type("Mail")
    page.keyboard.press("Enter")
    page.keyboard.type("Web")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".card li")).to_have_text(["Web", "Mail"])
    save(page, "Saved as version 1.")
    # The receipt follows the change to its last effect.
    expect(page.locator("#receipt .state")).to_have_text("Published")
    expect(page.locator("#receipt [data-step=done]")).to_have_count(4)
    assert site.product("life")["features"] == ["Web", "Mail"]


def test_a_product_is_changed_deactivated_and_restored(page: Page, site: LiveSite) -> None:
    site.create("phases", name="Hosting in phases")
    page.goto(site.url("/admin/products/product/phases/change/"))
    page.fill("[name=price]", "130")
    page.fill("[name=reason]", "Dearer")
    save(page, "Saved as version 2.")
    expect(page.locator("#receipt")).to_contain_text("Reason: Dearer")
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page).to_have_url(re.compile("/product/$"))
    assert site.product("phases")["active"] is False
    page.goto(site.url("/admin/products/product/phases/change/"))
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("was restored, saved as version 4")).to_be_visible()


def test_two_users_merge_edits_and_resolve_conflicts(
    page: Page, browser: Browser, site: LiveSite
) -> None:
    site.create("both", name="Hosting of both")
    address = site.url("/admin/products/product/both/change/")
    with open_window(browser, site, "ben") as other:
        page.goto(address)
        other.goto(address)
        page.fill("[name=description]", "What Ann thinks of it.")
        other.fill("[name=price]", "1700")
        save(other, "Saved as version 2.")
        save(page, "Merged with what ben had saved meanwhile: Price.")
        # Now both change the price.
        other.reload()
        page.fill("[name=price]", "1800")
        page.fill("[name=name]", "Hosting of Ann")
        other.fill("[name=price]", "1900")
        other.keyboard.press("Control+s")
        expect(other.get_by_text("Saved as version 4.")).to_be_visible()
        page.get_by_role("button", name="Save", exact=True).click()
        clash = page.locator("[data-conflict=id_price]")
        expect(clash).to_contain_text("1800.00")
        expect(clash).to_contain_text("1900.00")
        expect(page.locator("[name=name]")).to_have_value("Hosting of Ann")
        clash.get_by_label("ben's").check()
        expect(page.locator("[name=price]")).to_have_value("1900.00")
        assert serious_accessibility_faults(page) == []
        page.get_by_role("button", name="Save with these choices").click()
        expect(page.get_by_text("Saved as version 5.")).to_be_visible()
    product = site.product("both")
    assert (product["price"], product["name"]) == ("1900.00", "Hosting of Ann")


def test_the_keyboard_alone_is_enough_to_find_and_save(page: Page, site: LiveSite) -> None:
    site.create("keys", name="Keyboard hosting")
    page.goto(site.url("/admin/products/product/keys/change/"))
    page.locator("[name=price]").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("77")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    # Open the product from the list, change it, and undo that with the button in the message.
    page.goto(site.url())
    page.keyboard.press("/")
    page.keyboard.type("Keyboard host")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/keys/change/"))
    tab_to(page, "[name=description]")
    page.keyboard.press("Control+A")
    page.keyboard.type("Nobody touched the mouse.")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 3.")).to_be_visible()
    tab_to(page, ".message-button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 3 is undone, saved as version 4.")).to_be_visible()
    page.goto(site.url())
    page.keyboard.press("Shift+Slash")
    expect(page.get_by_text("Available shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Available shortcuts")).not_to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()


def test_saving_an_image_keeps_changes_of_others(
    page: Page, site: LiveSite, tmp_path: Path
) -> None:
    site.create("pic", name="Pictured hosting")
    page.goto(site.url("/admin/products/product/pic/change/"))
    site.change("pic", description="What somebody else wrote meanwhile.")
    Image.new("RGB", (200, 100), "navy").save(tmp_path / "navy.png")
    page.set_input_files("#image input[type=file]", tmp_path / "navy.png")
    expect(page.locator("#image [role=status]")).to_have_text("Saved as version 3.")
    expect(page.locator(".card-image")).to_be_visible()
    page.fill("[name=price]", "99")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 4.")).to_be_visible()
    product = site.product("pic")
    assert (product["price"], product["description"]) == (
        "99.00",
        "What somebody else wrote meanwhile.",
    )
    assert product["imageUrl"]


def test_leaving_an_unsaved_form_asks_first(page: Page, site: LiveSite) -> None:
    site.create("guard", name="Guarded hosting")
    page.goto(site.url("/admin/products/product/guard/change/"))
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.locator("[name=price]").press_sequentially("1")
    page.get_by_role("link", name="Back to products").click()
    expect(page).to_have_url(re.compile("/guard/change/$"))
    assert dialogs == ["beforeunload"]


def test_the_form_is_accessible_and_fits_a_phone(
    page: Page, browser: Browser, site: LiveSite
) -> None:
    site.create("axe", name="Accessible hosting", features=["Mail", "Web"])
    for path in ("axe/change/", "add/", ""):
        page.goto(site.url(f"/admin/products/product/{path}"))
        assert serious_accessibility_faults(page) == [], path
    site.create(
        "wide", name="W" * 100, description="M" * 500, price="999999.99", features=["Q" * 200] * 20
    )
    with open_window(browser, site, "ann", viewport={"width": 390, "height": 844}) as phone:
        for path in ("axe/change/", "wide/change/", "wide/history/", "?q=WWW", "import/"):
            phone.goto(site.url(f"/admin/products/product/{path}"))
            assert phone.evaluate("document.documentElement.scrollWidth") <= 390, path


DARK_MODE_PATHS = (
    "",
    "wide/change/",
    "add/",
    "phases/history/?from=1&to=2",
    "import/",
    "bulk/?filters=",
    "jobs/",
    "operations/",
)


@pytest.mark.timeout(400)  # axe on nine pages, on a machine that may be busy
def test_every_page_is_accessible_in_dark_mode(browser: Browser, site: LiveSite) -> None:
    site.create("dark", name="Hosting by night")
    with open_window(browser, site, "root", color_scheme="dark") as page:
        for address in (
            "/admin/",
            *(f"/admin/products/product/{path}" for path in DARK_MODE_PATHS),
        ):
            site.change("dark", description=f"As it is on the way to {address}.")
            page.goto(site.url(address))
            assert serious_accessibility_faults(page) == [], address


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element of the selector has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}.")
