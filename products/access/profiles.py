"""Profiles of staff: time zone, numbers, language, and when somebody was last here."""

import zoneinfo
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from products.access.language import ADMIN_PREFIX, in_language, remember_language
from products.models import StaffProfile

NO_BREAK_SPACE = "\u00a0"
ZONE_KEY, FORMAT_KEY, COLUMNS_KEY = "time_zone", "number_format", "columns"
LANGUAGE_KEY = "language"
"""Where the session remembers what the profile says."""
VISIT_ENDS_AFTER = timedelta(minutes=30)
"""A visit to the front page this long after the last one is a new visit."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are written: what is between thousands, and before the cents."""

    thousands: str
    decimal: str


NUMBER_FORMATS = {
    "en-za": NumberFormat(NO_BREAK_SPACE, ","),
    "space-point": NumberFormat(NO_BREAK_SPACE, "."),
    "comma-point": NumberFormat(",", "."),
}
DEFAULT_NUMBER_FORMAT = "en-za"
current_number_format: ContextVar[NumberFormat] = ContextVar(
    "number_format", default=NUMBER_FORMATS[DEFAULT_NUMBER_FORMAT]
)
"""The number format of the user whose request is answered."""


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


class ProfileMiddleware:
    """Show the admin's times, numbers and texts as the user wants, which the session remembers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        wanted = _preferences(request)
        formats = NUMBER_FORMATS.get(wanted.number_format, NUMBER_FORMATS[DEFAULT_NUMBER_FORMAT])
        before = current_number_format.set(formats)
        try:
            with timezone.override(zone_of(wanted.time_zone)), in_language(wanted.language):
                response = self.get_response(request)
        finally:
            current_number_format.reset(before)
        if request.user.is_authenticated:
            remember_language(request, response, wanted.language)
        return response


class Preferences(NamedTuple):
    """What a profile says about times, numbers and texts. No language means the browser's."""

    time_zone: str
    number_format: str
    language: str


def _preferences(request: HttpRequest) -> Preferences:
    """Return what the user wants. It is read from the profile once a session.

    A poll does not store it, because storing would extend the session.
    """
    if not isinstance(request.user, User):
        return Preferences(str(settings.STAFF_TIME_ZONE), DEFAULT_NUMBER_FORMAT, "")
    keys = (ZONE_KEY, FORMAT_KEY, LANGUAGE_KEY)
    if all(key in request.session for key in keys):
        return Preferences(*(str(request.session[key]) for key in keys))
    profile = profile_of(request.user)
    if request.headers.get("Sec-Fetch-Dest") != "empty":
        remember_preferences(request, profile)
    return Preferences(str(profile.time_zone), str(profile.number_format), str(profile.language))


def remember_preferences(request: HttpRequest, profile: StaffProfile) -> None:
    """Let the session remember what the profile says."""
    request.session[ZONE_KEY] = profile.time_zone
    request.session[FORMAT_KEY] = profile.number_format
    request.session[LANGUAGE_KEY] = profile.language
    request.session[COLUMNS_KEY] = profile.columns
