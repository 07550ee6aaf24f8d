"""Sessions: lifetime, idle timeout, cookies, and the effect of a new password."""

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


def is_signed_in(client: Client, **headers: str) -> bool:
    return bool(client.get(HOME, headers=headers).status_code == 200)


def minutes_left(client: Client) -> float:
    session = Session.objects.get(session_key=client.session.session_key)
    time_left: timedelta = session.expire_date - datetime.now(UTC)
    return time_left / timedelta(minutes=1)


def set_minutes_left(client: Client, minutes: float) -> None:
    """Make the session end in so many minutes, as after idling."""
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    Session.objects.filter(session_key=client.session.session_key).update(expire_date=end)


def test_a_session_ends_after_two_idle_hours() -> None:
    client = sign_in()
    assert 119 < minutes_left(client) <= 120
    set_minutes_left(client, 1)
    assert is_signed_in(client)
    assert 119 < minutes_left(client) <= 120
    set_minutes_left(client, -1)
    assert not is_signed_in(client)


def test_polling_does_not_extend_a_session() -> None:
    client = sign_in()
    set_minutes_left(client, 5)
    assert is_signed_in(client, sec_fetch_dest="empty")
    assert minutes_left(client) < 6
    client.post(HOME, headers={"Sec-Fetch-Dest": "empty"})  # a script sends a click
    assert minutes_left(client) > 119


def test_a_session_ends_twelve_hours_after_login() -> None:
    client = sign_in()
    session = client.session
    session[STARTED] = time.time() - 11.75 * 3600
    session.save()
    assert is_signed_in(client)
    assert 14 < minutes_left(client) <= 15
    session[STARTED] -= 0.5 * 3600
    session.save()
    assert not is_signed_in(client)
    assert minutes_left(sign_in(client)) > 119


def test_extending_a_session_keeps_concurrent_changes(ann: User) -> None:
    client = sign_in()
    set_minutes_left(client, 5)
    slow: Any = client.session
    slow.get("any")  # reads the session
    quick = client.session
    quick["saved"] = "by another request"
    quick.save()
    set_minutes_left(client, 5)
    slow.record_activity()
    assert client.session["saved"] == "by another request"
    assert minutes_left(client) > 119


def test_login_changes_the_key_and_logout_deletes_the_session() -> None:
    client = Client()
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = str(session.session_key)
    client.cookies["sessionid"] = planted
    sign_in(client)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()
    stolen = Client()
    stolen.cookies["sessionid"] = str(client.session.session_key)
    assert is_signed_in(stolen)
    client.post("/admin/logout/")
    assert not is_signed_in(stolen)


def test_a_new_password_ends_all_other_sessions() -> None:
    this, other = sign_in(), sign_in()
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert this.post(HOME, form).status_code == 302
    assert is_signed_in(this)
    assert not is_signed_in(other)


def test_a_password_set_by_a_superuser_ends_all_sessions(ann: User) -> None:
    theirs, root = sign_in(), Client()
    root.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert root.post(f"/admin/auth/user/{ann.pk}/password/", form).status_code == 302
    assert not is_signed_in(theirs)


def test_cookies_are_hidden_from_scripts_and_other_sites() -> None:
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
