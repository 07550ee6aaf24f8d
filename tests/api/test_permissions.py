"""Who may write through the API: groups, sessions and tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.api_client import Api, error_of, token_of, versions
from tests.support.builders import fields

pytestmark = pytest.mark.django_db


WRITES: list[tuple[str, str, Any]] = [
    ("post", "/products", fields(name="Another one")),
    ("put", "/products/p1", {"price": "2"}),
    ("patch", "/products/p1", {"price": "3"}),
    ("post", "/products/p1/changes/1/restore", None),
    ("delete", "/products/p1", None),
]


def test_each_group_has_its_permissions(db: None) -> None:
    verbs = {
        "Product viewers": {"view_product"},
        "Product editors": {"view_product", "add_product", "change_product", "plan_product"},
        "Product admins": {
            "view_product",
            "add_product",
            "change_product",
            "delete_product",
            "operate_product",
            "plan_product",
        },
        "Product operators": {"view_product", "operate_product"},
    }
    for name, wanted in verbs.items():
        held = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        assert {codename for codename in held if codename.endswith("_product")} == wanted


ROLES: dict[str | None, dict[str, int]] = {
    None: {"post": 403, "write": 403, "deactivate": 403, "history": 403},
    "Product viewers": {"post": 403, "write": 403, "deactivate": 403, "history": 200},
    "Product editors": {"post": 202, "write": 202, "deactivate": 403, "history": 200},
    "Product admins": {"post": 202, "write": 202, "deactivate": 202, "history": 200},
}


def test_each_role_may_do_what_its_group_may(api: Api, acceptance: Acceptance, ann: Origin) -> None:
    for number, (group, allowed) in enumerate(ROLES.items()):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        path, client = f"/products/p{number}", Api(group, name=f"of-{number}")
        responses = {
            "post": [client("post", "/products", fields(name=f"Of {group}"))],
            "write": [
                client("patch", path, {"price": "2"}),
                client("put", path, {"price": "3"}),
                client("post", f"{path}/changes/1/restore"),
            ],
            "history": [client("get", f"{path}/changes")],
            "deactivate": [client("patch", path, {"active": False})],
        }
        api("patch", path, {"active": True})
        responses["deactivate"].append(client("delete", path))
        statuses = {
            action: {response.status_code for response in given}
            for action, given in responses.items()
        }
        assert statuses == {action: {status} for action, status in allowed.items()}, group


def test_permissions_are_checked_before_the_request_is_read(p1: str, catalogue: Catalogue) -> None:
    for method, path, data in WRITES:
        for body in (data, b"{broken"):
            anonymous = Api(anonymous=True)(method, path, body, Prefer="wait=x")
            assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Bearer")
            assert error_of(anonymous)["error"] == "Unauthorized"
            viewer = Api("Product viewers", name="vic")(method, path, body)
            assert (viewer.status_code, error_of(viewer)["error"]) == (403, "Forbidden")
    assert versions(catalogue) == [1]


def test_an_editor_cannot_deactivate_by_any_request(
    api: Api, p1: str, catalogue: Catalogue
) -> None:
    api("delete", p1)
    api("patch", p1, {"active": True})
    editor = Api("Product editors", name="ed")
    calls: list[tuple[str, str, Any]] = [
        ("delete", p1, None),
        ("put", p1, {"active": False, "price": "1"}),
    ]
    calls += [("delete", f"{p1}?dryRun=true", None), ("post", f"{p1}/changes/2/restore", None)]
    for method, path, data in calls:
        assert editor(method, path, data).status_code == 403
    assert versions(catalogue) == [3, 2, 1]
    assert editor("post", f"{p1}/changes/1/restore").status_code == 200
    api("delete", p1)
    assert editor("patch", p1, {"active": True}).status_code == 202


@pytest.mark.parametrize("may_view", [True, False])
def test_a_write_shows_nothing_to_callers_who_may_not_view(
    api: Api, p1: str, catalogue: Catalogue, may_view: bool
) -> None:
    """A write without a difference needs any permission to write, and returns the product."""
    codenames = ["add_product", "change_product", "delete_product"]
    writers = Group.objects.create(name="Writers")
    held = [*codenames, "view_product"] if may_view else codenames
    writers.permissions.set(Permission.objects.filter(codename__in=held))
    client = Api("Writers", name="will")
    item = {"action": "update", "productId": "p1"}
    batch = {"mode": "each", "items": [item]}
    responses = [client("patch", p1, {}), client("post", "/products:batch", batch)]
    wanted = 200 if may_view else 403
    assert [response.status_code for response in responses] == [wanted, wanted]
    if not may_view:
        assert "products.view_product" in error_of(responses[0])["message"]


# Sessions and tokens


@pytest.mark.parametrize(("group", "status"), [("Product viewers", 403), ("Product admins", 202)])
def test_a_session_writes_only_with_its_csrf_token(group: str, status: int, p1: str) -> None:
    user = User.objects.create(username="eve", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get("/admin/")
    page = client.get("/v1.0/products", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    token = {"X-CSRFToken": page.cookies["csrftoken"].value}
    Api()("patch", p1, {"price": "7"})
    for method, path, data in WRITES:
        for headers, expected in (({}, 403), (token, status)):
            response = getattr(client, method)(
                f"/v1.0{path}", data, "application/json", headers=headers
            )
            assert response.status_code == expected, (method, path, response.content)
            if not headers:
                assert "CSRF" in error_of(response)["message"]


def test_a_token_keeps_the_permissions_of_its_issue(p1: str) -> None:
    headers = {"Authorization": f"bearer  {token_of('ed', 'Product editors')}"}
    User.objects.get(username="ed").groups.clear()
    written = Client().patch(
        "/v1.0/products/p1", {"price": "2"}, "application/json", headers=headers
    )
    assert written.status_code == 202
    assert Client().delete("/v1.0/products/p1", headers=headers).status_code == 403


def encode(claims: dict[str, Any], *, key: str = "") -> str:
    return jwt.encode(claims, key or settings.TOKEN_KEYS[0], "HS256")


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {claim: value for claim, value in claims.items() if claim != name}


@pytest.fixture
def claims() -> dict[str, Any]:
    """The claims of a valid token."""
    return {
        "sub": "ann",
        "permissions": ["products.delete_product"],
        "jti": "t",
        "aud": "bbws-products",
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }


def check_refused(token: str, sentence: str) -> None:
    # A wrong token is refused on public pages, too.
    for method, path in (("delete", "/products/p1"), ("get", "/products")):
        headers = {"Authorization": f"Bearer {token}"}
        refused = getattr(Client(), method)(f"/v1.0{path}", headers=headers)
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer"), token
        assert sentence in error_of(refused)["message"], token


def test_only_our_own_tokens_are_accepted(
    p1: str, catalogue: Catalogue, claims: dict[str, Any]
) -> None:
    assert Api()("get", p1).status_code == 200
    wrong = [
        encode(claims, key="a-key-that-is-not-configured-0123456789"),
        jwt.encode(claims, "", "none"),
        encode(claims | {"aud": "another-service"}),
        *(encode(without(claims, name)) for name in ("exp", "jti", "aud")),
        token_of("ann", "Product admins")[:-3],
        "",
        "garbage",
        "a.b.c",
        "\xff\xfe",
        "a b",
        ".." * 3000,
    ]
    for token in wrong:
        check_refused(token, "not valid")
    assert versions(catalogue) == [1]
    basic = {"Authorization": "Basic YW5uOmFubg=="}
    assert Client().get("/v1.0/products", headers=basic).status_code == 200


def test_expired_tokens_are_refused(p1: str, catalogue: Catalogue, claims: dict[str, Any]) -> None:
    expired = encode(claims | {"exp": datetime.now(UTC) - timedelta(seconds=1)})
    check_refused(expired, "has expired")
    issued = token_of("ann", "Product admins", lifetime=timedelta(seconds=-1))
    check_refused(issued, "has expired")
    assert versions(catalogue) == [1]
