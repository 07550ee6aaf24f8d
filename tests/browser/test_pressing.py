"""A click that begins before a page is updated still reaches its control."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import LiveSite

RECORD_CLICKS = """() => {
  window.clicked = [];
  document.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    window.clicked.push(event.target.textContent.trim());
  }, true);
}"""
NEVER_UPDATED = 300
"""Milliseconds in which an update that does not wait would be seen."""


def press(page: Page, control: Locator) -> None:
    page.evaluate(RECORD_CLICKS)
    control.scroll_into_view_if_needed()
    control.hover()
    page.mouse.down()


def answer_another_receipt(route: Route) -> None:
    answer = route.fetch()
    body = answer.json()
    body["html"] += "Another receipt"
    route.fulfill(response=answer, json=body)


def assert_click_reaches(page: Page, text: str) -> None:
    page.mouse.up()
    assert page.evaluate("window.clicked") == [text]


def test_a_receipt_is_not_replaced_under_the_pointer(page: Page, site: LiveSite) -> None:
    site.create("pressed", name="Hosting under a finger")
    site.deployment.complete("pressed")
    site.change("pressed", price="200.00")
    site.deployment.complete("pressed")
    page.goto(site.url("/admin/products/product/pressed/change/"))
    press(page, page.get_by_role("button", name="Undo version 2"))
    page.route(re.compile("/pressed/receipt/"), answer_another_receipt)
    with page.expect_response(re.compile("/pressed/receipt/")) as answer:
        page.evaluate('document.dispatchEvent(new CustomEvent("receipt:refresh"))')
    answer.value.finished()
    assert_click_reaches(page, "Undo version 2")
    expect(page.locator("#receipt")).to_contain_text("Another receipt")


def test_the_list_is_not_replaced_under_the_pointer(page: Page, site: LiveSite) -> None:
    site.create("pressed-row", name="Hosting in a pressed row")
    site.deployment.complete("pressed-row")
    page.goto(site.url("/admin/products/product/?q=pressed+row"))
    press(page, page.get_by_role("link", name="Hosting in a pressed row"))
    site.change("pressed-row", name="Hosting in a renamed row")
    site.deployment.complete("pressed-row")
    with page.expect_response(re.compile(r"/product/\?")) as answer:
        page.evaluate('document.dispatchEvent(new CustomEvent("list:reload"))')
    answer.value.finished()
    assert_click_reaches(page, "Hosting in a pressed row")
    expect(page.get_by_role("link", name="Hosting in a renamed row")).to_be_visible()


@pytest.mark.parametrize("how", ["pointer", "space"])
def test_operations_are_not_replaced_while_a_control_is_pressed(
    page: Page, site: LiveSite, how: str
) -> None:
    page.goto(site.url("/admin/products/product/operations/"))
    page.evaluate("window.before = document.getElementById('operations')")
    if how == "space":
        page.keyboard.down(" ")
    else:
        press(page, page.locator("#operations h2").first)
    with page.expect_response(re.compile("/operations/")) as answer:
        pass
    answer.value.finished()
    same = "document.getElementById('operations') === window.before"
    assert page.evaluate(f"new Promise(done => setTimeout(() => done({same}), {NEVER_UPDATED}))")
    if how == "space":
        page.keyboard.up(" ")
    else:
        page.mouse.up()
    page.wait_for_function(f"!({same})")
