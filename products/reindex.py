"""Rebuilding the search index from the records while searches and writes go on. Pure.

From ``begin`` on, each write goes to both indexes. Every change that was indexed before ``begin``
was stored before it, so the scan of the records, which starts later, includes it. Anything that
the live index still has and the new one lacks is copied from the change log before the switch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched, islice
from typing import Protocol

from products.parallel import MapFunction
from products.product import Product
from products.reconciliation.sources import Candidate, Logs
from products.retries import Retries

PAGE_SIZE = 1000  # product IDs read in one call
BATCH_SIZE = 100  # records read in one call


class IndexRebuild(Protocol):
    """The new index. Each method waits out passing faults, within a limit.

    Each may raise DependencyUnavailable: then start again from ``begin``. Until the switch,
    searches use the live index.
    """

    def begin(self, number: str) -> None: ...
    def fill(self, number: str, products: Iterable[Product]) -> object: ...
    def outdated(self, number: str) -> Iterator[tuple[str, int]]: ...
    def switch(self, number: str) -> int: ...
    def count(self) -> int: ...
    def lacks_fields(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindex:
    """A rebuild. It waits while the table is unavailable, within the limits of ``retries``."""

    logs: Logs
    index: IndexRebuild
    retries: Retries
    map_function: MapFunction = map
    """Reads the records, perhaps with a few calls at a time."""

    def run(
        self, number: str, with_progress: Callable[[Iterator[Product]], Iterable[Product]]
    ) -> int:
        """Build a new index, switch to it, and return how many documents it has.

        ``number`` must be new: no index had it before. ``with_progress`` passes the products on
        and reports progress.
        """
        self.index.begin(number)
        self.index.fill(number, with_progress(self._read_records()))
        self.index.fill(number, self._read_outdated(number))
        return self.index.switch(number)

    def is_needed(self) -> bool:
        """Whether the live index is empty, or older than this version of the product."""
        return not self.index.count() or self.index.lacks_fields()

    def expected_count(self) -> int:
        """Return the number of documents in the live index, as an estimate for the new one."""
        return self.index.count()

    def _read_records(self) -> Iterator[Product]:
        """Yield each record, read consistently. The table's index only lists the product IDs."""
        for active in (True, False):
            batches = batched(self._candidates(active=active), BATCH_SIZE)
            for products in self.map_function(self._read_batch, batches):
                yield from products

    def _candidates(self, *, active: bool) -> Iterator[Candidate]:
        """Yield the products with a record, page by page."""
        after = None
        while page := self.retries.run(partial(self._page, after, active=active)):
            yield from page
            after = page[-1].after

    def _page(self, after: str | None, *, active: bool) -> list[Candidate]:
        return list(islice(self.logs.records_after(after, active=active), PAGE_SIZE))

    def _read_batch(self, candidates: Sequence[Candidate]) -> list[Product]:
        product_ids = [candidate.product_id for candidate in candidates]
        observed = self.retries.run(partial(self.logs.records, product_ids))
        return [one.content for one in observed.values() if isinstance(one.content, Product)]

    def _read_outdated(self, number: str) -> Iterator[Product]:
        """Yield the products that only the live index has in this version.

        Documents without an accepted change are left out: a rebuild removes them.
        """
        for product_id, version in self.index.outdated(number):
            change = self.retries.run(partial(self.logs.change, product_id, version))
            if change:
                yield change.after
