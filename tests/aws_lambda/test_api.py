"""The API on Lambda, asked by API Gateway: the same answers as over WSGI, and what only a gateway can spoil."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client

from products.api import throttling
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.lambda_events import GATEWAY, GATEWAY_ID, rest
from tests.support.world import World

Answer = tuple[int, dict[str, str], Any]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
DIFFERENT = {"X-Request-ID", "Vary", "Set-Cookie"}
"""Headers that are the request's own, or speak of the sessions and the browsable API that Lambda does without."""


@pytest.fixture
def handler(world: World, db: None, settings: Any) -> Handler:
    """Of this process, whose settings are the whole product's; test_lambda_stack runs it with its own."""
    settings.ALLOWED_HOSTS = ["*"]
    from bbws_products.aws_lambda import handler  # noqa: PLC0415 # it makes requests when it is imported

    return handler


def http(
    method: str, url: str, body: str | None = None, stage: str = "", **headers: str
) -> dict[str, Any]:
    """The same of an HTTP API: everything once, as it came."""
    parts = urlsplit(url)
    sent = {
        "host": GATEWAY,
        "x-forwarded-proto": "https",
        **{name.lower(): value for name, value in headers.items()},
    }
    asked = {
        "method": method,
        "path": stage + parts.path,
        "protocol": "HTTP/1.1",
        "sourceIp": "198.51.100.9",
    }
    return {
        "version": "2.0",
        "rawPath": stage + parts.path,
        "rawQueryString": parts.query,
        "headers": sent,
        "requestContext": {
            "requestId": GATEWAY_ID,
            "stage": stage.strip("/") or "$default",
            "http": asked,
        },
        "body": base64.b64encode(body.encode()).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


def answered(answer: dict[str, Any]) -> Answer:
    headers = {name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
    headers |= answer.get("headers", {})
    body = answer["body"]
    text = base64.b64decode(body).decode() if answer["isBase64Encoded"] else body
    return (
        answer["statusCode"],
        {name.title(): value for name, value in headers.items()},
        json.loads(text or "null"),
    )


def over_wsgi(method: str, url: str, body: str | None = None, **headers: str) -> Answer:
    options: dict[str, Any] = (
        {} if body is None else {"data": body, "content_type": "application/json"}
    )
    response = Client().generic(method, url, headers=headers, secure=True, **options)
    found = json.loads(response.content) if response.content else None
    return (
        response.status_code,
        {name.title(): value for name, value in response.headers.items()},
        found,
    )


def comparable(answer: Answer) -> Answer:
    status, headers, body = answer
    kept = {
        name: value
        for name, value in headers.items()
        if name not in {other.title() for other in DIFFERENT}
    }
    if isinstance(body, dict):
        body = {
            name: value for name, value in body.items() if name not in {"requestId", "changeId"}
        }
    return status, {name: value for name, value in kept.items() if name != "Content-Length"}, body


@pytest.fixture(params=[rest, http])
def event_of(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    made: Callable[..., dict[str, Any]] = request.param
    return made


def life(
    bearer: str, product_id: str, name: str
) -> list[tuple[str, str, str | None, dict[str, str]]]:
    """Each request of a product's life: what is refused as well as what is not."""
    staff = {"Authorization": bearer, "Content-Type": "application/json"}
    path = f"/v1.0/products/{product_id}"
    new = json.dumps(
        fields(productId=product_id, name=name, description="Grüße, für alle: ✓ wirklich")
    )
    return [
        ("POST", "/v1.0/products", new, {"Content-Type": "application/json"}),
        ("POST", "/v1.0/products?dryRun=true", new, staff),
        ("POST", "/v1.0/products", new, staff),
        ("POST", "/v1.0/products", new, staff),
        ("POST", "/v1.0/products", "{not json", staff),
        ("POST", "/v1.0/products", json.dumps(fields(description="x" * 11_000)), staff),
        ("GET", path, None, {"Authorization": bearer}),
        ("GET", path, None, {}),
        ("HEAD", path, None, {"Authorization": bearer}),
        (
            "OPTIONS",
            path,
            None,
            {"Origin": "https://else.example", "Access-Control-Request-Method": "PATCH"},
        ),
        ("GET", path, None, {"Authorization": bearer, "If-None-Match": '"v1"'}),
        ("PATCH", path, json.dumps({"price": "1600.00"}), {**staff, "If-Match": '"v9"'}),
        (
            "PATCH",
            path,
            json.dumps({"price": "1600.00"}),
            {**staff, "Idempotency-Key": f"key-{product_id}"},
        ),
        ("GET", f"{path}/changes?limit=1", None, {"Authorization": bearer}),
        ("GET", f"{path}/changes/2", None, {}),
        ("DELETE", path, None, staff),
        ("GET", "/v1.0/products?limit=1&sortBy=price&minPrice=1.00", None, {}),
        ("GET", "/v1.0/products?limit=1&limit=2&nonsense=1", None, {}),
        ("GET", "/v1.0/nothing", None, {}),
    ]


def test_the_whole_life_of_a_product_is_as_over_wsgi(
    handler: Handler, event_of: Callable[..., dict[str, Any]], api: Api
) -> None:
    bearer = api.headers["Authorization"]
    ours, theirs = life(bearer, "on-a", "Hosting on a"), life(bearer, "on-b", "Hosting on b")
    for (method, url, body, headers), (_, other_url, other_body, others) in zip(
        ours, theirs, strict=True
    ):
        here = comparable(answered(handler(event_of(method, url, body, **headers), None)))
        there = comparable(over_wsgi(method, other_url, other_body, **others))
        assert same(here) == same(there), (method, url)


def same(answer: Answer) -> str:
    """An answer without what tells the two products and two moments apart."""
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    text = re.sub(
        r'"nextStartAt": "[^"]+"|startAt=[^&>]+',
        "a cursor",
        text.replace("on-b", "on-a").replace("on b", "on a"),
    )
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id", text)
    return re.sub(r"[0-9-]{10}T[0-9:.]+Z", "a moment", text)


def get(handler: Handler, event: dict[str, Any]) -> Answer:
    return answered(handler(event, None))


@pytest.mark.parametrize(
    ("headers", "before"),
    [
        ({}, "/live"),  # API Gateway's own address begins with the stage, so ours must too
        (
            {"X-Amz-Cf-Id": "a-request-of-cloudfront"},
            "",
        ),  # CloudFront puts the stage there by itself
    ],
)
def test_addresses_can_be_followed_from_where_the_request_came(
    handler: Handler,
    event_of: Callable[..., dict[str, Any]],
    api: Api,
    headers: dict[str, str],
    before: str,
) -> None:
    staff = {
        **headers,
        "Authorization": api.headers["Authorization"],
        "Content-Type": "application/json",
    }
    for number in "12":
        body = json.dumps(fields(productId=f"p{number}", name=f"Hosting {number}"))
        status, sent, accepted = get(
            handler, event_of("POST", "/v1.0/products", body, stage="/live", **staff)
        )
        assert status == 202
        assert (
            sent["Location"]
            == accepted["statusUrl"]
            == f"{before}/v1.0/products/p{number}/changes/1"
        )
    _, sent, page = get(handler, event_of("GET", "/v1.0/products?limit=1", stage="/live", **staff))
    link = sent["Link"].partition(">")[0].strip("<")
    assert link.startswith(f"{before}/v1.0/products?")
    _, _, following = get(
        handler, event_of("GET", link.removeprefix(before), stage="/live", **staff)
    )
    assert {page["products"][0]["productId"], following["products"][0]["productId"]} == {"p1", "p2"}


def test_signs_in_addresses_and_texts_arrive_as_they_were_sent(
    handler: Handler, event_of: Callable[..., dict[str, Any]], public: Api
) -> None:
    asked = quote("a+b & c=ü %", safe="")
    _, _, refusal = get(
        handler, event_of("GET", f"/v1.0/products?{quote('q', safe='')}={asked}&currency=a%2Bb")
    )
    assert list(refusal["errors"]) == ["currency"]
    status, _, _ = get(handler, event_of("GET", f"/v1.0/products?q={asked}"))
    assert status == 200
    for path in ("/v1.0/products/%C3%BC%20x", "/v1.0/products/ü x", "/v1.0/products/€%2F"):
        assert get(handler, event_of("GET", path))[0] in {400, 404}
    _, _, doubled = get(handler, event_of("GET", "/v1.0/products?limit=1&limit=2"))
    assert doubled["errors"] == {"limit": ["Must be given once."]}


def test_a_request_has_the_id_its_caller_or_else_the_gateway_gave_it(
    handler: Handler, event_of: Callable[..., dict[str, Any]], public: Api
) -> None:
    assert get(handler, event_of("GET", "/v1.0/products/none"))[1]["X-Request-Id"] == GATEWAY_ID
    own = event_of("GET", "/v1.0/products/none", **{"X-Request-ID": "my-own-request"})
    assert get(handler, own)[1]["X-Request-Id"] == "my-own-request"


def test_nobody_calls_under_another_address_than_his_own(
    handler: Handler,
    event_of: Callable[..., dict[str, Any]],
    public: Api,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A caller may write what he likes at the start of X-Forwarded-For."""
    settings.THROTTLE_PUBLIC = 2
    said = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
    events = [
        event_of("GET", "/v1.0/products/none", **{"X-Forwarded-For": f"{spoofed}, 198.51.100.9"})
        for spoofed in said
    ]
    monkeypatch.setattr(throttling, "CALL_COUNTER", throttling.CallCounter(clock=lambda: 1000.0))
    assert [get(handler, event)[0] for event in events] == [404, 404, 429]


def test_https_is_taken_for_granted_where_nobody_speaks_of_it(
    handler: Handler, public: Api, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    event = rest("GET", "/v1.0/products/none")
    for headers in (event["headers"], event["multiValueHeaders"]):
        del headers["X-Forwarded-Proto"]
    status, headers, _ = get(handler, event)
    assert status == 404
