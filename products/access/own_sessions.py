"""The sessions of one user: where one is logged in, and ending the others."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils.translation import gettext

from products.access.staff_login import UNKNOWN_ADDRESS

BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
BROWSER_NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux")


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its user sees it."""

    device: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def own_sessions(request: HttpRequest) -> list[OwnSession]:
    """Return the user's sessions that are valid, the current one first."""
    found = UserSession.objects.purge_and_list(request.user)
    keys = [session.session_key for session in found]
    rows = Session.objects.filter(session_key__in=keys)
    ends = dict(rows.values_list("session_key", "expire_date"))
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    sessions = [
        OwnSession(
            device=device_name(entry.user_agent),
            address="" if entry.ip == UNKNOWN_ADDRESS else entry.ip,
            started_at=entry.created_at,
            seen_at=max(entry.created_at, ends[entry.session_key] - idle),
            is_this=entry.session_key == request.session.session_key,
        )
        for entry in found
        if entry.session_key in ends
    ]
    newest_first = sorted(sessions, key=lambda session: session.seen_at, reverse=True)
    return sorted(newest_first, key=lambda session: not session.is_this)


def end_other_sessions(request: HttpRequest) -> int:
    """End the user's other sessions. Return how many there were."""
    return _end(UserSession.objects.purge_and_list(request.user), request.session.session_key)


def end_all_sessions(user: User) -> int:
    """End all sessions of a user whose account ends."""
    return _end(UserSession.objects.purge_and_list(user), None)


def _end(sessions: list[UserSession], but: str | None) -> int:
    others = [session for session in sessions if session.session_key != but]
    for session in others:
        session.end()
    return len(others)


def device_name(user_agent: str) -> str:
    """Return the browser and the system that a browser names, such as Firefox on Windows."""
    browser = next((name for name in BROWSERS if f"{name}/" in user_agent), "")
    system = next((name for name in SYSTEMS if re.search(name, user_agent)), "")
    names = [BROWSER_NAMES.get(browser, browser), "macOS" if system == "Mac OS" else system]
    if all(names):
        return gettext("{browser} on {system}").format(browser=names[0], system=names[1])
    return "".join(names) or gettext("Unknown device")
