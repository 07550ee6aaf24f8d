"""Sessions: their ends, their cookies, and what a new password does to them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from products.access.sessions import STARTED

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

PASSWORD, LOGIN, HOME = "a-password-of-the-tests", "/admin/login/", "/admin/password_change/"
NEW = "another-password-of-the-tests"


@pytest.fixture(autouse=True)
def ann(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("ann", password=PASSWORD, is_staff=True)


def sign_in(client: Client | None = None) -> Client:
    client = client or Client()
    assert client.post(LOGIN, {"username": "ann", "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client, **headers: str) -> bool:
    return bool(client.get(HOME, headers=headers).status_code == 200)


def minutes_left(client: Client) -> float:
    left = Session.objects.get(session_key=client.session.session_key).expire_date - datetime.now(
        UTC
    )
    return left / timedelta(minutes=1)


def leave(client: Client, minutes: float) -> None:
    """As if nothing had been heard of it until it has so many minutes left."""
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    Session.objects.filter(session_key=client.session.session_key).update(expire_date=end)


def test_it_ends_two_hours_after_the_last_sign_of_life() -> None:
    client = sign_in()
    assert 119 < minutes_left(client) <= 120
    leave(client, 1)
    assert is_in(client)
    assert 119 < minutes_left(client) <= 120
    leave(client, -1)
    assert not is_in(client)


def test_a_page_that_asks_for_news_by_itself_is_no_sign_of_life() -> None:
    client = sign_in()
    leave(client, 5)
    assert is_in(client, sec_fetch_dest="empty")
    assert minutes_left(client) < 6
    client.post(HOME, headers={"Sec-Fetch-Dest": "empty"})  # a click that a script sends on
    assert minutes_left(client) > 119


def test_it_ends_twelve_hours_after_signing_in_whatever_happens() -> None:
    client = sign_in()
    session = client.session
    session[STARTED] = time.time() - 11.75 * 3600
    session.save()
    assert is_in(client)
    assert 14 < minutes_left(client) <= 15
    session[STARTED] -= 0.5 * 3600
    session.save()
    assert not is_in(client)
    assert minutes_left(sign_in(client)) > 119


def test_a_sign_of_life_undoes_nothing_that_another_request_has_stored(ann: User) -> None:
    client = sign_in()
    leave(client, 5)
    slow = client.session
    slow.get("any")  # it has read the session, and is still at work
    quick = client.session
    quick["saved"] = "by another request"
    quick.save()
    leave(client, 5)
    slow.record_activity()
    assert client.session["saved"] == "by another request"
    assert minutes_left(client) > 119


def test_signing_in_changes_the_key_and_signing_out_ends_it_on_the_server() -> None:
    client = Client()
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    sign_in(client)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()
    stolen = Client()
    stolen.cookies["sessionid"] = client.session.session_key
    assert is_in(stolen)
    client.post("/admin/logout/")
    assert not is_in(stolen)


def test_a_new_password_ends_all_other_sessions() -> None:
    here, there = sign_in(), sign_in()
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post(HOME, sent).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_a_password_set_by_a_superuser_ends_them_too(ann: User) -> None:
    theirs, root = sign_in(), Client()
    root.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    sent = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert root.post(f"/admin/auth/user/{ann.pk}/password/", sent).status_code == 302
    assert not is_in(theirs)


def test_scripts_and_other_sites_do_not_get_the_cookies() -> None:
    client = Client()
    client.get(LOGIN)
    sign_in(client)
    assert {"sessionid", "csrftoken"} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (
            True,
            "Lax",
            "/",
            "",
        )
