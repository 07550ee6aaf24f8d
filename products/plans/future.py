"""The catalogue as plans will make it: one product, and the list, at a time to come. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from products.catalogue import Catalogue
from products.errors import ProductNotFound
from products.lists import ListQuery, Page
from products.plans.plan import Plan
from products.plans.plans import Plans
from products.product import Product


@dataclass(frozen=True, slots=True)
class FutureProduct:
    """A product as it will be, if nobody edits it before, and the plans that it rests on."""

    product: Product
    plans: Sequence[Plan]


@dataclass(frozen=True, slots=True)
class FuturePage:
    """A page of the list as it will be. ``plans`` are those of each product that rests on some."""

    page: Page
    plans: Mapping[str, Sequence[Plan]]


@dataclass(frozen=True, slots=True)
class FutureCatalogue:
    """Reads products as they will be at a time to come, for staff."""

    catalogue: Catalogue
    plans: Plans

    def product(self, product_id: str, moment: datetime) -> FutureProduct:
        """Return the product as it will be then, active or not. Raises: ProductNotFound."""
        found = self.plans.outlook(product_id)
        if found is None:
            raise ProductNotFound(product_id)
        return FutureProduct(found.at(moment), found.plans_at(moment))

    def page(self, listing: ListQuery, moment: datetime) -> FuturePage:
        """Return a page of the list as it will be then: filters and order apply to that state."""
        outlooks = self.plans.outlooks(until=moment)
        foreseen = {product_id: found.at(moment) for product_id, found in outlooks.items()}
        page = self.catalogue.future_page(listing, foreseen)
        plans = {
            product.product_id: outlooks[product.product_id].plans_at(moment)
            for product in page.products
            if product.product_id in outlooks
        }
        return FuturePage(page, {product_id: named for product_id, named in plans.items() if named})
