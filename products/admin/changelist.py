"""The product list: one read a page, cursors instead of page numbers, no counting."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core import signing
from django.core.exceptions import FieldError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from products.admin.queryset import ORDERS
from products.admin.recent_saves import recent
from products.models import Product


class Rows(list[Product]):
    """A page of products, as the change list wants it."""

    ordered = True
    model = Product


class ProductChangeList(ChangeList):
    next_cursor: str | None

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Only orders an index holds; Django would add the primary key."""
        return [
            name
            for name in super().get_ordering(request, queryset)
            if str(name).lstrip("-") in ORDERS
        ][:1]

    def get_results(self, request: HttpRequest) -> None:
        self.asked_by = request
        cursor = request.GET.get(PAGE_VAR, "")
        try:
            position = self._signer.unsign(cursor[2:]) if cursor[:2] in {"c.", "b."} else None
            backwards = position is not None and cursor.startswith("b.")
            leaf = self.queryset.page(
                position, self.list_per_page, backwards=backwards, also=recent(request)
            )
        except (signing.BadSignature, FieldError) as refusal:
            raise IncorrectLookupParameters(refusal) from refusal
        self.next_cursor = f"c.{self._signer.sign(leaf.after)}" if leaf.after else None
        back = (
            "c" if self.queryset.listing.text else "b"
        )  # the pages of a search are counted, not positioned
        self.previous_cursor = f"{back}.{self._signer.sign(leaf.before)}" if leaf.before else None
        self.is_later_page = position is not None
        self.freshness = leaf.freshness
        self.result_list, self.result_count = Rows(leaf.rows), len(leaf.rows)
        # Nothing is counted: a number stands beside the search box only where it is that of all that was found.
        found_all = bool(self.query or self.has_active_filters) and not self.next_cursor
        self.full_result_count = None if found_all else self.result_count
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all, self.multi_page, self.paginator = False, False, None

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters that are set, each with the address of the list without it."""
        specs: list[Any] = self.filter_specs
        return [
            {
                "text": spec.chip,
                "without": self.get_query_string(remove=[spec.parameter_name, PAGE_VAR]),
            }
            for spec in specs
            if spec.chip
        ]

    @property
    def _signer(self) -> signing.Signer:
        """A cursor is a position in one order, signed so that nobody can make one up."""
        listing = self.queryset.listing
        return signing.Signer(
            salt=f"products.list.{listing.by_price}.{listing.descending}.{listing.text}"
        )

    @property
    def only_currency(self) -> str | None:
        """Under the order by price the list holds one currency; whoever reads it must know that."""
        return str(self.queryset.listing.currency) if self.queryset.listing.by_price else None

    @property
    def next_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.next_cursor}))

    @property
    def may_change(self) -> bool:
        return bool(self.model_admin.has_change_permission(self.asked_by))

    @property
    def bulk_query(self) -> str:
        """The bulk page for all that match, not only for those on this page."""
        return self._filters_for("products_product_bulk")

    @property
    def export_query(self) -> str:
        return self._filters_for("products_product_export")

    def _filters_for(self, name: str) -> str:
        filters = urlencode({"filters": self.get_query_string(remove=[PAGE_VAR]).removeprefix("?")})
        return f"{reverse(f'admin:{name}')}?{filters}"

    @property
    def previous_query(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.previous_cursor}))

    @property
    def first_query(self) -> str:
        return str(self.get_query_string(remove=[PAGE_VAR]))
