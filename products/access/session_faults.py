"""Sessions while the SQL database takes no writes: a page that is ready is still shown."""

import logging

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


class TolerantSessionMiddleware(SessionMiddleware):
    """Save the session after the view, but keep the view's response when that fails.

    The view may have written to the catalogue, which was accepted whether the session is saved or
    not. A login saves its session earlier, and fails if it can't.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as fault:
            logger.warning("session not saved", extra={"fault": repr(fault)})
            return response
