"""Security headers, production settings, and limits for staff who manage accounts."""

import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from deploy.local.engines import ROOT
from products.acceptance import Acceptance
from products.access.groups import GROUPS
from products.changes import Origin
from tests.support.admin_client import LIST, page_url, sign_in
from tests.support.builders import fields
from tests.support.startup import OWN_KEYS
from tests.support.world import World

pytestmark = pytest.mark.django_db

PRODUCTION = OWN_KEYS | {
    "ALLOWED_HOSTS": "products.example.com",
    "SECRET_KEY": secrets.token_hex(32),
}


def policy_of(response: Any) -> dict[str, set[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: set(values) for name, *values in parts}


def run_in_production(code: str) -> subprocess.CompletedProcess[str]:
    """Run code with production settings in a process of its own. A warning ends it."""
    # Static files are collected when the image is built.
    warnings = ["-W", "error", "-W", "ignore:No directory at"]
    command = [sys.executable, *warnings, "-c", f"import django; django.setup()\n{code}"]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DJANGO_ALLOW")
    }
    environment |= PRODUCTION
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


def test_only_admin_pages_may_use_eval_and_none_inline_code(world: World, settings: Any) -> None:
    client = sign_in("ada")
    addresses = [
        "/admin/",
        LIST,
        "/v1.0/docs",
        "/v1.0/docs?script=",
        "/v1.0/products",
        "/no/such/page",
        "/healthz",
    ]
    for address in addresses:
        policy = policy_of(client.get(address))
        evaluates = {"'unsafe-eval'"} if address.startswith("/admin/") else set()
        assert (address, policy.pop("script-src")) == (address, {"'self'"} | evaluates)
        assert policy == {
            "default-src": {"'self'"},
            "style-src": {"'self'"},
            "style-src-attr": {"'unsafe-inline'"},
            "img-src": {"'self'", "data:", settings.MEDIA_URL.rpartition("/bbws")[0]},
            "connect-src": {"'self'"},
            "object-src": {"'none'"},
            "frame-src": {"'none'"},
            "frame-ancestors": {"'none'"},
            "form-action": {"'self'"},
            "base-uri": {"'none'"},
        }


