"""Authorization by Django's model permissions, for sessions and tokens alike."""

from typing import TYPE_CHECKING, Protocol, cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

VIEW = "products.view_product"
NEEDED = {
    "POST": "products.add_product",
    "PUT": "products.change_product",
    "PATCH": "products.change_product",
    "DELETE": "products.delete_product",
}
DEACTIVATE = NEEDED["DELETE"]
"""Also needed to write ``active: false``, which has the same effect as DELETE."""


class Caller(Protocol):
    """What authorization needs of a Django user or a token's user."""

    is_authenticated: bool

    def has_perm(self, permission: str, /) -> bool:
        """Return whether the user has the permission."""


class ProductPermission(BasePermission):
    """Let everyone read, unless the view is ``staff_only``; require a permission to write.

    A view may name the permission to write in ``needed``. Otherwise the HTTP method decides.
    """

    message: str

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether the caller may use this method of the view."""
        self.message = _refusal(VIEW)
        if request.method in SAFE_METHODS:
            return is_staff(request) or not getattr(view, "staff_only", False)
        needed = getattr(view, "needed", None) or NEEDED.get(request.method or "")
        self.message = _refusal(needed)
        return needed is None or has_permission(request, needed)


def is_staff(request: Request) -> bool:
    """Return whether the caller may see what is hidden from the public."""
    return has_permission(request, VIEW)


def has_permission(request: Request, permission: str) -> bool:
    """Return whether the caller has the permission."""
    caller = cast("Caller", request.user)  # only Caller, or not authenticated at all
    return bool(caller.is_authenticated and caller.has_perm(permission))


def require_permission(request: Request, permission: str) -> None:
    """Raise PermissionDenied, naming the permission, unless the caller has it."""
    if not has_permission(request, permission):
        raise PermissionDenied(_refusal(permission))


def _refusal(permission: str | None) -> str:
    return (
        f"This requires the permission {permission}."
        " A token has the permissions its user had when the token was issued."
    )
