"""How often one client may call: a number a second, told in every answer. Counted per process."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from products.api.permissions import is_staff

SECONDS = 1


@dataclass(slots=True)
class CallCounter:
    """The calls of the last second by client: a sliding window each, in this process's memory.

    Who has been silent for a second is forgotten without being looked for: each second the clients heard of become
    those heard of before, and those before them are dropped.
    """

    clock: Callable[[], float] = time.monotonic
    made: dict[str, deque[float]] = field(default_factory=dict)
    before: dict[str, deque[float]] = field(default_factory=dict)
    turned_at: float = -math.inf
    lock: Any = field(default_factory=threading.Lock)

    def count_call(self, who: str, limit: int) -> int | None:
        """Count one call; how many are left within this second, or None when this one is too many."""
        at = self.clock()
        with self.lock:
            if at - self.turned_at > SECONDS:
                self.made, self.before, self.turned_at = {}, self.made, at
            lately = self.made.get(who)
            if lately is None:
                lately = self.made[who] = self.before.pop(who, deque())
            while lately and lately[0] <= at - SECONDS:
                lately.popleft()
            if len(lately) >= limit:
                return None
            lately.append(at)
            return limit - len(lately)

    def clear(self) -> None:
        self.made, self.before = {}, {}


CALL_COUNTER = CallCounter()
Rate = tuple[int, int, int]
"""Calls a second, calls left, and seconds until the count starts anew."""


def record_call(who: str, limit: int) -> Rate | None:
    """The rate after one more call of ``who``; None when that was one too many."""
    left = CALL_COUNTER.count_call(who, limit)
    return None if left is None else (limit, left, SECONDS)


def public_name(environ: Mapping[str, Any]) -> str:
    """Who somebody without a login is: an address, as far as NUM_PROXIES lets us trust what we are told."""
    forwarded = {"x-forwarded-for": environ.get("HTTP_X_FORWARDED_FOR")}
    told: Any = SimpleNamespace(
        META=environ, headers=forwarded
    )  # all that DRF reads of a request for this
    return f"public {BaseThrottle().get_ident(told)}"


class ClientThrottle(BaseThrottle):
    """THROTTLE_STAFF calls a second for each member of staff, THROTTLE_PUBLIC for each other address; 0 is no limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        staff = is_staff(request)
        limit = settings.THROTTLE_STAFF if staff else settings.THROTTLE_PUBLIC
        if not limit:
            return True
        rate = record_call(
            f"staff {request.user.get_username()}" if staff else public_name(request.META), limit
        )
        request._request.rate_limit = rate or (limit, 0, SECONDS)  # type: ignore[attr-defined] # ours
        return rate is not None

    def wait(self) -> float:
        return float(SECONDS)
