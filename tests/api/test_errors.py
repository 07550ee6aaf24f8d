"""Error responses: all have the same form, and none is cached."""

import base64

import pytest
from django.test import Client

from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("unwritten")
def test_all_errors_have_one_form_and_are_not_cached(api: Api) -> None:
    public = Api(anonymous=True)
    refused = [
        (400, "Bad Request", api("post", "/products", b"{")),
        (401, "Unauthorized", public("delete", "/products/p1")),
        (403, "Forbidden", Api("Product viewers", name="vic")("delete", "/products/p1")),
        (404, "Not Found", api("get", "/products/never")),
        (405, "Method Not Allowed", api("delete", "/products")),
        (405, "Method Not Allowed", api("post", "/products/p1", fields())),
        (405, "Method Not Allowed", public("get", "/products/p1/changes/1/restore")),
        (406, "Not Acceptable", public("get", "/products", Accept="application/xml")),
        (406, "Not Acceptable", api("get", "/products", Accept="text/csv")),
        (409, "Conflict", api("post", "/products", fields())),
        (412, "Precondition Failed", api("delete", "/products/p1", If_Match='"v9"')),
        (413, "Request Entity Too Large", api("post", "/products", b" " * 200_000)),
        (
            415,
            "Unsupported Media Type",
            api.client.post("/v1.0/products", fields(), headers=api.headers),
        ),
    ]
    for status, error, response in refused:
        body = error_of(response)
        assert (response.status_code, body["error"]) == (status, error)
        assert body["message"].endswith((".", '"'))
        assert isinstance(body["errors"], dict)
        assert set(body) - {"version"} == {"error", "message", "errors", "requestId"}
        assert response["Cache-Control"] == "no-store"
    for method in ("TRACE", "PROPFIND", "FOO"):
        assert Client().generic(method, "/v1.0/products").status_code == 405


@pytest.mark.usefixtures("unwritten")
def test_an_error_message_alone_says_what_to_do(api: Api) -> None:
    """Many clients show only the message."""
    viewer, editor = Api("Product viewers", name="vic"), Api("Product editors", name="ed")
    public = Api(anonymous=True)
    several = {f"x{number}": 1 for number in range(9)}
    cases = [
        (public("get", "/products?limit=0"), "limit: Must be a whole number from 1 to 100."),
        (
            api("patch", "/products/p1", {"renewalPrice": "x"}),
            'renewalPrice: Must be an amount such as "1500.00".',
        ),
        (
            api("patch", "/products/p1", {"name": "", "price": 0}),
            "Some fields are not right: name, price.",
        ),
        (api("patch", "/products/p1", several), ": x0, x1, x2, x3, x4, x5, x6, x7 and others."),
        (
            viewer("delete", "/products/p1"),
            "This requires one of the permissions products.add_product, products.change_product,",
        ),
        (editor("patch", "/products/p1", {"active": False}), "products.delete_product"),
        (public("delete", "/products/p1"), "Authorization: Bearer"),
        (public("get", "/products/"), "Addresses end without a slash."),
        (api("get", "/products", Accept="text/csv"), "application/json"),
        (api("post", "/products", b"\xff{}"), "it is not UTF-8, from byte 1 on"),
    ]
    for refused, sentence in cases:
        assert sentence in error_of(refused)["message"], sentence


@pytest.mark.usefixtures("unwritten")
def test_a_taken_id_or_name_is_refused_under_its_field(api: Api) -> None:
    taken_id = api("post", "/products", fields(productId="p1", name="Another one"))
    assert list(error_of(taken_id)["errors"]) == ["productId"]
    taken_name = api("post", "/products", fields(productId="p2"))
    assert list(error_of(taken_name)["errors"]) == ["name"]


def test_unknown_urls_have_the_same_error_form(world: World) -> None:
    for path in ("/v1.0/nothing", "/v1.0/products/", "/v1.0/products/a/b"):
        refused = Client().get(path)
        assert (refused.status_code, error_of(refused)["error"]) == (404, "Not Found"), path
    page = Client().get("/v1.0/products/never", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    page = Client().get("/nowhere")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert Client().get("/v1.0/products", headers={"Host": "evil.example"}).status_code == 400


def test_malformed_token_headers_are_a_401(world: World) -> None:
    headers = [
        b"[" * 4000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"\xff",
        b"null",
        b'{"alg": null}',
        b'{"alg": ["HS256"]}',
    ]
    headers += [
        b'{"alg": "HS256", "kid": 1}',
        b'{"alg": "HS256", "kid": "\\ud800"}',
        b'{"alg": "RS256"}',
    ]
    for header in (*headers, b'{"n": ' + b"9" * 5000 + b"}"):
        token = f"{base64.urlsafe_b64encode(header).decode().strip('=')}.e30.eA"
        refused = Client().get("/v1.0/products", headers={"Authorization": f"Bearer {token}"})
        assert (refused.status_code, error_of(refused)["message"]) == (
            401,
            "The token is not valid.",
        )
