"""Which permissions a write needs. Pure.

They follow from the product before and after the write. So every way of making the same change
needs the same permissions, such as an edit, an undo and an import.
"""

from collections.abc import Iterable, Mapping, Set
from enum import StrEnum
from typing import Any

from products.errors import NotAllowed


class Permission(StrEnum):
    """A permission of a caller, by its name in Django."""

    VIEW = "products.view_product"
    ADD = "products.add_product"
    CHANGE = "products.change_product"
    DELETE = "products.delete_product"
    OPERATE = "products.operate_product"
    PLAN = "products.plan_product"


WRITING = frozenset({Permission.ADD, Permission.CHANGE, Permission.DELETE})
"""The permissions of which each allows some write."""
ALL_PERMISSIONS = frozenset(Permission)
"""For commands and tasks, which no caller controls."""


def needed_permissions(
    changed: Mapping[str, tuple[Any, Any]], *, creates: bool = False
) -> frozenset[Permission]:
    """Return the permissions that a write with these changes needs.

    ``changed`` holds the value before and the value after, by field. Taking a product out of the
    catalogue needs DELETE; every other change of a product needs CHANGE.
    """
    if creates:
        return frozenset({Permission.ADD})
    kinds = [_permission_for(field, after) for field, (_, after) in changed.items()]
    return frozenset(kinds)


def _permission_for(field: str, after: Any) -> Permission:
    deactivates = field == "active" and after is False
    return Permission.DELETE if deactivates else Permission.CHANGE


def require_permissions(held: Set[Permission], needed: Iterable[Permission]) -> None:
    """Raise NotAllowed, which names the missing permissions, unless all are held."""
    missing = sorted(set(needed) - held)
    if missing:
        raise NotAllowed(missing)


def require_permission_to_write(
    held: Set[Permission], changed: Mapping[str, tuple[Any, Any]], *, creates: bool = False
) -> None:
    """Raise NotAllowed unless the caller may make these changes.

    A write that changes nothing needs any one of the permissions to write.
    """
    if creates or changed:
        require_permissions(held, needed_permissions(changed, creates=creates))
    else:
        require_any_permission_to_write(held)


def require_any_permission_to_write(held: Set[Permission]) -> None:
    """Raise NotAllowed unless one of the permissions to write is held."""
    if not held & WRITING:
        raise NotAllowed([Permission.CHANGE])


def permissions_among(names: Iterable[str]) -> frozenset[Permission]:
    """Return the product permissions among these names of Django permissions."""
    return ALL_PERMISSIONS & frozenset(names)
