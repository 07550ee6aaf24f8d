"""Rate limits: calls per second of one client, counted in each process."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from products.api.middleware import Rate
from products.api.permissions import is_staff

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

WINDOW_SECONDS = 1


@dataclass(slots=True)
class CallCounter:
    """Count the calls of each client within a sliding window of one second, in memory.

    Idle clients are dropped without scanning: two generations of windows rotate once a second,
    and the older one is discarded.
    """

    clock: Callable[[], float] = time.monotonic
    current: dict[str, deque[float]] = field(default_factory=dict)
    previous: dict[str, deque[float]] = field(default_factory=dict)
    rotated_at: float = -math.inf
    debts: dict[str, float] = field(default_factory=dict)
    """Until when a client is refused because of a batch, which counts by its items."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_call(self, client: str, limit: int) -> int | None:
        """Count one call of the client.

        Return how many calls are left in this window, or None when the limit is exceeded. Refused
        calls do not count.
        """
        now = self.clock()
        with self.lock:
            if self.debts.get(client, now) > now:
                return None
            self.debts.pop(client, None)
            self._rotate(now)
            window = self._window(client)
            while window and window[0] <= now - WINDOW_SECONDS:
                window.popleft()
            if len(window) >= limit:
                return None
            window.append(now)
            return limit - len(window)

    def charge(self, client: str, limit: int, calls: int) -> None:
        """Count more calls of the client, which is then refused as long as they would take."""
        now = self.clock()
        with self.lock:
            self.debts[client] = max(now, self.debts.get(client, now)) + calls / limit

    def seconds_left(self, client: str) -> int:
        """Return after how many seconds the client may call again."""
        return max(WINDOW_SECONDS, math.ceil(self.debts.get(client, 0.0) - self.clock()))

    def clear(self) -> None:
        """Forget all calls."""
        self.current, self.previous, self.debts = {}, {}, {}

    def _rotate(self, now: float) -> None:
        if now - self.rotated_at > WINDOW_SECONDS:
            self.previous = self.current
            self.current = {}
            self.rotated_at = now

    def _window(self, client: str) -> deque[float]:
        window = self.current.get(client)
        if window is None:
            window = self.previous.pop(client, deque())
            self.current[client] = window
        return window


CALL_COUNTER = CallCounter()


def record_call(client: str, limit: int) -> Rate | None:
    """Count one call of the client. Return the rate after it, or None above the limit."""
    left = CALL_COUNTER.count_call(client, limit)
    return None if left is None else (limit, left, WINDOW_SECONDS)


def public_client(environ: Mapping[str, object]) -> str:
    """Return the name under which calls without a login are counted: the client's address.

    ``X-Forwarded-For`` is trusted as far as NUM_PROXIES says.
    """
    forwarded = {"x-forwarded-for": environ.get("HTTP_X_FORWARDED_FOR")}
    # DRF reads only these two, and a whole request would cost more than a cached response.
    request = SimpleNamespace(META=environ, headers=forwarded)
    return f"public {BaseThrottle().get_ident(cast('Request', request))}"


class ClientThrottle(BaseThrottle):
    """Limit each staff user to THROTTLE_STAFF and each other address to THROTTLE_PUBLIC.

    Both are calls per second; 0 means no limit.
    """

    client = ""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the call and note the rate on the request, for the response's headers."""
        limit, self.client = _limit_of(request)
        if not limit:
            return True
        rate = record_call(self.client, limit)
        shown_rate = rate or (limit, 0, WINDOW_SECONDS)
        request._request.rate_limit = shown_rate  # type: ignore[attr-defined] # for the middleware
        return rate is not None

    def wait(self) -> float:
        """Return the seconds for Retry-After."""
        return float(CALL_COUNTER.seconds_left(self.client))


def charge_items(request: Request, items: int) -> None:
    """Count a batch by its items. The batch itself was one call, and is not refused any more."""
    limit, client = _limit_of(request)
    if limit and items > 1:
        CALL_COUNTER.charge(client, limit, items - 1)


def _limit_of(request: Request) -> tuple[int, str]:
    """Return the limit of the caller, 0 for none, and the name under which calls are counted."""
    if is_staff(request):
        return settings.THROTTLE_STAFF, f"staff {request.user.get_username()}"
    return settings.THROTTLE_PUBLIC, public_client(request.META)
