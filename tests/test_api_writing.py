"""What a writer through the API may rely on: answers, terms, conflicts, and who may write at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

from products.catalogue import Catalogue
from tests.clients import Api, error_of, token_of
from tests.worlds import World

pytestmark = pytest.mark.django_db
BODY = {"name": "Basic hosting", "description": "Hosting for a first site.", "price": "1500.00"}


@pytest.fixture
def api(world: World) -> Api:
    return Api()


@pytest.fixture
def p1(api: Api) -> str:
    assert api("post", "/products", BODY | {"productId": "p1"}).status_code == 202
    return "/products/p1"


@contextmanager
def at_work(world: World) -> Iterator[None]:
    """A worker on a thread of its own, who takes whatever is in the queues."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            world.work()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def versions(catalogue: Catalogue, product_id: str = "p1") -> list[int]:
    return [change.version for change in catalogue.history(product_id)]


# Answers


def test_each_accepted_write_says_where_to_follow_it(api: Api, p1: str) -> None:
    calls: list[tuple[str, Any]] = [("put", {"price": "2"}), ("patch", {"price": "3"}), ("delete", None)]
    for version, (method, data) in enumerate(calls, 2):
        response = api(method, p1, data)
        body = response.json()
        assert (response.status_code, response["ETag"], response["Retry-After"]) == (202, f'"v{version}"', "1")
        assert response["Location"] == body["statusUrl"] == f"/v1.0/products/p1/changes/{version}"
        assert (body["productId"], body["version"], body["status"]) == ("p1", version, "accepted")
        assert response["Cache-Control"] == "private, no-store"
        assert "Preference-Applied" not in response
        receipt = api("get", f"{p1}/changes/{version}").json()
        assert (receipt["changeId"], receipt["requestId"]) == (body["changeId"], response["X-Request-ID"])


def test_put_and_patch_leave_alone_what_is_not_sent(api: Api, p1: str) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        assert api(method, p1, {"price": f"{version}.00"}).status_code == 202
        seen = api("get", p1).json()
        assert (seen["name"], seen["description"], seen["price"]) == (
            "Basic hosting",
            "Hosting for a first site.",
            f"{version}.00",
        )


def test_a_made_id_and_the_defaults_are_told(api: Api) -> None:
    written = api("post", "/products", BODY).json()
    assert written["productId"].startswith("prod_")
    seen = api("get", f"/products/{written['productId']}").json()
    told = {name: seen[name] for name in ("currency", "billingCycle", "renewalPrice", "period", "features", "active")}
    assert told == {
        "currency": "ZAR",
        "billingCycle": "one-time",
        "renewalPrice": None,
        "period": "once-off",
        "features": [],
        "active": True,
    }
    assert seen["createdAt"] == seen["updatedAt"]


def test_request_ids_are_taken_when_sane_and_made_otherwise_and_are_in_the_receipt(api: Api, p1: str) -> None:
    taken = ["request-1", "a" * 64, "A.b_c-123"]
    for version, given in enumerate(taken, 2):
        written = api("patch", p1, {"price": f"{version}.00"}, X_Request_ID=given)
        assert written["X-Request-ID"] == given
        assert api("get", f"{p1}/changes/{version}").json()["requestId"] == given
    for wrong in ("short", "a" * 65, "with space", "é" * 10, "", "semi;colon", "a" * 5000):
        refused = api("patch", p1, {"price": "x"}, X_Request_ID=wrong)
        assert refused["X-Request-ID"] not in {wrong, ""}
        error_of(refused)


# Waiting


@pytest.mark.parametrize(("until", "effects"), [("stored", 1), ("searchable", 2), ("audited", 2)])
def test_who_waits_gets_the_product_at_the_point_that_was_asked_for(
    api: Api, world: World, until: str, effects: int
) -> None:
    with at_work(world):
        for method, path, status in (("post", "", 201), ("put", "/p1", 200), ("patch", "/p1", 200)):
            data = BODY | {"productId": "p1"} if method == "post" else {"price": f"{len(method)}.00"}
            response = api(method, f"/products{path}", data, Prefer=f"wait=10; until={until}")
            assert (response.status_code, response["Preference-Applied"]) == (status, f"wait=10, until={until}")
            assert response.json()["updatedBy"] == "ann"
            states = api("get", response["Location"].removeprefix("/v1.0")).json()["effects"]
            assert [states[name]["state"] for name in ("stored", until)][:effects] == ["done"] * effects
        gone = api("delete", "/products/p1", Prefer=f'Wait="99", UNTIL="{until}"')
        assert (gone.status_code, gone.content, gone["ETag"]) == (204, b"", '"v4"')
        assert gone["Preference-Applied"] == f"wait=10, until={until}"  # cut at what we are ready for
    assert Api(anonymous=True)("get", "/products/p1").status_code == 404


