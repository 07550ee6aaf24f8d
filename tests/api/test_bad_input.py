"""Invalid requests: each is refused in the API's error form and changes nothing."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from products.api.parsers import MAX_BODY_BYTES, MAX_DEPTH
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db
BOUNDED = hypothesis_settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return b'{"features": ' + opening * depth + b"1" + closing * depth + b"}"


# Bodies


MALFORMED: list[tuple[bytes, str]] = [
    (b" ", "valid JSON"),
    (b"nul", "valid JSON"),
    (b"{", "valid JSON"),
    (b"[]", "must be a JSON object"),
    (b'"text"', "must be a JSON object"),
    (b"null", "must be a JSON object"),
    (b"17", "must be a JSON object"),
    (b"true", "must be a JSON object"),
    (b'[{"name": "Basic hosting"}]', "must be a JSON object"),
    (b'{"name": "Basic hosting"} {}', "valid JSON"),
    (b"{'name': 'Basic hosting'}", "valid JSON"),
    (b'{"name": "Basic hosting",}', "valid JSON"),
    (b'{"name": "Basic\nhosting"}', "valid JSON"),
    (b'{"name": "\\x41"}', "valid JSON"),
    (b'\xef\xbb\xbf{"price": "1"}', "valid JSON"),
    ('{"price": "1"}'.encode("utf-16"), "valid JSON"),
    (b'{"name": "\xff"}', "valid JSON"),
    (b'{"name": "\xed\xa0\x80"}', "valid JSON"),
    (b'{"name": "\xc0\xaf"}', "valid JSON"),
    (b"\x00", "valid JSON"),
    (b'{"price": Infinity}', "Infinity is not a JSON number"),
    (b'{"price": -Infinity}', "-Infinity is not a JSON number"),
    (b'{"features": [NaN]}', "NaN is not a JSON number"),
    (b'{"price": 01}', "valid JSON"),
    (b'{"price": 1e1000000000000000000000}', "a number is out of range"),
    *(
        (b'{"price": ' + b"9" * digits + b"}", "a number is out of range")
        for digits in (101, 5000, 9000)
    ),
    (b'{"price": "1", "price": "1"}', "the key 'price' occurs twice"),
    (b'{"features": [{"a": 1, "a": 2}]}', "the key 'a' occurs twice"),
    (b'{"\\ud800": 1}', "contains an unpaired surrogate"),
    (b'{"features": [{"\\udfff": 1}]}', "contains an unpaired surrogate"),
    (nested(b"[", b"]", MAX_DEPTH), "nested too deeply"),
    (nested(b"[", b"]", 990), "nested too deeply"),
    (b'{"a":' * 1500 + b"1" + b"}" * 1500, "nested too deeply"),
    (nested(b"[", b"]", 4900), "nested too deeply"),
    (nested(b'{"a":', b"}", 900), "nested too deeply"),
    (b"[" * MAX_BODY_BYTES, "nested too deeply"),
]


@pytest.mark.usefixtures("unwritten")
def test_a_body_that_is_not_a_json_object_is_refused(api: Api) -> None:
    for body, reason in MALFORMED:
        for method, path in (
            ("post", "/products"),
            ("put", "/products/p1"),
            ("patch", "/products/p1"),
        ):
            for headers in ({}, {"Idempotency_Key": "k1"}, {"Accept": "text/html"}):
                refused = api(method, path, body, **headers)
                assert refused.status_code == 400, body
                if "Accept" not in headers:
                    assert reason in error_of(refused)["message"], body
                    assert error_of(refused)["errors"] == {}
                    assert "class" not in error_of(refused)["message"]


INVALID_VALUES = {
    "price": [
        "1e400",
        "1e9999999",
        "1e999999999999999999",
        "-1e-999",
        "0.001",
        "0",
        "1" * 100,
        "null",
        "true",
        '{"amount": 1}',
    ],
    "renewalPrice": ['"-1"', "1e-400", "[]", '"1e2"', '"0x10"', '"\\u0661"', '"1,5"'],
    "name": [
        *(
            '"\\ud800abc"',
            '"abc\\u0000"',
            '"ab"',
            '"   "',
            "[]",
            "1.5",
            '"a\\nb\\nc"',
            f'"{"x" * 101}"',
        ),
        *('"\\u200b\\u200b\\u200b\\u200b"', '"ab\\u200b\\u200b"'),  # invisible
        *('"\\u202eBasic"', '"\\u2066Basic\\u2069"'),  # bidirectional overrides
    ],
    "description": [
        '"\\udc00 is half a character"',
        '"short"',
        "{}",
        f'"{"x" * 501}"',
        '"bell \\u0007 bell"',
    ],
    "currency": ['"zar"', '"XXX"', "1e3", "null", '["ZAR"]', '"\\ud800"'],
    "billingCycle": ['"weekly"', '"YEARLY"', "{}", "[[]]", "1.0", '"\\ud800"'],
    "period": ['"abc"', "7", "[]", '"\\ud83d"'],
    "features": [
        '[["a"]]',
        '"SSL"',
        "{}",
        "[[[[]]]]",
        '[""]',
        "[1]",
        '["\\ud800 hosting"]',
        json.dumps(["SSL"] * 21),
    ],
    "active": ['"no"', '"true"', "1", "0.0", "null"],
    "colour": ['"red"', "null", "[]", '"\\ud800"', "1e999999999999999999"],
    "": ["1"],
    "createdAt": ['"2026-01-01"'],
    "updatedBy": ['"me"', "[]"],
}
"""For each field, values in JSON that its rule refuses."""


@pytest.mark.usefixtures("unwritten")
def test_an_invalid_value_is_refused_under_its_field(api: Api) -> None:
    calls = [("post", "/products", fields()), ("patch", "/products/p1", {})]
    for field, values in INVALID_VALUES.items():
        for value in values:
            for method, path, valid_fields in calls:
                body = body_with(field, value, valid_fields)
                for headers in ({}, {"Idempotency_Key": "k1"}):
                    refused = api(method, path, body, **headers)
                    assert refused.status_code == 400, (field, value)
                    assert list(error_of(refused)["errors"]) == [field], (field, value)


def body_with(field: str, value: str, valid_fields: dict[str, Any]) -> bytes:
    """Return a JSON object in which the field has this text, valid JSON or not."""
    texts = {name: json.dumps(valid) for name, valid in valid_fields.items()}
    texts[field] = value
    members = [f'"{name}": {text}' for name, text in texts.items()]
    return f"{{{', '.join(members)}}}".encode()


@pytest.mark.usefixtures("unwritten")
def test_all_invalid_fields_are_reported_together(api: Api) -> None:
    body = {"name": "ab", "price": "free", "colour": "red", "renewalPrice": "0", "ProductID": "p2"}
    refused = api("post", "/products", body)
    assert set(error_of(refused)["errors"]) == {*body, "description"}
    for texts in error_of(refused)["errors"].values():
        assert len(texts) == 1
        assert texts[0].endswith(".")
    inconsistent = api("post", "/products", fields(renewalPrice="1.00"))
    assert list(error_of(inconsistent)["errors"]) == ["renewalPrice"]
    empty = error_of(api("post", "/products", b""))
    assert (empty["message"][:25], set(empty["errors"])) == (
        "Some fields are not right",
        set(fields()),
    )
    versioned = api("post", "/products", fields(name="Another one", version=1))
    assert list(error_of(versioned)["errors"]) == ["version"]


@pytest.mark.usefixtures("unwritten")
def test_an_invalid_base_version_is_refused(api: Api) -> None:
    for version in (0, -1, True, "1", 1.5, 10**12):
        refused = api("patch", "/products/p1", {"price": "1", "version": version})
        assert refused.status_code == 400, version
        assert list(error_of(refused)["errors"]) == ["version"], version


def test_numbers_are_read_exactly(api: Api) -> None:
    exact = json.dumps(fields(productId="p1")).replace('"1500.00"', "1500.10").encode()
    assert api("post", "/products", exact).status_code == 202
    assert api("get", "/products/p1").json()["price"] == "1500.10"
    assert (
        "price"
        in error_of(api("patch", "/products/p1", b'{"price": 0.1000000000000000055}'))["errors"]
    )


def test_a_body_has_a_maximum_size(api: Api, world: World) -> None:
    sizes = {MAX_BODY_BYTES: 202, MAX_BODY_BYTES + 1: 413, 900_000: 413, 1_500_000: 413}
    for number, (size, status) in enumerate(sizes.items()):
        product = fields(name=f"Hosting {number}", productId=f"p{number}")
        body = json.dumps(product).encode()
        response = api("post", "/products", body + b" " * (size - len(body)))
        assert response.status_code == status
        if status == 413:
            assert f"{MAX_BODY_BYTES} bytes" in error_of(response)["message"]
            assert world.change(f"p{number}", 1) is None


@pytest.mark.usefixtures("unwritten")
def test_only_json_is_accepted(api: Api) -> None:
    body = json.dumps(fields(name="Another one")).encode()
    kinds = [
        "",
        "json",
        ";",
        "text/plain",
        "text/json",
        "application/xml",
        "application/json-patch+json",
    ]
    kinds += [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=\xff",
    ]
    for kind in kinds:
        for method, path in (("POST", "/v1.0/products"), ("PATCH", "/v1.0/products/p1")):
            refused = api.client.generic(method, path, body, content_type=kind, headers=api.headers)
            assert refused.status_code == 415, kind
            assert error_of(refused)["error"] == "Unsupported Media Type"


# Anything at all


SURROGATES = st.text(st.characters(categories=["Cs", "Ll", "Cc", "Zs"]), max_size=6)
NAMES = st.sampled_from(
    [*fields(), "productId", "renewalPrice", "currency", "period", "features", "active", "version"]
)
NUMBERS = st.integers() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | SURROGATES | st.text(max_size=20)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = st.lists(inner, max_size=3)
    objects = st.dictionaries(SURROGATES, inner, max_size=3)
    return arrays | objects


JSON = st.recursive(SCALARS, containers, max_leaves=6)
OBJECTS = st.dictionaries(NAMES | SURROGATES, JSON, max_size=5)
BODIES = st.binary(max_size=60) | OBJECTS.map(lambda body: json.dumps(body).encode())
LATIN_1 = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Accept", "Authorization", "If-None-Match", "Prefer", "If-Match", "X-Request-ID", "Origin"]
    ),
    LATIN_1
    | st.sampled_from(
        ["*", "*/*", "text/html", "wait=0", "Bearer x.y.z", '"v1"', "application/json; indent=x"]
    ),
)
QUERY = st.dictionaries(
    st.sampled_from(["q", "startAt", "limit", "minPrice", "x"]), LATIN_1, max_size=2
)


@BOUNDED
@given(body=BODIES, key=st.booleans())
def test_no_body_causes_a_5xx(api: Api, p1: str, body: bytes, key: bool) -> None:
    headers = {"Idempotency-Key": "k1"} if key else {}
    calls = [("post", "/products?dryRun=true"), ("post", "/products")]
    calls += [(method, p1) for method in ("put", "patch", "delete")]
    for method, path in calls:
        response = api(method, path, body, **headers)
        assert response.status_code < 500
        if response.status_code >= 400:
            error_of(response)


@BOUNDED
@given(headers=HEADERS, query=QUERY)
def test_no_header_or_query_causes_a_5xx(
    world: World, headers: dict[str, str], query: dict[str, str]
) -> None:
    for path in ("/v1.0/products", "/v1.0/products/p1", "/v1.0/products/p1/changes"):
        assert Client().get(path, query, headers=headers).status_code < 500
    assert (
        Client().post("/v1.0/products", b"{", "application/json", headers=headers).status_code < 500
    )
