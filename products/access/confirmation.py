"""Confirming who one is: a password or second factor that is not older than CONFIRM_AFTER.

A user who changes access needs it. A form that was sent too late waits in the session until the
user has confirmed, and is then processed as if it had just been sent.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from products.access.sessions import STARTED

type View = Callable[..., HttpResponseBase]


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether the user has logged in or confirmed recently."""
    records = get_authentication_records(request, request.user)
    times = [float(record["at"]) for record in records]
    newest = max([float(request.session.get(STARTED, 0)), *times])
    limit: float = settings.CONFIRM_AFTER.total_seconds()
    return time.time() - newest < limit


def require_confirmation(request: HttpRequest) -> None:
    """Raise ReauthenticationRequired, which leads to the page that asks, unless confirmed."""
    if not is_confirmed(request):
        raise ReauthenticationRequired


def confirmed[V: View](view: V) -> V:
    """Let a view be called only by users who have confirmed recently."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> HttpResponseBase:
        request = next(value for value in arguments if isinstance(value, HttpRequest))
        require_confirmation(request)
        return view(*arguments, **named)

    return guarded  # type: ignore[return-value] # it has the same signature
