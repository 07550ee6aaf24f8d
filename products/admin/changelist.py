"""Django's change list over the catalogue: one read a page, cursors instead of page numbers.

Nothing is counted, because a count would read the whole catalogue.
"""

from copy import copy
from typing import TypedDict, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core import signing
from django.core.exceptions import FieldError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from products.admin.base import ModelAdmin
from products.admin.filters import ProductFilter
from products.admin.queryset import ORDERS, AdminPage, ProductQuery
from products.admin.recent_saves import recently_saved
from products.lists import Freshness, ListQuery
from products.models import Product

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
    queryset: ProductQuery
    request: HttpRequest
    next_cursor: str | None
    previous_cursor: str | None
    is_later_page: bool
    freshness: Freshness | None

    def get_ordering(  # type: ignore[override] # names only, no expressions
        self, request: HttpRequest, queryset: QuerySet
    ) -> list[str]:
        """Return the first order that an index has. Django would add the primary key."""
        names = [str(name) for name in super().get_ordering(request, queryset)]
        return [name for name in names if name.lstrip("-") in ORDERS][:1]

    def get_results(self, request: HttpRequest) -> None:
        """Read the page of the cursor in the address; raise IncorrectLookupParameters."""
        self.request = request
        prefix, dot, signed_position = request.GET.get(PAGE_VAR, "").partition(".")
        try:
            position = None
            if dot and prefix in {FORWARD, BACKWARD}:
                position = self._signer.unsign(signed_position)
            page = self.queryset.page(
                position,
                self.list_per_page,
                backwards=position is not None and prefix == BACKWARD,
                also=recently_saved(request),
            )
        except (signing.BadSignature, FieldError) as refusal:
            raise IncorrectLookupParameters(refusal) from refusal
        self.is_later_page = position is not None
        self.freshness = page.freshness
        self._set_cursors(page)
        self._set_counts(page)
        self.can_show_all = False
        self.multi_page = False
        self.paginator = None
        self.show_admin_actions = True

    def _set_cursors(self, page: AdminPage) -> None:
        self.next_cursor = self._cursor(FORWARD, page.after)
        # A search counts its matches, so its previous page is also read forward, from an offset.
        is_search = self.queryset.listing.text
        self.previous_cursor = self._cursor(FORWARD if is_search else BACKWARD, page.before)

    def _set_counts(self, page: AdminPage) -> None:
        """Set the number that is shown next to the search box, if this page has all matches."""
        self.result_list = ProductRows(page.rows)
        self.result_count = len(page.rows)
        is_narrowed = bool(self.query or self.has_active_filters)
        has_all_matches = is_narrowed and not self.next_cursor
        self.full_result_count = None if has_all_matches else self.result_count
        self.show_full_result_count = False

    def _cursor(self, prefix: str, position: str | None) -> str | None:
        return f"{prefix}.{self._signer.sign(position)}" if position else None

    @property
    def _signer(self) -> signing.Signer:
        """The signer of this order's cursors: a cursor is valid for one order only."""
        query = self.queryset.listing
        return signing.Signer(
            salt=f"products.list.{query.by_price}.{query.descending}.{query.text}"
        )

    @property
    def chips(self) -> list[Chip]:
        """The filters that are set, each with the address of the list without it."""
        filters = cast(list[ProductFilter], self.filter_specs)
        return [
            {
                "text": item.chip,
                "without": self.get_query_string(remove=[item.parameter_name, PAGE_VAR]),
            }
            for item in filters
            if item.chip
        ]

    @property
    def only_currency(self) -> str | None:
        """The only currency in the list: an order by price holds a single one."""
        query = self.queryset.listing
        return str(query.currency) if query.by_price else None

    @property
    def may_change(self) -> bool:
        return bool(self.model_admin.has_change_permission(self.request))

    @property
    def bulk_url(self) -> str:
        """The address of the bulk edit of all matching products, on this page or not."""
        return self._url_with_filters("products_product_bulk")

    @property
    def export_url(self) -> str:
        return self._url_with_filters("products_product_export")

    def _url_with_filters(self, name: str) -> str:
        filters = self.get_query_string(remove=[PAGE_VAR]).removeprefix("?")
        return f"{reverse(f'admin:{name}')}?{urlencode({'filters': filters})}"

    @property
    def first_query(self) -> str:
        return str(self.get_query_string(remove=[PAGE_VAR]))

    @property
    def previous_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.previous_cursor}))

    @property
    def next_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.next_cursor}))


def filtered_list(admin: ModelAdmin, request: HttpRequest) -> ListQuery:
    """Return the query of the product list whose address is in the parameter ``filters``.

    The list's own code parses those parameters, so that both pages mean the same products.
    """
    list_request = copy(request)
    list_request.GET = QueryDict(request.GET.get("filters", ""))
    query: ListQuery = admin.get_changelist_instance(list_request).queryset.listing
    return query
