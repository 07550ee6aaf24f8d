"""What all admin pages share: the theme's base class, the signed-in user, and small parsers."""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from products.bootstrap import new_id
from products.changes import Origin

# The theme has no type hints. The pages are written against the stock hooks that it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["Context", "ModelAdmin", "origin_of", "user_of", "version_number"]

type Context = dict[str, object]
"""What a template is rendered with."""

MAX_VERSION_DIGITS = 12


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user. The admin's views are reached by no other visitors."""
    return cast(User, request.user)


def origin_of(request: HttpRequest, *, source: str = "admin", reason: str = "") -> Origin:
    """Return who writes with this request, from where and why."""
    request_id = getattr(request, "request_id", None) or new_id()
    return Origin(
        actor=request.user.get_username(),
        source=source,
        request_id=request_id,
        reason=reason,
    )


def version_number(text: str) -> int | None:
    """Return the version that the text names, or None when it is not a version number."""
    is_number = text.isascii() and text.isdigit()
    return int(text) if is_number and len(text) <= MAX_VERSION_DIGITS else None
