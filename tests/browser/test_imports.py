"""Importing a sheet in the browser: what each column is, what the preview shows, clashes."""

import csv
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_jobs import download_rows, write_rows
from tests.support.browser import LiveSite, serious_accessibility_faults

LIST = "/admin/products/product/"
NEW = "Hosting for small shops in Durban"


def take_picture(page: Page, name: str) -> None:
    """Save what the page shows, where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def choose_file(page: Page, site: LiveSite, file: Path) -> None:
    page.goto(site.url(f"{LIST}import/"))
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_text("What each column is:")).to_be_visible()


def test_sheet_of_a_shop_is_checked_before_it_is_applied(
    page: Page, site: LiveSite, tmp_path: Path
) -> None:
    site.create("DBN-1", name="Durban hosting", price="149")
    rows = [
        ["SKU", "Product name", "Body (HTML)", "Prys", "Status", "Colour"],
        ["DBN-1", "", "", "R1 500,00", "Active", "red"],
        ["DBN-2", "Durban plus", f"<p>{NEW} &amp; clubs</p>", "2 500,50", "draft", ""],
        ["DBN-l", "", "", "99,00", "", ""],
        ["", "durban PLUS", NEW, "99,00", "", ""],
        ["DBN-3", "Durban free", NEW, "free", "", ""],
    ]
    file = tmp_path / "durban.csv"
    with file.open("w", newline="") as target:
        csv.writer(target, delimiter=";").writerows(rows)
    choose_file(page, site, file)
    expect(page.get_by_label("Prys")).to_have_value("price")
    expect(page.get_by_text("R1 500,00 · 2 500,50 · 99,00")).to_be_visible()
    assert serious_accessibility_faults(page) == []
    take_picture(page, "columns")
    page.get_by_role("button", name="Preview").click()
    table = page.locator("table.rows")
    for text in (
        "There is no product DBN-l. Did you mean DBN-1?",
        "Product name “durban PLUS”: Line 3 has this name too.",
        "Prys “free”: Must be an amount",
        "DBN-2, fixed once it is added",
    ):
        expect(table).to_contain_text(text)
    notes = page.get_by_label("How the file was read")
    expect(notes).to_contain_text("Amounts are read with a decimal comma, as in “R1 500,00”.")
    expect(notes).to_contain_text("HTML was turned into plain text in 1 row.")
    assert serious_accessibility_faults(page) == []
    take_picture(page, "preview")
    page.get_by_role("button", name="Apply to 2 products").click()
    expect(page.locator("tr[data-state=accepted]")).to_have_count(2)
    product = site.product("DBN-2")
    assert (product["price"], product["active"]) == ("2500.50", False)
    assert product["description"] == f"{NEW} & clubs"


@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_clash_is_decided_in_the_browser(
    page: Page, site: LiveSite, tmp_path: Path, side: str
) -> None:
    for number in range(2):
        site.create(f"{side}{number}", name=f"Clash {side} {number}", price="149")
    page.goto(site.url(f"{LIST}?q={side}"))
    rows = download_rows(page, "Export CSV")
    for row in rows:
        row["price"] = "99.00"
        site.change(row["productId"], price="175.00")
    choose_file(page, site, write_rows(tmp_path / "old.csv", rows))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("In 2 rows, somebody else has changed the same field")).to_be_visible()
    take_picture(page, f"clash-{side}")
    assert serious_accessibility_faults(page) == []
    first = page.locator("tr[data-state=clash]").first
    first.get_by_label("sheet: R99" if side == "mine" else "theirs: R175").check()
    first.get_by_role("button", name="Decide").click()
    expect(page.locator("tr[data-state=clash]")).to_have_count(1)
    whose = "Use the sheet's values" if side == "mine" else "Keep their values"
    page.get_by_role("button", name=whose).click()
    expect(page.locator("tr[data-state=clash]")).to_have_count(0)
    if side == "mine":
        page.get_by_role("button", name="Apply to 2 products").click()
        expect(page.locator("tr[data-state=accepted]")).to_have_count(2)
    expected = "99.00" if side == "mine" else "175.00"
    assert {site.product(row["productId"])["price"] for row in rows} == {expected}


def test_amount_is_shown_as_it_was_understood(page: Page, site: LiveSite) -> None:
    site.create("READ-1", name="Read hosting", price="149")
    page.goto(site.url(f"{LIST}READ-1/change/"))
    page.locator("[name=price]").fill("1 500,00")
    expect(page.get_by_text("Read as R1 500.")).to_be_visible()
    take_picture(page, "understood")
    page.locator("[name=price]").fill("1.500")
    expect(page.get_by_text("Can mean 1500.00 or 1.50")).to_be_visible()
    expect(page.get_by_text("Read as R1 500.")).to_be_hidden()
