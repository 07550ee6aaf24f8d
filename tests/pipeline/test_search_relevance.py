"""Which product a search puts first: for names, beginnings of words, typing errors and ids."""

from dataclasses import replace
from decimal import Decimal

import pytest

from deploy.local.sample_catalogue import sample_product
from products import bootstrap
from products.adapters.opensearch.documents import bulk_action, send_bulk
from products.lists import ListQuery, SortKey
from products.management.commands.seed_products import SEED
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

FIRST = {
    "PROD-ENTRY": ["entry", "enrty", "small wordpress site"],
    "PROD-BASIC": [
        "basic",
        "Basic",
        "bas",
        "basci",
        "prod-basic",
        "basic wordpress",
        "first business site",
        "first buisness site",
    ],
    "PROD-STANDARD": ["stand", "standrad", "staging copy", "e-mail support", "growing business"],
    "PROD-PREMIUM": [
        "prem",
        "premum",
        "premium woo",
        "woocommerce",
        "woocomerce",
        "telephone support",
        "telefone support",
        "content delivery",
        "content delivry network",
        "malware removal",
    ],
    "PROD-ENTERPRISE": [
        "enterp",
        "entreprise",
        "firewall",
        "firewal",
        "web application firewall",
        "named engineer",
        "uptime",
        "500 gb",
        "dedicatd resources",
    ],
    "b0000042": ["b0000042", "mail 42", "hosting mail 42", "hostng mail 42"],
    "b0000104": ["agency 104", "agncy 104"],
}
"""The product that each search must put first."""
SEARCHES = [(text, product_id) for product_id, texts in FIRST.items() for text in texts]


@pytest.fixture
def shelf(world: World) -> None:
    """The seed products and 200 similar ones, in the index only."""
    seeds = [
        replace(
            sample_product(number),
            product_id=product_id,
            name=fields["name"],
            description=fields["description"],
            features=tuple(fields["features"]),
            price=Decimal(fields["price"]),
        )
        for number, (product_id, fields) in enumerate(SEED.items())
    ]
    products = [*seeds, *map(sample_product, range(200))]
    lines = [line for product in products for line in bulk_action(world.alias, product)]
    results = send_bulk(world.opensearch, lines, refresh=True)
    assert {result["status"] for result in results} == {201}


def test_the_best_match_is_first(shelf: None) -> None:
    index = bootstrap.index()
    found = {
        text: index.search(ListQuery(text=text, by_relevance=True), 10)[:1] for text, _ in SEARCHES
    }
    assert found == {text: [product_id] for text, product_id in SEARCHES}


def test_similar_words_are_found_only_without_an_exact_match(shelf: None) -> None:
    index = bootstrap.index()
    similar = index.search(ListQuery(text="reseler", by_relevance=True), 1000)
    exact = index.search(ListQuery(text="agency", by_relevance=True), 1000)
    assert set(similar) == {f"b{number:07}" for number in range(6, 200, 10)}
    assert set(exact) == {f"b{number:07}" for number in range(4, 200, 10)}
    assert index.search(ListQuery(text="zzzzqq", by_relevance=True), 1000) == []


def test_a_search_returns_at_most_its_limit_in_order(shelf: None) -> None:
    listing = ListQuery(text="hosting shop", sort=SortKey.PRICE)
    assert bootstrap.index().search(listing, 4) == ["b0000003", "b0000013", "b0000023", "b0000033"]
    dearer = ListQuery(text="mail", sort=SortKey.PRICE, min_price=Decimal("2.00"))
    assert bootstrap.index().search(dearer, 3) == ["b0000102", "b0000112", "b0000122"]
