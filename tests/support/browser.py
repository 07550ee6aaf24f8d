"""A real browser and the real processes of the product, for the tests of the admin's pages."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped] # no types
    Axe,
)
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from deploy.local.engines import ROOT, Engines
from tests.support.processes import MAX_WAIT_SECONDS, Deployment
from tests.support.tools import path_of

PASSWORD = "a-password-of-the-tests"
USERS = {
    "root": "",
    "ann": "Product admins",
    "ben": "Product editors",
    "vic": "Product viewers",
    "nil": None,
    "pat": "Product viewers",
    "pam": "Product editors",
    "pia": "Product editors",
}
"""The users by group: a superuser (""), one of each group, and staff without permissions.

Those with a P get second factors in tests, so other tests must not log in as them.
"""
CREATE_USERS = f"""
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
for name, group in {USERS!r}.items():
    password = make_password({PASSWORD!r})
    user = User(username=name, password=password, is_staff=True, is_superuser=name == "root")
    user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
"""
IGNORED_ERRORS = re.compile(r"favicon|status of (4\d\d|503)")
"""Console errors that are fine: the page itself shows an answer that is no success."""


class LiveSite:
    """The whole product as processes, with users who may sign in."""

    def __init__(self, engines: Engines, home: Path) -> None:
        self.deployment = Deployment(engines, home, visibility=60)
        self.deployment.migrate()
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", CREATE_USERS]
        subprocess.run(command, cwd=ROOT, env=self.deployment.variables, check=True, timeout=280)
        self.deployment.start_web(THROTTLE_STAFF="0")
        self.deployment.start_worker()
        self.deployment.start_scheduler()
        self.cookies: dict[str, Any] = {}

    def url(self, path: str = "/admin/products/product/") -> str:
        return self.deployment.url(path)

    def create(self, product_id: str, **fields: Any) -> None:
        """Create a product through the API, as another user would."""
        body = {
            "productId": product_id,
            "description": "Hosting for a first site.",
            "price": "1500.00",
        } | fields
        status, answer, _ = self.deployment.call("POST", "/v1.0/products", body)
        assert status == 202, answer

    def change(self, product_id: str, **fields: Any) -> None:
        status, answer, _ = self.deployment.call("PATCH", f"/v1.0/products/{product_id}", fields)
        assert status == 202, answer

    def product(self, product_id: str) -> dict[str, Any]:
        """Return the product as staff read it through the API."""
        return dict(self.deployment.call("GET", f"/v1.0/products/{product_id}")[1])

    def sign_in(self, page: Page, name: str) -> None:
        """Sign in by the form the first time, then by the cookies of that session."""
        if name in self.cookies:
            page.context.add_cookies(self.cookies[name])
            return
        page.goto(self.url("/admin/login/"))
        page.fill("[name=username]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        expect(page).to_have_url(re.compile("/admin/$"))
        self.cookies[name] = page.context.cookies()

    def stop(self) -> None:
        self.deployment.stop()


@contextmanager
def open_window(browser: Browser, site: LiveSite, name: str, **options: Any) -> Iterator[Page]:
    """Open a browser window in which this user is signed in.

    Fail if the browser logs an error, such as a violation of the content security policy.
    """
    viewport = {"viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(**(viewport | options))
    context.set_default_timeout(MAX_WAIT_SECONDS * 1000)
    page = context.new_page()
    errors: list[str] = []

    def on_console_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", on_console_message)
    page.on("pageerror", lambda error: errors.append(str(error)))
    site.sign_in(page, name)
    yield page
    context.close()
    shown = [error for error in errors if not IGNORED_ERRORS.search(error)]
    assert shown == [], shown


def launch_chromium(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=path_of("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
    )


def serious_accessibility_faults(page: Page) -> list[str]:
    """Return the faults of the page that axe rates serious or critical."""
    violations = Axe().run(page).response["violations"]
    serious = [fault for fault in violations if fault["impact"] in {"serious", "critical"}]
    return [f"{fault['id']}: {_first_targets(fault)}" for fault in serious]


def _first_targets(fault: Mapping[str, Any]) -> list[Any]:
    return [node["target"] for node in fault["nodes"]][:4]
