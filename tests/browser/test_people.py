"""Logging in with a second factor, confirming, and inviting, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PASSWORD, LiveSite, open_window, serious_accessibility_faults

SECURITY = "/admin/security/"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def named(site: LiveSite, path: str) -> str:
    """Return the address with a host name, since passkeys do not work with an IP address."""
    return site.url(path).replace("127.0.0.1", "localhost")


def log_in(page: Page, site: LiveSite, name: str) -> None:
    page.goto(named(site, "/admin/login/"))
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def add_virtual_passkey(page: Page) -> tuple[Any, str]:
    """Attach a device with passkeys to the browser; return its session and the device's id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session, added["authenticatorId"]


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def test_a_passkey_is_added_asked_for_and_removed(window: Page, site: LiveSite) -> None:
    session, device = add_virtual_passkey(window)
    log_in(window, site, "pat")
    window.goto(named(site, SECURITY))
    assert serious_accessibility_faults(window) == []
    window.get_by_role("link", name="Add a passkey").click()
    window.get_by_label("Name").fill("Laptop of pat")
    window.get_by_role("button", name="Add the passkey").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert serious_accessibility_faults(window) == []
    window.get_by_role("link", name="Done").click()
    expect(window.get_by_text("Laptop of pat").first).to_be_visible()
    window.context.clear_cookies(name="sessionid")

    log_in(window, site, "pat")
    expect(window).to_have_url(re.compile("/second-step/$"))
    assert serious_accessibility_faults(window) == []
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    window.get_by_role("button", name="Use a passkey").click()
    expect(window).to_have_url(re.compile("/admin/$"))

    window.goto(named(site, SECURITY))
    window.get_by_role("link", name="Remove Laptop of pat").click()
    window.get_by_role("button", name="Remove").click()
    expect(window.get_by_text("Laptop of pat")).to_have_count(0)


def test_a_passkey_of_another_device_does_not_log_in(window: Page, site: LiveSite) -> None:
    session, device = add_virtual_passkey(window)
    log_in(window, site, "pam")
    window.goto(named(site, f"{SECURITY}passkeys/add/"))
    window.get_by_role("button", name="Add the passkey").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    recovery_code = window.locator("#codes code").first.inner_text()
    window.context.clear_cookies(name="sessionid")
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    add_virtual_passkey(window)

    log_in(window, site, "pam")
    window.get_by_role("button", name="Use a passkey").click()
    expect(window.get_by_role("alert")).to_contain_text("The passkey was not used")
    window.get_by_label("Code").fill(recovery_code)
    window.get_by_role("button", name="Log in").click()
    expect(window).to_have_url(re.compile("/admin/$"))


def test_an_invitation_is_a_link_to_copy(browser: Browser, site: LiveSite, window: Page) -> None:
    with open_window(browser, site, "root") as root:
        root.goto(site.url("/admin/auth/user/add/"))
        assert serious_accessibility_faults(root) == []
        root.get_by_label("E-mail").fill("kim@example.com")
        root.get_by_label("Product editors:").check()
        root.get_by_role("button", name="Invite").click()
        link = root.locator("#new-link").inner_text()
        assert serious_accessibility_faults(root) == []
        root.goto(site.url("/admin/auth/user/"))
        row = root.get_by_role("row").filter(has_text="kim@example.com")
        expect(row).to_contain_text("Invited")
        assert serious_accessibility_faults(root) == []
    window.goto(link)
    assert serious_accessibility_faults(window) == []
    window.get_by_label("New password").fill(PASSWORD)
    window.get_by_label("The same again").fill(PASSWORD)
    window.get_by_role("button", name="Set the password").click()
    expect(window.get_by_text("Your password is set.")).to_be_visible()
    log_in(window, site, "kim@example.com")
    expect(window).to_have_url(re.compile("/admin/$"))
