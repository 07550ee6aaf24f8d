"""Database sessions with an absolute lifetime and an idle timeout."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

STARTED = "started_at"
MIN_EXTENSION_SECONDS = 60.0
"""A shorter extension is not worth a write to the database."""


class SessionStore(DatabaseSessionStore):
    """Store the earlier of both ends as ``expire_date``.

    The cookie may live longer, but is worthless after that.
    """

    known_end: datetime | None = None

    def cycle_key(self) -> None:
        """Start the absolute lifetime again, under a new key, after a login or a new password."""
        self.pop(STARTED, None)
        super().cycle_key()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Return the row to save, with its end."""
        data.setdefault(STARTED, time.time())
        row = super().create_model_instance(data)
        row.expire_date = _end(data[STARTED])
        return row

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc] # no stub
        self.known_end = row.expire_date if row else None
        return row

    def record_activity(self) -> None:
        """Extend the idle timeout of a signed-in user.

        Only the end is written, so the data that a concurrent request has stored stays.
        """
        if self.known_end is None or SESSION_KEY not in self:
            return
        end = _end(self.get(STARTED, 0))
        if (end - self.known_end).total_seconds() > MIN_EXTENSION_SECONDS:
            Session.objects.filter(session_key=self.session_key).update(expire_date=end)


def _end(started: float) -> datetime:
    """Return the earlier of the idle timeout, from now, and the end of the lifetime."""
    idle_end = time.time() + settings.SESSION_IDLE_SECONDS
    lifetime_end = started + settings.SESSION_COOKIE_AGE
    return datetime.fromtimestamp(min(idle_end, lifetime_end), UTC)


class IdleTimeoutMiddleware:
    """Extend the session when a person uses it, but not when an open page polls for news."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Browsers send "empty" for requests that a script makes.
        is_poll = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"
        session = cast("SessionStore", request.session)
        if session.accessed and not is_poll:
            try:
                session.record_activity()
            except DatabaseError as fault:  # the response is ready, and the next one extends it
                logger.warning("session not extended", extra={"fault": repr(fault)})
        return response
