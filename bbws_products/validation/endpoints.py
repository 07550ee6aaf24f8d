"""Check the service as a client sees it, with requests that change nothing."""

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from types import MappingProxyType
from typing import Any

import yaml
from django.conf import settings

from bbws_products.validation.findings import Finding, compared, condition, missing, ok

TIMEOUT_SECONDS = 15.0  # /readyz itself waits for unavailable dependencies
FOREIGN_ORIGIN = "https://nobody.invalid"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Request-ID": "",
}
"""Headers that every response has, with their values; an empty value allows any."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; ``status`` is 0 if there was none, and ``body`` then contains the reason."""

    status: int
    body: Any = None
    headers: Message = field(default_factory=Message)


def validate(url: str) -> Iterator[Finding]:
    base = url.rstrip("/")
    health = _request(f"{base}/healthz")
    if not health.status:
        yield missing(base, "service", f"No response: {health.body}.")
        return
    yield compared(base, "/healthz", health.status, 200)
    yield from _validate_readiness(base)
    yield from _validate_list(base)
    yield from _validate_contract(base)
    yield _write_without_token(base)
    yield from _validate_cors(base)


def _validate_readiness(base: str) -> Iterator[Finding]:
    """Compare the verdict, and with SMOKE_TOKEN the state of each dependency, too."""
    token = os.environ.get("SMOKE_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    ready = _request(f"{base}/readyz", headers=headers)
    yield compared(base, "/readyz", ready.status, 200)
    states = ready.body.get("dependencies", {}) if isinstance(ready.body, dict) else {}
    for name, state in states.items():
        is_ready = state in ("ok", "not configured")
        sentence = f"It is {state}."
        yield condition(base, f"/readyz, {name}", is_ready, sentence, sentence)


def _validate_list(base: str) -> Iterator[Finding]:
    found = _request(f"{base}/v1.0/products?limit=1")
    yield compared(base, "list of products", found.status, 200)
    is_list = isinstance(found.body, dict) and isinstance(found.body.get("products"), list)
    yield condition(
        base, "list, form", is_list, "It is a list of products.", "It is no list of products."
    )
    cache = found.headers.get("Cache-Control", "")
    yield condition(
        base,
        "list, caching",
        "s-maxage" in cache,
        f"Cache-Control is {cache}.",
        f"CloudFront may not cache it: {cache!r}.",
    )
    yield from _validate_headers(base, found.headers)


def _validate_headers(base: str, headers: Message) -> Iterator[Finding]:
    for name, expected in HEADERS.items():
        value = headers.get(name, "")
        is_expected = value == expected if expected else bool(value)
        if_not = f"It is {value!r}; expected {expected or 'any value'}."
        yield condition(base, f"header {name}", is_expected, f"It is {value}.", if_not)
    if base.startswith("https://"):
        hsts = headers.get("Strict-Transport-Security")
        yield condition(
            base,
            "header Strict-Transport-Security",
            hsts,
            f"It is {hsts}.",
            "Browsers may use plain HTTP.",
        )


def _validate_contract(base: str) -> Iterator[Finding]:
    found = _request(f"{base}/v1.0/schema")
    yield compared(base, "contract", found.status, 200)
    version = found.body.get("info", {}).get("version") if isinstance(found.body, dict) else None
    yield compared(base, "contract, version", version, settings.SPECTACULAR_SETTINGS["VERSION"])


def _write_without_token(base: str) -> Finding:
    refused = _request(f"{base}/v1.0/products", "POST", b"{}")
    return compared(base, "a write without a token", refused.status, 401)


def _validate_cors(base: str) -> Iterator[Finding]:
    """Check that scripts of the configured origins may call the API, and others may not."""
    for origin in settings.CORS_ALLOWED_ORIGINS:
        yield compared(base, f"CORS for {origin}", _allowed_origin(base, origin), origin)
    if allowed := _allowed_origin(base, FOREIGN_ORIGIN):
        sentence = f"Scripts of any origin may call the API: {allowed}."
        yield condition(base, "CORS for others", False, "", sentence)
    else:
        yield ok(base, "CORS for others", "They may not call.")


def _allowed_origin(base: str, origin: str) -> str | None:
    """Return the origin that a preflight response allows, if any."""
    preflight = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    response = _request(f"{base}/v1.0/products/p1", "OPTIONS", headers=preflight)
    return response.headers.get("Access-Control-Allow-Origin")


def _request(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> HttpResponse:
    sent = {"Content-Type": "application/json", **headers}
    # The address is the operator's own argument.
    request = urllib.request.Request(url, body, sent, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return HttpResponse(answer.status, _parsed(answer), answer.headers)
    except urllib.error.HTTPError as refused:
        with refused:
            return HttpResponse(refused.code, _parsed(refused), refused.headers)
    except OSError as fault:
        return HttpResponse(0, str(getattr(fault, "reason", fault)))


def _parsed(answer: http.client.HTTPResponse | urllib.error.HTTPError) -> Any:
    """Return the content of a JSON or OpenAPI body; functions serve the contract as YAML."""
    parse = yaml.safe_load if "openapi" in answer.headers.get("Content-Type", "") else json.loads
    try:
        return parse(answer.read())
    except (ValueError, yaml.YAMLError):
        return None
