"""The API behind API Gateway has the same responses as over WSGI."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from products.api import throttling
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.lambda_events import (
    CLIENT_ADDRESS,
    GATEWAY_ID,
    http_api_event,
    rest_api_event,
)
from tests.support.world import World

Response = tuple[int, dict[str, str], Any]
"""A status, the headers by title-cased name, and the parsed JSON body."""
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
CreateEvent = Callable[..., dict[str, Any]]
Request = tuple[str, str, str | None, dict[str, str]]
"""A method, a URL, a body and headers."""
IGNORED_HEADERS = {"X-Request-Id", "Vary", "Set-Cookie", "Content-Length"}
"""Headers of one request, of sessions, and of the browsable API, which Lambda does not have."""
IGNORED_FIELDS = {"requestId", "changeId"}


@pytest.fixture
def handler(world: World, db: None, settings: Any) -> Handler:
    """The handler in this process, with all settings; test_stack runs it with its own."""
    settings.ALLOWED_HOSTS = ["*"]
    # Its module sends requests when it is imported, so the world must exist before.
    from bbws_products.aws_lambda import handler  # noqa: PLC0415

    return handler


@pytest.fixture(params=[rest_api_event, http_api_event])
def create_event(request: pytest.FixtureRequest) -> CreateEvent:
    chosen: CreateEvent = request.param
    return chosen


def call(handler: Handler, event: dict[str, Any]) -> Response:
    result = handler(event, None)
    headers = {name: values[0] for name, values in result.get("multiValueHeaders", {}).items()}
    headers |= result.get("headers", {})
    body = result["body"]
    text = base64.b64decode(body).decode() if result["isBase64Encoded"] else body
    return result["statusCode"], title_cased(headers), json.loads(text or "null")


def call_over_wsgi(method: str, url: str, body: str | None = None, **headers: str) -> Response:
    options: dict[str, Any] = {}
    if body is not None:
        options = {"data": body, "content_type": "application/json"}
    response = Client().generic(method, url, headers=headers, secure=True, **options)
    content = json.loads(response.content) if response.content else None
    return response.status_code, title_cased(response.headers), content


def title_cased(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.title(): value for name, value in headers.items()}


def comparable(response: Response) -> str:
    """Return a response without what differs between two products, and between two moments."""
    status, headers, body = response
    kept_headers = {name: value for name, value in headers.items() if name not in IGNORED_HEADERS}
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in IGNORED_FIELDS}
    text = json.dumps([status, kept_headers, body], sort_keys=True, ensure_ascii=False)
    text = text.replace("on-b", "on-a").replace("on b", "on a")
    text = re.sub(r'"nextStartAt": "[^"]+"|startAt=[^&>]+', "a cursor", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id", text)
    return re.sub(r"[0-9-]{10}T[0-9:.]+Z", "a timestamp", text)


def requests_of_a_life(bearer: str, product_id: str, name: str) -> list[Request]:
    """Return the requests of a product's life, both accepted and refused ones."""
    token = {"Authorization": bearer}
    staff = {**token, "Content-Type": "application/json"}
    preflight = {"Origin": "https://else.example", "Access-Control-Request-Method": "PATCH"}
    products, path = "/v1.0/products", f"/v1.0/products/{product_id}"
    description = "Grüße, für alle: ✓ wirklich"
    new = json.dumps(fields(productId=product_id, name=name, description=description))
    too_long = json.dumps(fields(description="x" * 11_000))
    price = json.dumps({"price": "1600.00"})
    return [
        ("POST", products, new, {"Content-Type": "application/json"}),
        ("POST", f"{products}?dryRun=true", new, staff),
        ("POST", products, new, staff),
        ("POST", products, new, staff),
        ("POST", products, "{not json", staff),
        ("POST", products, too_long, staff),
        ("GET", path, None, token),
        ("GET", path, None, {}),
        ("HEAD", path, None, token),
        ("OPTIONS", path, None, preflight),
        ("GET", path, None, {**token, "If-None-Match": '"v1"'}),
        ("PATCH", path, price, {**staff, "If-Match": '"v9"'}),
        ("PATCH", path, price, {**staff, "Idempotency-Key": f"key-{product_id}"}),
        ("GET", f"{path}/changes?limit=1", None, token),
        ("GET", f"{path}/changes/2", None, {}),
        ("DELETE", path, None, staff),
        ("GET", f"{products}?limit=1&sortBy=price&minPrice=1.00", None, {}),
        ("GET", f"{products}?limit=1&limit=2&nonsense=1", None, {}),
        ("GET", "/v1.0/nothing", None, {}),
    ]


