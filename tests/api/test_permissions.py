"""Who may write through the API: groups, sessions and tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

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
        "Product editors": {"view_product", "add_product", "change_product"},
        "Product admins": {
            "view_product",
            "add_product",
            "change_product",
            "delete_product",
            "operate_product",
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


def test_each_role_may_do_what_its_group_may(api: Api, catalogue: Catalogue, ann: Origin) -> None:
    for number, (group, allowed) in enumerate(ROLES.items()):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        path, somebody = f"/products/p{number}", Api(group, name=f"of-{number}")
        answers = {
            "post": [somebody("post", "/products", fields(name=f"Of {group}"))],
            "write": [
                somebody("patch", path, {"price": "2"}),
                somebody("put", path, {"price": "3"}),
                somebody("post", f"{path}/changes/1/restore"),
            ],
            "history": [somebody("get", f"{path}/changes")],
            "deactivate": [somebody("patch", path, {"active": False})],
        }
        api("patch", path, {"active": True})
        answers["deactivate"].append(somebody("delete", path))
        statuses = {
            action: {answer.status_code for answer in given} for action, given in answers.items()
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
            answer = getattr(client, method)(
                f"/v1.0{path}", data, "application/json", headers=headers
            )
            assert answer.status_code == expected, (method, path, answer.content)
            if not headers:
                assert "CSRF" in error_of(answer)["message"]


def test_a_token_keeps_the_permissions_of_its_issue(p1: str) -> None:
    headers = {"Authorization": f"bearer  {token_of('ed', 'Product editors')}"}
    User.objects.get(username="ed").groups.clear()
    written = Client().patch(
        "/v1.0/products/p1", {"price": "2"}, "application/json", headers=headers
    )
    assert written.status_code == 202
    assert Client().delete("/v1.0/products/p1", headers=headers).status_code == 403


def test_only_our_own_tokens_are_accepted(p1: str, catalogue: Catalogue) -> None:
    claims = {
        "sub": "ann",
        "permissions": ["products.delete_product"],
        "jti": "t",
        "aud": "bbws-products",
    }
    claims["exp"] = datetime.now(UTC) + timedelta(hours=1)  # type: ignore[assignment]
    ours, theirs = settings.TOKEN_KEYS[0], "a-key-that-is-not-configured-0123456789"
    assert Api()("get", p1).status_code == 200
    wrong = [
        jwt.encode(claims, theirs, "HS256"),
        jwt.encode(claims, "", "none"),
        jwt.encode(claims | {"aud": "another-service"}, ours, "HS256"),
        *(
            jwt.encode({k: v for k, v in claims.items() if k != gone}, ours, "HS256")
            for gone in ("exp", "jti", "aud")
        ),
        token_of("ann", "Product admins")[:-3],
        "",
        "garbage",
        "a.b.c",
        "\xff\xfe",
        "a b",
        ".." * 3000,
    ]
    expired = [
        jwt.encode(claims | {"exp": datetime.now(UTC) - timedelta(seconds=1)}, ours, "HS256")
    ]
    expired.append(token_of("ann", "Product admins", lifetime=timedelta(seconds=-1)))
    for token, sentence in [
        *((token, "not valid") for token in wrong),
        *((token, "has expired") for token in expired),
    ]:
        for method, path in (
            ("delete", p1),
            ("get", "/products"),
        ):  # a wrong token is refused where none is needed, too
            headers = {"Authorization": f"Bearer {token}"}
            refused = getattr(Client(), method)(f"/v1.0{path}", headers=headers)
            assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer"), token
            assert sentence in error_of(refused)["message"], token
    assert versions(catalogue) == [1]
    assert (
        Client().get("/v1.0/products", headers={"Authorization": "Basic YW5uOmFubg=="}).status_code
        == 200
    )
