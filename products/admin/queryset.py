"""The query object that Django's admin works on; the catalogue answers it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NoReturn, Self

from django.core.exceptions import FieldError
from django.db import models

from products import product as core
from products.bootstrap import catalogue
from products.changes import Change
from products.currency import CURRENCIES
from products.errors import Invalid, ProductNotFound
from products.lists import Freshness, ListQuery, Page, SortKey
from products.models import Product
from products.open_changes import OpenMark

VALID_FILTER_VALUES: dict[str, Callable[[object], bool]] = {
    "active": lambda value: value in (True, False),
    "currency": lambda value: value in CURRENCIES,
    "billing_cycle": lambda value: value in list(core.BillingCycle),
    "min_price": lambda value: isinstance(value, Decimal),
    "max_price": lambda value: isinstance(value, Decimal),
    "updated_by": lambda value: isinstance(value, str),
    "only_open": lambda value: value is True,
}
"""The fields that products can be filtered by, with the check of their values."""
ORDERS = {
    "created_at": SortKey.CREATED,
    "updated_at": SortKey.UPDATED,
    "name": SortKey.NAME,
    "price": SortKey.PRICE,
}
"""The fields that products can be ordered by, and the order of each."""


@dataclass(frozen=True, slots=True)
class AdminPage:
    """One page of the admin's list.

    ``before`` and ``after`` are the positions to go on from in both directions, None at an end.
    """

    rows: list[Product]
    before: str | None
    after: str | None
    open_changes: Mapping[str, Change]
    freshness: Freshness | None = None


class ProductQuery:
    """What the admin needs of a queryset, over the catalogue.

    It is no QuerySet on purpose: a QuerySet would send what it does not know to SQL, or read
    without a limit. Here every unknown question is an error.
    """

    ordered = True
    query = SimpleNamespace(order_by=(), select_related=False)

    def __init__(
        self, model: type[Product], listing: ListQuery, ids: tuple[str, ...] | None = None
    ) -> None:
        self.model = model
        self.listing = listing
        self.ids = ids

    # Narrowing and ordering: each returns a new query

    def all(self) -> Self:
        return self._copy(self.listing)

    _clone = all

    def using(self, alias: str | None) -> Self:
        return self.all()

    def filter(self, *conditions: models.Q, **lookups: object) -> Self:
        for condition in conditions:
            lookups |= _lookups_of(condition)
        narrowed = self
        for lookup, value in lookups.items():
            narrowed = narrowed._narrow(lookup.removesuffix("__exact"), value)
        return narrowed

    def _narrow(self, lookup: str, value: Any) -> Self:
        if lookup in {"pk", "product_id"}:
            return self._copy(self.listing, (str(value),))
        if lookup in {"pk__in", "product_id__in"}:
            return self._copy(self.listing, tuple(map(str, value)))
        is_valid = VALID_FILTER_VALUES.get(lookup)
        if is_valid is None or not is_valid(value):
            raise FieldError(f"Products can't be filtered by {lookup!r} as {value!r}.")
        return self._copy(replace(self.listing, **{lookup: value}))

    def search(self, text: str) -> Self:
        """Search for a text; without a chosen order the best matches come first."""
        has_order = self.listing.sort is not SortKey.CREATED or self.listing.descending
        return self._copy(replace(self.listing, text=text, by_relevance=not has_order))

    @property
    def price_order(self) -> str:
        """The order by price, descending if that is the current order."""
        is_descending = self.listing.by_price and self.listing.descending
        return "-price" if is_descending else "price"

    def order_by(self, *names: str) -> Self:
        """Order by the first name that an index has; ignore all others."""
        for name in names:
            field = name.lstrip("-")
            if field in ORDERS:
                listing = replace(
                    self.listing,
                    descending=name.startswith("-"),
                    sort=ORDERS[field],
                    by_relevance=False,
                )
                return self._copy(listing)
        return self

    def _copy(self, listing: ListQuery, ids: tuple[str, ...] | None = None) -> Self:
        return type(self)(self.model, listing, self.ids if ids is None else ids)

    # Reading

    def page(
        self,
        cursor: str | None,
        limit: int,
        *,
        backwards: bool = False,
        also: tuple[str, ...] = (),
    ) -> AdminPage:
        """Return the page after a position, or before it.

        ``also`` are products to read from the change log, see ``Catalogue.staff_page``. Raise
        DependencyUnavailable when DynamoDB does not answer.
        """
        if self.ids is not None:
            raise FieldError("Products chosen by their ids are not read in pages.")
        listing = replace(self.listing, after=cursor, limit=limit)
        if listing.text:
            return self._search_page(listing, also)
        if backwards:
            return self._previous_page(listing, also)
        page = catalogue().staff_page(listing, also=also)
        has_previous = cursor and page.products
        first = listing.position(page.products[0]) if has_previous else None
        return _admin_page(page, page.products, first, page.after)

    def count_matches(self, page: AdminPage) -> int | None:
        """Return how many products match, of which ``page`` shows some; None if not known."""
        return catalogue().count(self.listing, page.open_changes)

    def _search_page(self, listing: ListQuery, also: tuple[str, ...]) -> AdminPage:
        """Return a page of matches; its positions are offsets."""
        page = catalogue().search(listing, staff=True, also=also)
        previous_offset = max(0, listing.offset - listing.limit)
        before = str(previous_offset) if listing.offset else None
        return _admin_page(page, page.products, before, page.after)

    def _previous_page(self, listing: ListQuery, also: tuple[str, ...]) -> AdminPage:
        """Return the page before a position, by reading in the opposite order."""
        reverse = replace(listing, descending=not listing.descending)
        page = catalogue().staff_page(reverse, also=also)
        products = page.products[::-1]
        first = listing.position(products[0]) if products and page.after else None
        last = listing.position(products[-1]) if products else None
        return _admin_page(page, products, first, last)

    def _selected(self) -> list[Product]:
        """Read the products that were chosen by id; ids without a product are left out."""
        if self.ids is None:
            raise FieldError("The whole catalogue is never read; ask for a page or for some ids.")
        found = []
        for product_id in self.ids:
            try:
                found.append(model_of(catalogue().newest(product_id)))
            except (ProductNotFound, Invalid):
                continue
        return found

    def __iter__(self) -> Iterator[Product]:
        return iter(self._selected())

    def __len__(self) -> int:
        return len(self._selected())

    def __bool__(self) -> bool:
        return bool(self._selected())

    def __getitem__(self, index: int) -> Product:
        return self._selected()[index]

    def count(self) -> int:
        return len(self)

    def exists(self) -> bool:
        return bool(self)

    def get(self, *conditions: models.Q, **lookups: object) -> Product:
        found = self.filter(*conditions, **lookups)._selected()
        if not found:
            raise self.model.DoesNotExist
        return found[0]

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"ProductQuery has no {name!r}")


def _lookups_of(condition: models.Q) -> dict[str, object]:
    """Return the lookups of a plain conjunction; raise FieldError for any other condition."""
    lookups = [child for child in condition.children if isinstance(child, tuple)]
    is_nested = len(lookups) < len(condition.children)
    if condition.negated or condition.connector != models.Q.AND or is_nested:
        raise FieldError("Products can only be filtered by conditions that all hold.")
    return dict(lookups)


def _admin_page(
    page: Page, products: list[core.Product], before: str | None, after: str | None
) -> AdminPage:
    rows = [model_of(product, _open_mark(page, product)) for product in products]
    return AdminPage(rows, before, after, page.open_changes, page.freshness)


def _open_mark(page: Page, product: core.Product) -> OpenMark | Change | None:
    """Return what is open of the product's version in the list, if anything is."""
    product_id = product.product_id
    found = page.open_changes.get(product_id) or page.marks.get(product_id)
    return found if found and found.version == product.version and found.open else None


def all_products() -> ProductQuery:
    """Return the query for every product, active or not, oldest first."""
    return ProductQuery(Product, ListQuery(active=None))


def model_of(product: core.Product, open_change: OpenMark | Change | None = None) -> Product:
    """Return the admin's model of a product, with its newest change while that is open."""
    fields = [field.attname for field in Product._meta.concrete_fields]
    values = {name: getattr(product, name) for name in fields}
    values["period"] = product.shown_period
    values["features"] = list(product.features)
    model = Product(**values)
    model.open_change = open_change
    model._state.adding = False
    model._state.db = "default"
    return model