def test_who_gives_up_waiting_has_still_written(api: Api, p1: str, world: World) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        response = api(method, p1, {"price": f"{version}.00"}, Prefer="wait=0")
        assert (response.status_code, "Preference-Applied" in response) == (202, False)
    assert api("delete", p1, Prefer="wait=0; until=searchable").status_code == 202
    assert api("post", "/products", BODY | {"name": "Another one"}, Prefer="wait=0").status_code == 202
    world.work()
    record = world.record("p1")
    assert record
    assert (int(record["version"]), record["active"]) == (4, False)


def test_what_changes_nothing_is_answered_at_once_with_what_is_there(api: Api, p1: str, catalogue: Catalogue) -> None:
    for data in ({}, {"version": 1}, {"price": "1500"}, {"name": " Basic hosting "}, api("get", p1).json()):
        for method in ("put", "patch"):
            same = api(method, p1, data, Prefer="wait=10; until=audited")
            assert (same.status_code, same["ETag"], same.json()["version"]) == (200, '"v1"', 1)
            assert "Location" not in same
    api("delete", p1)
    gone = api("delete", p1, Prefer="wait=10")
    assert (gone.status_code, gone.content, "Location" in gone) == (204, b"", False)
    assert versions(catalogue) == [2, 1]


# Conflicts


def test_if_match_is_asked_before_anything_is_written(api: Api, p1: str, catalogue: Catalogue) -> None:
    api("patch", p1, {"price": "2"})
    calls: list[tuple[str, str, Any]] = [("put", p1, {"price": "3"}), ("patch", p1, {}), ("delete", p1, None)]
    calls.append(("post", f"{p1}/changes/1/restore", None))
    for tag in ('"v1"', '"v3"', '"v999999999999"', '"v0"'):
        for method, path, data in calls:
            refused = api(method, path, data, If_Match=tag)
            assert (refused.status_code, error_of(refused)["version"]) == (412, 2)
    assert versions(catalogue) == [2, 1]
    assert api("post", f"{p1}/changes/1/restore", None, If_Match=' "v2" ').status_code == 202
    assert api("delete", p1, If_Match='"v3"').status_code == 202
    assert api("patch", "/products/never", {"price": "1"}, If_Match='"v1"').status_code == 404


def test_a_whole_product_sent_back_overwrites_nobody(api: Api, p1: str) -> None:
    mine = api("get", p1).json()
    api("patch", p1, {"price": "2.00", "features": ["SSL"]})
    assert api("put", p1, mine | {"name": "Better hosting"}).status_code == 202
    seen = api("get", p1).json()
    assert (seen["name"], seen["price"], seen["features"], seen["version"]) == ("Better hosting", "2.00", ["SSL"], 3)
    same = api("put", p1, mine | {"price": "2.00"})  # what somebody else has done already
    assert (same.status_code, same.json()["version"]) == (200, 3)


def test_every_field_two_editors_changed_is_in_the_conflict(api: Api, p1: str, catalogue: Catalogue) -> None:
    api("patch", p1, {"billingCycle": "yearly", "renewalPrice": "9", "features": ["SSL"]})
    mine = {"version": 1, "billingCycle": "monthly", "renewalPrice": "8.00", "features": ["CDN"], "price": "1.00"}
    refused = api("put", p1, mine)
    body = error_of(refused)
    assert (refused.status_code, body["error"], body["version"]) == (409, "Conflict", 2)
    assert body["conflicts"] == {
        "billingCycle": {"base": "one-time", "yours": "monthly", "theirs": "yearly"},
        "renewalPrice": {"base": None, "yours": "8.00", "theirs": "9.00"},
        "features": {"base": [], "yours": ["CDN"], "theirs": ["SSL"]},
    }
    assert set(body["errors"]) == set(body["conflicts"])
    assert versions(catalogue) == [2, 1]
    assert api("put", p1, mine | {"version": 2}).status_code == 202


