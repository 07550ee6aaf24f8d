"""Confirming who one is before access is changed: what is asked, and that nothing is lost."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from products.access import tokens
from products.models import ApiToken
from tests.support.admin_client import sign_in
from tests.support.people import PASSWORD, add_app, code, log_in, make_login_old

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

CONFIRM, ADD_TOKEN = "/admin/confirm/", "/admin/products/apitoken/add/"


@pytest.fixture(autouse=True)
def root(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def client() -> Client:
    """A client of root, whose log-in is too old to change access."""
    signed_in: Client = log_in("root").client
    make_login_old(signed_in)
    return signed_in


def token_entries(user: User) -> dict[str, Any]:
    return {"user": user.pk, "label": "For the portal", "days": "7"}


def test_a_token_waits_for_the_password_and_is_then_issued(client: Client, root: User) -> None:
    asked = client.post(ADD_TOKEN, token_entries(root))
    assert asked["Location"].startswith(f"{CONFIRM}?next=")
    assert not ApiToken.objects.exists()
    wrong = client.post(asked["Location"], {"password": "wrong"})
    assert "field-error" in wrong.text
    assert not ApiToken.objects.exists()
    done = client.post(asked["Location"], {"password": PASSWORD, "next": ADD_TOKEN})
    assert done["Location"] == "/admin/products/apitoken/"
    assert ApiToken.objects.get().label == "For the portal"


def test_what_was_confirmed_is_not_asked_for_again(client: Client, root: User) -> None:
    asked = client.post(ADD_TOKEN, token_entries(root))
    client.post(asked["Location"], {"password": PASSWORD, "next": ADD_TOKEN})
    assert client.post(ADD_TOKEN, token_entries(root))["Location"] == "/admin/products/apitoken/"
    make_login_old(client)
    assert client.post(ADD_TOKEN, token_entries(root))["Location"].startswith(CONFIRM)


@pytest.mark.parametrize(
    "address",
    [
        ADD_TOKEN,
        "/admin/auth/user/add/",
        "/admin/auth/user/{pk}/change/",
        "/admin/auth/user/{pk}/password/",
        "/admin/auth/user/{pk}/delete/",
        "/admin/auth/user/{pk}/invitation/",
        "/admin/auth/user/{pk}/second-factor/",
        "/admin/auth/user/{pk}/sessions/",
        "/admin/auth/group/add/",
        "/admin/products/product/operations/discard/",
    ],
)
def test_access_changes_only_after_a_recent_confirmation(client: Client, address: str) -> None:
    account = User.objects.create(username="bob")
    url = address.format(pk=account.pk)
    assert client.post(url)["Location"].startswith(f"{CONFIRM}?next=")


def test_reading_and_editing_products_needs_no_confirmation(client: Client) -> None:
    for address in ("/admin/auth/user/", "/admin/auth/user/add/", "/admin/profile/"):
        assert client.get(address).status_code == 200


def test_a_code_confirms_as_well(root: User) -> None:
    add_app(root)
    client: Client = log_in("root").client
    client.post("/admin/login/second-step/", {"code": code()})
    make_login_old(client)
    url = f"{CONFIRM}code/?next={ADD_TOKEN}"
    client.post(ADD_TOKEN, token_entries(root))
    assert "Incorrect" in client.post(url, {"code": "000000"}).text
    later = code(steps=1)  # the current one was used for the log-in
    client.post(url, {"code": later, "next": ADD_TOKEN})
    assert ApiToken.objects.exists()


def test_wrong_passwords_on_the_confirmation_lock_the_account(client: Client) -> None:
    for _ in range(4):
        assert client.post(CONFIRM, {"password": "wrong"}).status_code == 200
    assert client.post(CONFIRM, {"password": "wrong"}).status_code == 429
    assert client.post(CONFIRM, {"password": PASSWORD}).status_code == 429


def test_a_factor_is_added_only_after_a_recent_confirmation(client: Client) -> None:
    asked = client.get("/admin/security/app/")
    assert asked["Location"] == f"{CONFIRM}?next=%2Fadmin%2Fsecurity%2Fapp%2F"


def test_the_time_is_a_setting(root: User, settings: Any) -> None:
    client = sign_in("sue", None, superuser=True)
    make_login_old(client, minutes=5)
    entry, _ = tokens.issue(root, label="x", lifetime=settings.CONFIRM_AFTER)
    assert client.post(ADD_TOKEN, token_entries(root)).status_code == 302
    assert ApiToken.objects.exclude(pk=entry.pk).exists()
