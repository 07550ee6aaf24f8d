"""The products of a bulk edit: the selected ones, or all that match the filters of the list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext

from products.admin.base import ModelAdmin
from products.admin.changelist import ProductChangeList, changelist_of
from products.admin.formatting import counted, grouped
from products.bootstrap import catalogue
from products.bulk.job import MAX_ROWS
from products.errors import Invalid, ProductNotFound
from products.product import Product


@dataclass(frozen=True)
class Selection:
    """Products that were selected one by one, or ``matching`` a list."""

    ids: tuple[str, ...] = ()
    matching: ProductChangeList | None = None

    @property
    def error(self) -> str:
        """Why nothing can be done to these products; empty if something can."""
        if self.matching and self.matching.refusals:
            sentences = " ".join(self.matching.refusals.values())
            text = gettext("A filter was not understood, so no product matches. {why}")
            return text.format(why=sentences)
        if not (self.ids or self.matching):
            return gettext("No product is selected.")
        return ""

    @property
    def description(self) -> str:
        """What was selected, such as "all 31 products that match: Yearly"."""
        if self.matching is None:
            text = gettext("{products} that you selected")
            return text.format(products=counted(len(self.ids)))
        products, filters = _all_matches(self.matching.total), self.matching.description
        if not filters:
            return gettext("{products} of the catalogue").format(products=products)
        text = gettext("{products} that match: {filters}")
        return text.format(products=products, filters=filters)

    @property
    def filters(self) -> str:
        return self.matching.filter_string if self.matching else ""

    def products(self) -> Iterable[Product]:
        """Read the products; ids without a product are left out."""
        if self.error:
            return ()
        if self.matching:
            return catalogue().walk(self.matching.queryset.listing, MAX_ROWS)
        return _existing_products(self.ids)


def _all_matches(total: int | None) -> str:
    """Return how many products match, such as "all 31 products"."""
    if total is None:
        return gettext("all products")
    if total <= MAX_ROWS:
        return gettext("all {products}").format(products=counted(total))
    text = gettext("the first {products} of {total}")
    return text.format(products=counted(MAX_ROWS), total=grouped(total))


def selection_of(admin: ModelAdmin, request: HttpRequest) -> Selection:
    """Return the selection in the form of the list, or in the address.

    All matches are meant only where a list is named: an empty selection is not the catalogue.
    """
    entries = request.POST if "filters" in request.POST else request.GET
    ids = [*entries.getlist("id"), *filter(None, entries.get("ids", "").split(","))]
    if ids:
        return Selection(tuple(dict.fromkeys(ids))[:MAX_ROWS])
    is_of_list = entries is request.GET or entries.get("all") == "yes"
    if is_of_list and "filters" in entries:
        return Selection(matching=changelist_of(admin, request, entries["filters"]))
    return Selection()


def _existing_products(ids: Iterable[str]) -> Iterator[Product]:
    for product_id in ids:
        try:
            yield catalogue().newest(product_id)
        except (ProductNotFound, Invalid):
            continue
