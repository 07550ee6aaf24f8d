"""Building the search index anew from the records while searches and writes go on. Pure.

From ``begin`` on, each write goes to both indexes. A change that was indexed before that was stored before it was
indexed, so the walk over the records, which begins later, brings it along; and whatever the standing index has all the
same that the new one lacks is fetched from the log before the switch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Protocol

from products.changes import Change
from products.product import Product
from products.reconciliation.differences import Observed
from products.reconciliation.sources import Candidate

BATCH = 100


class BuiltIndex(Protocol):
    """Each method may raise EngineAway; then searches go on as before, and it may all be begun again."""

    def begin(self, number: str) -> None: ...
    def fill(self, products: Iterable[Product]) -> int: ...
    def behind(self) -> Iterator[tuple[str, int]]: ...
    def switch(self, number: str) -> None: ...
    def count(self) -> int: ...


class Records(Protocol):
    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]: ...
    def records(self, product_ids: Sequence[str]) -> dict[str, Observed]: ...
    def change(self, product_id: str, version: int) -> Change | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindex:
    records: Records
    index: BuiltIndex

    def run(self, number: str, shown: Callable[[Iterator[Product]], Iterable[Product]]) -> int:
        """Build it, under a number no index of ours has had, and put it in place; ``shown`` passes the products on
        while it tells somebody how far this has come. Returns how many documents were written."""
        self.index.begin(number)
        count = self.index.fill(shown(self._stored()))
        count += self.index.fill(self._lacking())
        self.index.switch(number)
        return count

    def _stored(self) -> Iterator[Product]:
        """Each record as it is when its turn comes, read consistently; the index only says which there are."""
        for active in (True, False):
            for part in batched(self.records.records_after(None, active=active), BATCH):
                standing = self.records.records([place.product_id for place in part])
                yield from (
                    found.content
                    for found in standing.values()
                    if isinstance(found.content, Product)
                )

    def _lacking(self) -> Iterator[Product]:
        """What only the standing index has - unless nobody accepted it: to lose that is what a new one is built for."""
        for product_id, version in self.index.behind():
            if change := self.records.change(product_id, version):
                yield change.after
