"""The list's filters. Each is a parameter of the address, so that a list can be kept and sent; none of them counts."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest

from products.admin.form import CODES
from products.product import BillingCycle, price_bound


class ChoiceFilter(admin.SimpleListFilter):
    """A filter of some given values; any other is refused by name, never ignored.

    ``offered`` has, by the value in the address, what the choice says and what ``field`` must then be.
    """

    offered: dict[str, tuple[str, Any]] = {}
    field = ""
    any = ""  # what the choice says while it is not set

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, text) for value, (text, _) in self.offered.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if not value:
            return queryset
        if value not in self.offered:
            raise IncorrectLookupParameters(f"{self.parameter_name}={value}")
        return self.narrowed(request, queryset, self.offered[value][1])

    def narrowed(self, request: HttpRequest, queryset: Any, wanted: Any) -> Any:
        return queryset.filter(**{self.field: wanted})

    @property
    def chip(self) -> str:
        """What the chip of this filter says while it is set."""
        return self.offered.get(str(self.value()), ("", None))[0]


class ActiveFilter(ChoiceFilter):
    title, parameter_name, any, field = "status", "active", "Active or not", "active"
    offered = {"yes": ("Active", True), "no": ("Deactivated", False)}


class CurrencyFilter(ChoiceFilter):
    title, parameter_name, any, field = "currency", "currency", "Any currency", "currency"
    offered = {code: (code, code) for code in CODES}


class BillingCycleFilter(ChoiceFilter):
    title, parameter_name, any, field = (
        "billing cycle",
        "cycle",
        "Any billing cycle",
        "billing_cycle",
    )
    offered = {cycle.value: (cycle.value.capitalize(), cycle.value) for cycle in BillingCycle}


class OpenFilter(ChoiceFilter):
    title, parameter_name, any, field = "state", "open", "In any state", "only_open"
    offered = {"yes": ("Has open effects", True)}


class MineFilter(ChoiceFilter):
    title, parameter_name, any, field = "author", "mine", "Changed by anyone", "updated_by"
    offered = {"yes": ("Changed by me", None)}

    def narrowed(self, request: HttpRequest, queryset: Any, wanted: Any) -> Any:
        return super().narrowed(request, queryset, request.user.get_username())


class SortFilter(ChoiceFilter):
    """Only orders an index holds; without one it is oldest first, or the best matches first."""

    title, parameter_name, any = "order", "sort", "Oldest first"
    offered = {
        "newest": ("Newest first", "-created_at"),
        "cheapest": ("Cheapest", "price"),
        "dearest": ("Dearest", "-price"),
    }

    def narrowed(self, request: HttpRequest, queryset: Any, wanted: Any) -> Any:
        return queryset.order_by(wanted)


class _Price(admin.ListFilter):
    """A bound of the price, in the order of the price, which holds one currency."""

    parameter, lookup, words = "", "", ""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        given = params.pop(self.parameter, [""])
        self.text = str(given[-1] if isinstance(given, list) else given).strip()
        if self.text:
            self.used_parameters[self.parameter] = self.text

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def choices(self, changelist: Any) -> Any:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.text:
            return queryset
        try:
            amount: Decimal = price_bound(self.text)
        except ValueError as refusal:
            raise IncorrectLookupParameters(refusal) from refusal
        return queryset.order_by(queryset.price_order).filter(**{self.lookup: amount})

    @property
    def parameter_name(self) -> str:
        return self.parameter

    @property
    def chip(self) -> str:
        return f"{self.words} {self.text}" if self.text else ""


class MinPriceFilter(_Price):
    title, parameter, lookup, words = "from", "min", "min_price", "From"


class MaxPriceFilter(_Price):
    title, parameter, lookup, words = "to", "max", "max_price", "Up to"


FILTERS = (
    *(ActiveFilter, BillingCycleFilter, CurrencyFilter, SortFilter),
    *(MinPriceFilter, MaxPriceFilter, MineFilter, OpenFilter),
)
