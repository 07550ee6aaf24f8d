"""Adding a product in a real browser: its image, draft, ID, a copy, and errors that are cured."""

import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LiveSite, open_window

LIST = "/admin/products/product/"


def test_a_draft_is_added_with_its_image_and_a_suggested_id(
    page: Page, site: LiveSite, tmp_path: Path
) -> None:
    page.goto(site.url(f"{LIST}add/"))
    page.fill("[name=name]", "Café Hosting +1")
    expect(page.locator("[name=product_id]")).to_have_value("cafe-hosting-1")
    page.fill("[name=description]", "Hosting for a café with a menu.")
    page.fill("[name=price]", "1 500,00")
    page.locator("[name=active]").uncheck()
    Image.new("RGB", (200, 100), "navy").save(tmp_path / "navy.png")
    page.set_input_files("#image input[type=file]", tmp_path / "navy.png")
    expect(page.locator("#image img")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    expect(page.get_by_text("customers don't see it")).to_be_visible()
    product = site.product("cafe-hosting-1")
    assert (product["active"], product["price"]) == (False, "1500.00")
    assert product["imageUrl"]


def test_a_broken_image_is_refused_before_anything_is_saved(
    page: Page, site: LiveSite, tmp_path: Path
) -> None:
    page.goto(site.url(f"{LIST}add/"))
    page.fill("[name=name]", "Hosting with a broken image")
    page.fill("[name=description]", "It has an image that is none.")
    page.fill("[name=price]", "15")
    (tmp_path / "broken.png").write_bytes(b"no image")
    page.set_input_files("#image input[type=file]", tmp_path / "broken.png")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#image [role=alert]")).to_contain_text("picture that can be read")
    expect(page.locator("[name=name]")).to_have_value("Hosting with a broken image")


def test_a_refused_save_keeps_the_image(page: Page, site: LiveSite, tmp_path: Path) -> None:
    """Nobody should choose the image again because the price was wrong."""
    page.goto(site.url(f"{LIST}add/"))
    page.fill("[name=name]", "Hosting with a wrong price")
    page.fill("[name=description]", "Hosting for a site with an image.")
    page.fill("[name=price]", "cheap")
    Image.new("RGB", (200, 100), "navy").save(tmp_path / "navy.png")
    page.set_input_files("#image input[type=file]", tmp_path / "navy.png")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[name=price]")).to_be_focused()
    expect(page.get_by_text("It will be saved with the product.")).to_be_visible()
    expect(page.locator("#image img")).to_be_visible()
    page.fill("[name=price]", "15")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    assert site.product("hosting-with-a-wrong-price")["imageUrl"]


def test_a_file_that_is_no_image_is_refused_when_it_is_chosen(
    page: Page, site: LiveSite, tmp_path: Path
) -> None:
    page.goto(site.url(f"{LIST}add/"))
    expect(page.locator("[name=name]")).to_be_focused()
    (tmp_path / "notes.txt").write_text("no image")
    page.set_input_files("#image input[type=file]", tmp_path / "notes.txt")
    message = page.get_by_text("That file is not a PNG, JPEG or WebP image.")
    expect(message).to_be_visible()
    expect(page.locator("#image img")).to_be_hidden()
    chosen = page.locator("#image input[type=file]").evaluate("input => input.files.length")
    assert chosen == 0


def test_a_product_is_duplicated(page: Page, site: LiveSite) -> None:
    site.create("original", name="Original hosting", price="123.00", features=["Mail", "Web"])
    page.goto(site.url(f"{LIST}original/change/"))
    page.get_by_role("link", name="Duplicate").click()
    expect(page.locator("[name=name]")).to_have_value("Original hosting (copy)")
    expect(page.locator("[name=product_id]")).to_have_value("original-hosting-copy")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    copy = site.product("original-hosting-copy")
    assert (copy["price"], copy["features"]) == ("123.00", ["Mail", "Web"])


def test_the_first_error_has_the_focus_and_errors_vanish_when_cured(
    page: Page, site: LiveSite
) -> None:
    page.goto(site.url(f"{LIST}add/"))
    page.fill("[name=description]", "Long enough for a product.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator("[name=name]")).to_be_focused()
    expect(page.get_by_text("This field is required.")).to_have_count(2)
    page.fill("[name=name]", "A name that is new")
    expect(page.get_by_text("This field is required.")).to_have_count(1)
    page.fill("[name=price]", "15")
    expect(page.get_by_text("This field is required.")).to_have_count(0)
    expect(page.locator(".errornote")).to_have_count(0)


def test_receipt_and_image_are_visible_after_a_save(browser: Browser, site: LiveSite) -> None:
    for name, (width, height) in {"wide": (1440, 900), "small": (1280, 720)}.items():
        site.create(f"seen-{name}", name=f"Hosting seen {name}", features=["Q" * 60] * 12)
        viewport = {"width": width, "height": height}
        with open_window(browser, site, "ann", viewport=viewport) as page:
            page.goto(site.url(f"{LIST}seen-{name}/change/"))
            page.fill("[name=price]", "77")
            page.keyboard.press("Control+s")
            expect(page.get_by_text("Saved as version 2.")).to_be_visible()
            expect(page.locator("#image .image-buttons")).to_be_in_viewport(ratio=1)
            expect(page.locator("#receipt h2")).to_be_in_viewport(ratio=1)
            expect(page.get_by_role("button", name="Undo version 2")).to_be_in_viewport(ratio=1)


def test_the_derived_price_note_is_a_hint_and_follows_the_price(page: Page, site: LiveSite) -> None:
    site.create("note", name="Noted hosting", renewalPrice="1000.00", billingCycle="yearly")
    page.goto(site.url(f"{LIST}note/change/"))
    note = page.locator("[name=period]")
    expect(note).to_have_value("")
    expect(note).to_have_attribute("placeholder", "once-off + R1000/year")
    expect(page.locator(".card-period")).to_have_count(0)
    page.fill("[name=renewal_price]", "2750")
    expect(note).to_have_attribute("placeholder", "once-off + R2750/year")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    assert site.product("note")["period"] == "once-off + R2750/year"


def test_restoring_keeps_what_was_typed(page: Page, site: LiveSite) -> None:
    site.create("hidden", name="Hidden hosting")
    site.deployment.call("DELETE", "/v1.0/products/hidden")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(site.url(f"{LIST}hidden/change/"))
    page.fill("[name=description]", "Typed before it was restored.")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("was restored, saved as version 3")).to_be_visible()
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("[name=description]")).to_have_value("Typed before it was restored.")
    expect(page).to_have_url(re.compile("/hidden/change/"))