def test_every_response_has_the_security_headers(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    ada = sign_in("ada")
    for client, address in (
        (ada, LIST),
        (ada, page_url("p1")),
        (Client(), "/admin/login/"),
        (Client(), "/v1.0/products"),
    ):
        headers = client.get(address).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_admin_pages_are_never_cached(world: World) -> None:
    people = (sign_in("ada"), sign_in("stan", None), Client())
    for client in people:
        for address in ("/admin/", LIST, page_url("none"), "/admin/login/", "/admin/no/such/"):
            assert (address, client.get(address)["Cache-Control"]) == (address, "private, no-store")


def test_a_refusal_is_a_helpful_page() -> None:
    refused = sign_in("stan", None).get(LIST)
    assert refused.status_code == 403
    assert "Your account has no permission for this." in refused.content.decode()
    strict = Client(enforce_csrf_checks=True)
    stale = strict.post("/admin/login/", {"username": "ann", "password": "x"})
    assert stale.status_code == 403
    assert "Nothing was saved." in stale.content.decode()


CHECK = """
from django.core.management import call_command
call_command('check', deploy=True, fail_level='WARNING')
"""


def test_production_passes_djangos_deployment_checks() -> None:
    checked = run_in_production(CHECK)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


SHOW_COOKIES = """
from django.conf import settings
from django.test import Client
client, host = Client(), {'host': 'products.example.com'}
docs = client.get('/v1.0/docs?script=', secure=True, headers=host)
over_http = client.get('/admin/', headers=host)
print(docs.cookies.output(), docs.headers, over_http['Location'])
print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE)
"""


def test_production_has_host_only_cookies_and_requires_https() -> None:
    run = run_in_production(SHOW_COOKIES)
    shown = run.stdout
    assert run.returncode == 0, run.stderr
    assert "Set-Cookie: __Host-csrftoken=" in shown
    assert all(flag in shown for flag in ("; HttpOnly", "; Path=/", "; SameSite=Lax", "; Secure"))
    assert "Domain=" not in shown
    assert "max-age=31536000; includeSubDomains" in shown
    assert "https://products.example.com/admin/" in shown
    assert "__Host-sessionid True" in shown


def test_groups_hold_product_permissions_only() -> None:
    held = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    products = Permission.objects.filter(
        content_type__app_label="products", content_type__model="product"
    )
    of_products = set(products.values_list("codename", flat=True))
    assert {name: codes & of_products for name, codes in held.items()} == {
        name: {f"{verb}_product" for verb in verbs} for name, verbs in GROUPS.items()
    }
    assert GROUPS["Product viewers"] == ["view"]
    assert set(GROUPS["Product editors"]) == {"view", "add", "change", "plan"}
    assert set(GROUPS["Product admins"]) == {"view", "add", "change", "delete", "operate", "plan"}
    assert set(GROUPS["Product operators"]) == {"view", "operate"}
    assert set(
        Permission.objects.filter(group__isnull=False).values_list(
            "content_type__app_label", flat=True
        )
    ) == {"products"}


# Staff who may manage accounts, without being superusers


@pytest.fixture
def manager() -> Client:
    client = sign_in("manager", "Product viewers")
    user = User.objects.get(username="manager")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    return client


def create_account(name: str, **flags: Any) -> User:
    return User.objects.create(username=name, **flags)


def authority_of(user: User) -> tuple[bool, bool, int, int]:
    return (
        user.is_staff,
        user.is_superuser,
        user.groups.count(),
        user.user_permissions.count(),
    )


def test_account_managers_cannot_grant_permissions(manager: Client) -> None:
    permissions = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk for group in Group.objects.all()],
    }
    permissions |= {"user_permissions": [permission.pk for permission in Permission.objects.all()]}
    for user in (User.objects.get(username="manager"), create_account("new")):
        before = authority_of(user)
        form = {
            "username": user.username,
            "first_name": "Kim",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00",
        }
        sent_by_manager = form | {"is_active": "on"} | permissions
        saved = manager.post(f"/admin/auth/user/{user.pk}/change/", sent_by_manager)
        assert saved.status_code == 302
        after = User.objects.get(pk=user.pk)
        assert after.first_name == "Kim"
        assert authority_of(after) == before


@pytest.mark.parametrize(("superuser", "group"), [(True, ""), (False, "Product admins")])
@pytest.mark.parametrize("active", [True, False])
def test_account_managers_cannot_take_over_stronger_accounts(
    manager: Client, superuser: bool, group: str, active: bool
) -> None:
    user = create_account("boss", is_staff=True, is_active=active, is_superuser=superuser)
    user.groups.set(Group.objects.filter(name=group))
    form = {
        "usable_password": "true",
        "password1": "a-new-password-of-theirs",
        "password2": "a-new-password-of-theirs",
    }
    assert manager.post(f"/admin/auth/user/{user.pk}/password/", form).status_code == 403
    assert (
        manager.post(f"/admin/auth/user/{user.pk}/change/", {"username": "mine"}).status_code == 403
    )
    assert manager.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
    many = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    manager.post("/admin/auth/user/", many)
    after = User.objects.get(pk=user.pk)
    assert (after.username, after.password, after.is_active) == ("boss", "", active)


def test_account_managers_can_manage_equal_accounts(manager: Client) -> None:
    user = create_account("peer", is_staff=True)
    user.groups.add(Group.objects.get(name="Product viewers"))
    form = {
        "usable_password": "true",
        "password1": "a-new-password-of-theirs",
        "password2": "a-new-password-of-theirs",
    }
    assert manager.post(f"/admin/auth/user/{user.pk}/password/", form).status_code == 302
    assert User.objects.get(pk=user.pk).check_password("a-new-password-of-theirs")


def test_account_managers_cannot_change_groups(manager: Client) -> None:
    group = Group.objects.get(name="Product viewers")
    everything = [permission.pk for permission in Permission.objects.all()]
    form = {"name": group.name, "permissions": everything}
    assert manager.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200
    assert manager.post(f"/admin/auth/group/{group.pk}/change/", form).status_code == 403
    assert manager.post("/admin/auth/group/add/", form | {"name": "Mine"}).status_code == 403
    assert manager.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert group.permissions.count() == 1
