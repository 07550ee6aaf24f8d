"""The forms for users, groups and invitations: rights as a list of sentences."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from products.admin.rights import in_order, offered_permissions, words_for

ADDRESS_TAKEN = gettext_lazy("Another account has this address.")


class SentenceList(forms.CheckboxSelectMultiple):
    """Boxes to tick, one below the other, each with a sentence."""

    template_name = "admin/people/sentence_list.html"

    def _render(self, template_name: str, context: dict[str, Any], renderer: object = None) -> str:
        """Render with the templates of the product. Widgets know only those of Django's forms."""
        return render_to_string(template_name, context)


class PermissionChoice(forms.ModelMultipleChoiceField):
    """Permissions in words. Those that are not offered can't be chosen."""

    widget = SentenceList

    def label_from_instance(self, obj: Permission) -> str:
        return words_for(obj)


class GroupChoice(forms.ModelMultipleChoiceField):
    """Groups, each with what its members may do."""

    widget = SentenceList

    def label_from_instance(self, obj: Group) -> str:
        may = [words_for(permission) for permission in in_order(obj.permissions.all())]
        return f"{obj.name}: {'; '.join(may) or gettext('nothing yet')}"


def all_groups() -> QuerySet[Group]:
    """Return the groups with what their labels need."""
    return Group.objects.order_by("name").prefetch_related("permissions__content_type")


def require_unique_address(address: str, but: User | None = None) -> str:
    """Return the address unless another account has it. Company accounts find theirs by it."""
    has_address = Q(email__iexact=address) | Q(username__iexact=address)
    others = User.objects.filter(has_address).exclude(pk=but.pk if but else None)
    if address and others.exists():
        raise forms.ValidationError(ADDRESS_TAKEN)
    return address


class InvitationForm(forms.Form):
    """Whom to invite, and into which groups."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=150,
        widget=UnfoldAdminEmailInputWidget(attrs={"autofocus": ""}),
    )
    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=150,
        widget=UnfoldAdminTextInputWidget(),
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        required=False,
        max_length=150,
        widget=UnfoldAdminTextInputWidget(),
    )
    groups = GroupChoice(
        label=gettext_lazy("Groups"), queryset=Group.objects.none(), required=False
    )

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"].lower()
        return require_unique_address(address)


class UserForm(forms.ModelForm):
    """An account: who it is, whether it may log in, and what it may do."""

    groups = GroupChoice(label=gettext_lazy("Groups"), queryset=all_groups(), required=False)
    user_permissions = PermissionChoice(
        queryset=Permission.objects.none(),
        required=False,
        label=gettext_lazy("Besides these groups"),
    )

    class Meta:
        model = User
        fields = (
            "first_name",
            "last_name",
            "email",
            "username",
            "is_active",
            "is_staff",
            "is_superuser",
            "groups",
            "user_permissions",
        )
        labels = {
            "username": gettext_lazy("User name"),
            "email": gettext_lazy("E-mail"),
            "is_active": gettext_lazy("The account is active"),
            "is_staff": gettext_lazy("May log in here"),
            "is_superuser": gettext_lazy("May do everything"),
        }
        help_texts = {
            "username": "",
            "is_active": gettext_lazy(
                "Without it, the account has ended: no log-in, and its API tokens stop."
            ),
            "is_staff": gettext_lazy("Without it, the account can only have API tokens."),
            "is_superuser": gettext_lazy("Needs no group. Give it to as few people as possible."),
        }
        widgets = {
            "is_active": UnfoldBooleanWidget,
            "is_staff": UnfoldBooleanWidget,
            "is_superuser": UnfoldBooleanWidget,
        }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kept: list[Permission] = []
        if "user_permissions" in self.fields:
            self.kept = offer_permissions(self, "user_permissions")

    def clean_email(self) -> str:
        return require_unique_address(self.cleaned_data["email"], but=self.instance)

    def clean_user_permissions(self) -> list[Permission]:
        return [*self.cleaned_data["user_permissions"], *self.kept]


class GroupForm(forms.ModelForm):
    """A group: its name, and what its members may do."""

    permissions = PermissionChoice(
        queryset=Permission.objects.none(), required=False, label=gettext_lazy("Its members may")
    )

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kept: list[Permission] = []
        if "permissions" in self.fields:
            self.kept = offer_permissions(self, "permissions")

    def clean_permissions(self) -> list[Permission]:
        return [*self.cleaned_data["permissions"], *self.kept]


def offer_permissions(form: forms.ModelForm, name: str) -> list[Permission]:
    """Offer the permissions that have words. Return the others that are held, which stay."""
    offered = in_order(offered_permissions())
    field: Any = form.fields[name]
    field.queryset = Permission.objects.filter(pk__in=[one.pk for one in offered])
    field.choices = [(one.pk, words_for(one)) for one in offered]
    if not form.instance.pk:
        return []
    held = getattr(form.instance, name).all()
    return [one for one in held if one not in offered]
