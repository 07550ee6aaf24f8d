"""What a caller may do, known from the headers: before a body is read, or a view is reached."""

import io
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error as SqlError

from products.access.tokens import TokenRefused, verify
from products.errors import Unavailable
from products.permissions import WRITING, Permission

BEARER = "bearer "


def may_write(environ: Mapping[str, Any]) -> bool:
    """Return whether the request is of a user who may write products, and so send a large body."""
    return has_any_permission(environ, WRITING)


def has_any_permission(environ: Mapping[str, Any], permissions: Iterable[Permission]) -> bool:
    """Return whether the request is of a user with one of the permissions.

    False also while that can't be found out: a request without a body is then answered instead.
    """
    header = environ.get("HTTP_AUTHORIZATION", "")
    try:
        if header.lower().startswith(BEARER):
            user: Any = verify(header[len(BEARER) :].strip())
        elif settings.DATABASES:
            user = _session_user(environ)
        else:  # the API-only deployment has no sessions
            return False
    except (TokenRefused, Unavailable, SqlError):
        return False
    return any(user.has_perm(permission) for permission in permissions)


def _session_user(environ: Mapping[str, Any]) -> Any:
    request = WSGIRequest({**environ, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return get_user(request)
