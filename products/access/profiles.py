"""Profiles of staff: the time zone of the admin, and when somebody was last here."""

import zoneinfo
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from products.models import StaffProfile

SESSION_KEY = "time_zone"
ADMIN_PREFIX = "/admin/"
VISIT_ENDS_AFTER = timedelta(minutes=30)
"""A visit to the front page this long after the last one is a new visit."""


def profile_of(user: User) -> StaffProfile:
    """Return the user's profile, with the default time zone if it does not exist yet."""
    profile, _ = StaffProfile.objects.get_or_create(
        user=user, defaults={"time_zone": settings.STAFF_TIME_ZONE}
    )
    return profile


def record_visit(profile: StaffProfile, at: datetime) -> datetime | None:
    """Note a visit to the front page. Return when the visit before this one was, if ever."""
    if profile.last_seen_at is None or at - profile.last_seen_at > VISIT_ENDS_AFTER:
        profile.previous_visit_at = profile.last_seen_at
    profile.last_seen_at = at
    profile.save(update_fields=["last_seen_at", "previous_visit_at"])
    previous: datetime | None = profile.previous_visit_at
    return previous


@cache  # looking for the names of all zones takes longer than many a page
def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone; the default for a name that this machine does not know."""
    known = name if name in zoneinfo.available_timezones() else settings.STAFF_TIME_ZONE
    return zoneinfo.ZoneInfo(known)


class TimeZoneMiddleware:
    """Show times of the admin in the user's zone, which the session remembers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        with timezone.override(zone_of(_zone_name(request))):
            return self.get_response(request)


def _zone_name(request: HttpRequest) -> str:
    """Return the name of the user's zone. It is read from the profile once a session.

    A poll does not store it, because storing would extend the session.
    """
    if not isinstance(request.user, User):
        return str(settings.STAFF_TIME_ZONE)
    if SESSION_KEY in request.session:
        return str(request.session[SESSION_KEY])
    name = str(profile_of(request.user).time_zone)
    if request.headers.get("Sec-Fetch-Dest") != "empty":
        request.session[SESSION_KEY] = name
    return name
