"""Lists of products: order, pages, and the overlay of open changes on stored records. Pure."""

import heapq
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from products.changes import Change, Effect
from products.currency import DEFAULT_CURRENCY, USUAL_PLACES, places
from products.documents import format_timestamp
from products.open_changes import OpenKey, OpenMark
from products.product import MAX_PRICE, Product
from products.search.matching import text_search
from products.search.price_words import price_words
from products.search.synonyms import Synonyms, default_synonyms
from products.search.words import MAX_TEXT_LENGTH
from products.unicode_text import normalized

MAX_EXAMINED = 2000  # products that one page reads before it returns the matches so far
MAX_MATCHES = 1000  # of one search, over all of its pages
FIRST_MATCHES = 100  # that the first pages of a search share
PRICE_DIGITS = 6  # in front of the decimal point
MAX_SORTED = 200  # characters of a name that decide about its place
UNSORTED = {"Mn", "Cf", "Cc"}  # accents and invisible characters
MAX_OVERLAID = 1000  # open changes that a staff list overlays on the records


class SortKey(StrEnum):
    """What a list is ordered by; each has an index."""

    CREATED = "createdAt"
    UPDATED = "updatedAt"
    NAME = "name"
    PRICE = "price"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which products to list, and in which order. ``ids`` None lists all of them.

    ``active`` None lists active and inactive products. ``only_open`` lists products with an open
    effect, and works only in lists that overlay the open changes. ``after`` is the position where
    the previous page ended. In a search for ``text``, which has no stable positions, it is the
    number of matches so far. An empty ``text`` had only words about the price. A long one is cut.
    """

    active: bool | None = True
    ids: tuple[str, ...] | None = None
    sort: SortKey = SortKey.CREATED
    descending: bool = False
    currency: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    billing_cycle: str | None = None
    updated_by: str | None = None
    only_open: bool = False
    text: str | None = None
    synonyms: Synonyms = field(default_factory=default_synonyms, compare=False, repr=False)
    by_relevance: bool = False
    after: str | None = None
    limit: int = 25

    def __post_init__(self) -> None:
        if self.text:
            object.__setattr__(self, "text", self.text[:MAX_TEXT_LENGTH])
        # Amounts of two currencies can't be compared, so a list that compares them has one.
        if self.currency is None and (self.by_price or self._has_bounds):
            object.__setattr__(self, "currency", DEFAULT_CURRENCY)

    @property
    def by_price(self) -> bool:
        return self.sort is SortKey.PRICE

    @property
    def _has_bounds(self) -> bool:
        """Whether a bound leaves out any legal price: a slider at its end does not."""
        return bool(self.min_price) or (self.max_price is not None and self.max_price < MAX_PRICE)

    @property
    def offset(self) -> int:
        """The number of matches on the previous pages of a search."""
        return int(self.after) if self.after else 0

    def position(self, product: Product) -> str:
        """Return the product's unique sort key: lexical order equals list order."""
        return SORT_KEYS[self.sort](product) + product.product_id

    def matches(self, product: Product) -> bool:
        """Whether the product passes all filters and comes after the previous page."""
        return (
            self.active in (None, product.active)
            and (self.ids is None or product.product_id in self.ids)
            and self.currency in (None, product.currency)
            and self.billing_cycle in (None, product.billing_cycle)
            and self.updated_by in (None, product.updated_by)
            and (self.min_price is None or product.price >= self.min_price)
            and (self.max_price is None or product.price <= self.max_price)
            and (self.text is None or self.mentions(product))
            and (self.after is None or self._is_later(self.position(product), self.after))
        )

    def mentions(self, product: Product, *, all_words: bool = True) -> bool:
        """Whether the product has all words of the text, or most of them."""
        return text_search(self.text or "", self.synonyms).finds(product, all_words=all_words)

    def _is_later(self, position: str, after: str) -> bool:
        return position < after if self.descending else position > after


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current a search is: it includes all changes accepted up to ``complete_up_to``.

    ``from_index`` is False when the table was read instead of the search index.
    """

    complete_up_to: datetime
    from_index: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of products.

    ``after`` is the position where the next page starts, None on the last page. ``open_changes``
    holds the newest open change by product ID, as far as the list has an overlay for it. ``marks``
    says what is open of the other products of the page.
    """

    products: list[Product]
    after: str | None
    open_changes: Mapping[str, Change] = field(default_factory=dict)
    freshness: Freshness | None = None
    marks: Mapping[str, OpenMark] = field(default_factory=dict)


def price_sort_key(price: Decimal, currency: str) -> str:
    """Return the price as text that sorts as the prices of this currency do."""
    shown = max(USUAL_PLACES, places(currency))
    return f"{price:0{PRICE_DIGITS + 1 + shown}.{shown}f}"


