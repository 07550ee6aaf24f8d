"""How often one client may call: a number a second, told in every answer. Counted per process."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from products.api.permissions import is_staff


class ClientThrottle(SimpleRateThrottle):
    """THROTTLE_STAFF calls a second for each member of staff, THROTTLE_PUBLIC for each other address; 0 is no limit."""

    scope = "client"

    def __init__(self) -> None:
        """The rate depends on who calls, so it is chosen then."""

    def allow_request(self, request: Request, view: Any) -> bool:
        staff = is_staff(request)
        self.num_requests = settings.THROTTLE_STAFF if staff else settings.THROTTLE_PUBLIC
        self.duration = 1
        if not self.num_requests:
            return True
        who = request.user.get_username() if staff else self.get_ident(request)
        self.key: str = self.cache_format % {"scope": "staff" if staff else "public", "ident": who}
        allowed = self._count()
        left = max(0, self.num_requests - len(self.history))
        request._request.rate_limit = (self.num_requests, left, self.duration)  # type: ignore[attr-defined] # ours
        return allowed

    def _count(self) -> bool:
        self.now = self.timer()
        self.history = [at for at in self.cache.get(self.key, []) if at > self.now - self.duration]
        if len(self.history) >= self.num_requests:
            return False
        self.history.insert(0, self.now)
        self.cache.set(self.key, self.history, self.duration)
        return True

    def wait(self) -> float:
        return float(self.duration)
