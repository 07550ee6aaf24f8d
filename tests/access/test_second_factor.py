"""Second factors at the log-in: apps, recovery codes, who must have one, and the lockout."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.support.people import (
    LOGIN,
    PASSWORD,
    SECRET,
    add_app,
    code,
    is_signed_in,
    log_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

SECOND_STEP, SECURITY = "/admin/login/second-step/", "/admin/security/"


@pytest.fixture(autouse=True)
def ann(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)


def send_code(client: Client, text: str) -> Any:
    return client.post(SECOND_STEP, {"code": text})


def test_a_password_is_enough_without_a_second_factor() -> None:
    response = log_in("ann", next="/admin/profile/")
    assert response["Location"] == "/admin/profile/"
    assert is_signed_in(response.client)


def test_a_login_never_leads_to_another_site() -> None:
    assert log_in("ann", next="https://evil.example/")["Location"] == "/admin/"


def test_a_code_is_asked_for_after_the_password(ann: User) -> None:
    add_app(ann)
    client = Client()
    response = log_in("ann", client, next="/admin/profile/")
    assert response["Location"] == SECOND_STEP
    assert not is_signed_in(client)
    assert "Incorrect code" in send_code(client, "000000").text
    assert not is_signed_in(client)
    assert send_code(client, code())["Location"] == "/admin/profile/"
    assert is_signed_in(client)


def test_the_second_step_needs_the_first(ann: User) -> None:
    add_app(ann)
    client = Client()
    assert send_code(client, code())["Location"] == LOGIN
    assert not is_signed_in(client)


def test_a_code_and_a_recovery_code_work_once(ann: User) -> None:
    recovery = add_app(ann)[0]
    clients = [Client() for _ in range(4)]
    for client in clients:
        log_in("ann", client)
    shown = code()
    assert [send_code(client, shown).status_code for client in clients[:2]] == [302, 200]
    assert [send_code(client, recovery).status_code for client in clients[2:]] == [302, 200]


def test_wrong_codes_lock_the_login_as_wrong_passwords_do(ann: User) -> None:
    add_app(ann)
    client = Client()
    log_in("ann", client)
    for _ in range(4):
        assert send_code(client, "000000").status_code == 200
    locked = send_code(client, "000000")
    assert locked.status_code == 429
    assert "Too many attempts" in locked.text
    assert send_code(client, code()).status_code == 429
    assert log_in("ann").status_code == 429
    assert "000000" not in AccessAttempt.objects.get().post_data


def test_secrets_are_stored_encrypted(ann: User, settings: Any) -> None:
    add_app(ann)
    app = Authenticator.objects.get(type="totp")
    assert SECRET not in str(app.data)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-the-tests-0123456789"
    assert app.wrap().validate_code(code())
    settings.SECRET_KEY_FALLBACKS = []
    assert not app.wrap().validate_code(code(steps=1))


def test_an_app_is_added_with_its_first_code_and_recovery_codes() -> None:
    client = log_in("ann").client
    page = client.get(f"{SECURITY}app/")
    assert "data:image/svg+xml" in page.text
    secret = re.search("<code>([A-Z2-7]+)</code>", page.text)
    assert secret
    assert "Incorrect code" in client.post(f"{SECURITY}app/", {"code": "000000"}).text
    added = client.post(f"{SECURITY}app/", {"code": code(secret[1])})
    assert added["Location"] == f"{SECURITY}codes/"
    assert len(re.findall(r"<li><code>\d{8}</code>", client.get(f"{SECURITY}codes/").text)) == 10
    assert log_in("ann")["Location"] == SECOND_STEP


def test_staff_with_a_named_permission_must_add_a_factor(ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR_FOR = frozenset({"products.operate_product"})
    assert log_in("ann").client.get("/admin/profile/").status_code == 200
    ann.groups.add(Group.objects.get(name="Product operators"))
    client = log_in("ann").client
    assert client.get("/admin/profile/")["Location"] == SECURITY
    assert client.get("/v1.0/jobs").status_code == 403
    assert "must have a second factor" in client.get(SECURITY).text
    add_app(ann)
    assert client.get("/admin/profile/").status_code == 200


def test_the_last_factor_stays_where_one_is_needed(ann: User, settings: Any) -> None:
    add_app(ann)
    client = log_in("ann").client
    send_code(client, code())
    settings.SECOND_FACTOR_FOR = frozenset({"everybody"})
    client.post(f"{SECURITY}app/remove/")
    assert Authenticator.objects.filter(type="totp").exists()
    settings.SECOND_FACTOR_FOR = frozenset()
    client.post(f"{SECURITY}app/remove/")
    assert not Authenticator.objects.exists()
