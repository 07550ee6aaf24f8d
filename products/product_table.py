"""The table as the catalogue reads it: the port that an adapter implements. Pure."""

from collections.abc import Iterator
from typing import Protocol

from products.changes import Change
from products.lists import ListQuery
from products.overlay import OverlaidTable
from products.planning import ChangeReader
from products.product import Product


class ProductTable(ChangeReader, OverlaidTable, Protocol):
    """The change log and the records. Each method may raise DependencyUnavailable."""

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Return changes with a version below ``before``, newest first."""

    def record(self, product_id: str) -> Product | None:
        """Return the record of the product, which is what the public reads."""

    def name_owners(self, names: list[str]) -> dict[str, str]:
        """Return the IDs of the products that have these names, by normalised name."""

    def in_order(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        """Yield records in the order of the list, after ``listing.after``, read lazily."""
