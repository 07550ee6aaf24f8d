"""API tokens in the admin: list them, issue one, revoke some. A new token is shown once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from products.access.confirmation import require_confirmation
from products.access.tokens import issue, revoke
from products.admin.base import ModelAdmin, user_of
from products.models import ApiToken


class ApiTokenForm(forms.ModelForm):
    days = forms.IntegerField(
        min_value=1,
        max_value=366,
        initial=30,
        label=gettext_lazy("Days"),
        help_text=gettext_lazy("How many days the token is valid."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = ApiToken
        fields = ("user", "label")


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    form = ApiTokenForm
    fields = ("user", "label", "days")
    list_display = ("label", "user", "created_at", "expires_at", "revoked_at")
    search_fields = ("label", "user__username")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # a token's permissions are fixed when it is issued

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # a token without a list entry would still be valid: revoke it

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form or issue the token, which needs a recent log-in or confirmation."""
        if request.method == "POST":
            require_confirmation(request)
        return super().add_view(request, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj:
            return ("user", "label", "created_at", "expires_at", "revoked_at")
        return ("user", "label", "days")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the values of a new form: the user is who opens it, as for most tokens."""
        return {"user": user_of(request).pk, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        """Offer only the user's own account, unless the user is a superuser.

        A token carries the permissions of its user.
        """
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        user = user_of(request)
        if field and field.queryset is not None and not user.is_superuser:
            field.queryset = field.queryset.filter(pk=user.pk)
        return field

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ApiTokenForm, change: bool
    ) -> None:
        """Issue the token and show it, for the only time."""
        entries = form.cleaned_data
        listed, token = issue(
            entries["user"],
            label=entries["label"],
            lifetime=timedelta(days=entries["days"]),
        )
        obj.pk = listed.pk
        text = format_html(
            '{} <code class="new-token" id="new-token">{}</code> <button type="button"'
            ' class="message-button" data-copy="#new-token">{}</button>',
            gettext("Copy this token now: it is never shown again."),
            token,
            gettext("Copy"),
        )
        self.message_user(request, text, messages.WARNING)

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go back to the list. ``save_model`` has shown the token, which must not be overlooked."""
        return self.response_post_save_add(request, obj)

    @admin.action(description=gettext_lazy("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            revoke(token)
        count = len(queryset)
        text = ngettext(
            "{count} token is revoked. It stops working within a minute.",
            "{count} tokens are revoked. They stop working within a minute.",
            count,
        )
        self.message_user(request, text.format(count=count))
