"""Sessions in SQL that end twice: some hours after signing in whatever happens, and earlier without a sign of life."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse

STARTED = "started_at"
WORTH_WRITING = 60.0  # seconds; a sign of life within a minute of the last one is not written down


class SessionStore(DatabaseSessionStore):
    """``expire_date`` is the earlier of both ends; the cookie outlives it and then means nothing."""

    known_end: datetime | None = None

    def cycle_key(self) -> None:
        """Signing in (or giving a new password) starts the hours anew, under a new key."""
        self.pop(STARTED, None)
        super().cycle_key()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        data.setdefault(STARTED, time.time())
        row = super().create_model_instance(data)
        row.expire_date = _end(data[STARTED])
        return row

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc] # Django's own, without a stub
        self.known_end = row.expire_date if row else None
        return row

    def record_activity(self) -> None:
        """A sign of life. Only the end is written, so nothing is undone that a request beside this one has stored."""
        if self.known_end is None or SESSION_KEY not in self:
            return
        end = _end(self.get(STARTED, 0))
        if (end - self.known_end).total_seconds() > WORTH_WRITING:
            Session.objects.filter(session_key=self.session_key).update(expire_date=end)


def _end(started: float) -> datetime:
    end = min(time.time() + settings.SESSION_IDLE_SECONDS, started + settings.SESSION_COOKIE_AGE)
    return datetime.fromtimestamp(end, UTC)


class IdleTimeoutMiddleware:
    """What a person does keeps the session alive; an open page that asks for news by itself does not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        by_script = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"
        session: Any = request.session
        if session.accessed and not by_script:
            session.record_activity()
        return response