def name_sort_key(name: str) -> str:
    """Return the name as people sort it: without case, accents, and spaces at the ends.

    It is cut where a key of DynamoDB would become too long.
    """
    letters = normalized("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if unicodedata.category(letter) not in UNSORTED)
    return " ".join(plain.split())[:MAX_SORTED]


SORT_KEYS: dict[SortKey, Callable[[Product], str]] = {
    SortKey.CREATED: lambda product: f"{format_timestamp(product.created_at)}#",
    SortKey.UPDATED: lambda product: f"{format_timestamp(product.updated_at)}#",
    # A tab sorts before every letter, so "Basic" comes before "Basic 2".
    SortKey.NAME: lambda product: f"{name_sort_key(product.name)}\t",
    SortKey.PRICE: lambda product: f"{price_sort_key(product.price, product.currency)}#",
}
"""The beginning of a product's position; its id makes the position unique."""


def newest_per_product[Entry: (Change, OpenKey)](changes: Iterable[Entry]) -> dict[str, Entry]:
    """Return the newest change of each product, from the first MAX_OVERLAID of the changes."""
    newest: dict[str, Entry] = {}
    for change in itertools.islice(changes, MAX_OVERLAID):
        known = newest.get(change.product_id)
        if known is None or known.version < change.version:
            newest[change.product_id] = change
    return newest


def build_page(
    listing: ListQuery,
    records: list[Iterator[Product]],
    open_changes: Mapping[str, Change],
    foreseen: Mapping[str, Product] | None = None,
) -> Page:
    """Return one page of ordered streams of records, with the open changes overlaid.

    ``foreseen`` are products as they will be. Each takes the place of its record and its change.

    A product is sorted by its newest change. A filter that matches few products still reads at
    most MAX_EXAMINED of them: then the page ends, and says where to continue.
    """
    overlay = {product_id: change.after for product_id, change in open_changes.items()}
    if foreseen:
        overlay |= foreseen
        records = [_without(stream, foreseen) for stream in records]
    products = _overlaid(listing, records, overlay)
    found: list[Product] = []
    examined: Product | None = None
    for examined in itertools.islice(products, MAX_EXAMINED):
        if not listing.matches(examined):
            continue
        if len(found) == listing.limit:
            return Page(found, listing.position(found[-1]), open_changes)
        found.append(examined)
    has_more = next(products, None) is not None
    after = listing.position(examined) if examined and has_more else None
    return Page(found, after, open_changes)


def _without(records: Iterator[Product], others: Mapping[str, Product]) -> Iterator[Product]:
    return (product for product in records if product.product_id not in others)


def search_page(
    listing: ListQuery,
    records: list[Iterator[Product]],
    open_changes: Mapping[str, Change],
    foreseen: Mapping[str, Product] | None = None,
) -> Page:
    """Return a page of a search without an index: a bounded read of the list, in list order.

    Products with all words come first. Those with most of them follow in an order by relevance, or
    if no product has all.
    """
    whole_list = replace(listing, after=None, text=None, limit=MAX_EXAMINED)
    products = build_page(whole_list, records, open_changes, foreseen).products
    matches = [product for product in products if listing.mentions(product)]
    if listing.by_relevance or not matches:
        found = {product.product_id for product in matches}
        matches += [
            product
            for product in products
            if product.product_id not in found and listing.mentions(product, all_words=False)
        ]
    return page_at_offset(listing, matches, open_changes)


def page_at_offset(
    listing: ListQuery, matches: list[Product], open_changes: Mapping[str, Change]
) -> Page:
    """Return the page of ``matches`` that starts at the offset of ``listing``."""
    start = listing.offset
    end = start + listing.limit
    after = str(end) if len(matches) > end else None
    return Page(matches[start:end], after, open_changes)


def _overlaid(
    listing: ListQuery, records: list[Iterator[Product]], overlay: Mapping[str, Product]
) -> Iterator[Product]:
    """Yield records and overlay in list order: each product once, and never an older version."""
    overlaid = [product for product in overlay.values() if listing.matches(product)]
    overlaid.sort(key=listing.position, reverse=listing.descending)
    streams = [*records, overlaid]
    yielded: set[str] = set()
    for product in heapq.merge(*streams, key=listing.position, reverse=listing.descending):
        product_id = product.product_id
        newest = overlay.get(product_id, product)
        if product_id not in yielded and newest.version <= product.version:
            yielded.add(product_id)
            yield product


def readings(listing: ListQuery) -> list[ListQuery]:
    """Return the searches that the text may mean; the first one that finds anything is meant.

    Words about the price are bounds. If they name no currency, they may be words like others.
    """
    words = price_words(listing.text, listing.currency) if listing.text else None
    if words is None:
        return [listing]
    lowest = [price for price in (listing.min_price, words.min_price) if price is not None]
    highest = [price for price in (listing.max_price, words.max_price) if price is not None]
    bounded = replace(
        listing,
        text=words.text,
        currency=words.currency,
        min_price=max(lowest, default=None),
        max_price=min(highest, default=None),
        by_relevance=listing.by_relevance and bool(words.text),
    )
    return [bounded] if words.is_sure else [bounded, listing]


def matches_needed(listing: ListQuery, open_changes: Mapping[str, Change]) -> int:
    """Return how many matches a search asks for: FIRST_MATCHES, or all for a later page.

    Both are sorted by relevance and then by id, so pages of the same number don't overlap. Each
    open change may move its product out of the matches. In an order by relevance, an open product
    comes first unless it is a match, so then all matches are needed.
    """
    needed = listing.offset + listing.limit + 1 + len(open_changes)
    if (open_changes and listing.by_relevance) or needed > FIRST_MATCHES:
        return MAX_MATCHES
    return FIRST_MATCHES


def unindexed_products(changes: Iterable[Change]) -> dict[str, Product]:
    """Return by ID the products whose newest version the search index may lack."""
    return {
        change.product_id: change.after for change in changes if Effect.SEARCHABLE in change.open
    }
