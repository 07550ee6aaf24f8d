"""Writing through the API: what is answered, when, and to whom."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from products.catalogue import Catalogue
from products.pipeline import Pipeline
from tests.builders import fields
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


def soon(work: Callable[[], Any]) -> threading.Thread:
    """Done by somebody else, while the request of this thread waits."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_write_is_accepted_with_the_address_of_its_receipt(api: Api) -> None:
    response = api("post", "/products", BODY, X_Request_ID="my-own-request")
    body = response.json()
    assert (response.status_code, response["ETag"]) == (202, '"v1"')
    assert body == {
        "productId": body["productId"],
        "version": 1,
        "changeId": body["changeId"],
        "status": "accepted",
        "statusUrl": response["Location"],
    }
    receipt = Client().get(response["Location"], headers=api.headers).json()
    assert (receipt["requestId"], receipt["user"], receipt["source"]) == ("my-own-request", "ann", "api")


def test_who_waits_is_answered_when_it_is_stored(api: Api, catalogue: Catalogue, pipeline: Pipeline) -> None:
    def persist(version: int) -> None:
        while not catalogue.table.change("p1", version):
            pass
        pipeline.persist("p1", version)

    expected = [("post", "", 201), ("put", "/p1", 200), ("patch", "/p1", 200), ("delete", "/p1", 204)]
    for version, (method, path, status) in enumerate(expected, 1):
        body = BODY | {"productId": "p1"} if method == "post" else {"price": f"{version}.00"}
        worker = soon(lambda version=version: persist(version))  # type: ignore[misc]
        response = api(method, f"/products{path}", None if method == "delete" else body, Prefer="wait=9")
        worker.join()
        assert (response.status_code, response["Preference-Applied"]) == (status, "wait=9, until=stored")
        assert response["Location"] == f"/v1.0/products/p1/changes/{version}"
        if method != "delete":
            assert response.json()["version"] == version


def test_who_waits_for_nothing_in_vain_is_told_202(api: Api, p1: str) -> None:
    response = api("patch", p1, {"price": "2"}, Prefer="respond-async, wait=0; until=audited, handling=lenient")
    assert (response.status_code, "Preference-Applied" in response) == (202, False)
    assert response["Retry-After"] == "1"


def test_a_write_that_changes_nothing_appends_nothing(api: Api, p1: str, catalogue: Catalogue) -> None:
    assert api("put", p1, BODY).status_code == 200
    assert api("delete", p1).status_code == 202
    assert api("delete", p1).status_code == 204
    assert catalogue.newest("p1").version == 2


def test_if_match_insists_on_a_version(api: Api, p1: str) -> None:
    assert api("patch", p1, {"price": "2"}, If_Match='"v1"').status_code == 202
    refused = api("patch", p1, {"price": "3"}, If_Match='"v1"')
    assert (refused.status_code, error_of(refused)["version"]) == (412, 2)
    assert api("delete", p1, If_Match='"v1"').status_code == 412
    assert api("patch", p1, {"price": "3"}, If_Match="*").status_code == 202


def test_a_version_in_the_body_merges_or_conflicts(api: Api, p1: str) -> None:
    api("patch", p1, {"price": "2.00"})
    assert api("patch", p1, {"description": "Another description.", "version": 1}).status_code == 202
    refused = api("patch", p1, {"price": "3.00", "version": 1})
    body = error_of(refused)
    assert (refused.status_code, body["version"]) == (409, 3)
    assert body["conflicts"] == {"price": {"base": "1500.00", "yours": "3.00", "theirs": "2.00"}}
    assert list(body["errors"]) == ["price"]


def test_a_product_that_was_read_can_be_sent_back_whole(api: Api, p1: str) -> None:
    api("patch", p1, {"description": "Somebody else's words."})
    read = api("get", f"{p1}?asOf=1").json()
    assert api("put", p1, read).status_code == 200  # nothing of it is different from what was read
    assert api("put", p1, read | {"price": "3.00"}).status_code == 202
    newest = api("get", p1).json()
    assert (newest["price"], newest["description"]) == ("3.00", "Somebody else's words.")
    for field in ("productId", "createdAt", "updatedAt", "updatedBy"):
        refused = api("put", p1, read | {field: "another"})
        assert (refused.status_code, list(error_of(refused)["errors"])) == (400, [field])


def test_ids_and_names_are_given_out_once(api: Api, p1: str) -> None:
    assert "already a product 'p1'" in error_of(api("post", "/products", BODY | {"productId": "p1"}))["message"]
    taken = api("post", "/products", BODY | {"name": "BASIC hosting"})
    assert (taken.status_code, "belongs to product 'p1'" in error_of(taken)["message"]) == (409, True)


