"""The request log: one line for each request with client, route, status and duration.

The web server writes no log lines about requests.
"""

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
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
MAX_PATH_LENGTH = 200
ROUTE_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class RequestLogMiddleware:
    """Log each request, and bind its id to every log line written while it is handled.

    Requests that write are logged twice, when they arrive and when they are answered; reads only
    when they are answered.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        request_fields = {"method": request.method, "path": request.path[:MAX_PATH_LENGTH]}
        with log_fields(request_id=getattr(request, "request_id", "")):
            if request.method not in SAFE_METHODS:
                logger.info("request received", extra=request_fields)
            response = self.get_response(request)
            duration_ms = round((perf_counter() - began) * 1000, 1)
            response_fields = _response_fields(request, response)
            if should_log(request, response, response_fields["actor"]):
                fields = request_fields | response_fields | {"duration_ms": duration_ms}
                logger.log(_level(response), "request answered", extra=fields)
        return response


def _response_fields(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    fields = {
        "status": response.status_code,
        "status_class": _status_class(response.status_code),
        "endpoint": _endpoint_name(request.method or "", request.resolver_match),
        "actor": _actor(request),
    }
    route_values = request.resolver_match.kwargs if request.resolver_match else {}
    for name in ("product_id", "version"):
        if name in route_values:
            fields[name] = route_values[name]
    return fields


def _status_class(status: int) -> str:
    return f"{status // 100}xx"


def should_log(request: HttpRequest, response: HttpResponse, actor: str) -> bool:
    """Return whether a response gets a line in the log.

    Successful health checks and static files get none. Of the successful public reads, the
    fraction LOG_SAMPLE_READS is logged. A 503 of /readyz is logged, its other refusals are not.
    """
    if response.status_code >= 400:
        return request.path != "/readyz" or response.status_code >= 500
    if request.path in ("/healthz", "/readyz"):
        return False
    if request.path.startswith(settings.STATIC_URL or "/static/"):
        return False
    if actor or request.method not in SAFE_METHODS:
        return True
    return is_in_sample(str(getattr(request, "request_id", "")))


def is_in_sample(request_id: str) -> bool:
    """Return whether the public read with this id is logged.

    The result depends only on the id. So a client that sends an id finds either all log lines of
    its request or none.
    """
    return bool(zlib.crc32(request_id.encode()) < settings.LOG_SAMPLE_READS * 2**32)


def log_cached_response(environ: Mapping[str, Any], status: int, request_id: str) -> None:
    """Log a public read that ``products.api.microcache`` answered without calling Django."""
    if not is_in_sample(request_id):
        return
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    match = _match(path)
    fields = {
        "method": method,
        "path": path[:MAX_PATH_LENGTH],
        "status": status,
        "status_class": _status_class(status),
        "endpoint": _endpoint_name(method, match),
        "actor": "",
        "duration_ms": 0.0,
        **match.kwargs,
    }
    with log_fields(request_id=request_id):
        logger.info("request answered", extra=fields)


@lru_cache(1024)
def _match(path: str) -> ResolverMatch:
    return resolve(path)


def _endpoint_name(method: str, match: ResolverMatch | None) -> str:
    """Return method and route; all admin pages count as one route.

    The name is a dimension of a metric, so it has few values.
    """
    method = method if method in METHODS else "OTHER"
    if match is None:
        return f"{method} unknown"
    if "admin" in match.namespaces:
        return f"{method} /admin"
    route = ROUTE_PARAMETER.sub(r"{\1}", match.route)
    return f"{method} /{route}"


def _actor(request: HttpRequest) -> str:
    """Return the user's name if the request has already loaded its user.

    Loading the user here would read the session, and make the response vary by cookie.
    """
    user = vars(request).get("user")
    if isinstance(user, SimpleLazyObject):
        user = vars(request).get("_cached_user")
    return str(user.get_username()) if user is not None and user.is_authenticated else ""


def _level(response: HttpResponse) -> int:
    return logging.WARNING if response.status_code >= 500 else logging.INFO
