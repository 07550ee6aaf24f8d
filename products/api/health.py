"""Whether the process lives, and whether it can serve."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError
from django.db import Error as SqlError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve

from products.bootstrap import readiness_checks, scan_table
from products.documents import format_timestamp
from products.errors import Unavailable

REQUIRED = {"dynamodb", "sql"}
"""Without these nothing can be served. The others may be away: writes wait for them in the log."""

ADDRESSES = {"/healthz", "/readyz"}


class HealthMiddleware:
    """Answers whoever asks for our health, whatever Host they name: a load balancer asks each task by its own address,
    which is in nobody's ALLOWED_HOSTS, and would be refused by Django."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES:
            return self.get_response(request)
        answer: HttpResponse = resolve(request.path_info).func(request)
        return answer


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 while the API can serve, with the state of each dependency by name; else 503."""
    dependencies = readiness_checks()
    with ThreadPoolExecutor(len(dependencies) + 1) as pool:
        scan_state = pool.submit(_last_scan)  # at the same time, so it takes no longer
        states = dict(zip(dependencies, pool.map(_state, dependencies.values()), strict=True))
    ready = all(states[name] == "ok" for name in REQUIRED & states.keys())
    away = sorted(name for name, state in states.items() if state == "away")
    status = "not ready" if not ready else "degraded" if away else "ready"
    headers = {"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": "5"})
    body = {"status": status, "dependencies": states, "lastCheck": scan_state.result()}
    return JsonResponse(body, status=200 if ready else 503, headers=headers)


def _last_scan() -> dict[str, Any] | None:
    """Of the catalogue against its log: when it ended, and what it found. None before the first, or when it can't be
    read. It says nothing about whether this process can serve."""
    try:
        state = scan_table().scan_state()
    except (Unavailable, ClientError):
        return None
    last = state.last if state else None
    return (
        {"at": format_timestamp(last.updated_at), "differences": last.difference_count}
        if last
        else None
    )


def _state(check: Callable[[], None] | None) -> str:
    if check is None:
        return "not configured"
    try:
        check()
    except (Unavailable, ClientError, SqlError):
        return "away"
    return "ok"
