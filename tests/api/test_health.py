"""Health checks and outages: what the API can do without its dependencies, and how it recovers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from deploy.local.engines import free_port
from products.acceptance import Acceptance
from products.access import tokens
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.api_client import Api, error_of, token_of
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.processes import until
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db
AWS = ("sqs", "s3", "cloudfront")
MakeUnavailable = Callable[..., None]


@pytest.fixture
def make_unavailable(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> MakeUnavailable:
    """Return a function that makes the named dependencies unavailable: nobody listens there."""

    def point(*names: str) -> None:
        for name in names:
            nowhere = f"http://127.0.0.1:{free_port()}"
            if name == "opensearch":
                settings.OPENSEARCH_URL = nowhere
            else:
                monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name.upper()}", nowhere)
        forget_wiring()

    return point


def state_of(path: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the body that staff get."""
    session = Client()
    session.force_login(User.objects.get_or_create(username="vera", is_superuser=True)[0])
    response = session.get(path)
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def test_readiness_names_each_dependency(world: World) -> None:
    everything = dict.fromkeys(("dynamodb", "sql", "opensearch", *AWS), "ok")
    assert state_of("/readyz") == (
        200,
        {"status": "ready", "dependencies": everything, "lastCheck": None},
    )


def test_the_public_gets_the_verdict_of_readiness_only(
    make_unavailable: MakeUnavailable, world: World
) -> None:
    details = {"status", "dependencies", "lastCheck"}
    viewers, nobody = token_of("ann", "Product viewers"), token_of("ben", None)
    for token, fields_shown in (("", {"status"}), (nobody, {"status"}), (viewers, details)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert Client().get("/readyz", headers=headers).json().keys() == fields_shown
    assert Client(headers={"cookie": "sessionid=unknown"}).get("/readyz").json().keys() == {
        "status"
    }
    make_unavailable("opensearch")
    assert Client().get("/readyz").json() == {"status": "ready"}
    assert state_of("/readyz")[1]["status"] == "degraded"
    make_unavailable("dynamodb")
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "not ready"})


