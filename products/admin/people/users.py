"""Users and groups. Only a superuser decides what an account may do.

Stock Django lets everybody who may change users make themselves a superuser, or set a superuser's
password. Here they can only maintain the data of accounts that may do no more than they may, and
invite people into groups that may do no more than they may.
"""

from collections.abc import Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy
from unfold.forms import AdminPasswordChangeForm

from products.access.confirmation import require_confirmation
from products.access.invitations import is_invited
from products.access.own_sessions import end_all_sessions
from products.access.second_factor import FACTORS
from products.access.tokens import revoke_all
from products.admin.base import user_of
from products.admin.people import account_actions, invite
from products.admin.people.forms import GroupForm, UserForm
from products.admin.people.stopped_jobs import StopsJobs
from products.admin.rights import in_order, words_for

PRIVILEGE_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
ACTIVE, INVITED = gettext_lazy("Active"), gettext_lazy("Invited")
ENDED, TOKENS_ONLY = gettext_lazy("Ended"), gettext_lazy("API only")

UNUSED_ADMINS = {"account", "mfa", "socialaccount", "usersessions"}
"""Apps of django-allauth, whose own pages would show secrets and show nothing useful."""

admin.site.unregister(User)
admin.site.unregister(Group)
for model in [*admin.site._registry]:
    if model._meta.app_label in UNUSED_ADMINS:
        admin.site.unregister(model)


def is_superuser(request: HttpRequest) -> bool:
    """Return whether an active superuser makes the request."""
    user = user_of(request)
    return bool(user.is_active and user.is_superuser)


class ConfirmedWrites(StopsJobs):
    """Pages whose forms need a recent log-in or confirmation."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_confirmation_of_write(request)
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_confirmation_of_write(request)
        return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_confirmation_of_write(request)
        return super().changelist_view(request, *args, **kwargs)


def require_confirmation_of_write(request: HttpRequest) -> None:
    """Ask a user who sends a form for confirmation, if the last one is old."""
    if request.method == "POST":
        require_confirmation(request)


class StateFilter(admin.SimpleListFilter):
    """Accounts by their state."""

    title = gettext_lazy("state")
    parameter_name = "state"
    conditions = {
        "invited": Q(
            is_active=True, last_login=None, password__startswith=UNUSABLE_PASSWORD_PREFIX
        ),
        "ended": Q(is_active=False),
        "no-factor": Q(is_active=True, is_staff=True, has_factor=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("invited", gettext("Invited, not yet here")),
            ("no-factor", gettext("Without a second factor")),
            ("ended", str(ENDED)),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        condition = self.conditions.get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


@admin.register(User)
class UserAdmin(ConfirmedWrites, DjangoUserAdmin):
    form = UserForm
    change_password_form = AdminPasswordChangeForm
    change_form_template = "admin/people/user.html"
    list_display = ("person", "address", "may", "state", "second_factor", "last_log_in")
    list_filter = (StateFilter, "groups")
    list_filter_submit = False
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email", "username")}),
        (
            gettext_lazy("Log-in"),
            {"fields": ("is_active", "is_staff", "state", "second_factor", "last_log_in")},
        ),
        (
            gettext_lazy("Rights"),
            {"fields": ("groups", "is_superuser", "user_permissions")},
        ),
    )
    readonly_fields = ("state", "second_factor", "last_log_in")

    def get_urls(self) -> list[URLPattern]:
        return [*account_actions.urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(has_factor=Exists(factors)).prefetch_related("groups")

    @admin.display(description=gettext_lazy("Person"), ordering="username")
    def person(self, user: User) -> str:
        return user.get_full_name() or user.get_username()

    @admin.display(description=gettext_lazy("May"))
    def may(self, user: User) -> str:
        if user.is_superuser:
            return gettext("everything")
        return ", ".join(group.name for group in user.groups.all()) or "-"

    @admin.display(description=gettext_lazy("State"))
    def state(self, user: User) -> str:
        if not user.is_active:
            return str(ENDED)
        if not user.is_staff:
            return str(TOKENS_ONLY)
        return str(INVITED if is_invited(user) else ACTIVE)

    @admin.display(description=gettext_lazy("Second factor"), boolean=False)
    def second_factor(self, user: User) -> str:
        return gettext("Yes") if getattr(user, "has_factor", False) else gettext("No")

    @admin.display(description=gettext_lazy("E-mail"), ordering="email")
    def address(self, user: User) -> str:
        return str(user.email)

    @admin.display(description=gettext_lazy("Last log-in"), ordering="last_login")
    def last_log_in(self, user: User) -> str:
        last = user.last_login
        return date_format(localtime(last), "DATETIME_FORMAT") if last else gettext("Never")

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Invite somebody. A superuser need not know anybody's password."""
        return invite.invite_view(self, request)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_confirmation_of_write(request)
        return super().user_change_password(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Form, change: bool) -> None:
        """Save the account. One that is not active any more loses its tokens and sessions."""
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            revoke_all(obj)
            end_all_sessions(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if is_superuser(request) else (*fields, *PRIVILEGE_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)


def _may_manage(request: HttpRequest, account: User | None) -> bool:
    """Return whether the user may set the account's password and so act as that account.

    The account must therefore have no permission that the user lacks.
    """
    if account is None or is_superuser(request):
        return True
    return not account.is_superuser and _permissions_of(account) <= own_permissions(request)


def own_permissions(request: HttpRequest) -> set[str]:
    """Return the permissions of the user who makes the request."""
    return user_of(request).get_all_permissions()


def _permissions_of(account: User) -> set[str]:
    """Return the account's permissions, whether it is active or not.

    ``User.get_all_permissions`` is empty for an inactive account, which can be activated later.
    """
    is_granted = Q(user=account) | Q(group__user=account)
    granted = Permission.objects.filter(is_granted).select_related("content_type")
    return {f"{grant.content_type.app_label}.{grant.codename}" for grant in granted}


@admin.register(Group)
class GroupAdmin(ConfirmedWrites, DjangoGroupAdmin):
    """Viewing a group needs the permission for it. Changing one needs a superuser."""

    form = GroupForm
    change_form_template = "admin/people/group.html"
    filter_horizontal = ()
    list_display = ("name", "members", "may")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.prefetch_related("permissions__content_type").annotate(
            member_count=Count("user")
        )

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any, Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the groups only, without the inner rows that connect them with permissions."""
        _, _, needed, protected = super().get_deleted_objects(objs, request)
        return [str(group) for group in objs], {}, needed, protected

    @admin.display(description=gettext_lazy("Members"))
    def members(self, group: Group) -> int:
        return int(getattr(group, "member_count", 0))

    @admin.display(description=gettext_lazy("Its members may"))
    def may(self, group: Group) -> str:
        return "; ".join(words_for(one) for one in in_order(group.permissions.all())) or "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)
