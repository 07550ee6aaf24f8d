"""Django's change list over the catalogue: one read a page, cursors instead of page numbers.

A list with a filter that was not understood is empty, so that nothing acts on more than it shows.
"""

from copy import copy
from datetime import timedelta
from typing import TypedDict, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core import signing
from django.core.exceptions import BadRequest, FieldError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy, ngettext

from products.admin.base import ModelAdmin
from products.admin.filters import BEST_MATCH_FIRST, ProductFilter, SortFilter
from products.admin.formatting import counted, grouped
from products.admin.queryset import ORDERS, AdminPage, ProductQuery
from products.admin.recent_saves import recently_saved
from products.admin.saved_views import VIEW
from products.bootstrap import now
from products.lists import Freshness, ListQuery
from products.models import Product

UNKNOWN_FILTER = gettext_lazy("This list has no such filter.")
LINK_TOO_OLD = gettext_lazy("This link to a page of the list is no longer valid.")
MAX_UNMENTIONED_LAG = timedelta(seconds=10)
FORWARD, BACKWARD = "c", "b"
"""The prefixes of cursors: the page after a position, and the page before it."""


class Chip(TypedDict):
    """A filter that is set, with the address of the list without it."""

    text: str
    without: str


class ProductRows(list[Product]):
    """One page of products, with the attributes that Django's change list reads."""

    ordered = True
    model = Product


