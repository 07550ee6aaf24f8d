"""History in a real browser: compare two versions, restore one field, undo the newest."""

from playwright.sync_api import Page, Route, expect

from tests.support.browser import LiveSite, serious_accessibility_faults


def test_versions_are_compared_and_a_field_is_restored(page: Page, site: LiveSite) -> None:
    site.create("past", name="Hosting with a past", price="100", features=["Mail"])
    site.change("past", price="200.00", description="It costs more now, and has more.")
    site.change("past", features=["Mail", "Web"])
    page.goto(site.url("/admin/products/product/past/change/"))
    page.get_by_role("link", name="History").click()
    expect(page.locator(".timeline li")).to_have_count(3)
    page.get_by_label("Compare from version 1").check()
    page.get_by_role("button", name="Compare the two chosen versions").click()
    expect(page.get_by_role("heading", name="Version 1 compared with version 3")).to_be_visible()
    assert serious_accessibility_faults(page) == []
    page.get_by_role("button", name="Restore price from v1").click()
    expect(page.get_by_text("Price is as in version 1 again, saved as version 4.")).to_be_visible()
    page.get_by_role("link", name="Back to the product").click()
    expect(page.locator("[name=price]")).to_have_value("100.00")
    page.get_by_role("button", name="Undo version 4").click()
    expect(page.get_by_text("Version 4 is undone, saved as version 5.")).to_be_visible()
    expect(page.locator("[name=price]")).to_have_value("200.00")
    assert site.product("past")["features"] == ["Mail", "Web"]


def answer_as_if_it_was_just_saved(route: Route) -> None:
    answer = route.fetch()
    text = answer.text().replace('data-state="complete">Published', 'data-state="accepted">Saving…')
    route.fulfill(response=answer, body=text.replace('data-step="done"', 'data-step="open"'))


def test_an_open_entry_follows_its_effects(page: Page, site: LiveSite) -> None:
    site.create("followed", name="Hosting that is followed")
    site.deployment.complete("followed")
    path = "/admin/products/product/followed/history/"
    page.route(f"**{path}", answer_as_if_it_was_just_saved, times=1)
    page.goto(site.url(path))
    entry = page.locator("#v1")
    expect(entry.locator(".state")).to_have_text("Saving…")
    entry.get_by_text("Details").click()
    expect(entry.locator(".state")).to_have_text("Published")
    expect(entry.locator('.effect[data-step="done"]')).to_have_count(4)
    expect(entry.locator("details")).to_have_attribute("open", "")
