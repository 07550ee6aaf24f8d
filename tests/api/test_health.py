"""What the API can still do while engines are away, what it says meanwhile, and that it recovers by itself."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from deploy.local.engines import free_port
from products.access import tokens
from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db
AWS = ("sqs", "s3", "cloudfront")
Away = Callable[..., None]


@pytest.fixture
def away(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Away:
    """Points the named engines to ports nobody listens on, as if they were gone."""

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
    response = Client().get(path)
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def test_each_dependency_is_named(world: World) -> None:
    everything = dict.fromkeys(("dynamodb", "sql", "opensearch", *AWS), "ok")
    assert state_of("/readyz") == (
        200,
        {"status": "ready", "dependencies": everything, "lastCheck": None},
    )


def test_a_load_balancer_may_ask_by_address(world: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["products.example"]
    by_address = Client(headers={"host": "10.20.0.7:8000"})
    assert [by_address.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    assert by_address.get("/v1.0/products").status_code == 400


def test_what_this_deployment_does_without_is_not_missed(world: World, settings: Any) -> None:
    settings.ENABLE_OPENSEARCH = settings.ENABLE_CLOUDFRONT = False
    forget_wiring()
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (200, "ready")
    assert (
        body["dependencies"]["opensearch"] == body["dependencies"]["cloudfront"] == "not configured"
    )


def test_a_process_lives_whatever_is_away(away: Away) -> None:
    away("dynamodb", "opensearch", *AWS)
    assert state_of("/healthz") == (200, {"status": "alive"})
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (503, "not ready")
    assert body["dependencies"] == dict.fromkeys(("dynamodb", "opensearch", *AWS), "away") | {
        "sql": "ok"
    }
    assert Client().get("/readyz")["Retry-After"] == "5"


@pytest.mark.parametrize("name", ["opensearch", *AWS])
def test_an_engine_writes_can_wait_for_only_degrades(away: Away, name: str) -> None:
    away(name)
    status, body = state_of("/readyz")
    assert (status, body["status"]) == (200, "degraded")
    assert [which for which, state in body["dependencies"].items() if state == "away"] == [name]


def test_a_process_without_all_that_can_wait_is_degraded_and_serves(
    away: Away, world: World
) -> None:
    away("opensearch", *AWS)
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


def test_a_dependency_that_answers_but_lacks_our_part_is_away_and_no_500(
    world: World, settings: Any
) -> None:
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


def test_searches_walk_the_table_while_the_index_is_away(
    away: Away, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for number in range(3):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}", price=f"{9 - number}"), ann)
        pipeline.store(f"p{number}", 1)
    away("opensearch")
    public = Api(anonymous=True)
    found = public("get", "/products?q=hosting&sortBy=price&limit=2")
    assert (found.status_code, found.json()["search"]["source"]) == (200, "table")
    assert [product["productId"] for product in found.json()["products"]] == ["p2", "p1"]
    last = public("get", f"/products?q=hosting&sortBy=price&startAt={found.json()['nextStartAt']}")
    assert [product["productId"] for product in last.json()["products"]] == ["p0"]


def test_without_dynamodb_every_call_says_when_to_try_again_and_none_is_half_done(
    away: Away, world: World, catalogue: Catalogue, ann: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.create("p1", fields(), ann)
    api, public = Api(), Api(anonymous=True)
    assert api("get", "/products/p1").status_code == 200  # the token is known to be good by now
    rung = world.depth(world.queue("products.persist"))
    away("dynamodb")
    status, state = state_of("/readyz")
    assert (status, [name for name, answer in state["dependencies"].items() if answer != "ok"]) == (
        503,
        ["dynamodb"],
    )
    body = fields(productId="p2", name="Another one")
    calls: list[tuple[Api, str, str, Any]] = [
        *(
            (who, "get", path, None)
            for who in (api, public)
            for path in ("/products", "/products/p1")
        ),
        *((who, "get", "/products?q=host", None) for who in (api, public)),
        (api, "get", "/products/p1/changes", None),
        (api, "get", "/products/p1/changes/1", None),
        (api, "post", "/products", body),
        (api, "post", "/products?dryRun=true", body),
        (api, "put", "/products/p1", {"price": "2"}),
        (api, "patch", "/products/p1", {"price": "2"}),
        (api, "delete", "/products/p1", None),
        (api, "post", "/products/p1/changes/1/restore", {}),
    ]
    for who, method, path, data in calls:
        for headers in ({}, {"Idempotency-Key": "k1", "Prefer": "wait=9"}):
            response = who(method, path, data, X_Request_ID="while-it-is-away", **headers)
            assert response.status_code == 503, (method, path, response.content)
            assert response["Retry-After"] == "5"
            error = error_of(response)
            assert error["message"] == "DynamoDB does not answer at the moment."
            assert (error["error"], error["requestId"]) == (
                "Service Unavailable",
                "while-it-is-away",
            )
            assert response["Cache-Control"] == "no-store"
    assert api("post", "/products", {"name": "x"}).status_code == 400  # wrong whoever is away
    assert world.depth(world.queue("products.persist")) == rung
    monkeypatch.undo()
    forget_wiring()
    assert api("post", "/products", body, Idempotency_Key="k1").status_code == 202
    assert api("get", "/products/p1").json()["version"] == 1


def test_a_token_that_can_not_be_looked_up_is_not_taken_and_not_refused_either(away: Away) -> None:
    """It may have been revoked, so nobody is let in on it; but to issue a new one would not help."""
    api = Api("Product viewers")
    tokens.forget_verified_tokens()
    away("dynamodb")
    response = api("get", "/products/p1/changes")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert error_of(response)["message"] == "DynamoDB does not answer at the moment."
    assert Api(anonymous=True)("delete", "/products/p1").status_code == 401
    assert Client().get("/v1.0/products", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_user_database_that_is_away_is_no_500(world: World, settings: Any) -> None:
    """Whoever sends a session's cookie needs SQL; whoever sends a token does not."""
    client, api = Client(), Api("Product viewers")
    client.cookies["sessionid"] = "a" * 32
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO gone")
    response = client.get("/v1.0/products")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert error_of(response)["message"] == "The user database does not answer at the moment."
    assert api("get", "/products").status_code == 200


def test_addresses_and_contract_are_answered_whatever_is_away(away: Away) -> None:
    away("dynamodb", "opensearch", *AWS)
    assert Client().get("/v1.0/schema").status_code == 200
    missing = Client().get("/v1.0/nothing")
    assert (missing.status_code, error_of(missing)["error"]) == (404, "Not Found")
    assert Client().get("/v1.0/products?limit=x").status_code == 400
    assert Client().get("/v1.0/products/a.b").status_code == 400
