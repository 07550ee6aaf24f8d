"""The filters of the product list.

Each is a parameter of the address, so that a list can be bookmarked and sent. None of them counts.
"""

from collections.abc import Iterator
from functools import cache
from typing import Protocol

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from products.admin.form import CODES
from products.admin.queryset import ProductQuery
from products.amounts import ANY_NOTATION
from products.currency import DEFAULT_CURRENCY
from products.product import BillingCycle, price_bound


class ProductFilter(Protocol):
    """What the list needs to know of each filter that is in use."""

    parameter_name: str
    error: str

    @property
    def chip(self) -> str:
        """What the chip of this filter says while it is set, else an empty string."""


@cache
def _options(choices: tuple[tuple[str, str], ...]) -> SafeString:
    """Return these choices as HTML. They are made once: there are 160 currencies."""
    return format_html_join("", '<option value="{}">{}</option>', choices)


class ChoiceFilter(admin.SimpleListFilter):
    """A filter with fixed values. Any other value is refused, never ignored.

    ``error`` says why the value was not understood, and is empty if it was. ``offered`` maps the
    value in the address to the text of the choice and the value of ``field``.
    """

    offered: dict[str, tuple[str, object]] = {}
    field = ""
    any = ""  # what the choice says while the filter is not set
    error = ""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(value, text) for value, (text, _) in self.offered.items()]

    def queryset(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, queryset: ProductQuery
    ) -> ProductQuery:
        value = self.value()
        if not value:
            return queryset
        if value not in self.offered:
            self.error = f"“{value}” is not one of these. Choose again."
            return queryset
        _, wanted = self.offered[value]
        return self.narrow(request, queryset, wanted)

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return queryset.filter(**{self.field: wanted})

    @property
    def chip(self) -> str:
        text, _ = self.offered.get(str(self.value()), ("", None))
        return text

    @property
    def options(self) -> SafeString:
        """The choices as HTML, with the current one selected."""
        choices = tuple((value, text) for value, (text, _) in self.offered.items())
        options = _options(choices)
        if self.value() not in self.offered:
            return options
        start = format_html('<option value="{}"', self.value())
        return mark_safe(options.replace(start, f"{start} selected"))  # noqa: S308 # both are safe


class ActiveFilter(ChoiceFilter):
    title = "active or deactivated"
    parameter_name = "active"
    any = "Active or deactivated"
    field = "active"
    offered = {"yes": ("Active", True), "no": ("Deactivated", False)}


class CurrencyFilter(ChoiceFilter):
    title = "currency"
    parameter_name = "currency"
    any = "Any currency"
    field = "currency"
    offered = {code: (code, code) for code in CODES}


class BillingCycleFilter(ChoiceFilter):
    title = "billing cycle"
    parameter_name = "cycle"
    any = "Any billing cycle"
    field = "billing_cycle"
    offered = {cycle.value: (cycle.value.capitalize(), cycle.value) for cycle in BillingCycle}


class StatusFilter(ChoiceFilter):
    """Products with an open effect: their newest change has not reached every system yet."""

    title = "status"
    parameter_name = "open"
    any = "Any status"
    field = "only_open"
    offered = {"yes": ("Not yet published everywhere", True)}


class AuthorFilter(ChoiceFilter):
    title = "author"
    parameter_name = "mine"
    any = "Changed by anyone"
    field = "updated_by"
    offered = {"yes": ("Changed by me", None)}

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return super().narrow(request, queryset, request.user.get_username())


class SortFilter(ChoiceFilter):
    """Orders that an index has. The default is oldest first, or best match first in a search."""

    title = "order"
    parameter_name = "sort"
    any = "Oldest first"
    offered = {
        "newest": ("Newest first", "-created_at"),
        "name": ("Name: A to Z", "name"),
        "updated": ("Last changed first", "-updated_at"),
        "cheapest": ("Price: low to high", "price"),
        "dearest": ("Price: high to low", "-price"),
    }

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return queryset.order_by(str(wanted))


class PriceBoundFilter(admin.ListFilter):
    """A lower or upper bound of the price. It implies the order by price, in one currency."""

    parameter_name = ""
    lookup = ""
    chip_prefix = ""
    error = ""

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: admin.ModelAdmin,
    ) -> None:
        # The stubs know single values only.
        super().__init__(request, params, model, model_admin)  # type: ignore[arg-type]
        values = params.pop(self.parameter_name, [""])
        self.text = values[-1].strip()
        if self.text:
            self.used_parameters[self.parameter_name] = self.text

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name]

    def choices(self, changelist: ChangeList) -> Iterator:
        return iter(())

    def queryset(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, queryset: ProductQuery
    ) -> ProductQuery:
        if not self.text:
            return queryset
        currency = queryset.listing.currency or DEFAULT_CURRENCY
        try:
            amount = price_bound(f"{ANY_NOTATION.read_in(self.text, currency):f}")
        except ValueError as refusal:
            self.error = str(refusal)
            return queryset
        by_price = queryset.order_by(queryset.price_order)
        return by_price.filter(**{self.lookup: amount})

    @property
    def chip(self) -> str:
        return f"{self.chip_prefix} {self.text}" if self.text else ""


class MinPriceFilter(PriceBoundFilter):
    title = "from"
    parameter_name = "min"
    lookup = "min_price"
    chip_prefix = "From"


class MaxPriceFilter(PriceBoundFilter):
    title = "to"
    parameter_name = "max"
    lookup = "max_price"
    chip_prefix = "Up to"


BEST_MATCH_FIRST = "Best match first"
ORDER_TEXTS = frozenset(text for text, _ in SortFilter.offered.values())
FILTERS = (
    ActiveFilter,
    BillingCycleFilter,
    CurrencyFilter,
    SortFilter,
    MinPriceFilter,
    MaxPriceFilter,
    AuthorFilter,
    StatusFilter,
)
