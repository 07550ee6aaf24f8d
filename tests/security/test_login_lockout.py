"""The login lockout: it stops guessing, says until when, and affects nobody else."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory

from products.access.login_lockout import client_address

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

PASSWORD, LOGIN = "a-password-of-the-tests", "/admin/login/"


@pytest.fixture(autouse=True)
def ann(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    settings.LOGIN_FAILURES_PER_ADDRESS = 12
    return User.objects.create_user("ann", password=PASSWORD, is_staff=True)


def log_in(
    name: str, password: str = "wrong", *, at: str = "192.0.2.1", client: Client | None = None
) -> Any:
    form = {"username": name, "password": password}
    return (client or Client()).post(LOGIN, form, headers={"X-Forwarded-For": at})


def fail(times: int, name: str = "ann", **options: Any) -> None:
    for _ in range(times):
        assert log_in(name, **options).status_code == 200


def is_logged_in(response: Any) -> bool:
    return bool(response.status_code == 302 and response["Location"] == "/admin/")


def age(minutes: float) -> None:
    """Move all attempts so far into the past."""
    for attempt in AccessAttempt.objects.all():
        earlier = attempt.attempt_time - timedelta(minutes=minutes)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=earlier)


def test_the_fifth_failure_locks_until_the_stated_time() -> None:
    fail(4)
    locked = log_in("ann")
    assert locked.status_code == 429
    seconds = int(locked["Retry-After"])
    assert 14 * 60 < seconds <= 15 * 60
    assert "try again in 15 minutes" in " ".join(locked.content.decode().split())
    assert locked["Cache-Control"] == "private, no-store"
    assert log_in("ann", PASSWORD).status_code == 429  # correct, but too early
    age(14)
    still = log_in("ann", PASSWORD)
    assert (still.status_code, int(still["Retry-After"]) <= 60) == (
        429,
        True,
    )  # the attempt did not extend the lock
    age(1)
    assert is_logged_in(log_in("ann", PASSWORD))


def test_the_lockout_page_hides_whether_the_account_exists() -> None:
    responses: list[Any] = []
    for name in ("ann", "nobody"):
        fail(4, name, at=f"192.0.2.{len(responses)}")
        responses.append(log_in(name, at=f"192.0.2.{len(responses)}"))
    assert [response.status_code for response in responses] == [429, 429]
    known, unknown = (
        re.sub("<time.*?</time>", "", response.content.decode()) for response in responses
    )
    assert known == unknown


def test_other_accounts_and_addresses_stay_unlocked() -> None:
    User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    fail(4)
    assert log_in("ann").status_code == 429
    assert is_logged_in(log_in("ben", PASSWORD))  # another account at the same address
    assert is_logged_in(
        log_in("ann", PASSWORD, at="198.51.100.7")
    )  # the same account at another address


def test_guesses_at_many_accounts_lock_the_address_only() -> None:
    for number in range(11):
        fail(1, f"guess{number}")
    assert log_in("guess11").status_code == 429
    assert log_in("ann", PASSWORD).status_code == 429
    assert is_logged_in(log_in("ann", PASSWORD, at="198.51.100.7"))


def test_a_login_resets_the_failures_of_its_account_only() -> None:
    fail(4)
    assert is_logged_in(log_in("ann", PASSWORD))
    fail(4)  # the count started again
    assert is_logged_in(log_in("ann", PASSWORD))
    for number in range(11):
        fail(1, f"guess{number}")
        assert is_logged_in(log_in("ann", PASSWORD))
    assert log_in("guess11").status_code == 429


def test_old_failures_do_not_count() -> None:
    fail(4)
    age(16)
    fail(4)


def test_an_operator_can_unlock_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    fail(4)
    assert log_in("ann").status_code == 429
    call_command("axes_reset_ip_username", "192.0.2.1", "ann")
    assert "1 attempts removed" in capsys.readouterr().out
    assert is_logged_in(log_in("ann", PASSWORD))


def test_the_browsable_api_uses_the_admins_login() -> None:
    redirect = Client().get("/api-auth/login/?next=/v1.0/products")
    assert (redirect.status_code, redirect["Location"]) == (
        302,
        "/admin/login/?next=/v1.0/products",
    )
    client = Client()
    form = {"username": "ann", "password": PASSWORD, "next": "/v1.0/products"}
    assert client.post("/admin/login/?next=/v1.0/products", form)["Location"] == "/v1.0/products"
    assert client.post("/api-auth/logout/")["Location"] == LOGIN
    assert client.get("/admin/")["Location"].startswith(LOGIN)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "10.0.0.1"),  # without a proxy, clients can forge the header
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what our proxy added, not the client
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),  # one customer has a whole /64
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "unknown'; --", "10.0.0.1"),
    ],
)
def test_failures_count_for_the_client_behind_our_proxies(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    request = RequestFactory().post(
        LOGIN, headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="10.0.0.1"
    )
    assert client_address(request) == address


def test_an_attempt_is_stored_without_its_password() -> None:
    fail(1)
    attempt = AccessAttempt.objects.get()
    assert "wrong" not in attempt.post_data
    assert attempt.attempt_time <= datetime.now(UTC)
