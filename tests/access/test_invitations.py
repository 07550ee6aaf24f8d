"""Invitations, forgotten passwords and sessions: links work once, and mails say what they must."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from products.access import invitations
from products.access.reset_mails import finish_sending
from tests.support.admin_client import last_message, sign_in
from tests.support.people import PASSWORD, add_app, is_signed_in, log_in

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

ADDRESSES = ("ann@example.com", "nobody@example.com")
INVITE, FORGOTTEN = "/admin/auth/user/add/", "/admin/forgotten-password/"
NEW = {"new_password1": "a-new-password-of-theirs", "new_password2": "a-new-password-of-theirs"}


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "products@example.com"


@pytest.fixture
def root() -> Client:
    return sign_in("root", None, superuser=True)


def invite(client: Client, email: str = "Kim@Example.com", *groups: str) -> Any:
    keys = [group.pk for group in Group.objects.filter(name__in=groups)]
    return client.post(INVITE, {"email": email, "first_name": "Kim", "groups": keys})


def link_in(text: object) -> str:
    found = re.search(r"http://testserver(/admin/[^\s<]+)", str(text))
    assert found, text
    return found[1]


def test_an_invited_person_chooses_a_password_and_logs_in(root: Client) -> None:
    invite(root, "Kim@Example.com", "Product editors")
    kim = User.objects.get(username="kim@example.com")
    assert (kim.is_staff, kim.is_superuser, kim.has_usable_password()) == (True, False, False)
    assert [group.name for group in kim.groups.all()] == ["Product editors"]
    message = mail.outbox[0]
    assert (message.to, "root has invited you" in message.body) == (["kim@example.com"], True)
    link = link_in(message.body)
    guest = Client()
    assert "kim@example.com" in guest.get(link).text
    assert "too short" in guest.post(link, dict.fromkeys(NEW, "short")).text
    assert guest.post(link, NEW)["Location"] == "/admin/login/"
    assert log_in("kim@example.com", password=NEW["new_password1"])["Location"] == "/admin/"


def test_a_link_works_once_and_not_after_its_time(
    root: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    invite(root)
    link = link_in(mail.outbox[0].body)
    settings.INVITATION_LIFETIME = timedelta(0)
    assert Client().get(link).status_code == 410
    settings.INVITATION_LIFETIME = timedelta(days=7)
    assert Client().post(link, NEW).status_code == 302
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEW).status_code == 410
    assert Client().get(f"{link[:-2]}x/").status_code == 410


def test_a_new_invitation_replaces_the_link(root: Client) -> None:
    invite(root)
    kim = User.objects.get(username="kim@example.com")
    root.post(f"/admin/auth/user/{kim.pk}/invitation/")
    old, new = (link_in(message.body) for message in mail.outbox)
    assert [Client().get(link).status_code for link in (old, new)] == [410, 200]
    kim.set_password(PASSWORD)
    kim.save()
    again = root.post(f"/admin/auth/user/{kim.pk}/invitation/")
    assert "has been here already" in last_message(again)
    assert len(mail.outbox) == 2


def test_an_ended_account_can_not_use_its_invitation(root: Client) -> None:
    invite(root)
    User.objects.filter(username="kim@example.com").update(is_active=False)
    assert Client().get(link_in(mail.outbox[0].body)).status_code == 410


def test_the_link_is_shown_where_no_mail_is_sent(root: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = invitations.DUMMY
    shown = invite(root)
    link = link_in(root.get(shown["Location"]).text)
    assert Client().get(link).status_code == 200
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nothing listens there
    shown = invite(root, "lee@example.com")
    assert "No e-mail was sent" in root.get(shown["Location"]).text


def test_an_address_belongs_to_one_account(root: Client) -> None:
    User.objects.create(username="kim", email="KIM@example.com")
    assert "Another account has this address." in invite(root).text
    assert len(mail.outbox) == 0
    own = {"email": "kim@example.com", "time_zone": "UTC", "number_format": "en-za"}
    assert "Another account has this address." in root.post("/admin/profile/", own).text


def test_a_manager_invites_only_into_groups_with_no_more_rights(settings: Any) -> None:
    manager = sign_in("mia", "Product viewers")
    mia = User.objects.get(username="mia")
    wanted = Permission.objects.filter(codename__in=["add_user", "change_user", "view_user"])
    mia.user_permissions.set(wanted)
    page = manager.get(INVITE).text
    assert "Product viewers" in page
    assert "Product admins" not in page
    assert invite(manager, "kim@example.com", "Product admins").status_code == 200
    assert not User.objects.filter(username="kim@example.com").exists()
    assert invite(manager, "kim@example.com", "Product viewers").status_code == 302
    assert sign_in("vic", "Product admins").get(INVITE).status_code == 403


def test_a_forgotten_password_is_replaced_by_mail() -> None:
    ann = User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)
    other = log_in("ann").client
    answers = [Client().post(FORGOTTEN, {"email": name}) for name in ADDRESSES]
    assert [last_message(answer) for answer in answers] == [last_message(answers[0])] * 2
    finish_sending()
    assert len(mail.outbox) == 1
    guest = Client()
    form = guest.get(link_in(mail.outbox[0].body), follow=True)
    address = form.redirect_chain[-1][0]
    assert guest.post(address, NEW)["Location"] == "/admin/login/"
    ann.refresh_from_db()
    assert ann.check_password(NEW["new_password1"])
    assert not is_signed_in(other)
    assert "not valid any more" in Client().get(link_in(mail.outbox[0].body)).text


def test_mails_for_one_address_are_limited() -> None:
    User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)
    for _ in range(7):
        assert Client().post(FORGOTTEN, {"email": "ann@example.com"}).status_code == 302
    finish_sending()
    assert len(mail.outbox) == 5


class SlowServer(EmailBackend):
    """A mail server that takes each e-mail when the test says so."""

    takes = threading.Event()

    def send_messages(self, messages: Any) -> int:
        self.takes.wait(60)
        return int(super().send_messages(messages))


def test_slow_mail_server_is_not_waited_for(settings: Any) -> None:
    User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)
    settings.EMAIL_BACKEND = f"{__name__}.SlowServer"
    SlowServer.takes.clear()
    assert Client().post(FORGOTTEN, {"email": "ann@example.com"}).status_code == 302
    assert mail.outbox == []
    SlowServer.takes.set()
    finish_sending()
    assert len(mail.outbox) == 1


def test_own_sessions_are_listed_and_the_others_ended() -> None:
    User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)
    agents = ("Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", "Mozilla/5.0 (iPhone) Safari/604.1")
    clients = [Client(headers={"User-Agent": agent}) for agent in agents]
    for client in clients:
        log_in("ann", client)
    page = clients[0].get("/admin/security/").text
    assert "Firefox on Windows" in page
    assert "Safari on iPhone" in page
    ended = clients[0].post("/admin/security/sessions/")
    assert last_message(ended) == "1 other session ended."
    assert [is_signed_in(client) for client in clients] == [True, False]


def test_a_manager_removes_a_lost_factor_and_ends_an_account(root: Client) -> None:
    ann = User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)
    add_app(ann)
    assert "second-step" in log_in("ann")["Location"]
    root.post(f"/admin/auth/user/{ann.pk}/second-factor/")
    client = log_in("ann").client
    assert is_signed_in(client)
    entries = {"username": "ann", "email": "ann@example.com", "is_staff": "on"}
    assert root.post(f"/admin/auth/user/{ann.pk}/change/", entries).status_code == 302
    assert not is_signed_in(client)
    assert "Wrong username or password." in log_in("ann").text
