"""How a request is read before anybody looks at its meaning: its id, its JSON, its body's size."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from products.bootstrap import new_id


class RequestIdMiddleware:
    """Gives every request an id, the caller's own where it is a sane one, and sends it back with the rate limit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = valid_or_new_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.request_id = request_id  # type: ignore[attr-defined] # ours
        response = self.get_response(request)
        for name, value in per_request_headers(request_id, getattr(request, "rate_limit", None)):
            response[name] = value
        return response


SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def valid_or_new_id(given: str) -> str:
    return given if SANE.fullmatch(given) else new_id()


def per_request_headers(
    request_id: str, rate: tuple[int, int, int] | None
) -> list[tuple[str, str]]:
    """What belongs to this one request and no other, whoever else gets the same answer."""
    rates = zip(RATE_HEADERS, map(str, rate), strict=True) if rate else ()
    return [("X-Request-ID", request_id), *rates]


def request_id(request: Any) -> str:
    return str(getattr(request, "request_id", ""))
