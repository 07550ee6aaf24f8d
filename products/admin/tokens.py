"""API tokens in the admin: list them, issue one, revoke some. The token itself is shown once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from products.access.tokens import issue, revoke
from products.admin.base import ModelAdmin
from products.models import ApiToken


class ApiTokenForm(forms.ModelForm):
    days = forms.IntegerField(
        min_value=1, max_value=366, initial=30, help_text="How long it shall be valid."
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
        return False  # what a token may do was decided when it was issued

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # a token that is no longer listed would still be valid: revoke it

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return ("user", "label", "created_at", "expires_at", "revoked_at") if obj else self.fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only a superuser issues tokens for others: a token carries its user's permissions."""
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        user: Any = request.user
        if not user.is_superuser:
            field.queryset = field.queryset.filter(pk=user.pk)
        return field

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        given = form.cleaned_data
        listed, token = issue(
            given["user"], label=given["label"], lifetime=timedelta(days=given["days"])
        )
        obj.pk = listed.pk
        self.message_user(request, f"The token, shown only now: {token}", messages.WARNING)

    @admin.action(description="Revoke", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiToken]") -> None:
        for token in queryset:
            revoke(token)
        self.message_user(
            request, f"{len(queryset)} revoked; within a minute nobody takes them any more."
        )
