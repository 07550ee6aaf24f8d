"""Searches behind a breaker, for the processes that answer people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from products.adapters.breaker import Breaker
from products.adapters.opensearch.faults import DEPENDENCY
from products.adapters.opensearch.index import NoIndex, OpenSearchIndex
from products.lists import ListQuery
from products.search.synonyms import Synonyms


@dataclass(frozen=True, slots=True)
class GuardedSearch:
    """The searches of an index. While it hangs, they are refused without waiting for it."""

    index: OpenSearchIndex | NoIndex
    breaker: Breaker = field(default_factory=lambda: Breaker(DEPENDENCY))

    def synonyms(self) -> Synonyms:
        """Return the synonyms that searches use now."""
        return self.index.synonyms()

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Return the ids of the products found. Raises: DependencyUnavailable."""
        return self.breaker.call(partial(self.index.search, listing, limit))

    def count_matches(self, listing: ListQuery, without: Sequence[str]) -> int:
        """Return how many products match, besides these. Raises: DependencyUnavailable."""
        return self.breaker.call(partial(self.index.count_matches, listing, without))
