"""Searches that go on with products that have most of the words, and price bounds in words."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from products import bootstrap
from products.adapters.opensearch.documents import bulk_action, send_bulk
from products.adapters.opensearch.index import NoIndex
from products.catalogue import Catalogue
from products.changes import Origin
from products.lists import ListQuery
from products.product import Product
from tests.search.relevance_catalogue import catalogue
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def fill(world: World, products: list[Product]) -> None:
    lines = [line for product in products for line in bulk_action(world.alias, product)]
    send_bulk(world.opensearch, lines, refresh=True)


def find(text: str, **options: Any) -> list[str]:
    listing = replace(ListQuery(text=text, by_relevance=True), **options)
    return bootstrap.index().search(listing, 100)


def test_products_with_most_words_follow_those_with_all(world: World) -> None:
    fill(world, catalogue())
    found = find("wordpress starter")
    assert found[0] == "WP-START"
    assert {"WP-BUSINESS", "WP-AGENCY", "GWS"} <= set(found[1:])


def test_a_whole_id_finds_its_product_alone(world: World) -> None:
    """Its letters and its digits are words of their own, which many products have."""
    fill(world, catalogue())
    assert find("WP-START") == ["WP-START"]


def test_a_full_page_of_full_matches_ends_the_search(world: World) -> None:
    fill(world, catalogue())
    assert find("virtual server", limit=2) == find("virtual server", limit=3)
    assert len(find("virtual server", limit=100)) > len(find("virtual server", limit=2))


def test_pages_of_every_size_are_parts_of_one_list(world: World) -> None:
    fill(world, catalogue())
    text = "wordpress starter"
    whole = find(text, limit=100)
    assert len(whole) > 5
    for size in (1, 2, 5, 7):
        pages = [
            find(text, limit=size, after=str(start))[start : start + size]
            for start in range(0, len(whole), size)
        ]
        assert [product_id for page in pages for product_id in page] == whole, size


def test_an_order_by_price_has_only_full_matches(world: World) -> None:
    fill(world, catalogue())
    assert find("wordpress starter", by_relevance=False) == ["WP-START"]


def test_a_count_includes_the_products_that_follow(world: World) -> None:
    fill(world, catalogue())
    listing = ListQuery(text="wordpress starter", by_relevance=True)
    assert bootstrap.index().count_matches(listing, []) == len(find("wordpress starter"))


def test_two_words_typed_as_one_are_found(world: World) -> None:
    fill(world, catalogue())
    assert find("pagebuilder")[:1] == ["BUILDER"]


@pytest.fixture
def shop(world: World, ann: Origin) -> list[Product]:
    """Store four products of which two cost less than R100, and index them."""
    wanted = [
        ("P1", "Small domain", "99.00"),
        ("P2", "Large domain", "100.00"),
        ("P3", "Huge domain", "250.00"),
        ("P4", "Café mailbox", "15.00"),
    ]
    for product_id, name, price in wanted:
        bootstrap.acceptance().create(product_id, fields(name=name, price=price), ann)
        deliver(bootstrap.pipeline().store, product_id, 1)
    products = list(bootstrap.table().records([product_id for product_id, *_ in wanted]).values())
    fill(world, products)
    return products


def searched(catalogue: Catalogue, text: str) -> list[str]:
    page = catalogue.search(ListQuery(text=text, by_relevance=True), staff=False)
    return [product.product_id for product in page.products]


@pytest.fixture(params=["index", "table"])
def reader(request: pytest.FixtureRequest, catalogue: Catalogue) -> Catalogue:
    return replace(catalogue, index=NoIndex()) if request.param == "table" else catalogue


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("domain under R100", {"P1"}),
        ("domain up to R100", {"P1", "P2"}),
        ("domain over 100", {"P3"}),
        ("under R100", {"P1", "P4"}),
        ("between R100 and R300", {"P2", "P3"}),
        ("domain under $100", set()),
        ("domains", {"P1", "P2", "P3"}),
    ],
)
def test_index_and_table_find_the_same(
    shop: list[Product], reader: Catalogue, text: str, right: set[str]
) -> None:
    assert set(searched(reader, text)) == right


@pytest.mark.parametrize(
    ("text", "first"), [("domain R250", "P3"), ("cafe e-pos", "P4"), ("url small", "P1")]
)
def test_index_and_table_put_full_matches_first(
    shop: list[Product], reader: Catalogue, text: str, first: str
) -> None:
    assert searched(reader, text)[0] == first


def test_the_table_finds_no_parts_of_words(shop: list[Product], catalogue: Catalogue) -> None:
    from_table = replace(catalogue, index=NoIndex())
    assert searched(from_table, "omain") == []
    assert searched(from_table, "dom") == ["P1", "P2", "P3"]


def test_prices_have_all_places_of_their_currency(world: World) -> None:
    dinar = replace(catalogue()[0], product_id="KWD-1", currency="KWD", price=Decimal("1.25"))
    fill(world, [*catalogue(), dinar])
    assert find("KWD 1.250")[:1] == ["KWD-1"]
    assert find("KWD 1.25")[:1] == ["KWD-1"]
