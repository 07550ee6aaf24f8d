"""Users and groups in the theme's look. Only a superuser decides what an account may do.

Stock Django lets everybody who may change users make themselves a superuser, or set a superuser's
password. Here they can only maintain the data of accounts that may do no more than they may.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, Q, QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from products.access.tokens import revoke_all
from products.admin.base import ModelAdmin, user_of
from products.bootstrap import jobs
from products.errors import Unavailable

PRIVILEGE_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(User)
admin.site.unregister(Group)


def _is_superuser(request: HttpRequest) -> bool:
    user = user_of(request)
    return bool(user.is_active and user.is_superuser)


class StopsJobs(ModelAdmin):
    """Stop the running jobs of those who lose the permission, after each change or deletion.

    A worker with the SQL database sees that too at each step. One on Lambda has no such database.
    """

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        _stop_jobs(request)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        _stop_jobs(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        super().delete_queryset(request, queryset)
        _stop_jobs(request)


def _stop_jobs(request: HttpRequest) -> None:
    try:
        jobs().stop_unauthorised()
    except Unavailable as fault:
        sentence = f"{fault} The running jobs could not be checked; cancel those that must stop."
        messages.warning(request, sentence)


@admin.register(User)
class UserAdmin(StopsJobs, DjangoUserAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def save_model(self, request: HttpRequest, obj: User, form: Form, change: bool) -> None:
        """Save the account. One that is not active any more loses its tokens."""
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            revoke_all(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *PRIVILEGE_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)


def _may_manage(request: HttpRequest, account: User | None) -> bool:
    """Return whether the user may set the account's password and so act as that account.

    The account must therefore have no permission that the user lacks.
    """
    if account is None or _is_superuser(request):
        return True
    return not account.is_superuser and _permissions_of(account) <= _own_permissions(request)


def _own_permissions(request: HttpRequest) -> set[str]:
    return user_of(request).get_all_permissions()


def _permissions_of(account: User) -> set[str]:
    """Return the account's permissions, whether it is active or not.

    ``User.get_all_permissions`` is empty for an inactive account, which can be activated later.
    """
    is_granted = Q(user=account) | Q(group__user=account)
    granted = Permission.objects.filter(is_granted).select_related("content_type")
    return {f"{grant.content_type.app_label}.{grant.codename}" for grant in granted}


@admin.register(Group)
class GroupAdmin(StopsJobs, DjangoGroupAdmin):
    """Viewing a group needs the permission for it. Changing one needs a superuser."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)
