"""Edge cases: Vary, meaningless requests, look-alike names, and faults on our side."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from django.test import Client

from deploy.local.engines import free_port
from products.acceptance import Acceptance
from products.changes import Origin
from products.errors import NameTaken
from tests.gameday.fault_proxy import PASS, Proxy
from tests.plugin import address
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_public_responses_vary_by_authorization(api: Api, world: World) -> None:
    api("post", "/products", fields(productId="p1"))
    world.work()
    tag = api("get", "/products/p1")["ETag"]
    for path, headers in (
        ("/products", {}),
        ("/products/p1", {}),
        ("/products/p1", {"If-None-Match": tag}),
    ):
        response = Client().get(f"/v1.0{path}", headers=headers)
        assert "Authorization" in response["Vary"].split(", ")
        assert response["Cache-Control"].startswith("public")


@pytest.mark.parametrize(
    ("method", "path", "headers", "parameter"),
    [
        ("get", "/products/p1/changes?startAt=", {}, "startAt"),
        ("post", "/products", {"If_Match": '"v1"'}, "If-Match"),
        ("post", "/products", {"If_None_Match": "*"}, "If-None-Match"),
        ("put", "/products/p1", {"If_None_Match": "*"}, "If-None-Match"),
        ("patch", "/products/p1", {"If_None_Match": '"v1"'}, "If-None-Match"),
        ("delete", "/products/p1", {"If_None_Match": "*"}, "If-None-Match"),
    ],
)
def test_meaningless_requests_name_their_parameter(
    api: Api, method: str, path: str, headers: dict[str, str], parameter: str
) -> None:
    api("post", "/products", fields(productId="p1"))
    has_body = method in ("post", "put", "patch")
    response = api(method, path, fields(name="Another") if has_body else None, **headers)
    assert response.status_code == 400
    assert list(error_of(response)["errors"]) == [parameter]


def test_names_that_look_the_same_are_duplicates(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(name="Basic"), ann)
    with pytest.raises(NameTaken):
        acceptance.create("p2", fields(name="Ba\u200bsic"), ann)
    acceptance.create("p3", fields(name="Family \U0001f468\u200d\U0001f469\u200d\U0001f467"), ann)


def test_internal_field_names_are_refused_with_a_hint(api: Api) -> None:
    response = api("post", "/products", fields(renewal_price="1.00"))
    assert error_of(response)["errors"] == {
        "renewalPrice": ["There is no field 'renewal_price'; write 'renewalPrice'."]
    }
    assert error_of(api("post", "/products", fields(unknown_field=1)))["errors"].keys() == {
        "unknown_field"
    }


# Faults on our side


def test_an_unavailable_issuer_is_a_503(api: Api, settings: Any) -> None:
    settings.JWKS_URL = f"http://127.0.0.1:{free_port()}/jwks.json"
    settings.JWKS_ISSUER = "https://issuer.example"
    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(
        {"sub": "x", "iss": settings.JWKS_ISSUER}, key, algorithm="ES256", headers={"kid": "k"}
    )
    response = Client().get("/v1.0/products", headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, error_of(response)["message"]) == (
        503,
        "The token issuer does not answer at the moment.",
    )


def test_a_missing_table_is_a_503(api: Api, settings: Any) -> None:
    api("get", "/products/p1")  # caches that the token is not revoked, which is in the same table
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    for method, path, data in (
        ("get", "/products/p1", None),
        ("patch", "/products/p1", {"price": "1"}),
    ):
        response = api(method, path, data)
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert (
            error_of(response)["message"]
            == "DynamoDB does not serve us: ResourceNotFoundException."
        )


def test_a_command_reports_an_unavailable_dependency(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(address("dynamodb"))
    proxy.fault = lambda request: 500 if request.operation else PASS
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    forget_wiring()
    for command in ("seed_products", "ring_open_changes"):
        with pytest.raises(
            CommandError, match=r"DynamoDB does not answer at the moment\. Nothing is lost"
        ):
            call_command(command)
    proxy.close()
