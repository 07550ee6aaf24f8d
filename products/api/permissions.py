"""Who may use a view: Django's model permissions, for sessions and tokens alike.

Which permission a write needs is decided in ``products.permissions``.
"""

from typing import TYPE_CHECKING, Protocol, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from products.permissions import WRITING, Permission

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

ABOUT_TOKENS = "A token has the permissions its user had when the token was issued."
MAY_NOT_READ = f"This requires the permission {Permission.VIEW}. {ABOUT_TOKENS}"
MAY_NOT_WRITE = f"This requires one of the permissions {', '.join(sorted(WRITING))}. {ABOUT_TOKENS}"
MAY_NOT_PLAN = f"This requires the permission {Permission.PLAN}. {ABOUT_TOKENS}"
WRITE_METHODS = ("POST", "PUT", "PATCH", "DELETE")


class Caller(Protocol):
    """What authorization needs of a Django user or a token's user."""

    is_authenticated: bool

    def has_perm(self, permission: str, /) -> bool:
        """Return whether the user has the permission."""


class ProductPermission(BasePermission):
    """Let everyone read, unless the view is ``staff_only``; let those write who may write at all.

    Every write then checks the permissions that it needs. The writes of a view that ``is_planning``
    need the permission to plan.
    """

    message: str

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether the caller may use this method of the view."""
        if request.method in WRITE_METHODS:
            # A response to a write shows what only staff may read.
            is_planning = getattr(view, "is_planning", False)
            refusal = MAY_NOT_PLAN if is_planning else MAY_NOT_WRITE
            self.message = refusal if is_staff(request) else MAY_NOT_READ
            needed = {Permission.PLAN} if is_planning else WRITING
            return is_staff(request) and bool(permissions_of(request) & needed)
        self.message = MAY_NOT_READ
        return is_staff(request) or not getattr(view, "staff_only", False)


def is_staff(request: Request) -> bool:
    """Return whether the caller may see what is hidden from the public."""
    return _has_permission(request, Permission.VIEW)


def permissions_of(request: Request) -> frozenset[Permission]:
    """Return the product permissions of the caller."""
    return frozenset(held for held in Permission if _has_permission(request, held))


def _has_permission(request: Request, permission: Permission) -> bool:
    caller = cast("Caller", request.user)  # only Caller, or not authenticated at all
    return bool(caller.is_authenticated and caller.has_perm(permission))
