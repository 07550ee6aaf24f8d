"""Whatever a caller sends: it is understood, or refused in the one form, and then nothing of it is kept."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from products.api.requests import BODY_MOST, DEPTH_MOST
from tests.clients import Api, error_of
from tests.worlds import World

pytestmark = pytest.mark.django_db
BODY = {"name": "Basic hosting", "description": "Hosting for a first site.", "price": "1500.00"}
BOUNDED = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.fixture
def api(world: World) -> Api:
    return Api()


@pytest.fixture
def unwritten(api: Api, world: World) -> Iterator[None]:
    """Product p1 is there; when the test is over, the table and the queue are what they were."""
    assert api("post", "/products", BODY | {"productId": "p1"}).status_code == 202
    before, rung = items(world), world.depth(world.queue("products.persist"))
    yield
    assert items(world) == before
    assert world.depth(world.queue("products.persist")) == rung


def items(world: World) -> list[dict[str, Any]]:
    return sorted(world.dynamodb.scan(TableName=world.table)["Items"], key=json.dumps)


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return b'{"features": ' + opening * depth + b"1" + closing * depth + b"}"


# Bodies


MALFORMED: list[tuple[bytes, str]] = [
    (b" ", "valid JSON"),
    (b"nul", "valid JSON"),
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
    (b'{"name": "\xed\xa0\x80"}', "valid JSON"),
    (b'{"name": "\xc0\xaf"}', "valid JSON"),
    (b"\x00", "valid JSON"),
    (b'{"price": Infinity}', "Infinity is not a JSON number"),
    (b'{"features": [NaN]}', "NaN is not a JSON number"),
    (b'{"price": 01}', "valid JSON"),
    (b'{"price": 1e1000000000000000000000}', "a number is out of all bounds"),
    (b'{"price": ' + b"9" * 9000 + b"}", "valid JSON"),
    (b'{"price": "1", "price": "1"}', "the key 'price' occurs twice"),
    (b'{"features": [{"a": 1, "a": 2}]}', "the key 'a' occurs twice"),
    (b'{"\\ud800": 1}', "holds half a character"),
    (b'{"features": [{"\\udfff": 1}]}', "holds half a character"),
    (nested(b"[", b"]", DEPTH_MOST), "nested too deeply"),
    (nested(b"[", b"]", 990), "nested too deeply"),
    (nested(b"[", b"]", 4900), "nested too deeply"),
    (nested(b'{"a":', b"}", 900), "nested too deeply"),
    (b"[" * BODY_MOST, "nested too deeply"),
]


@pytest.mark.usefixtures("unwritten")
def test_a_body_that_is_no_json_object_is_refused_with_its_reason(api: Api) -> None:
    for body, reason in MALFORMED:
        for method, path in (("post", "/products"), ("put", "/products/p1"), ("patch", "/products/p1")):
            for headers in ({}, {"Idempotency_Key": "k1"}, {"Accept": "text/html"}):
                refused = api(method, path, body, **headers)
                assert refused.status_code == 400, body
                if "Accept" not in headers:
                    assert reason in error_of(refused)["message"], body
                    assert error_of(refused)["errors"] == {}
                    assert "class" not in error_of(refused)["message"]


@pytest.mark.usefixtures("unwritten")
def test_a_value_that_breaks_a_rule_is_refused_at_its_field_however_odd_it_is(api: Api) -> None:
    raw = {
        "price": ["1e400", "1e9999999", "1e999999999999999999", "-1e-999", "0.001", "0", "1" * 4000, "null", "true"],
        "renewalPrice": ["1e-400", "[]", '"1e2"', '"0x10"', '"\\u0661"', '"1,5"'],
        "name": ['"\\ud800abc"', '"abc\\u0000"', '"ab"', '"   "', "[]", "1.5", '"a\\nb\\nc"', f'"{"x" * 101}"'],
        "description": ['"\\udc00 is half a character"', '"short"', "{}", f'"{"x" * 501}"', '"bell \\u0007 bell"'],
        "currency": ['"zar"', '"XXX"', "1e3", "null", '["ZAR"]', '"\\ud800"'],
        "billingCycle": ['"YEARLY"', "{}", "[[]]", "1.0", '"\\ud800"'],
        "period": ['"abc"', "7", "[]", '"\\ud83d"'],
        "features": ['"SSL"', "{}", "[[[[]]]]", '[""]', "[1]", '["\\ud800 hosting"]', json.dumps(["SSL"] * 21)],
        "active": ['"true"', "1", "0.0", "null"],
        "colour": ["null", "[]", '"\\ud800"', "1e999999999999999999"],
        "updatedBy": ['"me"', "[]"],
    }
    for field, values in raw.items():
        for value in values:
            for method, path in (("post", "/products"), ("patch", "/products/p1")):
                sent = {name: json.dumps(text) for name, text in BODY.items() if method == "post"} | {field: value}
                body = "{" + ", ".join(f'"{name}": {text}' for name, text in sent.items()) + "}"
                for headers in ({}, {"Idempotency_Key": "k1"}):
                    refused = api(method, path, body.encode(), **headers)
                    assert refused.status_code == 400, (field, value)
                    assert list(error_of(refused)["errors"]) == [field], (field, value)


@pytest.mark.usefixtures("unwritten")
def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    body = {"name": "ab", "price": "free", "colour": "red", "renewalPrice": "0", "ProductID": "p2"}
    refused = api("post", "/products", body)
    assert set(error_of(refused)["errors"]) == {*body, "description"}
    assert all(len(texts) == 1 and texts[0].endswith(".") for texts in error_of(refused)["errors"].values())
    agree = api("post", "/products", BODY | {"renewalPrice": "1.00"})
    assert list(error_of(agree)["errors"]) == ["renewalPrice"]


def test_a_body_may_have_ten_kilobytes_and_not_a_byte_more(api: Api, world: World) -> None:
    for number, (size, status) in enumerate(((BODY_MOST, 202), (BODY_MOST + 1, 413), (900_000, 413), (1_500_000, 413))):
        body = json.dumps(BODY | {"name": f"Hosting {number}", "productId": f"p{number}"}).encode()
        answer = api("post", "/products", body + b" " * (size - len(body)))
        assert answer.status_code == status
        if status == 413:
            assert f"{BODY_MOST} bytes" in error_of(answer)["message"]
            assert world.change(f"p{number}", 1) is None


@pytest.mark.usefixtures("unwritten")
def test_only_json_is_taken(api: Api) -> None:
    body = json.dumps(BODY | {"name": "Another one"}).encode()
    kinds = ["", "json", ";", "text/plain", "text/json", "application/xml", "application/merge-patch+json"]
    kinds += ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=\xff"]
    for kind in kinds:
        for method, path in (("POST", "/v1.0/products"), ("PATCH", "/v1.0/products/p1")):
            refused = api.client.generic(method, path, body, content_type=kind, headers=api.headers)
            assert refused.status_code == 415, kind
            assert error_of(refused)["error"] == "Unsupported Media Type"


# Addresses, methods, headers


@pytest.mark.usefixtures("unwritten")
def test_an_odd_id_is_refused_on_every_address(api: Api) -> None:
    odd = [
        "a%20b",
        "%00",
        "x" * 65,
        "%F0%9F%8D%8B",
        "a.b",
        "%27%22",
        "%ff",
        "%ED%A0%80",
        "p1%0A",
        "%C3%A9",
        "~",
        "p1;x",
    ]
    for product_id in odd:
        calls: list[tuple[str, str, Any]] = [("get", "", None), ("put", "", {"price": "1"}), ("delete", "", None)]
        calls += [("get", "/changes", None), ("get", "/changes/1", None), ("post", "/changes/1/restore", None)]
        for method, suffix, data in calls:
            refused = api(method, f"/products/{product_id}{suffix}", data)
            assert refused.status_code == 400, (product_id, method, suffix)
            assert list(error_of(refused)["errors"]) == ["productId"]
        if "%" not in product_id:
            refused = api("post", "/products", BODY | {"name": "Another one", "productId": product_id})
            assert list(error_of(refused)["errors"]) == ["productId"]
    unlike: list[Any] = ["", 7, True, [], {}, "\u0661", "p1\n"]
    for wrong in unlike:
        refused = api("post", "/products", BODY | {"name": "Another one", "productId": wrong})
        assert list(error_of(refused)["errors"]) == ["productId"]


@pytest.mark.usefixtures("unwritten")
def test_a_version_nobody_can_have_is_not_found(api: Api) -> None:
    numbers = ["0", "00", "2", "9" * 12, "9" * 13, "9" * 1000, "9" * 1100, "9" * 4000, "9" * 4301]
    for version in (*numbers, "-1", "1.0", "v1", "%D9%A1", "1e3", "+1", "%00"):
        address = f"/products/p1/changes/{version}"
        for method, path in (("get", address), ("post", f"{address}/restore")):
            refused = api(method, path)
            assert refused.status_code == 404, (method, version[:20])
            error_of(refused)
    for as_of in ("0", "9" * 13, "-1", "1.0", "2026-13-01", "2026-02-30T00:00", "now", "%00", "9" * 5000):
        assert list(error_of(api("get", f"/products/p1?asOf={as_of}"))["errors"]) == ["asOf"]
    for moment in ("0001-01-01T00:00:00%2B14:00", "2026-01-01"):
        assert api("get", f"/products/p1?asOf={moment}").status_code == 404
    assert api("get", "/products/p1?asOf=9999-12-31T23:59:59-14:00").status_code == 200


HEADERS: dict[str, list[str]] = {
    "Prefer": [
        *("wait", "wait=", "wait=-1", "wait=1.5", "wait=1e3", "wait=\xb9", "wait=9999999999"),
        *("wait=1; until", "wait=0; until=Stored", "wait=0; until=complete", 'wait=0; until="stored purged"'),
    ],
    "If-Match": [
        *("", "v1", "1", '"1"', '"v"', '"v-1"', '"v1', 'W/"v1"', '"v1.0"', '"v1", "v2"', '"V1"', "\xb9"),
        *('"v9999999999999"', f'"v{"9" * 5000}"', '"v\xb2"'),
    ],
    "Idempotency-Key": ["", " ", "a b", "x" * 256, "\xe9", "a\tb"],
}


@pytest.mark.usefixtures("unwritten")
def test_a_header_that_is_not_understood_is_refused_by_its_name(api: Api) -> None:
    calls: list[tuple[str, str, Any]] = [("patch", "/products/p1", {"price": "1"}), ("delete", "/products/p1", None)]
    calls += [("post", "/products", BODY | {"name": "Another one"}), ("post", "/products/p1/changes/1/restore", None)]
    for header, value in ((header, value) for header, values in HEADERS.items() for value in values):
        for method, path, data in calls:
            refused = api(method, path, data, **{header: value})
            assert refused.status_code == 400, (header, value)
            assert list(error_of(refused)["errors"]) == [header], (header, value)


@pytest.mark.usefixtures("unwritten")
def test_preferences_nobody_knows_are_ignored(api: Api) -> None:
    for value in ("", ",;,", "return=minimal", "respond-async", "until=lunch", "x=" + "y" * 5000):
        assert api("patch", "/products/p1", {}, Prefer=value).status_code == 200


@pytest.mark.usefixtures("unwritten")
def test_every_refusal_has_the_one_form_and_is_kept_by_no_cache(api: Api) -> None:
    public = Api(anonymous=True)
    refused = [
        (400, "Bad Request", api("post", "/products", b"{")),
        (401, "Unauthorized", public("delete", "/products/p1")),
        (403, "Forbidden", Api("Product viewers", name="vic")("delete", "/products/p1")),
        (404, "Not Found", api("get", "/products/never")),
        (405, "Method Not Allowed", api("delete", "/products")),
        (405, "Method Not Allowed", public("get", "/products/p1/changes/1/restore")),
        (406, "Not Acceptable", public("get", "/products", Accept="application/xml")),
        (409, "Conflict", api("post", "/products", BODY)),
        (412, "Precondition Failed", api("delete", "/products/p1", If_Match='"v9"')),
        (413, "Request Entity Too Large", api("post", "/products", b" " * 20_000)),
        (415, "Unsupported Media Type", api.client.post("/v1.0/products", BODY, headers=api.headers)),
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


def test_a_tokens_header_of_any_shape_is_only_refused(world: World) -> None:
    heads = [b"[" * 4000, b'{"a":' * 900 + b"1" + b"}" * 900, b"\xff", b"null", b'{"alg": null}', b'{"alg": ["HS256"]}']
    heads += [b'{"alg": "HS256", "kid": 1}', b'{"alg": "HS256", "kid": "\\ud800"}', b'{"alg": "RS256"}']
    for head in (*heads, b'{"n": ' + b"9" * 5000 + b"}"):
        token = f"{base64.urlsafe_b64encode(head).decode().strip('=')}.e30.eA"
        refused = Client().get("/v1.0/products", headers={"Authorization": f"Bearer {token}"})
        assert (refused.status_code, error_of(refused)["message"]) == (401, "The token is not valid.")


# Anything at all


HALVES = st.text(st.characters(categories=["Cs", "Ll", "Cc", "Zs"]), max_size=6)
NAMES = st.sampled_from(["productId", "name", "price", "renewalPrice", "features", "active", "version"]) | HALVES
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HALVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HALVES, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.binary(max_size=40) | st.dictionaries(NAMES, JSON, max_size=4).map(lambda body: json.dumps(body).encode())
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
ASKED = st.dictionaries(
    st.sampled_from(["Accept", "Authorization", "If-None-Match", "Prefer", "If-Match", "X-Request-ID", "Origin"]),
    LATIN | st.sampled_from(["*", "*/*", "text/html", "wait=0", "Bearer x.y.z", '"v1"', "application/json; indent=x"]),
)
QUERY = st.dictionaries(st.sampled_from(["q", "startAt", "limit", "minPrice", "x"]), LATIN, max_size=2)


@BOUNDED
@given(body=BODIES, key=st.booleans())
def test_no_body_is_answered_with_a_5xx(api: Api, body: bytes, key: bool) -> None:
    headers = {"Idempotency-Key": "k1"} if key else {}
    for method, path in (("post", "/products"), ("put", "/products/p1"), ("delete", "/products/p1")):
        answer = api(method, path, body, **headers)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            error_of(answer)


@BOUNDED
@given(asked=ASKED, query=QUERY)
def test_no_header_and_no_query_is_answered_with_a_5xx(
    world: World, asked: dict[str, str], query: dict[str, str]
) -> None:
    for path in ("/v1.0/products", "/v1.0/products/p1", "/v1.0/products/p1/changes"):
        assert Client().get(path, query, headers=asked).status_code < 500
    assert Client().post("/v1.0/products", b"{", "application/json", headers=asked).status_code < 500