def test_a_products_life_has_the_same_responses_as_over_wsgi(
    handler: Handler, create_event: CreateEvent, api: Api
) -> None:
    bearer = api.headers["Authorization"]
    on_lambda = requests_of_a_life(bearer, "on-a", "Hosting on a")
    over_wsgi = requests_of_a_life(bearer, "on-b", "Hosting on b")
    for lambda_request, wsgi_request in zip(on_lambda, over_wsgi, strict=True):
        method, url, body, headers = lambda_request
        actual = call(handler, create_event(method, url, body, **headers))
        method, url, body, headers = wsgi_request
        expected = call_over_wsgi(method, url, body, **headers)
        assert comparable(actual) == comparable(expected), (method, url)


@pytest.mark.parametrize(
    ("headers", "prefix"),
    [
        ({}, "/live"),  # API Gateway's own URLs begin with the stage, so ours must too
        ({"X-Amz-Cf-Id": "a-request-of-cloudfront"}, ""),  # CloudFront adds the stage
    ],
)
def test_links_lead_back_to_where_the_request_came_from(
    handler: Handler,
    create_event: CreateEvent,
    api: Api,
    headers: dict[str, str],
    prefix: str,
) -> None:
    staff = {
        **headers,
        "Authorization": api.headers["Authorization"],
        "Content-Type": "application/json",
    }

    def send(method: str, url: str, body: str | None = None) -> Response:
        return call(handler, create_event(method, url, body, stage="/live", **staff))

    for number in "12":
        body = json.dumps(fields(productId=f"p{number}", name=f"Hosting {number}"))
        status, sent_headers, accepted = send("POST", "/v1.0/products", body)
        assert status == 202
        receipt_url = f"{prefix}/v1.0/products/p{number}/changes/1"
        assert sent_headers["Location"] == accepted["statusUrl"] == receipt_url
    _, sent_headers, page = send("GET", "/v1.0/products?limit=1")
    link = sent_headers["Link"].partition(">")[0].strip("<")
    assert link.startswith(f"{prefix}/v1.0/products?")
    _, _, next_page = send("GET", link.removeprefix(prefix))
    listed = {page["products"][0]["productId"], next_page["products"][0]["productId"]}
    assert listed == {"p1", "p2"}


def test_encoded_characters_arrive_as_they_were_sent(
    handler: Handler, create_event: CreateEvent, public: Api
) -> None:
    text = quote("a+b & c=ü %", safe="")

    def get(url: str) -> Response:
        return call(handler, create_event("GET", url))

    _, _, refusal = get(f"/v1.0/products?q={text}&currency=a%2Bb")
    assert list(refusal["errors"]) == ["currency"]
    status, _, _ = get(f"/v1.0/products?q={text}")
    assert status == 200
    for path in ("/v1.0/products/%C3%BC%20x", "/v1.0/products/ü x", "/v1.0/products/€%2F"):
        status, _, _ = get(path)
        assert status in {400, 404}
    _, _, refusal = get("/v1.0/products?limit=1&limit=2")
    assert refusal["errors"] == {"limit": ["Must be given once."]}


def test_the_request_id_is_the_callers_or_else_the_gateways(
    handler: Handler, create_event: CreateEvent, public: Api
) -> None:
    path = "/v1.0/products/none"
    _, headers, _ = call(handler, create_event("GET", path))
    assert headers["X-Request-Id"] == GATEWAY_ID
    event = create_event("GET", path, **{"X-Request-ID": "my-own-request"})
    _, headers, _ = call(handler, event)
    assert headers["X-Request-Id"] == "my-own-request"


def test_a_caller_can_not_spoof_its_address(
    handler: Handler,
    create_event: CreateEvent,
    public: Api,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A caller chooses the start of X-Forwarded-For; the gateway appends the real address."""
    settings.THROTTLE_PUBLIC = 2
    monkeypatch.setattr(throttling, "CALL_COUNTER", throttling.CallCounter(clock=lambda: 1000.0))
    statuses = []
    for spoofed in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        headers = {"X-Forwarded-For": f"{spoofed}, {CLIENT_ADDRESS}"}
        status, _, _ = call(handler, create_event("GET", "/v1.0/products/none", **headers))
        statuses.append(status)
    assert statuses == [404, 404, 429]


def test_https_is_assumed_without_a_forwarded_protocol(
    handler: Handler, public: Api, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    event = rest_api_event("GET", "/v1.0/products/none")
    for headers in (event["headers"], event["multiValueHeaders"]):
        del headers["X-Forwarded-Proto"]
    status, headers, _ = call(handler, event)
    assert status == 404
