"""Lists of products: their order, their pages, and how changes not yet stored are laid over them. Pure."""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from products.changes import Change
from products.currency import DEFAULT_CURRENCY
from products.documents import format_timestamp
from products.product import Product

MAX_EXAMINED = 2000  # index entries one page may look at before it answers with what it has found
MAX_OVERLAID = 1000  # open changes a staff list lays over the records


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which products, in which order. ``active`` None is both; ``after`` is the position the last page ended at.

    A search for ``text`` has no stable positions: its ``after`` is how many matches were handed out before.
    """

    active: bool | None = True
    by_price: bool = False
    descending: bool = False
    currency: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    billing_cycle: str | None = None
    updated_by: str | None = None
    only_open: bool = (
        False  # only products with an open effect; for lists laid over with the open changes
    )
    text: str | None = None
    by_relevance: bool = False
    after: str | None = None
    limit: int = 25

    def __post_init__(self) -> None:
        # Amounts of two currencies have no common order, so an order by price is one of a single currency.
        if self.by_price and self.currency is None:
            object.__setattr__(self, "currency", DEFAULT_CURRENCY)

    @property
    def offset(self) -> int:
        """How many matches of a search were handed out before."""
        return int(self.after) if self.after else 0

    def position(self, product: Product) -> str:
        """Where the product stands in this order: unique, and comparing as a text compares as the order does."""
        first = f"{product.price:09.2f}" if self.by_price else format_timestamp(product.created_at)
        return f"{first}#{product.product_id}"

    def matches(self, product: Product) -> bool:
        return (
            self.active in (None, product.active)
            and self.currency in (None, product.currency)
            and self.billing_cycle in (None, product.billing_cycle)
            and self.updated_by in (None, product.updated_by)
            and (self.min_price is None or product.price >= self.min_price)
            and (self.max_price is None or product.price <= self.max_price)
            and (self.text is None or mentions(product, self.text))
            and (self.after is None or self._is_later(self.position(product), self.after))
        )

    def _is_later(self, position: str, after: str) -> bool:
        return position < after if self.descending else position > after


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current a search is: what was accepted up to this moment is in it, whatever came later may be missing.

    ``from_index`` is False where the table was walked instead, because there is no index or it is away.
    """

    complete_up_to: datetime
    from_index: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of products; ``after`` is the position to go on from, None at the end.

    ``open_changes`` holds the newest open change by product id, where the list was laid over with them.
    """

    products: list[Product]
    after: str | None
    open_changes: Mapping[str, Change] = field(default_factory=dict)
    freshness: Freshness | None = None


def newest_per_product(changes: Iterable[Change]) -> dict[str, Change]:
    """The newest change of each product in ``changes``, of which at most OVERLAID_MOST are read."""
    newest: dict[str, Change] = {}
    for change in itertools.islice(changes, MAX_OVERLAID):
        standing = newest.get(change.product_id)
        if standing is None or standing.version < change.version:
            newest[change.product_id] = change
    return newest


def build_page(
    listing: ListQuery, records: list[Iterator[Product]], opened: Mapping[str, Change]
) -> Page:
    """One page out of ordered streams of records, with the newest open changes laid over them.

    A product stands where its newest change puts it. At most EXAMINED_MOST entries are looked at, so that a filter
    few products pass costs a bounded read; the page then says where to go on.
    """
    found: list[Product] = []
    examined: Product | None = None
    streams = _laid_over(listing, records, {i: change.after for i, change in opened.items()})
    for examined in itertools.islice(streams, MAX_EXAMINED):
        if not listing.matches(examined):
            continue
        if len(found) == listing.limit:
            return Page(found, listing.position(found[-1]), opened)
        found.append(examined)
    more = examined is not None and next(streams, None) is not None
    return Page(found, listing.position(examined) if more and examined else None, opened)


def search_page(
    listing: ListQuery, records: list[Iterator[Product]], opened: Mapping[str, Change]
) -> Page:
    """A page of a search, by a walk through the list in its order: bounded, and without a ranking."""
    whole = replace(listing, after=None, limit=MAX_EXAMINED)
    return page_at_offset(listing, build_page(whole, records, opened).products, opened)


def page_at_offset(listing: ListQuery, found: list[Product], opened: Mapping[str, Change]) -> Page:
    """The page of ``found`` - all matches there are up to some bound - that begins at ``listing.after``."""
    start = listing.offset
    end = start + listing.limit
    return Page(found[start:end], str(end) if len(found) > end else None, opened)


def _laid_over(
    listing: ListQuery, records: list[Iterator[Product]], overlay: Mapping[str, Product]
) -> Iterator[Product]:
    laid = sorted(
        filter(listing.matches, overlay.values()), key=listing.position, reverse=listing.descending
    )
    seen: set[str] = set()
    for product in heapq.merge(*records, laid, key=listing.position, reverse=listing.descending):
        standing = overlay.get(product.product_id, product)
        if product.product_id not in seen and standing.version <= product.version:
            seen.add(product.product_id)
            yield product


def mentions(product: Product, text: str) -> bool:
    """Whether every word of ``text`` occurs in the product, whatever its case."""
    texts = " ".join(
        [product.name, product.product_id, product.description, *product.features]
    ).casefold()
    return all(word in texts for word in text.casefold().split())