def test_an_idempotency_key_makes_a_request_take_effect_once(api: Api, world: World) -> None:
    first = api("post", "/products", BODY, Idempotency_Key="k1")
    again = api("post", "/products", BODY, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["changeId"] == first.json()["changeId"]
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    world.work()
    done = api("post", "/products", BODY, Idempotency_Key="k1", Prefer="wait=1")
    assert (done.status_code, done.json()["version"]) == (201, 1)
    other = api("post", "/products", BODY | {"price": "2"}, Idempotency_Key="k1")
    assert (other.status_code, error_of(other)["error"]) == (422, "Unprocessable Entity")
    assert api("delete", f"/products/{first.json()['productId']}", Idempotency_Key="k1").status_code == 422
    for wrong in ("", "a b", "x" * 256):
        assert "Idempotency-Key" in error_of(api("post", "/products", BODY, Idempotency_Key=wrong))["errors"]


def test_a_dry_run_says_what_would_happen(api: Api, p1: str, catalogue: Catalogue) -> None:
    would = api("patch", f"{p1}?dryRun=true", {"price": "2"})
    assert (would.status_code, "Location" in would) == (200, False)
    body = would.json()
    assert (body["dryRun"], body["changeType"], body["product"]["version"]) == (True, "UPDATE", 2)
    assert body["changed"] == {"price": {"before": "1500.00", "after": "2.00"}}
    assert api("patch", f"{p1}?dryRun=true", {"price": "1500"}).json()["changeType"] is None
    assert api("delete", f"{p1}?dryRun=true").json()["changeType"] == "DELETE"
    assert api("post", "/products?dryRun=true", BODY).status_code == 409
    assert "dryRun" in error_of(api("delete", f"{p1}?dryRun=yes"))["errors"]
    assert catalogue.newest("p1").version == 1


def test_a_version_is_restored(api: Api, p1: str) -> None:
    api("patch", p1, {"price": "2", "features": ["SSL"]})
    restored = api("post", f"{p1}/changes/1/restore")
    assert (restored.status_code, restored.json()["version"]) == (202, 3)
    assert api("get", p1).json()["features"] == []
    assert api("post", f"{p1}/changes/1/restore").status_code == 200
    assert api("post", f"{p1}/changes/9/restore").status_code == 404


def test_fifty_writers_who_insist_and_retry_lose_nothing(api: Api, p1: str, catalogue: Catalogue) -> None:
    saved: list[int] = []

    def write(number: int) -> None:
        for _ in range(200):
            tag = f'"v{catalogue.newest("p1").version}"'
            response = api("patch", p1, {"price": f"{number + 1}.00"}, If_Match=tag)
            assert response.status_code in {200, 202, 412}
            if response.status_code != 412:
                saved.append(response.status_code)
                return

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, range(50)))
    assert len(saved) == 50
    assert catalogue.newest("p1").version == 1 + saved.count(202)


# Who may


ROLES: list[tuple[str | None, dict[str, int]]] = [
    (None, {"post": 403, "patch": 403, "put": 403, "delete": 403, "history": 403, "deactivate": 403}),
    ("Product viewers", {"post": 403, "patch": 403, "put": 403, "delete": 403, "history": 200, "deactivate": 403}),
    ("Product editors", {"post": 202, "patch": 202, "put": 202, "delete": 403, "history": 200, "deactivate": 403}),
    ("Product admins", {"post": 202, "patch": 202, "put": 202, "delete": 202, "history": 200, "deactivate": 202}),
]


@pytest.mark.parametrize(("group", "allowed"), ROLES)
def test_each_role_may_what_its_group_may(group: str | None, allowed: dict[str, int], p1: str) -> None:
    api = Api(group, name="somebody")
    assert api("post", "/products", BODY | {"name": "Another one"}).status_code == allowed["post"]
    assert api("patch", p1, {"price": "2"}).status_code == allowed["patch"]
    assert api("put", p1, {"price": "3"}).status_code == allowed["put"]
    assert api("get", f"{p1}/changes").status_code == allowed["history"]
    assert api("post", f"{p1}/changes/1/restore").status_code == allowed["patch"]
    assert api("patch", p1, {"active": False}).status_code == allowed["deactivate"]
    Api()("patch", p1, {"active": True})
    assert api("delete", p1).status_code == allowed["delete"]
    Api()("patch", p1, {"active": True})


def test_nobody_writes_without_a_token(world: World) -> None:
    public = Api(anonymous=True)
    for method, path in (("post", "/products"), ("patch", "/products/p1"), ("delete", "/products/p1")):
        refused = public(method, path, BODY)
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
        error_of(refused)


def test_a_token_that_is_expired_altered_or_foreign_is_refused(world: World) -> None:
    expired = token_of("ann", "Product admins", lifetime=timedelta(seconds=-1))
    good = token_of("ann", "Product admins")
    foreign = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."
    for token, sentence in ((expired, "has expired"), (good[:-3], "not valid"), (foreign, "not valid"), ("", "valid")):
        refused = Client().post(
            "/v1.0/products", BODY, "application/json", headers={"Authorization": f"Bearer {token}"}
        )
        assert refused.status_code == 401
        assert sentence in error_of(refused)["message"]


def test_a_session_writes_only_with_its_csrf_token_and_browses(world: World) -> None:
    user = User.objects.create(username="eve", is_staff=True)
    user.groups.add(Group.objects.get(name="Product admins"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post("/v1.0/products", BODY, "application/json").status_code == 403
    page = client.get("/v1.0/products", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    token = page.cookies["csrftoken"].value
    written = client.post("/v1.0/products", BODY, "application/json", headers={"X-CSRFToken": token})
    assert written.status_code == 202


def test_products_made_elsewhere_are_the_same_products(api: Api, catalogue: Catalogue, ann: Any) -> None:
    catalogue.create("p9", fields(name="Made elsewhere"), ann)
    assert api("patch", "/products/p9", {"price": "1"}).json()["version"] == 2