def test_health_checks_work_by_ip_address(world: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["products.example"]
    by_address = Client(headers={"host": "10.20.0.7:8000"})
    assert [by_address.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    assert by_address.get("/v1.0/products").status_code == 400


def test_dependencies_that_are_switched_off_are_not_required(world: World, settings: Any) -> None:
    settings.ENABLE_OPENSEARCH = settings.ENABLE_CLOUDFRONT = False
    forget_wiring()
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (200, "ready")
    assert (
        body["dependencies"]["opensearch"] == body["dependencies"]["cloudfront"] == "not configured"
    )


def test_liveness_needs_no_dependency(make_unavailable: MakeUnavailable) -> None:
    make_unavailable("dynamodb", "opensearch", *AWS)
    assert state_of("/healthz") == (200, {"status": "alive"})
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (503, "not ready")
    assert body["dependencies"] == dict.fromkeys(("dynamodb", "opensearch", *AWS), "away") | {
        "sql": "ok"
    }
    assert Client().get("/readyz")["Retry-After"] == "5"


@pytest.mark.parametrize("name", ["opensearch", *AWS])
def test_an_unavailable_effect_dependency_only_degrades(
    make_unavailable: MakeUnavailable, name: str
) -> None:
    make_unavailable(name)
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (200, "degraded")
    assert [which for which, state in body["dependencies"].items() if state == "away"] == [name]


def test_the_api_serves_without_all_effect_dependencies(
    make_unavailable: MakeUnavailable, world: World
) -> None:
    make_unavailable("opensearch", *AWS)
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (200, "degraded")
    assert {name for name, state in body["dependencies"].items() if state == "ok"} == {
        "dynamodb",
        "sql",
    }
    assert "Retry-After" not in Client().get("/readyz")
    api = Api()
    assert api("post", "/products", fields(productId="p1")).status_code == 202
    assert (
        api("patch", "/products/p1", {"price": "2"}, Prefer="wait=0; until=searchable").status_code
        == 202
    )
    assert api("get", "/products/p1").json()["price"] == "2.00"
    assert api("get", "/products").json()["count"] == 1
    assert api("get", "/products/p1/changes/2").json()["status"] == "accepted"


def test_a_missing_bucket_index_or_table_is_unavailable(world: World, settings: Any) -> None:
    settings.SEARCH_ALIAS, settings.AUDIT_BUCKET = "no-such-alias", "no-such-bucket"
    forget_wiring()
    status, body = state_of("/readyz")
    assert (status, body["dependencies"]["opensearch"], body["dependencies"]["s3"]) == (
        200,
        "away",
        "away",
    )
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    assert state_of("/readyz")[0] == 503


def test_searches_read_the_table_without_an_index(
    make_unavailable: MakeUnavailable, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    for number in range(3):
        product = fields(name=f"Hosting {number}", price=f"{9 - number}")
        acceptance.create(f"p{number}", product, ann)
        deliver(pipeline.store, f"p{number}", 1)
    make_unavailable("opensearch")
    public = Api(anonymous=True)
    found = public("get", "/products?q=hosting&sortBy=price&limit=2")
    assert (found.status_code, found.json()["search"]["source"]) == (200, "table")
    assert [product["productId"] for product in found.json()["products"]] == ["p2", "p1"]
    last = public("get", f"/products?q=hosting&sortBy=price&startAt={found.json()['nextStartAt']}")
    assert [product["productId"] for product in last.json()["products"]] == ["p0"]


def test_a_missing_table_index_is_named_for_staff_only(world: World) -> None:
    lost = [{"Delete": {"IndexName": "ProductsByNameIndex"}}]
    world.dynamodb.update_table(TableName=world.table, GlobalSecondaryIndexUpdates=lost)

    def sentence() -> str:
        forget_wiring()
        return str(state_of("/readyz")[1]["dependencies"]["dynamodb"])

    until(lambda: sentence() != "ok")
    assert sentence() == (
        "The table lacks the index ProductsByNameIndex. `manage.py add_indexes` adds what it lacks."
    )
    assert state_of("/readyz")[1]["status"] == "degraded"
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


READS = [
    "/products",
    "/products/p1",
    "/products?q=host",
    "/products/p1/changes",
    "/products/p1/changes/1",
]
PRODUCT = fields(productId="p2", name="Another one")
WRITES: list[tuple[str, str, Any]] = [
    ("post", "/products", PRODUCT),
    ("post", "/products?dryRun=true", PRODUCT),
    ("put", "/products/p1", {"price": "2"}),
    ("patch", "/products/p1", {"price": "2"}),
    ("delete", "/products/p1", None),
    ("post", "/products/p1/changes/1/restore", {}),
]


def check_outage_response(client: Api, method: str, path: str, data: Any, **headers: str) -> None:
    response = client(method, path, data, X_Request_ID="during-the-outage", **headers)
    assert response.status_code == 503, (method, path, response.content)
    assert response["Retry-After"] == "5"
    error = error_of(response)
    assert error["message"] == "DynamoDB does not answer at the moment."
    assert error["error"] == "Service Unavailable"
    assert error["requestId"] == "during-the-outage"
    assert response["Cache-Control"] == "no-store"


def test_without_dynamodb_all_calls_are_a_503_and_change_nothing(
    make_unavailable: MakeUnavailable,
    world: World,
    acceptance: Acceptance,
    ann: Origin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acceptance.create("p1", fields(), ann)
    api, public = Api(), Api(anonymous=True)
    assert api("get", "/products/p1").status_code == 200  # caches that the token is not revoked
    queued = world.depth(world.queue("products.persist"))
    make_unavailable("dynamodb")
    status, state = state_of("/readyz")
    unavailable = [name for name, value in state["dependencies"].items() if value != "ok"]
    assert (status, unavailable) == (503, ["dynamodb"])
    for headers in ({}, {"Idempotency-Key": "k1", "Prefer": "wait=9"}):
        for path in READS:
            check_outage_response(api, "get", path, None, **headers)
        for path in READS[:3]:
            check_outage_response(public, "get", path, None, **headers)
        for method, path, data in WRITES:
            check_outage_response(api, method, path, data, **headers)
    assert api("post", "/products", {"name": "x"}).status_code == 400  # needs no database
    assert world.depth(world.queue("products.persist")) == queued
    monkeypatch.undo()
    forget_wiring()
    assert api("post", "/products", PRODUCT, Idempotency_Key="k1").status_code == 202
    assert api("get", "/products/p1").json()["version"] == 1


def test_a_token_that_cannot_be_looked_up_is_a_503(make_unavailable: MakeUnavailable) -> None:
    """It may be revoked, so it is not accepted; but a 401 would make the client get a new one."""
    api = Api("Product viewers")
    tokens.forget_verified_tokens()
    make_unavailable("dynamodb")
    response = api("get", "/products/p1/changes")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert error_of(response)["message"] == "DynamoDB does not answer at the moment."
    assert Api(anonymous=True)("delete", "/products/p1").status_code == 401
    assert Client().get("/v1.0/products", headers={"Authorization": "Bearer x"}).status_code == 401


def test_an_unavailable_user_database_is_a_503(world: World, settings: Any) -> None:
    """A session needs SQL; a token does not."""
    client, api = Client(), Api("Product viewers")
    client.cookies["sessionid"] = "a" * 32
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO gone")
    response = client.get("/v1.0/products")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert error_of(response)["message"] == "The user database does not answer at the moment."
    assert api("get", "/products").status_code == 200


def test_contract_and_client_errors_need_no_dependency(make_unavailable: MakeUnavailable) -> None:
    make_unavailable("dynamodb", "opensearch", *AWS)
    assert Client().get("/v1.0/schema").status_code == 200
    missing = Client().get("/v1.0/nothing")
    assert (missing.status_code, error_of(missing)["error"]) == (404, "Not Found")
    assert Client().get("/v1.0/products?limit=x").status_code == 400
    assert Client().get("/v1.0/products/a.b").status_code == 400
