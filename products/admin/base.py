"""What all admin pages share: the theme's base class, the signed-in user, and small parsers."""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

# The theme has no type hints. The pages are written against the stock hooks that it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["Context", "ModelAdmin", "user_of", "version_number", "version_parameter"]

type Context = dict[str, object]
"""What a template is rendered with."""

MAX_VERSION_DIGITS = 12


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user. The admin's views are reached by no other visitors."""
    return cast(User, request.user)


def version_number(text: str) -> int | None:
    """Return the version that the text names, or None when it is not a version number."""
    is_number = text.isascii() and text.isdigit()
    return int(text) if is_number and len(text) <= MAX_VERSION_DIGITS else None


def version_parameter(request: HttpRequest, name: str) -> int | None:
    """Return the version that a parameter of the request names, or None."""
    return version_number((request.POST or request.GET).get(name, ""))