def test_a_base_that_never_was_is_not_found(api: Api, p1: str) -> None:
    for version in (2, 10**12 - 1):
        refused = api("patch", p1, {"price": "1", "version": version})
        assert (refused.status_code, error_of(refused)["message"]) == (
            404,
            f"Product 'p1' has no version {version}.",
        )


def test_a_name_is_free_only_when_its_product_has_given_it_up(api: Api, p1: str, world: World) -> None:
    api("post", "/products", BODY | {"productId": "p2", "name": "Other hosting"})
    calls: list[tuple[str, str, Any]] = [
        ("patch", "/products/p2", {"name": "basic  HOSTING", "price": "1"}),
        ("post", "/products", BODY | {"productId": "p3"}),
        ("post", "/products?dryRun=true", BODY | {"productId": "p3"}),
    ]
    for active in (True, False):
        api("patch", p1, {"active": active})
        for method, path, data in calls:
            refused = api(method, path, data)
            assert refused.status_code == 409
            assert "belongs to product 'p1'" in error_of(refused)["message"]
    assert (world.change("p2", 2), world.change("p3", 1)) == (None, None)
    api("patch", p1, {"name": "Third name"})
    assert api("post", "/products", BODY | {"productId": "p3"}).status_code == 202
    assert api("patch", p1, {"name": "Basic hosting"}).status_code == 409


def test_a_name_that_grows_when_it_is_normalised_is_unique_as_well(api: Api) -> None:
    """One such character stands for eighteen: the name is legal, but too long to be a key of DynamoDB as it is."""
    for name, status in (("\ufdfa" * 100, 202), ("\ufdfa" * 99 + "x", 202), ("\ufdfa" * 100, 409)):
        assert api("post", "/products", BODY | {"name": name}).status_code == status


def test_an_id_is_not_given_out_again_when_its_product_is_gone(api: Api, p1: str, world: World) -> None:
    api("delete", p1)
    for path in ("/products", "/products?dryRun=true"):
        refused = api("post", path, BODY | {"productId": "p1", "name": "A name never used"})
        assert (refused.status_code, error_of(refused)["error"]) == (409, "Conflict")
    assert world.item("NAME#anameneverused", "CLAIM") is None


def test_a_key_is_for_one_body_to_the_last_digit(api: Api, p1: str, catalogue: Catalogue) -> None:
    sent = b'{"price": 2.00}'
    assert api("patch", p1, sent, Idempotency_Key="k1").status_code == 202
    assert api("patch", p1, sent, Idempotency_Key="k1")["Idempotent-Replayed"] == "true"
    for other in (b'{"price": 2.001}', b'{"price": 2.004}', b'{"price": 3.00}', b'{"price": 2.00, "features": []}'):
        refused = api("patch", p1, other, Idempotency_Key="k1")
        assert (refused.status_code, error_of(refused)["error"]) == (422, "Unprocessable Entity")
    assert api("put", p1, sent, Idempotency_Key="k1").status_code == 422
    assert api("patch", p1, sent, Idempotency_Key="k1", If_Match='"v2"').status_code == 422
    assert Api(name="ben")("patch", p1, sent, Idempotency_Key="k1").status_code == 200  # a key of his own
    assert versions(catalogue) == [2, 1]


# Who may


WRITES: list[tuple[str, str, Any]] = [
    ("post", "/products", BODY | {"name": "Another one"}),
    ("put", "/products/p1", {"price": "2"}),
    ("patch", "/products/p1", {"price": "3"}),
    ("post", "/products/p1/changes/1/restore", None),
    ("delete", "/products/p1", None),
]


def test_the_groups_have_the_permissions_they_are_named_for(db: None) -> None:
    verbs = {
        "Product viewers": {"view_product"},
        "Product editors": {"view_product", "add_product", "change_product"},
        "Product admins": {"view_product", "add_product", "change_product", "delete_product"},
    }
    for name, wanted in verbs.items():
        held = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        assert {codename for codename in held if codename.endswith("_product")} == wanted


