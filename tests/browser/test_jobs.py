"""Bulk edits and CSV in a real browser: seen before, followed while they run, taken back."""

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_product import serious
from tests.support.browser import LiveSite


def test_a_bulk_edit_is_previewed_followed_and_undone(page: Page, site: LiveSite) -> None:
    for number in range(3):
        site.create(f"bulk{number}", name=f"Bulk hosting {number}", price="100")
    page.goto(site.url("/admin/products/product/"))
    for number in range(3):
        page.get_by_role("row", name=f"Bulk hosting {number}").get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option("bulk")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("By", exact=True).fill("10")
    page.get_by_label("Rounded to").select_option(label="Ending in .99")
    page.get_by_label("Why").fill("Autumn")
    assert serious(page) == []
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="Bulk hosting 1")).to_contain_text("109.99")
    assert serious(page) == []
    page.get_by_role("button", name="Apply to 3 products").click()
    expect(page.get_by_role("row", name="Bulk hosting 2")).to_contain_text(
        "accepted as v2", timeout=15_000
    )
    site.change("bulk1", description="Edited since the bulk edit.")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Apply to 3 products").click()
    expect(page.get_by_role("row", name="Bulk hosting 1")).to_contain_text(
        "ann saved version 3 since.", timeout=15_000
    )
    assert [site.product(f"bulk{n}")["price"] for n in range(3)] == ["100.00", "109.99", "100.00"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_round_trip(page: Page, site: LiveSite, tmp_path: Path) -> None:
    for number in range(2):
        site.create(
            f"sheet{number}", name=f"Sheet hosting {number}", price="100", features=["=Mail"]
        )
    page.goto(site.url("/admin/products/product/?q=sheet"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    rows = read(download.value.path())
    assert {row["features"] for row in rows} == {"'=Mail"}
    for row in rows:
        row["price"] = "120.00"
    rows[0]["price"] = "nothing"
    file = tmp_path / "edited.csv"
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    page.goto(site.url("/admin/products/product/"))
    page.get_by_role("link", name="Import CSV").click()
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_text("2 rows. What each column is:")).to_be_visible()
    expect(page.locator("[name=reason]")).to_have_value(
        ""
    )  # the theme would put the file's name there
    expect(page.get_by_label("renewalPrice")).to_have_value("renewalPrice")
    assert serious(page) == []
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Apply to 1 product", exact=True).click()
    expect(page.locator("[data-row=accepted]")).to_have_count(1, timeout=15_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download what was refused").click()
    refused = read(download.value.path())
    assert [row["error"] for row in refused] == ['price: Must be an amount such as "1500.00".']
    assert site.product(rows[1]["productId"])["price"] == "120.00"
    assert site.product(rows[1]["productId"])["features"] == ["=Mail"]
