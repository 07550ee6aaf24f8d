"""API tokens: rotation, revocation, lists, external issuers; and CORS and throttling."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.test import Client

from products.access import tokens
from products.models import ApiToken
from tests.support.admin_client import sign_in
from tests.support.api_client import Api, error_of, token_of
from tests.support.commands import output
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer, running_issuer
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
HISTORY = "/v1.0/products/p1/changes"


def status(token: str) -> int:
    """Return 404 (no such product) if the token is accepted, else 401."""
    return Client().get(HISTORY, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(autouse=True)
def empty_revocation_cache() -> None:
    tokens.forget_verified_tokens()


def test_keys_can_be_rotated_without_downtime(world: World, settings: Any) -> None:
    old, new = settings.TOKEN_KEYS[0], "another-key-of-the-tests-0123456789abc"
    token = token_of("ann", "Product viewers")
    settings.TOKEN_KEYS = [new, old]
    assert (status(token), status(token_of("ann", "Product viewers"))) == (404, 404)
    settings.TOKEN_KEYS = [new]
    assert status(token) == 401


def test_a_revoked_token_is_refused_within_a_minute(world: World) -> None:
    token = token_of("ann", "Product viewers")
    assert status(token) == 404
    entry = ApiToken.objects.get()
    assert str(entry) in output("tokens")
    assert "issued" in output("tokens")
    assert "revoked" in output("tokens", revoke=entry.pk)
    assert status(token) == 404  # still cached as valid in this process
    tokens.forget_verified_tokens()  # happens automatically after a minute
    assert status(token) == 401
    assert "revoked" in output("tokens")
    with pytest.raises(CommandError, match="no token"):
        call_command("tokens", revoke="nothing")
    cache = tokens._RevocationCache()
    at = datetime.now(UTC)
    cache.valid_until = {str(number): at for number in range(10_001)}
    assert not cache.is_revoked("new", at)
    assert list(cache.valid_until) == ["new"]


def test_staff_issue_tokens_for_themselves_and_superusers_for_others(world: World) -> None:
    client = sign_in("eve")
    eve = User.objects.get(username="eve")
    eve.user_permissions.set(
        Permission.objects.filter(codename__in=["add_apitoken", "view_apitoken"])
    )
    ann = User.objects.create(username="ann")
    add = "/admin/products/apitoken/add/"
    form = client.get(add).context["adminform"].form
    assert form["user"].value() == eve.pk
    assert "border-base-200" in str(form["days"])
    assert client.post(add, {"user": ann.pk, "label": "theirs", "days": 3}).status_code == 200
    assert not ApiToken.objects.exists()
    page = client.post(add, {"user": eve.pk, "label": "mine", "days": 3}, follow=True)
    shown = next(str(m) for m in page.context["messages"] if "never shown again" in str(m))
    assert status(shown.partition('id="new-token">')[2].partition("<")[0]) == 404
    assert (
        sign_in("root", superuser=True)
        .post(add, {"user": ann.pk, "label": "x", "days": 1})
        .status_code
        == 302
    )
    mine = ApiToken.objects.get(label="mine")
    assert (
        client.get(f"/admin/products/apitoken/{mine.pk.replace('_', '_5F')}/change/").status_code
        == 200
    )
    client.post("/admin/products/apitoken/", {"action": "revoke", "_selected_action": [mine.pk]})
    mine.refresh_from_db()
    assert mine.revoked_at
    tokens.forget_verified_tokens()
    assert status(shown.partition('id="new-token">')[2].partition("<")[0]) == 401


# Tokens of an external issuer


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    with running_issuer() as running:
        settings.JWKS_URL, settings.JWKS_ISSUER, settings.JWKS_AUDIENCE = (
            running.url,
            ISSUER,
            AUDIENCE,
        )
        yield running


def test_an_external_token_has_the_permissions_of_its_groups(world: World, issuer: Issuer) -> None:
    user = tokens.verify(issuer.token())
    assert str(user) == "zoe"
    assert user.permissions == {
        "products.view_product",
        "products.add_product",
        "products.change_product",
        "products.plan_product",
    }
    assert status(issuer.token()) == 404
    for wrong in (
        {"iss": "https://other.example"},
        {"aud": "x"},
        {"exp": datetime.now(UTC) - timedelta(hours=1)},
    ):
        assert status(issuer.token(**wrong)) == 401
    assert status(issuer.token(**{"cognito:groups": []})) == 403
    assert status(token_of("ann", "Product viewers")) == 404  # our own are accepted too


ODD_CLAIMS = [
    {"username": ["zoe"]},
    {"username": "x" * 151},
    {"username": "zoe\nann"},
    {"username": {"a": 1}},
    {"cognito:groups": None},
    {"cognito:groups": 7},
    {"cognito:groups": {"Product editors": 1}},
    {"cognito:groups": "Product editors"},
    {"cognito:groups": ["x"] * 5000},
    {"exp": "soon"},
    {"exp": float("inf")},
    {"exp": 10**30, "nbf": [], "iat": {}},
    {"sub": 7},
]


@pytest.mark.parametrize("claims", ODD_CLAIMS)
def test_odd_claims_of_an_issuer_are_refused(
    world: World, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert status(issuer.token(**claims)) == 401


def test_odd_groups_give_no_permission(world: World, issuer: Issuer) -> None:
    groups: list[Any] = [None, 7, ["Product editors"], {}, "Product viewers"]
    assert tokens.verify(issuer.token(**{"cognito:groups": groups})).permissions == {
        "products.view_product"
    }


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256", "kid": "k1"},
        {"alg": "RS256", "kid": "other"},
        {"alg": "RS256"},
        {"alg": "RS256", "kid": 7},
        {"alg": ["RS256"], "kid": "k1"},
        {"alg": "HS256", "kid": "k1"},
        {"alg": "none", "kid": "k1"},
    ],
)
def test_key_is_used_with_its_own_algorithm_only(
    world: World, issuer: Issuer, header: dict[str, Any]
) -> None:
    _, claims, signature = issuer.token().split(".")
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert status(f"{encoded}.{claims}.{signature}") == 401


def test_tokens_end_with_the_account_of_their_user(world: World) -> None:
    token = token_of("ann", "Product viewers")
    user = User.objects.get(username="ann")
    with pytest.raises(ProtectedError):
        user.delete()
    root = sign_in("root", superuser=True)
    entries = {"username": "ann", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
    assert root.post(f"/admin/auth/user/{user.pk}/change/", entries).status_code == 302
    user.refresh_from_db()
    assert not user.is_active
    assert status(token) == 401


# CORS and throttling


def test_allowed_origins_may_call_and_read_the_headers(world: World, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    preflight_headers = {
        "Origin": "https://portal.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": (
            "authorization,content-type,if-match,prefer,idempotency-key"
        ),
    }
    preflight = Client().options("/v1.0/products/p1", headers=preflight_headers)
    assert preflight["Access-Control-Allow-Origin"] == "https://portal.example"
    assert {"if-match", "prefer", "idempotency-key"} <= set(
        preflight["Access-Control-Allow-Headers"].split(", ")
    )
    response = Client().get("/v1.0/products", headers={"Origin": "https://portal.example"})
    assert {"ETag", "Location", "Link"} <= set(
        response["Access-Control-Expose-Headers"].split(", ")
    )
    refused = Client().get("/v1.0/products/nothing", headers={"Origin": "https://portal.example"})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (
        404,
        "https://portal.example",
    )
    other = Client().get("/v1.0/products", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other


def test_a_throttled_client_gets_retry_after(world: World, settings: Any) -> None:
    settings.THROTTLE_PUBLIC, settings.THROTTLE_STAFF = 3, 1000
    public = Api(anonymous=True)
    responses = [public("get", "/products") for _ in range(5)]
    assert [response.status_code for response in responses].count(429) >= 1
    assert [responses[0][f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == [
        "3",
        "2",
        "1",
    ]
    refused = next(response for response in responses if response.status_code == 429)
    assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("1", "0")
    error_of(refused)
    assert Api("Product viewers")("get", "/products").status_code == 200
