"""Sign-on with a company account: whom it logs in, which tokens are refused, and groups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import Group, User
from django.test import Client

from products.access.sign_on import is_same_address
from tests.support.oidc_issuer import (
    CLIENT_ID,
    CLIENT_SECRET,
    OidcIssuer,
    running_oidc_issuer,
)
from tests.support.people import PASSWORD, add_app, code, is_signed_in, log_in, make_login_old

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOT_VERIFIED, NOT_INVITED = "no verified e-mail address", "There is no account for"
NOT_UNDERSTOOD = "could not be verified"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcIssuer]:
    with running_oidc_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: OidcIssuer, settings: Any) -> OidcIssuer:
    running.claims, running.user_info, running.config = {}, {}, {}
    running.algorithm, running.signing_key = "RS256", None
    settings.OIDC_ISSUER, settings.OIDC_NAME = running.url, "BBWS account"
    app = {
        "provider_id": "company",
        "name": "BBWS account",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": running.url, "oauth_pkce_enabled": True},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    return running


@pytest.fixture(autouse=True)
def ann(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("ann", "ann@example.com", PASSWORD, is_staff=True)


def sign_on(issuer: OidcIssuer, client: Client | None = None, next_page: str = "/admin/") -> Any:
    """Follow the link on the login page, log in at the issuer, and come back."""
    client = client or Client()
    leading = client.get(f"/admin/sign-on/?next={next_page}")
    assert leading["Location"].startswith(f"{issuer.url}/authorize?"), leading
    back = issuer.authorize(leading["Location"])
    return client.get(back.removeprefix("http://testserver"))


def assert_refused(response: Any, sentence: str) -> None:
    assert response.status_code == 403
    assert sentence in response.text
    assert not is_signed_in(response.client)


def test_a_company_account_logs_in_the_person_with_its_address(issuer: OidcIssuer) -> None:
    assert "Log in with BBWS account" in Client().get("/admin/login/").text
    issuer.claims = {"email": "Ann@Example.com"}
    done = sign_on(issuer, next_page="/admin/profile/")
    assert done["Location"] == "/admin/profile/"
    assert done.client.get("/admin/session/").json()["user"] == "ann"
    assert log_in("ann")["Location"] == "/admin/"  # the password stays


def test_the_subject_identifies_the_person_afterwards(issuer: OidcIssuer) -> None:
    sign_on(issuer)
    User.objects.create_user("eve", "eve@example.com", PASSWORD, is_staff=True)
    issuer.claims = {"email": "eve@example.com"}
    assert sign_on(issuer).client.get("/admin/session/").json()["user"] == "ann"
    issuer.claims = {"sub": "person-2"}  # somebody else who got ann's address
    assert_refused(sign_on(issuer), "belongs to another company account")


def test_a_second_factor_of_ours_is_still_asked_for(issuer: OidcIssuer, ann: User) -> None:
    add_app(ann)
    response = sign_on(issuer)
    assert response["Location"] == "/admin/login/second-step/"
    assert not is_signed_in(response.client)
    response.client.post("/admin/login/second-step/", {"code": code()})
    assert is_signed_in(response.client)


def test_nobody_gets_an_account_by_signing_on(issuer: OidcIssuer, ann: User) -> None:
    issuer.claims = {"email": "stranger@example.com"}
    assert_refused(sign_on(issuer), NOT_INVITED)
    User.objects.filter(pk=ann.pk).update(is_staff=False)
    issuer.claims = {}
    assert_refused(sign_on(issuer), NOT_INVITED)
    User.objects.filter(pk=ann.pk).update(is_staff=True, is_active=False)
    assert_refused(sign_on(issuer), NOT_INVITED)
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()


def test_an_account_that_ended_after_its_sign_on_is_refused(issuer: OidcIssuer, ann: User) -> None:
    sign_on(issuer)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert_refused(sign_on(issuer), NOT_INVITED)


def test_two_accounts_with_the_address_are_refused(issuer: OidcIssuer) -> None:
    User.objects.create_user("ann2", "ANN@example.com", PASSWORD, is_staff=True)
    assert_refused(sign_on(issuer), "More than one account")


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 0])
def test_an_address_that_is_not_verified_is_refused(issuer: OidcIssuer, verified: Any) -> None:
    issuer.claims = {"email_verified": verified}
    assert_refused(sign_on(issuer), NOT_VERIFIED)


PAST = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-application"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": PAST},
        {"exp": None},
        {"sub": None},
        {"iat": None},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids="-".join,
)
def test_tokens_with_wrong_claims_are_refused(issuer: OidcIssuer, claims: dict[str, Any]) -> None:
    issuer.claims = claims
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)


def test_tokens_with_wrong_signatures_are_refused(issuer: OidcIssuer) -> None:
    issuer.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)
    issuer.algorithm, issuer.signing_key = "none", None
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    issuer.algorithm, issuer.signing_key = "HS256", public  # signed with the public key
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)


def test_an_issuer_that_names_itself_otherwise_is_refused(issuer: OidcIssuer) -> None:
    issuer.config = {"issuer": "https://other.example"}
    issuer.claims = {"iss": "https://other.example"}
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)


def test_user_information_counts_for_the_same_person_only(issuer: OidcIssuer) -> None:
    issuer.claims = {"email": None, "email_verified": None}
    issuer.user_info = {"sub": "person-1", "email": "ann@example.com", "email_verified": True}
    assert sign_on(issuer).status_code == 302
    SocialAccount.objects.all().delete()
    issuer.user_info = {**issuer.user_info, "sub": "person-9"}
    assert_refused(sign_on(issuer), NOT_UNDERSTOOD)


def test_an_answer_without_its_request_is_refused(issuer: OidcIssuer) -> None:
    client = Client()
    leading = client.get("/admin/sign-on/")
    back = issuer.authorize(leading["Location"]).removeprefix("http://testserver")
    assert_refused(Client().get(back), NOT_UNDERSTOOD)  # another browser
    assert client.get(back).status_code == 302
    assert_refused(Client().get("/admin/sign-on/company/callback/"), NOT_UNDERSTOOD)


def test_an_issuer_without_answer_is_reported(issuer: OidcIssuer, settings: Any) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:1"
    response = Client().get("/admin/sign-on/")
    assert "can&#x27;t be reached" in response.text


def test_named_groups_follow_the_issuer_and_others_stay(
    issuer: OidcIssuer, ann: User, settings: Any
) -> None:
    settings.OIDC_GROUPS_CLAIM = "groups"
    settings.OIDC_GROUPS = {"team": "Product editors", "leads": "Product admins"}
    ann.groups.set(Group.objects.filter(name__in=["Product admins", "Product operators"]))
    issuer.claims = {"groups": ["team", "unknown", 7]}
    sign_on(issuer)
    names = set(ann.groups.values_list("name", flat=True))
    assert names == {"Product editors", "Product operators"}
    issuer.claims = {"groups": "team"}  # no list
    sign_on(issuer)
    assert set(ann.groups.values_list("name", flat=True)) == {"Product operators"}
    ann.refresh_from_db()
    assert not ann.is_superuser


def test_a_person_without_a_password_confirms_at_the_issuer(issuer: OidcIssuer, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True, password="!none")
    client: Client = sign_on(issuer).client
    make_login_old(client)
    asked = client.post("/admin/auth/group/add/", {"name": "Others"})
    assert asked["Location"].startswith("/admin/confirm/company/?next=")
    leading = client.get(client.get(asked["Location"])["Location"])
    assert "prompt=login" in leading["Location"]
    back = issuer.authorize(leading["Location"]).removeprefix("http://testserver")
    assert client.get(back)["Location"] == "/admin/auth/group/add/"
    assert client.post("/admin/auth/group/add/", {"name": "Others"}).status_code == 302
    assert Group.objects.filter(name="Others").exists()


def test_a_person_who_cancels_is_back_at_the_login_page(issuer: OidcIssuer) -> None:
    client = Client()
    leading = client.get("/admin/sign-on/")
    back = issuer.authorize(leading["Location"]).removeprefix("http://testserver")
    cancelled = client.get(f"{back.replace('code=', 'unused=')}&error=access_denied", follow=True)
    assert cancelled.redirect_chain[-1][0] == "/admin/login/"


def test_without_an_issuer_there_is_no_sign_on() -> None:
    assert "Log in with" not in Client().get("/admin/login/").text
    assert Client().get("/admin/sign-on/")["Location"] == "/admin/login/"


@pytest.mark.parametrize("email", ["m\u0131ke@example.com", "mike@g\u0131thub.com", "\u212aim@a.b"])
def test_address_that_only_looks_the_same_is_another(email: str) -> None:
    plain = email.replace("\u0131", "i").replace("\u212a", "k")
    assert not is_same_address(plain, email)
    assert is_same_address(email, email)
    assert is_same_address(plain, plain.upper())
