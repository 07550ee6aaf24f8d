"""The health endpoints: is the process alive, and can it serve requests?"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError
from django.db import Error as SqlError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve

from products.api.json_types import JsonObject
from products.api.shared_answer import SharedAnswer
from products.bootstrap import scan_table
from products.documents import format_timestamp
from products.errors import IndexMissing, Unavailable
from products.permissions import Permission
from products.readiness import readiness_checks

logger = logging.getLogger(__name__)

SQL = "sql"
REQUIRED = {"dynamodb", SQL}
"""The API cannot serve without these. Writes wait in the log for all others."""

NOT_READY = "not ready"
AWAY = "away"
PATHS = {"/healthz", "/readyz"}
RETRY_SECONDS = 5
READINESS_SECONDS = 5.0


class HealthMiddleware:
    """Serve the health endpoints for every Host header.

    A load balancer calls each task by its IP address. That is not in ALLOWED_HOSTS, so Django
    would answer with 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return self.get_response(request)
        response: HttpResponse = resolve(request.path_info).func(request)
        return response


def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 while the process runs."""
    return JsonResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 while the API can serve, else 503. Staff get the state of each dependency, too.

    The dependencies are asked once in READINESS_SECONDS, however many callers there are.
    """
    body = READINESS.get()
    is_ready = body["status"] != NOT_READY
    headers = {"Cache-Control": "no-store"}
    if not is_ready:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if not _is_staff(request):
        body = {"status": "ready" if is_ready else NOT_READY}
    return JsonResponse(body, status=200 if is_ready else 503, headers=headers)


def _is_staff(request: HttpRequest) -> bool:
    """Return whether the caller has shown a token or a session of staff."""
    has_shown = {"HTTP_AUTHORIZATION", "HTTP_COOKIE"} & request.META.keys()
    if not has_shown:
        return False
    # Imported here because load balancers show nothing.
    from products.access.writers import has_any_permission  # noqa: PLC0415 # see above

    return has_any_permission(request.META, [Permission.VIEW])


def _readiness() -> JsonObject:
    checks = readiness_checks()
    sql = checks.pop(SQL, None)
    with ThreadPoolExecutor(len(checks) + 1) as pool:
        last_scan = pool.submit(_last_scan)
        results = pool.map(_state, checks, checks.values())
        # In this thread, which has a connection of its own.
        states = {SQL: _state(SQL, sql)} if sql else {}
        states |= zip(checks, results, strict=True)
    is_ready = AWAY not in {states[name] for name in REQUIRED & states.keys()}
    return {
        "status": _overall_status(is_ready, states),
        "dependencies": states,
        "lastCheck": last_scan.result(),
    }


UNKNOWN: JsonObject = {"status": NOT_READY, "dependencies": {}, "lastCheck": None}
"""The answer while the dependencies are asked for the first time."""
READINESS = SharedAnswer(_readiness, READINESS_SECONDS, UNKNOWN)


def _overall_status(is_ready: bool, states: dict[str, str]) -> str:
    if not is_ready:
        return NOT_READY
    return "ready" if set(states.values()) <= {"ok", "not configured"} else "degraded"


def _last_scan() -> JsonObject | None:
    """Return when the last drift scan ended and how many differences it found.

    None before the first scan, or if its state cannot be read. It does not affect readiness.
    """
    try:
        state = scan_table().scan_state()
    except (Unavailable, ClientError):
        return None
    last = state.last if state else None
    if last is None:
        return None
    return {"at": format_timestamp(last.updated_at), "differences": last.difference_count}


def _state(name: str, check: Callable[[], None] | None) -> str:
    """Return the state of a dependency. Its check is None when it is not configured.

    The reason of a failed check is logged. A missing index is named: only reads that need it fail.
    """
    if check is None:
        return "not configured"
    try:
        check()
    except IndexMissing as fault:
        return str(fault)
    except (Unavailable, ClientError, SqlError) as fault:
        facts = {"dependency": name, "fault": str(fault)}
        logger.warning("dependency unavailable", extra=facts)
        return AWAY
    return "ok"
