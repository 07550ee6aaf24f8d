"""Who may do what: Django's model permissions, whether they come from a session or from a token."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

NEEDED = {
    "POST": "products.add_product",
    "PUT": "products.change_product",
    "PATCH": "products.change_product",
    "DELETE": "products.delete_product",
}
VIEW = "products.view_product"
DEACTIVATE = NEEDED["DELETE"]
"""Writing ``active: false`` needs it as well: that takes a product away just as DELETE does."""


def is_staff(request: Request) -> bool:
    """Whether the caller may see what the public may not."""
    return has_permission(request, VIEW)


class ProductPermission(BasePermission):
    """Anyone reads, unless the view is ``staff_only``; each way of writing needs its own permission."""

    message: str

    def has_permission(self, request: Request, view: Any) -> bool:
        self.message = _sentence(VIEW)
        if request.method in SAFE_METHODS:
            return is_staff(request) or not getattr(view, "staff_only", False)
        needed = getattr(view, "needed", None) or NEEDED.get(request.method or "")
        self.message = _sentence(needed)
        return needed is None or has_permission(request, needed)


def require_permission(request: Request, permission: str) -> None:
    """PermissionDenied, which names what is missing, unless the caller holds the permission."""
    if not has_permission(request, permission):
        raise PermissionDenied(_sentence(permission))


def _sentence(permission: str | None) -> str:
    return f"This needs the permission {permission}; a token has those its user had when it was issued."


def has_permission(request: Request, permission: str) -> bool:
    """Whether the caller holds the permission."""
    user: Any = request.user  # a Django user, nobody, or the bearer of a token
    return bool(user.is_authenticated and user.has_perm(permission))
