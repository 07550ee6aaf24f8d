"""The filters of the product list.

Each is a parameter of the address, so that a list can be bookmarked and sent. None of them counts.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy

from products.admin.entries import CODES, CYCLES
from products.admin.queryset import ProductQuery
from products.admin.sentences.finding import in_words
from products.amounts import ANY_NOTATION
from products.currency import DEFAULT_CURRENCY
from products.product import BillingCycle, price_bound

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


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

    offered: Mapping[str, tuple["_StrOrPromise", object]] = {}
    field = ""
    any: "_StrOrPromise" = ""  # what the choice says while the filter is not set
    error = ""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(value, str(text)) for value, (text, _) in self.offered.items()]

    def queryset(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, queryset: ProductQuery
    ) -> ProductQuery:
        value = self.value()
        if not value:
            return queryset
        if value not in self.offered:
            text = gettext("“{value}” is not one of these. Choose again.")
            self.error = text.format(value=value)
            return queryset
        _, wanted = self.offered[value]
        return self.narrow(request, queryset, wanted)

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return queryset.filter(**{self.field: wanted})

    @property
    def chip(self) -> str:
        text, _ = self.offered.get(str(self.value()), ("", None))
        return str(text)

    @property
    def options(self) -> SafeString:
        """The choices as HTML, with the current one selected."""
        choices = tuple((value, str(text)) for value, (text, _) in self.offered.items())
        options = _options(choices)
        if self.value() not in self.offered:
            return options
        start = format_html('<option value="{}"', self.value())
        return mark_safe(options.replace(start, f"{start} selected"))  # noqa: S308 # both are safe


class ActiveFilter(ChoiceFilter):
    title = gettext_lazy("active or deactivated")
    parameter_name = "active"
    any = gettext_lazy("Active or deactivated")
    field = "active"
    offered = {
        "yes": (gettext_lazy("Active"), True),
        "no": (gettext_lazy("Deactivated"), False),
    }


class CurrencyFilter(ChoiceFilter):
    title = gettext_lazy("currency")
    parameter_name = "currency"
    any = gettext_lazy("Any currency")
    field = "currency"
    offered = {code: (code, code) for code in CODES}


class BillingCycleFilter(ChoiceFilter):
    title = gettext_lazy("billing cycle")
    parameter_name = "cycle"
    any = gettext_lazy("Any billing cycle")
    field = "billing_cycle"
    offered = {cycle.value: (CYCLES[cycle], cycle.value) for cycle in BillingCycle}


class StatusFilter(ChoiceFilter):
    """Products with an open effect: their newest change has not reached every system yet."""

    title = gettext_lazy("status")
    parameter_name = "open"
    any = gettext_lazy("Any status")
    field = "only_open"
    offered = {"yes": (gettext_lazy("Not yet published everywhere"), True)}


class AuthorFilter(ChoiceFilter):
    title = gettext_lazy("author")
    parameter_name = "mine"
    any = gettext_lazy("Changed by anyone")
    field = "updated_by"
    offered = {"yes": (gettext_lazy("Changed by me"), None)}

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return super().narrow(request, queryset, request.user.get_username())


class SortFilter(ChoiceFilter):
    """Orders that an index has. The default is oldest first, or best match first in a search."""

    title = gettext_lazy("order")
    parameter_name = "sort"
    any = gettext_lazy("Oldest first")
    offered = {
        "newest": (gettext_lazy("Newest first"), "-created_at"),
        "name": (gettext_lazy("Name: A to Z"), "name"),
        "updated": (gettext_lazy("Last changed first"), "-updated_at"),
        "cheapest": (gettext_lazy("Price: low to high"), "price"),
        "dearest": (gettext_lazy("Price: high to low"), "-price"),
    }

    def narrow(self, request: HttpRequest, queryset: ProductQuery, wanted: object) -> ProductQuery:
        return queryset.order_by(str(wanted))


class PriceBoundFilter(admin.ListFilter):
    """A lower or upper bound of the price. It implies the order by price, in one currency."""

    parameter_name = ""
    lookup = ""
    chip_text: "_StrOrPromise" = ""
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
            self.error = in_words(str(refusal))
            return queryset
        by_price = queryset.order_by(queryset.price_order)
        return by_price.filter(**{self.lookup: amount})

    @property
    def chip(self) -> str:
        return str(self.chip_text).format(price=self.text) if self.text else ""


class MinPriceFilter(PriceBoundFilter):
    title = gettext_lazy("Price from")
    parameter_name = "min"
    lookup = "min_price"
    chip_text = gettext_lazy("From {price}")


class MaxPriceFilter(PriceBoundFilter):
    title = gettext_lazy("Price to")
    parameter_name = "max"
    lookup = "max_price"
    chip_text = gettext_lazy("Up to {price}")


BEST_MATCH_FIRST = gettext_lazy("Best match first")
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
