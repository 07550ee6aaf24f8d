"""Lock out logins after too many wrong passwords, and show a page that says until when.

An account and address are locked after LOGIN_FAILURES, an address after LOGIN_FAILURES_PER_ADDRESS
for all accounts. The lock ends when the oldest failure is LOGIN_LOCK_MINUTES old.
"""

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
from django.utils.translation import gettext
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)
CUSTOMER_PREFIX_BITS = 64
"""Providers assign each customer this prefix of an IPv6 address; devices choose the rest."""

type Credentials = dict[str, Any] | None
type Failures = list[tuple[datetime, int]]
"""The times of failures and how many there were at each, oldest first."""


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc] # axes has no types
    """Apply a low limit for one account at one address, and a high one for one address.

    ``AXES_LOCKOUT_PARAMETERS`` has the same two, in the same order.
    """

    def get_failures(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """Return a number that reaches AXES_FAILURE_LIMIT when either limit is reached.

        axes compares with this one limit only, so the failures are counted from the end.
        """
        return max(
            int(settings.AXES_FAILURE_LIMIT) - limit + sum(count for _, count in failures)
            for limit, failures in self.failures_by_limit(request, credentials)
        )

    def failures_by_limit(
        self, request: HttpRequest, credentials: Credentials
    ) -> list[tuple[int, Failures]]:
        """Return each limit with the failures that count against it."""
        limits: tuple[int, int] = (settings.AXES_FAILURE_LIMIT, settings.LOGIN_FAILURES_PER_ADDRESS)
        attempts: list[QuerySet[AccessAttempt]] = self.get_user_attempts(request, credentials)
        columns = ("attempt_time", "failures_since_start")
        return [
            (limit, list(of_limit.order_by("attempt_time").values_list(*columns)))
            for limit, of_limit in zip(limits, attempts, strict=True)
        ]

    def reset_user_attempts(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """Forget the failures of the account that has just logged in.

        Those of the address stay. Otherwise one known password would allow guesses at all others.
        """
        of_account = self.filter_user_attempts(request, credentials)[0]
        return int(of_account.delete()[0])

    def unlocks_at(self, request: HttpRequest, credentials: Credentials) -> datetime | None:
        """Return when neither limit is reached any more; None when neither is now."""
        ends = [
            _lock_end(limit, failures)
            for limit, failures in self.failures_by_limit(request, credentials)
        ]
        return max((end for end in ends if end), default=None)


def _lock_end(limit: int, failures: Failures) -> datetime | None:
    """Return when enough of the oldest failures have expired to be below the limit."""
    remaining = sum(count for _, count in failures)
    end = None
    for at, count in failures:
        if remaining < limit:
            break
        remaining -= count
        end = at + settings.AXES_COOLOFF_TIME
    return end


def client_address(request: HttpRequest) -> str | None:
    """Return the address to count failures against: the client's in front of NUM_PROXIES proxies.

    Of an IPv6 address it is the customer's network.
    """
    forwarded = BaseThrottle().get_ident(request)  # type: ignore[arg-type] # DRF reads headers only
    for text in (forwarded, request.META.get("REMOTE_ADDR", "")):
        with suppress(ValueError):
            return _customer_address(ipaddress.ip_address(str(text).strip()))
    return None


def _customer_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    network = ipaddress.ip_network((int(address), CUSTOMER_PREFIX_BITS), strict=False)
    return str(network.network_address)


class LoginRequest(HttpRequest):
    """A request with the attribute that axes adds."""

    axes_attempt_time: datetime


def lockout_response(
    request: LoginRequest, _: HttpResponse | None, credentials: Credentials
) -> HttpResponse:
    """Return a 429 with the page that says until when the login is locked.

    It is the same for accounts that do not exist, so nobody learns which ones do.
    """
    now = request.axes_attempt_time
    unlocks_at = LockoutHandler().unlocks_at(request, credentials)
    end = unlocks_at or now + settings.AXES_COOLOFF_TIME
    seconds = max(1, math.ceil((end - now) / timedelta(seconds=1)))
    logger.warning("login locked", extra={"retry_after_seconds": seconds})
    context = {
        **admin.site.each_context(request),
        "title": gettext("Too many attempts"),
        "opens": end,
        "minutes": math.ceil(seconds / 60),
        "again": request.get_full_path(),
    }
    response = render(request, "admin/locked.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response
