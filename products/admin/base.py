"""What every page of the admin shares: the theme's base class, chosen here and nowhere else, and who is writing."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from products.bootstrap import new_id
from products.changes import Origin

# The theme has no types of its own. Everything here is written against the stock hooks it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["ModelAdmin", "origin_of"]


def origin_of(request: HttpRequest, *, source: str = "admin", reason: str = "") -> Origin:
    """Who writes here, and why."""
    request_id = getattr(request, "request_id", None) or new_id()
    return Origin(
        actor=request.user.get_username(), source=source, request_id=request_id, reason=reason
    )
