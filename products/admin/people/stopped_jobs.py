"""Stopping the running jobs of people who lose the permission for them."""

from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext

from products.admin.base import ModelAdmin
from products.admin.sentences.finding import refusal_text
from products.bootstrap import jobs
from products.errors import Unavailable


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
        text = gettext(
            "{fault} The running jobs could not be checked; cancel those that must stop."
        )
        messages.warning(request, text.format(fault=refusal_text(fault)))
