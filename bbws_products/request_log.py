"""A line in the log for every request: who asked for what, and what came of it how fast. The server writes none."""

import logging
import re
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils.functional import SimpleLazyObject

from products.log_context import log_fields

logger = logging.getLogger(__name__)
READING = {"GET", "HEAD", "OPTIONS"}
METHODS = READING | {"POST", "PUT", "PATCH", "DELETE"}
MAX_PATH_LENGTH = 200


class RequestLogMiddleware:
    """Binds the request's id to all that is logged meanwhile. What only reads is told of when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        asked = {"method": request.method, "path": request.path[:MAX_PATH_LENGTH]}
        with log_fields(request_id=getattr(request, "request_id", "")):
            if request.method not in READING:
                logger.info("request received", extra=asked)
            response = self.get_response(request)
            facts = (
                asked
                | _response_fields(request, response)
                | {"duration_ms": round((perf_counter() - began) * 1000, 1)}
            )
            if should_log(request, response, facts["actor"]):
                logger.log(_level(response), "request answered", extra=facts)
        return response


def _response_fields(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    match = request.resolver_match
    return {
        "status": response.status_code,
        "status_class": f"{response.status_code // 100}xx",
        "endpoint": _endpoint(request),
        "actor": _actor(request),
    } | {
        name: match.kwargs[name]
        for name in ("product_id", "version")
        if match and name in match.kwargs
    }


def should_log(request: HttpRequest, response: HttpResponse, actor: str) -> bool:
    """Successes of health checks and static files never are; of public reads, LOG_SAMPLE_READS of them.

    Which ones follows from the request's id, so a caller who gives one finds the whole request or nothing of it.
    """
    if response.status_code >= 400:
        return request.path != "/readyz" or response.status_code >= 500
    if request.path in ("/healthz", "/readyz") or request.path.startswith(
        settings.STATIC_URL or "/static/"
    ):
        return False
    if actor or request.method not in READING:
        return True
    return is_in_sample(str(getattr(request, "request_id", "")))


def is_in_sample(request_id: str) -> bool:
    return bool(zlib.crc32(request_id.encode()) < settings.LOG_SAMPLE_READS * 2**32)


def log_cached_response(environ: Mapping[str, Any], status: int, request_id: str) -> None:
    """The line of a public read whose answer was there already, before Django was asked (``products.api.microcache``)."""
    if is_in_sample(request_id):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        match = _match(path)
        asked = {
            "method": method,
            "path": path[:MAX_PATH_LENGTH],
            "status": status,
            "status_class": f"{status // 100}xx",
        }
        facts = (
            asked
            | {"endpoint": _endpoint_name(method, match), "actor": "", "duration_ms": 0.0}
            | match.kwargs
        )
        with log_fields(request_id=request_id):
            logger.info("request answered", extra=facts)


@lru_cache(1024)
def _match(path: str) -> ResolverMatch:
    return resolve(path)


def _endpoint(request: HttpRequest) -> str:
    """Method and route, of which there are few: it is a dimension of a metric. The admin counts as one."""
    return _endpoint_name(request.method or "", request.resolver_match)


def _endpoint_name(method: str, match: ResolverMatch | None) -> str:
    method = method if method in METHODS else "OTHER"
    if match is None:
        return f"{method} unknown"
    if "admin" in match.namespaces:
        return f"{method} /admin"
    return f"{method} /{re.sub(r'<(?:\w+:)?(\w+)>', r'{\1}', match.route)}"


def _actor(request: HttpRequest) -> str:
    """Who it was, if that was asked for: to look here would read the session, and make the answer vary by it."""
    user = vars(request).get("user")
    if isinstance(user, SimpleLazyObject):
        user = vars(request).get("_cached_user")
    return str(user.get_username()) if user is not None and user.is_authenticated else ""


def _level(response: HttpResponse) -> int:
    return logging.WARNING if response.status_code >= 500 else logging.INFO
