"""Bulk edits and CSV in a real browser: previewed, followed while they run, and undone."""

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser import LiveSite, serious_accessibility_faults


def test_a_bulk_edit_is_previewed_followed_and_undone(page: Page, site: LiveSite) -> None:
    for number in range(3):
        site.create(f"bulk{number}", name=f"Bulk hosting {number}", price="100")
    page.goto(site.url("/admin/products/product/?q=Bulk hosting"))
    for number in range(3):
        page.get_by_role("row", name=f"Bulk hosting {number}").get_by_role("checkbox").check()
    page.get_by_role("button", name="Bulk edit").click()
    page.get_by_label("Percent").fill("10")
    page.get_by_label("Rounding").select_option(label="To end in .99")
    page.get_by_label("Reason").fill("Autumn")
    assert serious_accessibility_faults(page) == []
    page.get_by_role("button", name="Preview").click()
    row = page.get_by_role("row", name="Bulk hosting 1")
    expect(row).to_contain_text("R109,99")
    expect(row).to_contain_text("+R9,99 (+10.0 %)".replace(".0 %", " %"))
    assert serious_accessibility_faults(page) == []
    row.get_by_role("button", name="Leave out").click()
    expect(page.get_by_role("button", name="Apply to 2 products")).to_be_visible()
    row.get_by_role("button", name="Include").click()
    expect(page.get_by_role("button", name="Apply to 3 products")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    for shown in ("R100", "R109,99", "+R9,99"):
        box = row.get_by_text(shown).first.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert serious_accessibility_faults(page) == []
    page.get_by_role("button", name="Apply to 3 products").click()
    expect(page.get_by_role("row", name="Bulk hosting 2")).to_contain_text("accepted (v2)")
    site.change("bulk1", description="Edited since the bulk edit.")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Apply to 3 products").click()
    expect(page.get_by_role("row", name="Bulk hosting 1")).to_contain_text(
        "ann has saved version 3 since."
    )
    assert [site.product(f"bulk{n}")["price"] for n in range(3)] == ["100.00", "109.99", "100.00"]


def test_a_row_that_is_left_out_keeps_its_place(page: Page, site: LiveSite) -> None:
    """The page does not jump to its top, and the focus stays at the row."""
    for number in range(30):
        site.create(f"long{number}", name=f"Hosting of a long list {number}", price="100")
    page.goto(site.url("/admin/products/product/?q=Hosting of a long list"))
    boxes = page.locator("#result_list tbody .pick input")
    boxes.nth(0).click()
    expect(boxes).to_have_count(30)
    boxes.nth(29).click(modifiers=["Shift"])
    expect(page.get_by_text("30 products selected")).to_be_visible()
    page.get_by_role("button", name="Bulk edit").click()
    page.get_by_label("Percent").fill("10")
    page.get_by_role("button", name="Preview").click()
    row = page.locator("#job-rows tbody").nth(25)
    row.get_by_role("button", name="Leave out").click()
    expect(page.get_by_role("button", name="Apply to 29 products")).to_be_attached()
    expect(row.get_by_role("button", name="Include")).to_be_focused()
    expect(row.get_by_role("button", name="Include")).to_be_in_viewport()
    row.get_by_role("button", name="Include").click()
    expect(page.get_by_role("button", name="Apply to 30 products")).to_be_attached()


def download_rows(page: Page, link: str) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_csv_round_trip(page: Page, site: LiveSite, tmp_path: Path) -> None:
    for number in range(2):
        site.create(
            f"sheet{number}", name=f"Sheet hosting {number}", price="100", features=["=Mail"]
        )
    page.goto(site.url("/admin/products/product/?q=sheet"))
    rows = download_rows(page, "Export CSV")
    assert {row["features"] for row in rows} == {"'=Mail"}
    for row in rows:
        row["price"] = "120.00"
    rows[0]["price"] = "nothing"
    file = write_rows(tmp_path / "edited.csv", rows)
    page.goto(site.url("/admin/products/product/"))
    page.get_by_role("link", name="Import file").click()
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_text("2 rows. What each column is:")).to_be_visible()
    # The theme's own script would put the file's name here.
    expect(page.locator("[name=reason]")).to_have_value("")
    expect(page.get_by_label("renewalPrice")).to_have_value("renewalPrice")
    assert serious_accessibility_faults(page) == []
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Apply to 1 product", exact=True).click()
    expect(page.locator("tr[data-state=accepted]")).to_have_count(1)
    refused = download_rows(page, "Download the refused rows")
    assert [row["error"] for row in refused] == [
        "price “nothing”: Must be an amount such as 1500.00, 1 500,00 or R1 500."
    ]
    assert site.product(rows[1]["productId"])["price"] == "120.00"
    assert site.product(rows[1]["productId"])["features"] == ["=Mail"]
