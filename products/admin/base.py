"""What all admin pages share: the theme's base class, the signed-in user, and small parsers."""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from products.bootstrap import new_id
from products.changes import Origin
from products.permissions import permissions_among

# The theme has no type hints. The pages are written against the stock hooks that it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["Context", "ModelAdmin", "origin_of", "user_of"]

type Context = dict[str, object]
"""What a template is rendered with."""


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
        permissions=permissions_among(user_of(request).get_all_permissions()),
    )
