"""Permissions in the words of people who give them."""

from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db.models import QuerySet

WORDS = {
    "products.view_product": "See products, their history and their changes",
    "products.change_product": "Publish prices and other changes of products",
    "products.add_product": "Add products",
    "products.delete_product": "Hide products from customers",
    "products.plan_product": "Plan changes of products for a later day",
    "products.operate_product": "Operate the catalogue: retry or discard what is stuck",
    "products.share_savedview": "Share views of the product list with everybody",
    "products.view_apitoken": "See everybody's API tokens",
    "products.add_apitoken": "Issue API tokens for oneself, and revoke tokens",
    "auth.view_user": "See who has an account",
    "auth.add_user": "Invite people, with no more rights than one's own",
    "auth.change_user": "Change names, and end accounts with no more rights than one's own",
    "auth.delete_user": "Delete accounts that have done nothing",
    "auth.view_group": "See the groups",
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
    return WORDS.get(label_of(permission), str(permission.name))


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
