"""Guessing passwords: it is stopped, the page says until when, and it hinders nobody else."""

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


def try_in(
    name: str, password: str = "wrong", *, at: str = "192.0.2.1", client: Client | None = None
) -> Any:
    sent = {"username": name, "password": password}
    return (client or Client()).post(LOGIN, sent, headers={"X-Forwarded-For": at})


def fail(times: int, name: str = "ann", **where: Any) -> None:
    for _ in range(times):
        assert try_in(name, **where).status_code == 200


def signed_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer["Location"] == "/admin/")


def age(minutes: float) -> None:
    """As if all attempts so far had been so much earlier."""
    for attempt in AccessAttempt.objects.all():
        earlier = attempt.attempt_time - timedelta(minutes=minutes)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=earlier)


def test_the_fifth_failure_locks_and_says_until_when_then_the_right_password_opens() -> None:
    fail(4)
    locked = try_in("ann")
    assert locked.status_code == 429
    seconds = int(locked["Retry-After"])
    assert 14 * 60 < seconds <= 15 * 60
    assert "try again in 15 minutes" in " ".join(locked.content.decode().split())
    assert locked["Cache-Control"] == "private, no-store"
    assert try_in("ann", PASSWORD).status_code == 429  # the right one, too early
    age(14)
    still = try_in("ann", PASSWORD)
    assert (still.status_code, int(still["Retry-After"]) <= 60) == (
        429,
        True,
    )  # trying has not moved the end
    age(1)
    assert signed_in(try_in("ann", PASSWORD))


def test_the_page_does_not_tell_whether_the_account_exists() -> None:
    answers = []
    for name in ("ann", "nobody"):
        fail(4, name, at=f"192.0.2.{len(answers)}")
        answers.append(try_in(name, at=f"192.0.2.{len(answers)}"))
    assert [answer.status_code for answer in answers] == [429, 429]
    told, of_nobody = (re.sub("<time.*?</time>", "", answer.content.decode()) for answer in answers)
    assert told == of_nobody


def test_others_are_not_locked_with_it() -> None:
    User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    fail(4)
    assert try_in("ann").status_code == 429
    assert signed_in(try_in("ben", PASSWORD))  # somebody else from the same office
    assert signed_in(try_in("ann", PASSWORD, at="198.51.100.7"))  # she herself, from elsewhere


def test_many_accounts_from_one_address_lock_that_address_and_no_other() -> None:
    for number in range(11):
        fail(1, f"guess{number}")
    assert try_in("guess11").status_code == 429
    assert try_in("ann", PASSWORD).status_code == 429
    assert signed_in(try_in("ann", PASSWORD, at="198.51.100.7"))


def test_a_success_forgives_that_account_and_not_the_guesses_at_others() -> None:
    fail(4)
    assert signed_in(try_in("ann", PASSWORD))
    fail(4)  # from nought again
    assert signed_in(try_in("ann", PASSWORD))
    for number in range(11):
        fail(1, f"guess{number}")
        assert signed_in(try_in("ann", PASSWORD))
    assert try_in("guess11").status_code == 429


def test_failures_long_ago_do_not_count() -> None:
    fail(4)
    age(16)
    fail(4)


def test_the_operator_opens_again(capsys: pytest.CaptureFixture[str]) -> None:
    fail(4)
    assert try_in("ann").status_code == 429
    call_command("axes_reset_ip_username", "192.0.2.1", "ann")
    assert "1 attempts removed" in capsys.readouterr().out
    assert signed_in(try_in("ann", PASSWORD))


def test_the_browsable_api_signs_in_where_failures_are_counted() -> None:
    led = Client().get("/api-auth/login/?next=/v1.0/products")
    assert (led.status_code, led["Location"]) == (302, "/admin/login/?next=/v1.0/products")
    client = Client()
    sent = {"username": "ann", "password": PASSWORD, "next": "/v1.0/products"}
    assert client.post("/admin/login/?next=/v1.0/products", sent)["Location"] == "/v1.0/products"
    assert client.post("/api-auth/logout/")["Location"] == LOGIN
    assert client.get("/admin/")["Location"].startswith(LOGIN)


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "203.0.113.9", "10.0.0.1"),  # no proxy of ours: the header is anybody's invention
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what ours added, not what the caller did
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),  # a customer has all addresses of a /64
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "unknown'; --", "10.0.0.1"),
    ],
)
def test_failures_count_against_the_address_beyond_our_proxies(
    settings: Any, proxies: int, told: str, address: str
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    request = RequestFactory().post(
        LOGIN, headers={"X-Forwarded-For": told}, REMOTE_ADDR="10.0.0.1"
    )
    assert client_address(request) == address


def test_an_attempt_is_kept_without_its_password() -> None:
    fail(1)
    kept = AccessAttempt.objects.get()
    assert "wrong" not in kept.post_data
    assert kept.attempt_time <= datetime.now(UTC)
