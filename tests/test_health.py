"""Liveness, readiness, and what callers are told while an engine is away."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from deploy.local.engines import free_port
from tests.clients import Api, error_of
from tests.conftest import forget_wiring
from tests.worlds import World

pytestmark = pytest.mark.django_db
NAMES = {"dynamodb", "sql", "sqs", "opensearch", "cloudfront", "s3"}


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"


def readiness() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def test_a_process_that_lives_says_so(world: World) -> None:
    assert Client().get("/healthz").json() == {"status": "alive"}


def test_each_dependency_is_named(world: World) -> None:
    status, body = readiness()
    assert (status, body) == (200, {"status": "ready", "dependencies": dict.fromkeys(NAMES, "ok")})


def test_what_this_deployment_does_without_is_not_missed(world: World, settings: Any) -> None:
    settings.ENABLE_OPENSEARCH = settings.ENABLE_CLOUDFRONT = False
    forget_wiring()
    status, body = readiness()
    assert (status, body["status"]) == (200, "ready")
    assert body["dependencies"]["opensearch"] == body["dependencies"]["cloudfront"] == "not configured"


@pytest.mark.parametrize("name", ["opensearch", "sqs", "s3", "cloudfront"])
def test_an_engine_writes_can_wait_for_only_degrades(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings.OPENSEARCH_URL = nowhere() if name == "opensearch" else settings.OPENSEARCH_URL
    if name != "opensearch":
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name.upper()}", nowhere())
    forget_wiring()
    status, body = readiness()
    assert (status, body["status"]) == (200, "degraded")
    assert [which for which, state in body["dependencies"].items() if state == "away"] == [name]


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


def test_without_dynamodb_callers_are_asked_to_try_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", nowhere())
    forget_wiring()
    status, body = readiness()
    assert (status, body["dependencies"]["dynamodb"]) == (503, "away")
    api = Api()
    calls = [("get", "/products", None), ("get", "/products/p1", None), ("get", "/products/p1/changes", None)]
    calls += [("patch", "/products/p1", {"price": "1"}), ("delete", "/products/p1", None)]
    for method, path, data in calls:
        response = api(method, path, data)
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert error_of(response)["message"] == "DynamoDB does not answer at the moment."
