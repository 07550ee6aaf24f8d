"""The list's filters. Each is a parameter of the address, so that a list can be kept and sent; none of them counts."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest

from products.admin.form import CODES
from products.product import BillingCycle, price_bound

SORTS = {"newest": ("-created_at", "Newest first"), "cheapest": ("price", "Cheapest"), "dearest": ("-price", "Dearest")}


class Choice(admin.SimpleListFilter):
    """A filter of some given values; any other is refused by name, never ignored."""

    choices_of: dict[str, str] = {}
    any = ""  # what the choice says while it is not set

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.choices_of.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if not value:
            return queryset
        if value not in self.choices_of:
            raise IncorrectLookupParameters(f"{self.parameter_name}={value}")
        return self.narrowed(request, queryset, str(value))

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        raise NotImplementedError

    @property
    def chip(self) -> str:
        """What the chip of this filter says while it is set."""
        return self.choices_of.get(str(self.value()), "")


class ActiveFilter(Choice):
    title, parameter_name, any = "status", "active", "Active or not"
    choices_of = {"yes": "Active", "no": "Deactivated"}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.filter(active=value == "yes")


class CurrencyFilter(Choice):
    title, parameter_name, any = "currency", "currency", "Any currency"
    choices_of = {code: code for code in CODES}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.filter(currency=value)


class BillingCycleFilter(Choice):
    title, parameter_name, any = "billing cycle", "cycle", "Any billing cycle"
    choices_of = {cycle.value: cycle.value.capitalize() for cycle in BillingCycle}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.filter(billing_cycle=value)


class MineFilter(Choice):
    title, parameter_name, any = "author", "mine", "Changed by anyone"
    choices_of = {"yes": "Changed by me"}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.filter(updated_by=request.user.get_username())


class OpenFilter(Choice):
    title, parameter_name, any = "state", "open", "In any state"
    choices_of = {"yes": "Has open effects"}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.filter(opened=True)


class SortFilter(Choice):
    """Only orders an index holds; without one it is oldest first, or the best matches first."""

    title, parameter_name, any = "order", "sort", "Oldest first"
    choices_of = {name: text for name, (_, text) in SORTS.items()}

    def narrowed(self, request: HttpRequest, queryset: Any, value: str) -> Any:
        return queryset.order_by(SORTS[value][0])


class _Price(admin.ListFilter):
    """A bound of the price, in the order of the price, which holds one currency."""

    parameter, lookup, words = "", "", ""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
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
