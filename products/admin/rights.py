"""Permissions in the words of people who give them."""

from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

WORDS = {
    "products.view_product": gettext_lazy("See products, their history and their changes"),
    "products.change_product": gettext_lazy("Publish prices and other changes of products"),
    "products.add_product": gettext_lazy("Add products"),
    "products.delete_product": gettext_lazy("Hide products from customers"),
    "products.plan_product": gettext_lazy("Plan changes of products for a later day"),
    "products.operate_product": gettext_lazy(
        "Operate the catalogue: retry or discard what is stuck"
    ),
    "products.share_savedview": gettext_lazy("Share views of the product list with everybody"),
    "products.view_apitoken": gettext_lazy("See everybody's API tokens"),
    "products.add_apitoken": gettext_lazy("Issue API tokens for oneself, and revoke tokens"),
    "auth.view_user": gettext_lazy("See who has an account"),
    "auth.add_user": gettext_lazy("Invite people, with no more rights than one's own"),
    "auth.change_user": gettext_lazy(
        "Change names, and end accounts with no more rights than one's own"
    ),
    "auth.delete_user": gettext_lazy("Delete accounts that have done nothing"),
    "auth.view_group": gettext_lazy("See the groups"),
}
"""What may be given to somebody, in the order in which it is shown."""
ORDER = {name: number for number, name in enumerate(WORDS)}
WITHOUT_MEANING = ("products.staffprofile", "auth.permission", "auth.group")
OTHER_APPS = ("products",)
"""Apps whose other permissions can be given, too, with the name that their model has for them."""


def label_of(permission: Permission) -> str:
    """Return the permission's name, such as ``products.view_product``."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def words_for(permission: Permission) -> str:
    """Return what the permission allows, in a sentence."""
    return str(WORDS.get(label_of(permission), permission.name))


def offered_permissions() -> QuerySet[Permission]:
    """Return the permissions that a person can be given, in their order."""
    everything = Permission.objects.select_related("content_type")
    keys = [permission.pk for permission in everything if _is_offered(permission)]
    return everything.filter(pk__in=keys)


def _is_offered(permission: Permission) -> bool:
    if label_of(permission) in WORDS:
        return True
    model = f"{permission.content_type.app_label}.{permission.content_type.model}"
    is_ours = permission.content_type.app_label in OTHER_APPS
    custom = not permission.codename.startswith(("add_", "change_", "delete_", "view_"))
    return is_ours and custom and model not in WITHOUT_MEANING


def in_order(permissions: Iterable[Permission]) -> list[Permission]:
    """Return the permissions in the order in which they are shown."""
    return sorted(permissions, key=lambda one: (ORDER.get(label_of(one), len(ORDER)), one.pk))
