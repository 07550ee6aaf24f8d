"""The table as the catalogue reads it: the port that an adapter implements. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from products.changes import Change, ChangeKey
from products.lists import ListQuery
from products.open_changes import OpenKey, OpenMark
from products.overlay import ListedChanges
from products.planning import ChangeReader
from products.product import Product


class ProductTable(ChangeReader, Protocol):
    """The change log and the records. Each method may raise DependencyUnavailable."""

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Return changes with a version below ``before``, newest first."""

    def record(self, product_id: str) -> Product | None:
        """Return the record of the product, which is what the public reads."""

    def records(self, product_ids: list[str]) -> dict[str, Product]: ...

    def changes(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Change | Exception]:
        """Return the changes that made these versions; the error of one that can't be read."""

    @property
    def listed(self) -> ListedChanges:
        """The changes of which this process knows that all lists have them."""

    def open_keys(self, *, newest_first: bool = False) -> Iterator[OpenKey]:
        """Yield which changes may be open, read lazily."""

    def marks(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, OpenMark]:
        """Return what is open of those of these changes that are open."""

    def name_owners(self, names: list[str]) -> dict[str, str]:
        """Return the IDs of the products that have these names, by normalised name."""

    def in_order(self, listing: ListQuery, *, active: bool) -> Iterator[Product]:
        """Yield records in the order of the list, after ``listing.after``, read lazily."""
