"""Users and groups, in the theme's clothes. What an account may do is a superuser's decision; others keep its data.

Django itself lets whoever may change users make themselves superuser, or give a superuser a new password.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from products.admin.base import ModelAdmin

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(User)
admin.site.unregister(Group)


def _is_superuser(request: HttpRequest) -> bool:
    person: Any = request.user
    return bool(person.is_active and person.is_superuser)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


def _may_touch(request: HttpRequest, account: User | None) -> bool:
    """Whoever can set an account's password can be that account, so it must not be able to do more than they can."""
    if account is None or _is_superuser(request):
        return True
    person: Any = request.user
    # Not account.get_all_permissions(): that is empty while the account is inactive, which can be changed.
    theirs = Permission.objects.filter(Q(user=account) | Q(group__user=account)).select_related(
        "content_type"
    )
    needed = {f"{permission.content_type.app_label}.{permission.codename}" for permission in theirs}
    return not account.is_superuser and needed <= person.get_all_permissions()


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Looking needs the permission, changing needs a superuser: a group is what its members may do."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)
