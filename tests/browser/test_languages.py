"""The admin in Afrikaans, in a real browser: the language is right and nothing overflows."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LiveSite, open_window

P = "/admin/products/product/"
PAGES = (
    "/admin/",
    P,
    f"{P}add/",
    f"{P}afr-1/change/",
    f"{P}afr-1/history/",
    f"{P}bulk/?id=afr-1",
    f"{P}import/",
    f"{P}operations/",
    f"{P}plans/",
    "/admin/security/",
    "/admin/auth/user/",
)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def phone(browser: Browser, site: LiveSite) -> Iterator[Page]:
    """A small window whose browser asks for Afrikaans."""
    site.create("afr-1", name="Gasheer vir almal", features=["Een", "Twee"])
    with open_window(browser, site, "root", locale="af-ZA", **PHONE) as window:
        yield window


def test_pages_in_afrikaans_fit_a_phone(phone: Page, site: LiveSite) -> None:
    wide = {}
    for path in PAGES:
        phone.goto(site.url(path))
        expect(phone.locator("html")).to_have_attribute("lang", "af")
        if pixels := phone.evaluate(OVERFLOW):
            wide[path] = pixels
    assert wide == {}
    phone.goto(site.url(P))
    phone.get_by_label("Kies Gasheer vir almal").check()
    expect(phone.get_by_text("1 produk gekies")).to_be_visible()
