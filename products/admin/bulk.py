"""Bulk edits: choose what shall become of many products, look at each before it happens, then let a job do it."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from products.admin.base import ModelAdmin
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import catalogue, jobs
from products.bulk.jobs import MAX_ROWS, Job, JobKind
from products.bulk.pricing import (
    Adjustment,
    AdjustmentKind,
    Rounding,
    new_prices,
    parse_signed_number,
)
from products.bulk.rows import Row, planned_row
from products.errors import Invalid, ProductNotFound
from products.lists import ListQuery
from products.product import Product

FLAGS = {"activate": True, "deactivate": False}
DOINGS = {"price": "Change prices", "activate": "Activate", "deactivate": "Deactivate"}
FIELDS = {"price": "Price", "renewal_price": "Renewal price", "both": "Both prices"}
WAYS = {
    AdjustmentKind.PERCENT: "Change by percent",
    AdjustmentKind.AMOUNT: "Change by amount",
    AdjustmentKind.SET: "Set to amount",
}
ROUNDINGS = {
    Rounding.CENTS: "Cents",
    Rounding.ONES: "Whole amounts",
    Rounding.FIVES: "Steps of 5",
    Rounding.TENS: "Steps of 10",
    Rounding.NINES: "Ending in .99",
}


def _choice(label: str, choices: dict[Any, str]) -> forms.ChoiceField:
    options = [(str(value), text) for value, text in choices.items()]
    return forms.ChoiceField(label=label, choices=options, widget=UnfoldAdminSelectWidget)


def _line(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, help_text=help_text, widget=UnfoldAdminTextInputWidget
    )


class BulkForm(forms.Form):
    """What shall be done. The arithmetic and its rules are the core's."""

    doing = _choice("What", DOINGS)
    field = _choice("Which price", FIELDS)
    way = _choice("How", WAYS)
    by = _line("By", "E.g. 10 or -5; when it is set, the new amount.")
    rounding = _choice("Rounded to", ROUNDINGS)
    reason = _line("Why", "Optional; it stays with each change in the history and the audit trail.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("doing") == "price" and "by" in cleaned:
            try:
                cleaned["by"] = parse_signed_number(cleaned["by"], "by")
            except Invalid as refusal:
                self.add_error("by", refusal.errors["by"])
        return cleaned

    def edits(self) -> Callable[[Product], dict[str, Any]]:
        """What becomes of each product."""
        given = self.cleaned_data
        if given["doing"] in FLAGS:
            return lambda product: {"active": FLAGS[given["doing"]]}
        fields = ("price", "renewal_price") if given["field"] == "both" else (given["field"],)
        adjustment = Adjustment(
            AdjustmentKind(given["way"]), given["by"], Rounding(given["rounding"])
        )
        return lambda product: new_prices(product, fields, adjustment)

    def title(self) -> str:
        given = self.cleaned_data
        if given["doing"] in FLAGS:
            return DOINGS[given["doing"]]
        by = {
            AdjustmentKind.SET: f"set to {given['by']}",
            AdjustmentKind.PERCENT: f"{given['by']:+}%",
            AdjustmentKind.AMOUNT: f"{given['by']:+}",
        }
        rounding = (
            ""
            if given["rounding"] == Rounding.CENTS
            else f", rounded: {ROUNDINGS[given['rounding']].lower()}"
        )
        return f"{FIELDS[given['field']]} {by[AdjustmentKind(given['way'])]}{rounding}"


class ProductBulk(ModelAdmin):
    def get_urls(self) -> list[Any]:
        return [
            path("bulk/", self.admin_site.admin_view(self.bulk_view), name="products_product_bulk"),
            *super().get_urls(),
        ]

    @with_unavailable_page
    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Choose; then a job is planned, whose page shows each product before and after."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = BulkForm(request.POST or None, initial={"way": AdjustmentKind.PERCENT})
        if (
            request.method == "POST"
            and form.is_valid()
            and (job := self._planned_edit(request, form))
        ):
            return HttpResponseRedirect(reverse("admin:products_product_job", args=[job.job_id]))
        ids = request.GET.getlist("id")
        context = {
            **self.admin_site.each_context(request),
            "title": "Bulk edit",
            "form": form,
            "chosen": _chosen_words(ids),
            "back": f"{reverse('admin:products_product_changelist')}?{request.GET.get('filters', '')}",
        }
        return TemplateResponse(request, "admin/products/bulk.html", context)

    def _planned_edit(self, request: HttpRequest, form: BulkForm) -> Job | None:
        """The job, or None when the form says what is wrong with it."""
        given = form.cleaned_data
        if given["doing"] == "deactivate" and not self.has_delete_permission(request):
            raise PermissionDenied
        rows = _rows(self._chosen(request), form.edits())
        who = {"actor": request.user.get_username(), "reason": given["reason"]}
        try:
            return jobs().plan(JobKind.BULK, form.title(), rows, **who)
        except Invalid as refusal:
            for field, sentences in refusal.errors.items():
                form.add_error(field if field in form.fields else None, sentences)
        return None

    def _chosen(self, request: HttpRequest) -> Iterable[Product]:
        """The ticked products, or all that match the filter of the list."""
        ids = request.GET.getlist("id")
        if not ids:
            return catalogue().walk(filtered(self, request), MAX_ROWS)
        return _by_ids(ids[:MAX_ROWS])


def _chosen_words(ids: list[str]) -> str:
    if not ids:
        return f"all that match the filter, {MAX_ROWS:,} at most"
    return f"{len(ids)} ticked product{'' if len(ids) == 1 else 's'}"


def filtered(admin: ModelAdmin, request: HttpRequest) -> ListQuery:
    """What the list was asked for, in the parameter ``filters``; the list's own code reads its own parameters."""
    asked = copy(request)
    asked.GET = QueryDict(request.GET.get("filters", ""))
    listing: ListQuery = admin.get_changelist_instance(asked).queryset.listing
    return listing


def _by_ids(ids: Iterable[str]) -> Iterator[Product]:
    for product_id in ids:
        try:
            yield catalogue().newest(product_id)
        except (ProductNotFound, Invalid):
            continue


def _rows(chosen: Iterable[Product], edits: Callable[[Product], dict[str, Any]]) -> Iterator[Row]:
    for number, product in enumerate(chosen, 1):
        yield planned_row(number, product, edits(product))
