"""The service as its callers meet it, at one address. Only what changes nothing is asked."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import Finding, compared, condition, missing, ok

SECONDS = 15.0  # /readyz itself waits for engines that are away
FOREIGN = "https://nobody.invalid"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Request-ID": "",
}
"""On every answer, and with this value where there is one."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """``status`` is 0 when there was none; then ``body`` says why."""

    status: int
    body: Any = None
    headers: Message = field(default_factory=Message)


def validate(url: str) -> Iterator[Finding]:
    base = url.rstrip("/")
    alive = _ask(f"{base}/healthz")
    if not alive.status:
        yield missing(base, "service", f"It does not answer: {alive.body}.")
        return
    yield compared(base, "/healthz", alive.status, 200)
    yield from _readiness(base)
    yield from _list(base)
    yield from _contract(base)
    yield from _strangers(base)


def _readiness(base: str) -> Iterator[Finding]:
    ready = _ask(f"{base}/readyz")
    yield compared(base, "/readyz", ready.status, 200)
    states = ready.body.get("dependencies", {}) if isinstance(ready.body, dict) else {}
    for name, state in states.items():
        yield condition(
            base,
            f"/readyz, {name}",
            state in ("ok", "not configured"),
            f"It is {state}.",
            f"It is {state}.",
        )


def _list(base: str) -> Iterator[Finding]:
    found = _ask(f"{base}/v1.0/products?limit=1")
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
        f"It says {cache}.",
        f"CloudFront may not keep it: {cache!r}.",
    )
    for name, wanted in HEADERS.items():
        value = found.headers.get(name, "")
        so = value == wanted if wanted else value
        yield condition(
            base,
            f"header {name}",
            so,
            f"It is {value}.",
            f"It is {value!r}, and must be {wanted or 'there'}.",
        )
    if base.startswith("https://"):
        hsts = found.headers.get("Strict-Transport-Security")
        yield condition(
            base,
            "header Strict-Transport-Security",
            hsts,
            f"It is {hsts}.",
            "Browsers may use plain HTTP.",
        )


def _contract(base: str) -> Iterator[Finding]:
    found = _ask(f"{base}/v1.0/schema", Accept="application/vnd.oai.openapi+json")
    yield compared(base, "contract", found.status, 200)
    version = found.body.get("info", {}).get("version") if isinstance(found.body, dict) else None
    yield compared(base, "contract, version", version, settings.SPECTACULAR_SETTINGS["VERSION"])


def _strangers(base: str) -> Iterator[Finding]:
    """Who has no token writes nothing, and pages of other origins may not call."""
    refused = _ask(f"{base}/v1.0/products", "POST", b"{}")
    yield compared(base, "a write without a token", refused.status, 401)
    for origin in (*settings.CORS_ALLOWED_ORIGINS, FOREIGN):
        asks = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        granted = _ask(f"{base}/v1.0/products/p1", "OPTIONS", **asks).headers.get(
            "Access-Control-Allow-Origin"
        )
        if origin != FOREIGN:
            yield compared(base, f"CORS for {origin}", granted, origin)
        elif granted:
            yield condition(base, "CORS for others", False, "", f"Any page may call: {granted}.")
        else:
            yield ok(base, "CORS for others", "They may not call.")


def _ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> HttpResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["Content-Type"] = "application/json"
    # The address is the operator's own argument.
    request = urllib.request.Request(url, body, sent, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return HttpResponse(answer.status, _read(answer.read()), answer.headers)
    except urllib.error.HTTPError as refused:
        with refused:
            return HttpResponse(refused.code, _read(refused.read()), refused.headers)
    except OSError as fault:
        return HttpResponse(0, str(getattr(fault, "reason", fault)))


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