def test_who_may_not_write_learns_it_before_anything_is_read(p1: str, catalogue: Catalogue) -> None:
    for method, path, data in WRITES:
        for body in (data, b"{broken"):
            anonymous = Api(anonymous=True)(method, path, body, Prefer="wait=x")
            assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Bearer")
            assert error_of(anonymous)["error"] == "Unauthorized"
            viewer = Api("Product viewers", name="vic")(method, path, body)
            assert (viewer.status_code, error_of(viewer)["error"]) == (403, "Forbidden")
    assert versions(catalogue) == [1]


def test_an_editor_takes_nothing_away_by_any_road(api: Api, p1: str, catalogue: Catalogue) -> None:
    api("delete", p1)
    api("patch", p1, {"active": True})
    editor = Api("Product editors", name="ed")
    calls: list[tuple[str, str, Any]] = [("delete", p1, None), ("put", p1, {"active": False, "price": "1"})]
    calls += [("delete", f"{p1}?dryRun=true", None), ("post", f"{p1}/changes/2/restore", None)]
    for method, path, data in calls:
        assert editor(method, path, data).status_code == 403
    assert versions(catalogue) == [3, 2, 1]
    assert editor("post", f"{p1}/changes/1/restore").status_code == 200
    api("delete", p1)
    assert editor("patch", p1, {"active": True}).status_code == 202


@pytest.mark.parametrize(("group", "status"), [("Product viewers", 403), ("Product admins", 202)])
def test_a_session_writes_by_its_groups_and_only_with_its_csrf_token(group: str, status: int, p1: str) -> None:
    user = User.objects.create(username="eve", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get("/admin/")
    token = {"X-CSRFToken": client.get("/v1.0/products", headers={"Accept": "text/html"}).cookies["csrftoken"].value}
    Api()("patch", p1, {"price": "7"})
    for method, path, data in WRITES:
        for headers, expected in (({}, 403), (token, status)):
            answer = getattr(client, method)(f"/v1.0{path}", data, "application/json", headers=headers)
            assert answer.status_code == expected, (method, path, answer.content)
            if not headers:
                assert "CSRF" in error_of(answer)["message"]


def test_a_token_may_what_its_user_might_when_it_was_issued(p1: str) -> None:
    headers = {"Authorization": f"bearer  {token_of('ed', 'Product editors')}"}
    User.objects.get(username="ed").groups.clear()
    written = Client().patch("/v1.0/products/p1", {"price": "2"}, "application/json", headers=headers)
    assert written.status_code == 202
    assert Client().delete("/v1.0/products/p1", headers=headers).status_code == 403


def test_only_a_token_of_ours_is_taken(p1: str, catalogue: Catalogue) -> None:
    claims = {"sub": "ann", "permissions": ["products.delete_product"], "jti": "t", "aud": "bbws-products"}
    claims["exp"] = datetime.now(UTC) + timedelta(hours=1)  # type: ignore[assignment]
    ours, theirs = settings.TOKEN_KEYS[0], "a-key-nobody-has-told-us-of-0123456789"
    assert Api()("get", p1).status_code == 200
    wrong = [
        jwt.encode(claims, theirs, "HS256"),
        jwt.encode(claims, "", "none"),
        jwt.encode(claims | {"aud": "another-service"}, ours, "HS256"),
        jwt.encode(claims | {"exp": datetime.now(UTC) - timedelta(seconds=1)}, ours, "HS256"),
        *(jwt.encode({k: v for k, v in claims.items() if k != gone}, ours, "HS256") for gone in ("exp", "jti", "aud")),
        "garbage",
        "a.b.c",
        "\xff\xfe",
        "a b",
        ".." * 3000,
    ]
    for token in wrong:
        for method, path in (("delete", p1), ("get", "/products")):  # also where no token is needed
            headers = {"Authorization": f"Bearer {token}"}
            refused = getattr(Client(), method)(f"/v1.0{path}", headers=headers)
            assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer"), token
            assert "token" in error_of(refused)["message"]
    assert versions(catalogue) == [1]
    assert Client().get("/v1.0/products", headers={"Authorization": "Basic YW5uOmFubg=="}).status_code == 200