class ProductChangeList(ChangeList):
    """One page of the list.

    ``refusals`` are sentences on what was not understood in the address, by parameter; the empty
    name is the address itself. ``total`` is the number of matches, None where unknown.
    """

    queryset: ProductQuery
    next_cursor: str | None = None
    previous_cursor: str | None = None
    is_later_page: bool = False
    freshness: Freshness | None = None
    total: int | None = 0
    refusals: dict[str, str]

    def get_queryset(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> ProductQuery:
        """Return the query of all filters, and note those that were not understood."""
        self.refusals = {}
        try:
            query = super().get_queryset(request, exclude_parameters)
        except IncorrectLookupParameters:
            self.refusals[""] = str(UNKNOWN_FILTER)
            query = self.root_queryset
        filters = cast(list[ProductFilter], self.filter_specs)
        self.refusals |= {item.parameter_name: item.error for item in filters if item.error}
        return cast(ProductQuery, query)

    def get_filters_params(self, params: dict[str, list[str]] | None = None) -> dict:
        """Return the filters in the address. The view that is open is none of them."""
        found: dict = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name != VIEW}

    def get_ordering(  # type: ignore[override] # names only, no expressions
        self, request: HttpRequest, queryset: QuerySet
    ) -> list[str]:
        """Return the first order that an index has. Django would add the primary key."""
        names = [str(name) for name in super().get_ordering(request, queryset)]
        return [name for name in names if name.lstrip("-") in ORDERS][:1]

    def get_results(self, request: HttpRequest) -> None:
        """Read the page of the cursor in the address, unless something was not understood."""
        self.result_list = ProductRows()
        if not self.refusals:
            try:
                self._read_page(request)
            except (signing.BadSignature, FieldError):
                self.refusals[""] = str(LINK_TOO_OLD)
        self.result_count = len(self.result_list)
        # The theme's header shows a count of its own while these two differ. Ours is in the list.
        self.full_result_count = self.result_count
        self.can_show_all = False
        self.multi_page = False
        self.paginator = None
        self.show_admin_actions = True

    def _read_page(self, request: HttpRequest) -> None:
        prefix, dot, signed_position = request.GET.get(PAGE_VAR, "").partition(".")
        position = None
        if dot and prefix in {FORWARD, BACKWARD}:
            position = self._signer.unsign(signed_position)
        page = self.queryset.page(
            position,
            self.list_per_page,
            backwards=position is not None and prefix == BACKWARD,
            also=recently_saved(request),
        )
        self.result_list = ProductRows(page.rows)
        self.is_later_page = position is not None
        self.freshness = page.freshness
        self._set_cursors(page)
        is_whole = not (position or page.after)
        self.total = len(page.rows) if is_whole else self.queryset.count_matches(page)

    def _set_cursors(self, page: AdminPage) -> None:
        self.next_cursor = self._cursor(FORWARD, page.after)
        # A search counts its matches, so its previous page is also read forward, from an offset.
        is_search = self.queryset.listing.text
        self.previous_cursor = self._cursor(FORWARD if is_search else BACKWARD, page.before)

    def _cursor(self, prefix: str, position: str | None) -> str | None:
        return f"{prefix}.{self._signer.sign(position)}" if position else None

    @property
    def _signer(self) -> signing.Signer:
        """The signer of this order's cursors: a cursor is valid for one order only."""
        query = self.queryset.listing
        return signing.Signer(salt=f"products.list.{query.sort}.{query.descending}.{query.text}")

    @property
    def chips(self) -> list[Chip]:
        """The filters that are set, each with the address of the list without it."""
        filters = cast(list[ProductFilter], self.filter_specs)
        return [
            {
                "text": item.chip,
                "without": self._query_without(item.parameter_name, PAGE_VAR),
            }
            for item in filters
            if item.chip and not item.error
        ]

    @property
    def description(self) -> str:
        """What the list shows, such as "Yearly, From 1 000 and “vps”"; empty for all products."""
        filters = cast(list[ProductFilter], self.filter_specs)
        shown = [item for item in filters if item.chip and not item.error]
        texts = [item.chip for item in shown]
        parts = [item.chip for item in shown if not isinstance(item, SortFilter)]
        if self.only_currency and self.only_currency not in texts:
            parts.append(self.only_currency)
        if self.query:
            parts.append(f"“{self.query}”")
        return ", ".join(parts)

    @property
    def count_text(self) -> str:
        """How many products match, such as "31 products"."""
        if self.total is None:
            text = gettext("{products} shown, more follow")
            return text.format(products=counted(self.result_count))
        return counted(self.total)

    @property
    def count_text_of_all(self) -> str:
        """What a bulk edit of all matches is about, also where their number is not known."""
        return gettext("matching products") if self.total is None else counted(self.total)

    @property
    def shown_text(self) -> str:
        """How many of the matches this page shows, such as "50 of 81 shown"."""
        if self.total is None or self.total == self.result_count:
            return gettext("{count} shown").format(count=self.result_count)
        text = gettext("{count} of {total} shown")
        return text.format(count=self.result_count, total=grouped(self.total))

    @property
    def heading(self) -> str:
        """The title of the page: what the list shows, and how many."""
        if self.refusals:
            return gettext("Products: a filter was not understood")
        text = gettext("Products ({count})")
        if self.description:
            text = gettext("Products: {filters} ({count})")
        return text.format(filters=self.description, count=self.count_text)

    @property
    def search_lag(self) -> str:
        """How far the search index is behind, such as "20 seconds"; empty if hardly."""
        if self.freshness is None:
            return ""
        lag = now() - self.freshness.complete_up_to
        if lag <= MAX_UNMENTIONED_LAG:
            return ""
        seconds = int(lag.total_seconds())
        return ngettext("{count} second", "{count} seconds", seconds).format(count=seconds)

    @property
    def order_text(self) -> str:
        """What the choice of the order says while none is chosen."""
        return str(BEST_MATCH_FIRST if self.queryset.listing.text else SortFilter.any)

    @property
    def only_currency(self) -> str | None:
        """The only currency in the list: an order by price holds a single one."""
        query = self.queryset.listing
        return str(query.currency) if query.by_price else None

    no_index_text = gettext_lazy("The list can't be sorted by this column.")

    @property
    def bulk_url(self) -> str:
        """The address of the bulk edit of all matching products, on this page or not."""
        return self._url_with_filters("products_product_bulk")

    @property
    def export_url(self) -> str:
        return self._url_with_filters("products_product_export")

    def _url_with_filters(self, name: str) -> str:
        filters = urlencode({"filters": self.filter_string})
        return f"{reverse(f'admin:{name}')}?{filters}"

    def _query_without(self, *names: str) -> str:
        return str(self.get_query_string(remove=list(names)))

    @property
    def query_string(self) -> str:
        """The filters and the page as they are in the address, without the question mark."""
        return self._query_without().removeprefix("?")

    @property
    def filter_string(self) -> str:
        """The filters as they are in the address, without the page."""
        return self._query_without(PAGE_VAR).removeprefix("?")

    @property
    def first_query(self) -> str:
        return self._query_without(PAGE_VAR)

    @property
    def previous_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.previous_cursor}))

    @property
    def next_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.next_cursor}))

    @property
    def price_sort_query(self) -> str:
        """The address of the list by price, the other way than it is now."""
        listing = self.queryset.listing
        is_ascending = listing.by_price and not listing.descending
        sort = "dearest" if is_ascending else "cheapest"
        return str(self.get_query_string({"sort": sort}, [PAGE_VAR]))

    @property
    def price_sort(self) -> str:
        """How the list is sorted by price, in the words of ``aria-sort``."""
        listing = self.queryset.listing
        if not listing.by_price:
            return "none"
        return "descending" if listing.descending else "ascending"


def changelist_of(admin: ModelAdmin, request: HttpRequest, filters: str) -> ProductChangeList:
    """Return the first page of the product list with this query string.

    The list's own code parses it, so that both pages mean the same products.
    """
    list_request = copy(request)
    list_request.GET = QueryDict(filters)
    return cast(ProductChangeList, admin.get_changelist_instance(list_request))


def filtered_list(admin: ModelAdmin, request: HttpRequest) -> ListQuery:
    """Return the query of the product list whose address is in the parameter ``filters``.

    Raise BadRequest when a filter is not understood: the list shows no product then.
    """
    changelist = changelist_of(admin, request, request.GET.get("filters", ""))
    if changelist.refusals:
        text = gettext("A filter of the list was not understood, so no product matches.")
        raise BadRequest(text)
    return changelist.queryset.listing
