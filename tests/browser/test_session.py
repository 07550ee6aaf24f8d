"""Nothing typed is lost in a real browser: an ended session, a closed tab, a silent server."""

import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    PASSWORD,
    LiveSite,
    open_window,
    serious_accessibility_faults,
)
from tests.support.people import code

FORM = "/admin/products/product/{}/change/"


def end_session(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def log_in_over_the_page(page: Page, password: str = PASSWORD) -> None:
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your session has ended")
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Log in").click()


def own_window(browser: Browser, site: LiveSite, name: str = "ben") -> Page:
    """Return a window with a session of its own, which a test may end."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(site.url("/admin/login/"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page).to_have_url(re.compile("/admin/$"))
    return page


def test_a_save_after_the_session_has_ended_keeps_what_was_typed(
    browser: Browser, site: LiveSite
) -> None:
    site.create("ended", name="Hosting of an ended session")
    page = own_window(browser, site)
    page.goto(site.url(FORM.format("ended")))
    end_session(page)
    page.fill("[name=price]", "1750")
    page.keyboard.press("Control+s")
    log_in_over_the_page(page, "a-wrong-password")
    expect(page.get_by_role("dialog")).to_contain_text("Wrong password.")
    assert serious_accessibility_faults(page) == []
    log_in_over_the_page(page)
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    assert site.product("ended")["price"] == "1750.00"
    page.context.close()


def test_the_dialog_asks_for_the_code_of_a_second_factor(browser: Browser, site: LiveSite) -> None:
    site.create("factor", name="Hosting with a second factor")
    page = own_window(browser, site, "pia")
    page.goto(site.url("/admin/security/app/"))
    secret = page.locator(".help code").inner_text()
    page.get_by_label("Code").fill(code(secret))
    page.get_by_role("button", name="Add the app").click()
    recovery_code = page.locator("#codes code").first.inner_text()
    page.goto(site.url(FORM.format("factor")))
    end_session(page)
    page.fill("[name=price]", "1850")
    page.keyboard.press("Control+s")
    log_in_over_the_page(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Code of your app").fill("000000")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_contain_text("Wrong code.")
    assert serious_accessibility_faults(page) == []
    dialog.get_by_label("Code of your app").fill(recovery_code)
    dialog.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    assert site.product("factor")["price"] == "1850.00"
    page.context.close()


def test_an_image_after_the_session_has_ended_is_saved(
    browser: Browser, site: LiveSite, tmp_path: Path
) -> None:
    site.create("ended-pic", name="Pictured hosting of an ended session")
    page = own_window(browser, site)
    page.goto(site.url(FORM.format("ended-pic")))
    end_session(page)
    Image.new("RGB", (200, 100), "navy").save(tmp_path / "navy.png")
    page.set_input_files("#image input[type=file]", tmp_path / "navy.png")
    log_in_over_the_page(page)
    expect(page.locator("#image [role=status]")).to_have_text("Saved as version 2.")
    page.context.close()


def test_what_was_typed_is_offered_again_until_it_is_saved(
    page: Page, browser: Browser, site: LiveSite
) -> None:
    site.create("draft", name="Hosting with a draft")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(site.url(FORM.format("draft")))
    page.fill("[name=description]", "Typed, and then the tab was closed.")
    page.goto(site.url("/admin/"))
    site.change("draft", price="1800.00")
    page.goto(site.url(FORM.format("draft")))
    expect(page.locator("#draft-note")).to_contain_text("was not saved")
    assert serious_accessibility_faults(page) == []
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("[name=description]")).to_have_value("Typed, and then the tab was closed.")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 3.")).to_be_visible()
    expect(page.locator("#draft-note")).to_be_hidden()
    product = site.product("draft")
    assert product["description"] == "Typed, and then the tab was closed."
    assert product["price"] == "1800.00"
    page.reload()
    expect(page.locator("#draft-note")).to_be_hidden()


def test_a_save_without_a_network_says_so_and_keeps_the_form(
    browser: Browser, site: LiveSite
) -> None:
    site.create("offline", name="Hosting without a network")
    page = own_window(browser, site)
    page.goto(site.url(FORM.format("offline")))
    page.fill("[name=price]", "1600")
    page.route("**/admin/session/", lambda route: route.abort())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#page-message")).to_contain_text("What you typed is kept")
    expect(page.locator("[name=price]")).to_have_value("1600")
    page.unroute("**/admin/session/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    page.context.close()


def test_error_pages_have_the_menu_a_way_on_and_the_request_id(
    page: Page, browser: Browser, site: LiveSite
) -> None:
    for path, sentence in (
        ("/admin/nothing/", "There is no page at this address."),
        ("/nothing/", "There is no page at this address."),
        ("/admin/products/product/jobs/nope/", "This bulk edit or import does not exist."),
    ):
        page.goto(site.url(path))
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        expect(page.get_by_text("Please give this number")).to_be_visible()
        assert serious_accessibility_faults(page) == [], path
        page.get_by_role("link", name="To the front page").click()
        expect(page).to_have_url(re.compile("/admin/$"))
    with open_window(browser, site, "vic") as viewer:
        viewer.goto(site.url("/admin/products/product/import/"))
        expect(viewer.get_by_role("alert")).to_contain_text("Your account has no permission")
        expect(viewer.get_by_role("link", name="All products")).to_be_visible()
