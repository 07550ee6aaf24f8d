"""What all admin pages share: the theme's base class, the signed-in user, and small parsers."""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from products.identifiers import parse_version

# The theme has no type hints. The pages are written against the stock hooks that it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["Context", "ModelAdmin", "user_of", "version_parameter"]

type Context = dict[str, object]
"""What a template is rendered with."""


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user. The admin's views are reached by no other visitors."""
    return cast(User, request.user)


def version_parameter(request: HttpRequest, name: str) -> int | None:
    """Return the version that a parameter of the request names, or None."""
    return parse_version((request.POST or request.GET).get(name, ""))
