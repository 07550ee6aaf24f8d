"""Rebuilds whose requests take another way, and pauses that a test can see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from products import bootstrap, maintenance
from products.adapters.opensearch.index import FILL_TIMEOUT_SECONDS, connect
from products.adapters.opensearch.rebuild import OpenSearchRebuild
from products.lists import ListQuery
from products.product import Product
from products.reindex import Reindex
from products.retries import Retries
from tests.support.world import World

HOSTING = ListQuery(text="hosting", by_relevance=True, limit=100)


@dataclass
class Pauses:
    """Pauses that take no time, and what happens during each."""

    meanwhile: Callable[[], object] = lambda: None
    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.meanwhile()


def rebuild_at(url: str, world: World, sleep: Callable[[float], None]) -> Reindex:
    """Return a rebuild whose requests go to this address."""
    client = connect(url, timeout_seconds=FILL_TIMEOUT_SECONDS)
    retries = Retries(sleep)
    rebuild = OpenSearchRebuild(client, world.alias, retries)
    return Reindex(logs=maintenance.reconciliation_source(), index=rebuild, retries=retries)


def no_progress(products: Iterator[Product]) -> Iterator[Product]:
    return products


def indexes(world: World) -> dict[str, list[str]]:
    """Return the aliases of the test's indexes, by index."""
    found = world.opensearch.indices.get_alias(index=f"{world.alias}-*")
    return {name: sorted(index["aliases"]) for name, index in found.items()}


def found_count() -> int:
    """Return how many hosting products the index finds."""
    return len(bootstrap.index().search(HOSTING, 100))
