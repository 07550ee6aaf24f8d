"""The middleware that gives each request its id and each response its rate-limit headers."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from products.bootstrap import new_id

MIN_ID_LENGTH, MAX_ID_LENGTH = 8, 64
VALID_ID = re.compile(rf"[A-Za-z0-9._-]{{{MIN_ID_LENGTH},{MAX_ID_LENGTH}}}")
RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
Rate = tuple[int, int, int]
"""Calls per second, calls left, and seconds until the count starts again."""


class RequestIdMiddleware:
    """Set ``request.request_id`` and return it in a header, together with the rate limit.

    A valid ``X-Request-ID`` of the caller is kept. Otherwise a new id is generated.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = valid_or_new_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.request_id = request_id  # type: ignore[attr-defined] # set here, for all later code
        response = self.get_response(request)
        for name, value in per_request_headers(request_id, getattr(request, "rate_limit", None)):
            response[name] = value
        return response


def valid_or_new_id(given: str) -> str:
    """Return the caller's request id when it is valid, else a new one."""
    return given if VALID_ID.fullmatch(given) else new_id()


def per_request_headers(request_id: str, rate: Rate | None) -> list[tuple[str, str]]:
    """Return the headers that differ for each request, even when a cached response is reused."""
    rates = zip(RATE_HEADERS, map(str, rate), strict=True) if rate else ()
    return [("X-Request-ID", request_id), *rates]


def request_id(request: HttpRequest) -> str:
    """Return the id that RequestIdMiddleware gave to the request; empty without it."""
    return str(getattr(request, "request_id", ""))
