"""The queryset of the admin: what it asks for products is answered by the catalogue."""

from collections.abc import Callable, Iterator
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
from products.lists import Freshness, ListQuery, Page
from products.models import Product

FILTERS: dict[str, Callable[[Any], bool]] = {
    "active": lambda value: value in (True, False),
    "currency": lambda value: value in CURRENCIES,
    "billing_cycle": lambda value: value in list(core.BillingCycle),
    "min_price": lambda value: isinstance(value, Decimal),
    "max_price": lambda value: isinstance(value, Decimal),
    "updated_by": lambda value: isinstance(value, str),
    "only_open": lambda value: value is True,
}
ORDERS = {"created_at": {}, "price": {"by_price": True}}


@dataclass(frozen=True, slots=True)
class AdminPage:
    """One page of the admin's list, with the positions from which to go on in both directions, None at an end."""

    rows: list[Product]
    before: str | None
    after: str | None
    freshness: Freshness | None = None


class ProductQuery:
    """What the admin asks of a queryset, over the catalogue, and nothing else: an unknown question is an error.

    Deliberately no QuerySet: one of those would send what it doesn't know to SQL, or read without bounds.
    """

    ordered = True
    query = SimpleNamespace(order_by=(), select_related=False)

    def __init__(
        self, model: type[Product], listing: ListQuery, ids: tuple[str, ...] | None = None
    ) -> None:
        self.model, self.listing, self.ids = model, listing, ids

    # Asking for less, or in another order: always a new query

    def all(self) -> Self:
        return self._with(self.listing)

    _clone = all

    def using(self, alias: str | None) -> Self:
        return self.all()

    def filter(self, *conditions: models.Q, **lookups: Any) -> Self:
        for condition in conditions:
            plain = [child for child in condition.children if isinstance(child, tuple)]
            if (
                condition.negated
                or condition.connector != models.Q.AND
                or len(plain) < len(condition.children)
            ):
                raise FieldError("Products can only be filtered by conditions that all hold.")
            lookups |= dict(plain)
        narrowed = self
        for lookup, value in lookups.items():
            narrowed = narrowed._narrowed(lookup.removesuffix("__exact"), value)
        return narrowed

    def _narrowed(self, lookup: str, value: Any) -> Self:
        if lookup in {"pk", "product_id"}:
            return self._with(self.listing, (str(value),))
        if lookup in {"pk__in", "product_id__in"}:
            return self._with(self.listing, tuple(map(str, value)))
        if lookup not in FILTERS or not FILTERS[lookup](value):
            raise FieldError(f"Products can't be filtered by {lookup!r} as {value!r}.")
        return self._with(replace(self.listing, **{lookup: value}))

    def search(self, text: str) -> Self:
        ordered = (
            self.listing.by_price or self.listing.descending
        )  # somebody chose an order; the best come first else
        return self._with(replace(self.listing, text=text, by_relevance=not ordered))

    @property
    def price_order(self) -> str:
        """The order by price that is nearest to the standing order."""
        return "-price" if self.listing.by_price and self.listing.descending else "price"

    def order_by(self, *names: str) -> Self:
        for name in names:
            if name.lstrip("-") in ORDERS:
                order: dict[str, Any] = {"by_price": False, "by_relevance": False} | ORDERS[
                    name.lstrip("-")
                ]
                return self._with(replace(self.listing, descending=name.startswith("-"), **order))
        return self

    def _with(self, listing: ListQuery, ids: tuple[str, ...] | None = None) -> Self:
        return type(self)(self.model, listing, self.ids if ids is None else ids)

    # Reading

    def page(
        self, cursor: str | None, limit: int, *, backwards: bool = False, also: tuple[str, ...] = ()
    ) -> AdminPage:
        """The page after a position, or before it; EngineAway. For ``also`` see ``Catalogue.staff_page``."""
        if self.ids is not None:
            raise FieldError("Products chosen by their ids are not read in pages.")
        listing = replace(self.listing, after=cursor, limit=limit)
        if listing.text:
            page, before = catalogue().search(listing, staff=True, also=also), None
            if listing.offset:
                before = str(max(0, listing.offset - limit))
            return self._admin_page(page, page.products, before, page.after)
        if not backwards:
            page = catalogue().staff_page(listing, also=also)
            first = listing.position(page.products[0]) if cursor and page.products else None
            return self._admin_page(page, page.products, first, page.after)
        page = catalogue().staff_page(
            replace(listing, descending=not listing.descending), also=also
        )
        products = page.products[::-1]
        last = listing.position(products[-1]) if products else None
        return self._admin_page(page, products, page.after and listing.position(products[0]), last)

    def _admin_page(
        self, page: Page, products: list[core.Product], before: str | None, after: str | None
    ) -> AdminPage:
        rows = [
            model_of(product, page.open_changes.get(product.product_id)) for product in products
        ]
        return AdminPage(rows, before, after, page.freshness)

    def _chosen(self) -> list[Product]:
        if self.ids is None:
            raise FieldError("All products at once are never read; ask for a page or for some ids.")
        found = []
        for product_id in self.ids:
            try:
                found.append(model_of(catalogue().newest(product_id)))
            except (ProductNotFound, Invalid):
                continue
        return found

    def __iter__(self) -> Iterator[Product]:
        return iter(self._chosen())

    def __len__(self) -> int:
        return len(self._chosen())

    def __bool__(self) -> bool:
        return bool(self._chosen())

    def __getitem__(self, index: Any) -> Any:
        return self._chosen()[index]

    def count(self) -> int:
        return len(self)

    def exists(self) -> bool:
        return bool(self)

    def get(self, *conditions: models.Q, **lookups: Any) -> Product:
        found = self.filter(*conditions, **lookups)._chosen()
        if not found:
            raise self.model.DoesNotExist
        return found[0]

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"ProductQuery has no {name!r}")


def all_products() -> ProductQuery:
    """Return the query for every product, active or not, oldest first."""
    return ProductQuery(Product, ListQuery(active=None))


def model_of(product: core.Product, open_change: Change | None = None) -> Product:
    """Return the admin's model of a product, with its newest change while that has an open effect."""
    values = {
        field.attname: getattr(product, field.attname) for field in Product._meta.concrete_fields
    }
    texts = {"period": product.shown_period, "features": list(product.features)}
    model = Product(**values | texts)
    model.open_change = open_change
    model._state.adding = False
    model._state.db = "default"
    return model
