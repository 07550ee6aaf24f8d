"""Nothing a caller sends is answered with a 5xx, and nothing is half-written by it."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.clients import Api, error_of
from tests.worlds import World

pytestmark = pytest.mark.django_db
BODY = {"name": "Basic hosting", "description": "Hosting for a first site.", "price": "1500.00"}


@pytest.fixture
def api(world: World) -> Api:
    return Api()


def items(world: World) -> int:
    return len(world.dynamodb.scan(TableName=world.table)["Items"])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Some fields are not right"),
        (b"{", "valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"name": NaN}', "NaN is not a JSON number"),
        (b'{"price": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"name": "a", "name": "b"}', "the key 'name' occurs twice"),
        (b"[" * 9000, "nested too deeply"),
        (b'{"a":' * 1500 + b"1" + b"}" * 1500, ""),
        (b'{"name": "\xff"}', "valid JSON"),
        (b'{"price": ' + b"9" * 5000 + b"}", "valid JSON"),
        (b'{"price": 1e999999999999999999999}', "valid JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(api: Api, world: World, body: bytes, sentence: str) -> None:
    refused = api("post", "/products", body)
    assert refused.status_code == 400
    assert sentence in error_of(refused)["message"]
    assert items(world) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": 1e400}, None),
        ({"price": True}, "price"),
        ({"price": {"amount": 1}}, "price"),
        ({"name": "\ud800abc"}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"renewalPrice": "-1"}, "renewalPrice"),
        ({"billingCycle": "weekly"}, "billingCycle"),
        ({"features": [["a"]]}, "features"),
        ({"active": "no"}, "active"),
        ({"colour": "red"}, "colour"),
        ({"updatedBy": "me"}, "updatedBy"),
        ({"createdAt": "2026-01-01"}, "createdAt"),
        ({"version": 1}, "version"),
        ({"productId": "a b"}, "productId"),
        ({"productId": 7}, "productId"),
        ({"": 1}, ""),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(
    api: Api, world: World, changes: dict[str, Any], field: str | None
) -> None:
    refused = api("post", "/products", json.dumps(BODY | changes).encode())
    assert refused.status_code == 400
    if field is not None:
        assert list(error_of(refused)["errors"]) == [field]
    assert items(world) == 0


def test_a_number_is_read_exactly(api: Api) -> None:
    exact = json.dumps(BODY | {"productId": "p1"}).replace('"1500.00"', "1500.10").encode()
    assert api("post", "/products", exact).status_code == 202
    assert api("get", "/products/p1").json()["price"] == "1500.10"
    assert "price" in error_of(api("patch", "/products/p1", b'{"price": 0.1000000000000000055}'))["errors"]


def test_a_body_over_ten_kilobytes_or_of_another_type_is_refused(api: Api) -> None:
    assert error_of(api("post", "/products", b" " * 10_241))["error"] == "Request Entity Too Large"
    form = Client().post("/v1.0/products", BODY, headers=api.headers)
    assert (form.status_code, error_of(form)["error"]) == (415, "Unsupported Media Type")
    assert error_of(api("get", "/products", Accept="text/csv"))["error"] == "Not Acceptable"
    assert error_of(api("post", "/products/p1", BODY))["error"] == "Method Not Allowed"


@pytest.mark.parametrize("product_id", ["a%20b", "%00", "x" * 65, "%F0%9F%8D%8B", "..", "a.b", "%27%22"])
def test_an_odd_id_is_refused_with_its_rule(api: Api, product_id: str) -> None:
    for method in ("get", "patch", "delete"):
        refused = api(method, f"/products/{product_id}", None if method != "patch" else {"price": "1"})
        assert refused.status_code in {400, 404}
        error_of(refused)
    assert api("get", f"/products/{product_id}/changes").status_code in {400, 404}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("sortBy=name", "sortBy"),
        ("order=up", "order"),
        ("minPrice=cheap", "minPrice"),
        ("maxPrice=1e9", "maxPrice"),
        ("currency=rand", "currency"),
        ("billingCycle=weekly", "billingCycle"),
        ("active=maybe", "active"),
        ("startAt=xyz", "startAt"),
        ("startAt=%00", "startAt"),
        ("q=", "q"),
        (f"q={'x' * 201}", "q"),
        ("colour=red", "colour"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(api: Api, query: str, parameter: str) -> None:
    refused = api("get", f"/products?{query}")
    assert refused.status_code == 400
    assert list(error_of(refused)["errors"]) == [parameter]


def test_a_cursor_belongs_to_its_list_and_nobody_makes_one_up(api: Api) -> None:
    for number in range(3):
        api("post", "/products", BODY | {"name": f"Hosting {number}"})
    cursor = api("get", "/products?limit=1").json()["nextStartAt"]
    assert api("get", f"/products?limit=2&startAt={cursor}").status_code == 200
    for path in (f"?sortBy=price&startAt={cursor}", f"?q=hosting&startAt={cursor}", f"?startAt={cursor[:-2]}AA"):
        assert "startAt" in error_of(api("get", f"/products{path}"))["errors"]


@pytest.mark.parametrize(
    ("header", "value"),
    [("Prefer", "wait=soon"), ("Prefer", "wait=1; until=lunch"), ("If_Match", "v1"), ("If_Match", '"v1", "v2"')],
)
def test_a_header_that_is_not_understood_is_named(api: Api, header: str, value: str) -> None:
    api("post", "/products", BODY | {"productId": "p1"})
    refused = api("patch", "/products/p1", {"price": "1"}, **{header: value})
    assert refused.status_code == 400
    assert list(error_of(refused)["errors"]) == [header.replace("_", "-")]
    assert api("get", "/products/p1").json()["version"] == 1


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.5, 10**12])
def test_a_base_version_that_is_none_is_refused(api: Api, version: Any) -> None:
    api("post", "/products", BODY | {"productId": "p1"})
    assert "version" in error_of(api("patch", "/products/p1", {"price": "1", "version": version}))["errors"]


def test_addresses_nobody_answers_have_the_same_form(api: Api) -> None:
    for path in ("/v1.0/nothing", "/v1.0/products/", "/v1.0/products/a/b", "/nowhere"):
        refused = Client().get(path)
        assert refused.status_code == 404
        error_of(refused)
    assert Client().get("/v1.0/products", headers={"Host": "evil.example"}).status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["productId", "name", "description", "price", "renewalPrice", "currency", "features", "period"]
)


@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(body=st.binary(max_size=60) | st.dictionaries(FIELDS, JSON, max_size=5).map(lambda d: json.dumps(d).encode()))
def test_no_body_whatever_is_answered_with_a_5xx(api: Api, body: bytes) -> None:
    for method, path in (("post", "/products?dryRun=true"), ("patch", "/products/p1")):
        refused = api(method, path, body)
        assert refused.status_code < 500
        if refused.status_code >= 400:
            error_of(refused)
