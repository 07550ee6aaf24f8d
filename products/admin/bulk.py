"""Bulk edits: choose a change for many products, and plan the job that makes it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import ModelAdmin, page_response
from products.admin.bulk_selection import Selection, selection_of
from products.admin.sentences.finding import sentences_in_words
from products.admin.staff_writes import StaffWrites
from products.admin.widgets import SelectWidget, TextInputWidget
from products.bulk.job import Job, JobKind
from products.bulk.pricing import (
    Adjustment,
    AdjustmentKind,
    Rounding,
    new_prices,
    parse_percentage,
    parse_signed_amount,
)
from products.bulk.rows import Row, planned_row
from products.errors import Invalid
from products.product import Product

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

type Edits = Mapping[str, object]

ACTIVE_BY_ACTION = {"activate": True, "deactivate": False}
ACTIONS = {
    "price": gettext_lazy("Change prices"),
    "activate": gettext_lazy("Activate"),
    "deactivate": gettext_lazy("Deactivate"),
}
FIELDS = {
    "price": gettext_lazy("Price"),
    "renewal_price": gettext_lazy("Renewal price"),
    "both": gettext_lazy("Price and renewal price"),
}
WAYS = {
    AdjustmentKind.PERCENT: gettext_lazy("Change by percent"),
    AdjustmentKind.AMOUNT: gettext_lazy("Change by amount"),
    AdjustmentKind.SET: gettext_lazy("Set to amount"),
}
ROUNDINGS = {
    Rounding.CENTS: gettext_lazy("To cents"),
    Rounding.ONES: gettext_lazy("To whole amounts"),
    Rounding.FIVES: gettext_lazy("To multiples of 5"),
    Rounding.TENS: gettext_lazy("To multiples of 10"),
    Rounding.NINES: gettext_lazy("To end in .99"),
}
TITLES = {
    AdjustmentKind.PERCENT: gettext_lazy("{field} {amount} %"),
    AdjustmentKind.AMOUNT: gettext_lazy("{field} {amount}"),
    AdjustmentKind.SET: gettext_lazy("{field} set to {amount}"),
}
DEFAULTS = {
    "doing": "price",
    "field": "price",
    "way": AdjustmentKind.PERCENT,
    "rounding": Rounding.CENTS,
}


def _choice_field(label: "_StrPromise", choices: Mapping[Any, "_StrPromise"]) -> forms.ChoiceField:
    options = [(str(value), text) for value, text in choices.items()]
    return forms.ChoiceField(label=label, choices=options, widget=SelectWidget)


def _text_field(label: "_StrPromise", help_text: "_StrPromise") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        help_text=help_text,
        widget=TextInputWidget,
    )


class BulkForm(forms.Form):
    """What a bulk edit does. The arithmetic and its rules belong to the core."""

    doing = _choice_field(gettext_lazy("Action"), ACTIONS)
    field = _choice_field(gettext_lazy("Which price"), FIELDS)
    way = _choice_field(gettext_lazy("How"), WAYS)
    by = _text_field(
        gettext_lazy("Percent or amount"),
        gettext_lazy("For example 10 or -5. To set a price, the new amount."),
    )
    rounding = _choice_field(gettext_lazy("Rounding"), ROUNDINGS)
    reason = _text_field(
        gettext_lazy("Reason (optional)"),
        gettext_lazy("Kept with each change in the history and the audit trail."),
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("doing") == "price" and "by" in cleaned:
            is_percentage = cleaned.get("way") == AdjustmentKind.PERCENT
            parse = parse_percentage if is_percentage else parse_signed_amount
            try:
                cleaned["by"] = parse(cleaned["by"], "by")
            except Invalid as refusal:
                self.add_error("by", sentences_in_words(refusal.errors["by"]))
        return cleaned

    def edits_for(self) -> Callable[[Product], Edits]:
        """Return the function that gives the edits of one product."""
        entries = self.cleaned_data
        action = entries["doing"]
        if action in ACTIVE_BY_ACTION:
            return lambda product: {"active": ACTIVE_BY_ACTION[action]}
        field = entries["field"]
        fields = ("price", "renewal_price") if field == "both" else (field,)
        adjustment = Adjustment(
            AdjustmentKind(entries["way"]), entries["by"], Rounding(entries["rounding"])
        )
        return lambda product: new_prices(product, fields, adjustment)

    def title(self) -> str:
        """Return the title of the job, such as "Price +10%, rounded to multiples of 5"."""
        entries = self.cleaned_data
        if entries["doing"] in ACTIVE_BY_ACTION:
            return str(ACTIONS[entries["doing"]])
        way, rounding = AdjustmentKind(entries["way"]), Rounding(entries["rounding"])
        title = str(TITLES[way]).format(
            field=FIELDS[entries["field"]], amount=_amount(way, entries)
        )
        if rounding is Rounding.CENTS:
            return title
        text = gettext("{change}, rounded {rounding}")
        return text.format(change=title, rounding=str(ROUNDINGS[rounding]).lower())


def _amount(way: AdjustmentKind, entries: Mapping[str, Any]) -> str:
    by = entries["by"]
    return f"{by}" if way is AdjustmentKind.SET else f"{by:+}"


def bulk_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form; when it is valid, plan the job and go to its preview.

    What needs no form, such as deactivating, is planned as soon as it is chosen in the list.
    """
    selection = selection_of(admin, request)
    action = request.POST.get("doing", "")
    is_complete = "by" in request.POST or action in ACTIVE_BY_ACTION
    if is_complete:
        form = BulkForm(request.POST if "by" in request.POST else DEFAULTS | {"doing": action})
        job = _plan_edit(request, form, selection) if form.is_valid() else None
        if job:
            return redirect("admin:products_product_job", job.job_id)
    else:
        form = BulkForm(initial=DEFAULTS)
    changelist = reverse("admin:products_product_changelist")
    context = {
        "title": gettext("Bulk edit"),
        "form": form,
        "selection": selection,
        "back_url": f"{changelist}?{selection.filters}",
    }
    return page_response(admin, request, "bulk", context)


def _plan_edit(request: HttpRequest, form: BulkForm, selection: Selection) -> Job | None:
    """Plan the job and return it, or return None and put the errors into the form."""
    entries = form.cleaned_data
    if selection.error:
        form.add_error(None, selection.error)
        return None
    rows = _planned_rows(selection.products(), form.edits_for())
    title = f"{form.title()}: {selection.description}"
    try:
        return StaffWrites(request).plan_job(JobKind.BULK, title, rows, reason=entries["reason"])
    except Invalid as refusal:
        for field, sentences in refusal.errors.items():
            form.add_error(field if field in form.fields else None, sentences_in_words(sentences))
    return None


def _planned_rows(
    products: Iterable[Product], edits_for: Callable[[Product], Edits]
) -> Iterator[Row]:
    for number, product in enumerate(products, 1):
        yield planned_row(number, product, edits_for(product))
