"""A life of the search index in which the product sends every kind of request."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from opensearchpy import OpenSearch

from bbws_products.validation import search as validation
from products.adapters.opensearch.index import OpenSearchIndex
from products.adapters.opensearch.rebuild import OpenSearchRebuild
from products.currency import DEFAULT_CURRENCY
from products.errors import DependencyUnavailable
from products.lists import ListQuery, SortKey
from products.management.commands.seed_products import SEED
from products.product import BillingCycle, Product
from products.retries import Retries
from tests.support.builders import NOON, a_product

WORDS = ("Bronze", "Silver", "Gold", "Élite", "Ĳssel", "WordPress", "e-mail", "R95", "10 GB")
TEXTS = (
    "wordpress",
    "wordpres",
    "Wordpess hosting",
    "word",
    "gold",
    "gold hosting",
    "GOLD daily backups",
    "backups mailboxes",
    "elite",
    "élite",
    "ijssel",
    "e-mail",
    "10 gb",
    "r95",
    "p1",
    "P1",
    "prod-basic",
    "PROD-",
    "hosting -gold",
    '"gold hosting"',
    "gold*",
    "a",
    "w" * 100,
    "gold " * 60,
    "😀",
    "שלום",
    "no such thing",
    "name:gold OR *",
)
"""Words, typing errors, beginnings, ids, other alphabets, and syntax of other query languages."""

LISTINGS = {
    "relevance": ListQuery(by_relevance=True),
    "all": ListQuery(by_relevance=True, active=None),
    "inactive": ListQuery(by_relevance=True, active=False),
    "oldest": ListQuery(),
    "newest": ListQuery(descending=True),
    "cheapest": ListQuery(sort=SortKey.PRICE),
    "dearest": ListQuery(sort=SortKey.PRICE, descending=True),
    "currency": ListQuery(by_relevance=True, currency="USD"),
    "cycle": ListQuery(by_relevance=True, billing_cycle="monthly"),
    "prices": ListQuery(
        sort=SortKey.PRICE, min_price=Decimal("10.50"), max_price=Decimal("1500.00")
    ),
    "from": ListQuery(min_price=Decimal("20.00")),
    "to": ListQuery(max_price=Decimal("0.01")),
    "author": ListQuery(by_relevance=True, updated_by="ann"),
}
"""Lists that differ in everything that a search reads, besides the text."""


def seeds() -> list[Product]:
    """Return the seed products."""
    return [
        a_product(
            product_id=product_id,
            name=edits["name"],
            description=edits["description"],
            price=Decimal(edits["price"]),
            billing_cycle=BillingCycle(edits["billing_cycle"]),
            features=tuple(edits["features"]),
            created_at=NOON + timedelta(microseconds=number),
        )
        for number, (product_id, edits) in enumerate(SEED.items())
    ]


def catalogue() -> list[Product]:
    """Return the seed products and some that are much alike, so that many scores are equal."""
    alike = [
        a_product(
            product_id=f"p{number}",
            name=f"{WORDS[number % len(WORDS)]} hosting",
            description="Hosting with daily backups, and mailboxes for everybody.",
            price=Decimal(number % 4 * 10 + 1) / 2,
            currency="USD" if number % 3 == 0 else DEFAULT_CURRENCY,
            billing_cycle=BillingCycle.MONTHLY if number % 2 else BillingCycle.YEARLY,
            active=number % 5 > 0,
            created_at=NOON + timedelta(seconds=number // 2),
        )
        for number in (17, 3, 25, 8, 1, 30, 12, 22, 5, 9, 14, 2, 28, 11, 20, 7, 26, 16)
    ]
    return [*seeds(), *alike]


def refuse(act: Callable[[], object]) -> None:
    """Carry out an act that OpenSearch refuses."""
    with suppress(DependencyUnavailable):
        act()
        raise AssertionError("OpenSearch did not refuse it")


def live(client: OpenSearch, alias: str) -> None:
    """Create, fill, search, repair, rebuild and lose the index behind the alias."""
    index = OpenSearchIndex(client, alias)
    _begin(index)
    _search(index)
    _reconcile(index)
    _rebuild(index)
    _lose(index)


def _no_wait(seconds: float) -> None:
    raise AssertionError("OpenSearch did not answer")


def _begin(index: OpenSearchIndex) -> None:
    client, alias = index.client, index.alias
    client.indices.create(index=alias)
    refuse(index.ensure)
    client.indices.delete(index=alias)
    refuse(index.ping)
    index.ensure()
    index.ensure()
    refuse(lambda: index.search(ListQuery(text="gold", by_relevance=True), 1))
    index.put_all(catalogue(), _no_wait)
    index.put_all(catalogue()[:3], _no_wait)
    newer = replace(catalogue()[0], version=3, name="Entry renamed")
    index.put([newer])
    index.put([replace(newer, version=2)])


def _search(index: OpenSearchIndex) -> None:
    for listing in LISTINGS.values():
        index.count_matches(listing, [])
        index.count_matches(listing, ["p1", "p2"])
        for text in ("hosting", "word", "gold backups"):
            index.search(replace(listing, text=text), 1000)
            index.count_matches(replace(listing, text=text), ["p1"])
    for text in TEXTS:
        index.search(replace(LISTINGS["relevance"], text=text), 1000)
    index.search(ListQuery(text="gold", by_relevance=True), 3)
    index.ping()


def _reconcile(index: OpenSearchIndex) -> None:
    ids = [product.product_id for product in catalogue()]
    assert len(index.documents([*ids, "unknown"])) == len(ids)
    assert len(list(index.ids_after(None, None))) == len(ids)
    list(index.ids_after("p2", None))
    list(index.ids_after(None, NOON + timedelta(seconds=5)))
    first = replace(catalogue()[1], description="Hosting that an operator repaired.")
    assert index.overwrite(first)
    assert index.overwrite(replace(first, version=2))
    assert not index.overwrite(first)
    index.remove("p30")
    index.remove("p30")


def _rebuild(index: OpenSearchIndex) -> None:
    rebuild = OpenSearchRebuild(index.client, index.alias, Retries(_no_wait))
    rebuild.begin("2")
    rebuild.begin("3")
    refuse(lambda: rebuild.switch("2"))
    assert rebuild.fill("3", catalogue()[2:]) > 0
    index.put([replace(catalogue()[5], version=4)])
    assert list(rebuild.outdated("3"))
    assert rebuild.count() > 0
    rebuild.switch("3")
    index.search(ListQuery(text="hosting", by_relevance=True), 1000)
    assert list(validation.validate())


def _lose(index: OpenSearchIndex) -> None:
    client, alias = index.client, index.alias
    client.indices.delete(index=f"{alias}-3")
    for act in (
        index.ping,
        lambda: index.search(ListQuery(text="gold", by_relevance=True), 1),
        lambda: index.documents(["p1"]),
        lambda: list(index.ids_after(None, None)),
    ):
        refuse(act)
    (error,) = index.put([catalogue()[0]])
    assert isinstance(error, DependencyUnavailable)
    rebuild = OpenSearchRebuild(client, alias, Retries(_no_wait))
    assert rebuild.count() == 0
    rebuild.begin("4")
    assert list(rebuild.outdated("4")) == []
    rebuild.switch("4")
