"""A real browser in front of real processes, for the tests of what staff see and do."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from deploy.local.engines import ROOT, Engines
from tests.support.processes import Deployment

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PASSWORD = "a-password-of-the-tests"
PEOPLE = {
    "root": "",
    "ann": "Product admins",
    "ben": "Product editors",
    "vic": "Product viewers",
    "nil": None,
}
"""Who may sign in: a superuser, one of each group, and staff without any permission."""
MAKE_PEOPLE = f"""
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
for name, group in {PEOPLE!r}.items():
    password = make_password({PASSWORD!r})
    user = User.objects.create(username=name, is_staff=True, is_superuser=name == "root", password=password)
    if group:
        user.groups.add(Group.objects.get(name=group))
"""
IGNORED = re.compile(
    r"favicon|status of (4\d\d|503)"
)  # an answer that is no success is shown by the page itself


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where CI_REFUSES_SKIPS says that everything must be there."""
    if os.environ.get("CI_REFUSES_SKIPS"):
        pytest.fail(reason)
    pytest.skip(reason)


class LiveSite:
    """The whole product as processes, with people who may sign in."""

    def __init__(self, engines: Engines, home: Path) -> None:
        self.deployment = Deployment(engines, home, visibility=60)
        self.deployment.migrate()
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", MAKE_PEOPLE]
        subprocess.run(command, cwd=ROOT, env=self.deployment.variables, check=True, timeout=60)
        self.deployment.start_web(THROTTLE_STAFF="0")
        self.deployment.start_worker()
        self.deployment.start_scheduler()
        self.cookies: dict[str, Any] = {}

    def url(self, path: str = "/admin/products/product/") -> str:
        return self.deployment.url(path)

    def create(self, product_id: str, **fields: Any) -> None:
        """By API, as someone else would."""
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
        """As staff see it."""
        return dict(self.deployment.call("GET", f"/v1.0/products/{product_id}")[1])

    def sign_in(self, page: Page, name: str) -> None:
        """By the form the first time, then by the same session."""
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
    """A browser window in which ``name`` is signed in. An error in its console is an error of ours."""
    context: BrowserContext = browser.new_context(
        **({"viewport": {"width": 1280, "height": 800}} | options)
    )
    context.set_default_timeout(15_000)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    site.sign_in(page, name)
    yield page
    context.close()
    assert [fault for fault in faults if not IGNORED.search(fault)] == []


def launch_chromium(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
