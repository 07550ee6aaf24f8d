"""Plans in a real browser: made, looked at in the calendar, followed, and ended early."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from products.bootstrap import now
from tests.support.browser import LiveSite, open_window, serious_accessibility_faults

FORM = "/admin/products/product/{}/change/"
PLANS = "/admin/products/product/plans/"


def in_days(days: float) -> str:
    return f"{now() + timedelta(days=days):%Y-%m-%dT08:00}"


def fill_times(page: Page, name: str, start: str, end: str, zone: str = "UTC") -> None:
    page.get_by_label("Starts").fill(start)  # waits for this form; the product's has a name, too
    page.get_by_label("Name").fill(name)
    page.get_by_label("Ends").fill(end)
    page.get_by_label("Time zone").select_option(zone)


def plan_price(
    page: Page, site: LiveSite, product_id: str, price: str, times: tuple[str, str], name: str
) -> None:
    """Edit the price in the product's form, and save it for later."""
    page.goto(site.url(FORM.format(product_id)))
    page.locator("[name=price]").fill(price)
    page.get_by_role("button", name="Save for later").click()
    fill_times(page, name, *times)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()


def save_plan(page: Page) -> None:
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_text("is planned: 1 product")).to_be_visible()


def is_inside(locator: Locator, width: int) -> bool:
    box = locator.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_a_refused_time_has_the_focus(page: Page, site: LiveSite) -> None:
    site.create("backwards", name="Backwards hosting")
    page.goto(site.url(FORM.format("backwards")))
    page.locator("[name=price]").fill("1600")
    page.get_by_role("button", name="Save for later").click()
    fill_times(page, "Backwards", in_days(50), in_days(40))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Must be after the start.")).to_be_visible()
    expect(page.get_by_label("Ends")).to_be_focused()


def test_overlap_is_shown_before_the_plan_is_saved(page: Page, site: LiveSite) -> None:
    site.create("overlap", name="Overlapping hosting")
    plan_price(page, site, "overlap", "1600", (in_days(40), in_days(50)), "Summer")
    assert serious_accessibility_faults(page) == []
    save_plan(page)
    plan_price(page, site, "overlap", "1400", (in_days(43), in_days(45)), "Weekend")
    expect(page.get_by_text("“Weekend” sets the price of 1 product")).to_contain_text(
        "and wins. Then the value of “Summer” returns."
    )
    page.get_by_text("Price at each moment").click()
    expect(page.locator(".moments li")).to_have_count(5)
    assert serious_accessibility_faults(page) == []
    save_plan(page)
    page.goto(site.url(FORM.format("overlap")))
    sidebar = page.get_by_role("region", name="Planned changes")
    expect(sidebar.get_by_role("listitem")).to_have_count(4)
    expect(page.get_by_text("What you typed here")).to_be_hidden()
    page.get_by_role("link", name="See the product on another day").click()
    expect(page.get_by_text("It rests on: Summer")).to_be_visible()
    assert serious_accessibility_faults(page) == []


def test_calendar_is_used_by_keyboard_and_on_a_phone(page: Page, site: LiveSite) -> None:
    site.create("calendar", name="Calendar hosting")
    start = now() + timedelta(days=70)
    times = (f"{start:%Y-%m}-10T08:00", f"{start:%Y-%m}-20T08:00")
    plan_price(page, site, "calendar", "1600", times, "Long campaign")
    save_plan(page)
    month = f"{PLANS}calendar/?month={start:%Y-%m}"
    page.goto(site.url(month))
    bars = page.get_by_role("link", name=re.compile("Long campaign, 1 product. Starts on"))
    assert 2 <= bars.count() <= 3
    assert serious_accessibility_faults(page) == []
    page.get_by_role("link", name="Next month").focus()
    page.keyboard.press("Tab")
    expect(bars.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Long campaign")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url(month))
    expect(page.get_by_text("Long campaign starts")).to_be_visible()
    expect(page.locator(".month")).to_be_hidden()
    for link in page.locator(".agenda a").all():
        assert is_inside(link, 390)
    assert serious_accessibility_faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_plans_fit_a_phone(browser: Browser, site: LiveSite, scheme: str) -> None:
    site.create(f"phone-{scheme}", name=f"Phone hosting {scheme}")
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    with open_window(browser, site, "ann", **options) as page:
        times = (in_days(20), in_days(30))
        plan_price(page, site, f"phone-{scheme}", "1600", times, f"On a phone {scheme}")
        save_plan(page)
        plan = page.url
        addresses = (plan, f"{plan}edit/", site.url(PLANS), f"{site.url(PLANS)}catalogue/")
        for address in (*addresses, f"{site.url(PLANS)}catalogue/?at={in_days(25)}"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
            assert serious_accessibility_faults(page) == [], address


def test_local_time_that_exists_twice_is_chosen(page: Page, site: LiveSite) -> None:
    site.create("twice", name="Twice hosting")
    page.goto(site.url(FORM.format("twice")))
    page.locator("[name=price]").fill("1600")
    page.get_by_role("button", name="Save for later").click()
    fill_times(page, "Night", "2027-10-31T02:30", "", "Europe/Berlin")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("group", name="Which time is meant?")).to_be_visible()
    assert serious_accessibility_faults(page) == []
    page.get_by_label("01:30 UTC").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("31 Oct 2027, 02:30 in Europe/Berlin (01:30 UTC)")).to_be_visible()


def test_plan_starts_while_one_watches_and_is_ended_early(page: Page, site: LiveSite) -> None:
    site.create("watched", name="Watched hosting")
    plan_price(page, site, "watched", "1600", ("", in_days(3)), "Flash sale")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_text("Runs until")).to_be_visible()
    expect(page.get_by_text("changed (v2)")).to_be_visible()
    assert site.product("watched")["price"] == "1600.00"
    end = page.locator("summary", has_text="End now")
    end.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Customers see it within seconds.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(end).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="End the plan now").click()
    expect(page.get_by_text("Ended: 1 went back")).to_be_visible()
    assert site.product("watched")["price"] == "1500.00"


def test_bulk_edit_is_given_a_time(page: Page, site: LiveSite) -> None:
    for number in range(2):
        site.create(f"timed{number}", name=f"Timed hosting {number}", price="100")
    page.goto(site.url("/admin/products/product/bulk/?id=timed0&id=timed1"))
    page.get_by_label("Percent").fill("10")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="At a time").click()
    expect(page.get_by_label("Name")).to_have_value(re.compile("Price.*10 %"))
    fill_times(page, "Both", in_days(10), "")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="Timed hosting 1")).to_contain_text("+R10 (+10 %)")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_text("Both is planned: 2 products.")).to_be_visible()
