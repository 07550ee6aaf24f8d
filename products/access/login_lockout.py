"""Signing in: wrong passwords are counted, too many of them lock for a while, and a page says how long."""

import ipaddress
import logging
import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)
BITS_OF_A_CUSTOMER = (
    64  # of an IPv6 address; the other half is whatever the customer's devices choose
)


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc] # it comes without types
    """Two limits: few failures for one account from one address, more from one address for all accounts."""

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """As many as the limit of one account where either limit is reached: that is what axes compares with."""
        return max(
            int(settings.AXES_FAILURE_LIMIT) - limit + sum(failures for _, failures in counted)
            for limit, counted in self.counted(request, credentials)
        )

    def counted(
        self, request: Any, credentials: dict[str, Any] | None
    ) -> list[tuple[int, list[tuple[datetime, int]]]]:
        """For each limit what counts against it: when, and how many failures; the oldest first."""
        limits: tuple[int, int] = (settings.AXES_FAILURE_LIMIT, settings.LOGIN_FAILURES_PER_ADDRESS)
        attempts: list[QuerySet[AccessAttempt]] = self.get_user_attempts(request, credentials)
        columns = ("attempt_time", "failures_since_start")
        return [
            (limit, list(of_limit.order_by("attempt_time").values_list(*columns)))
            for limit, of_limit in zip(limits, attempts, strict=True)
        ]

    def reset_user_attempts(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """A success forgives that account only; else one good password would buy guesses at all others."""
        of_account = self.filter_user_attempts(request, credentials)[0]
        return int(of_account.delete()[0])

    def unlocks_at(self, request: Any, credentials: dict[str, Any] | None) -> datetime | None:
        """When so many failures are old enough that both limits are kept again."""
        ends = [_end(limit, counted) for limit, counted in self.counted(request, credentials)]
        return max((end for end in ends if end), default=None)


def _end(limit: int, counted: list[tuple[datetime, int]]) -> datetime | None:
    left, end = sum(failures for _, failures in counted), None
    for at, failures in counted:
        if left < limit:
            break
        left, end = left - failures, at + settings.AXES_COOLOFF_TIME
    return end


def client_address(request: HttpRequest) -> str | None:
    """Whom to count failures against: the caller's address beyond NUM_PROXIES, of IPv6 the customer's part."""
    for told in (BaseThrottle().get_ident(request), request.META.get("REMOTE_ADDR", "")):  # type: ignore[arg-type]
        with suppress(ValueError):
            address = ipaddress.ip_address(str(told).strip())
            if isinstance(address, ipaddress.IPv4Address):
                return str(address)
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(
                ipaddress.ip_network(
                    (int(address), BITS_OF_A_CUSTOMER), strict=False
                ).network_address
            )
    return None


def lockout_response(
    request: Any, _: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The same for every account, also for one that does not exist."""
    now: datetime = request.axes_attempt_time
    opens = LockoutHandler().unlocks_at(request, credentials) or now + settings.AXES_COOLOFF_TIME
    seconds = max(1, math.ceil((opens - now) / timedelta(seconds=1)))
    logger.warning("login locked", extra={"retry_after_seconds": seconds})
    context = {
        **admin.site.each_context(request),
        "title": "Too many attempts",
        "opens": opens,
        "minutes": math.ceil(seconds / 60),
        "again": request.get_full_path(),
    }
    response = render(request, "admin/locked.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response
