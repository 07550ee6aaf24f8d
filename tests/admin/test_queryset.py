"""The query the admin works on: what it knows it does over the catalogue, everything else it refuses aloud."""

from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db.models import Q

from products.admin.queryset import all_products
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import Product
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.engines


@pytest.fixture
def three(catalogue: Catalogue, world: World, ann: Origin) -> None:
    """Cheap, dear and foreign: the last one in dollars; all stored and searchable."""
    for product_id, changes in {
        "cheap": {"price": "10"},
        "dear": {"price": "900", "billing_cycle": "yearly"},
        "foreign": {"price": "5", "currency": "USD"},
    }.items():
        catalogue.create(product_id, fields(name=f"Hosting {product_id}", **changes), ann)
    world.work()


def page(query: Any, after: str | None = None, limit: int = 10) -> list[str]:
    return [product.pk for product in query.page(after, limit).rows]


def test_a_page_is_oldest_first_and_the_next_goes_on(three: None) -> None:
    leaf = all_products().page(None, 2)
    rows, position = leaf.rows, leaf.after
    assert [product.pk for product in rows] == ["cheap", "dear"]
    assert page(all_products(), position) == ["foreign"]


def test_filters_combine_however_they_are_given(three: None) -> None:
    query = all_products()
    assert page(query.filter(billing_cycle="yearly")) == ["dear"]
    assert page(query.filter(Q(currency="ZAR") & Q(billing_cycle__exact="one-time"))) == ["cheap"]
    assert page(query.filter(currency="USD").filter(billing_cycle="yearly")) == []
    assert page(query.filter(active=False)) == []
    assert page(query.filter(Q())) == ["cheap", "dear", "foreign"]


@pytest.mark.parametrize(
    ("conditions", "lookups"),
    [
        ((), {"name__contains": "x"}),
        ((), {"price__gte": "1"}),
        ((), {"currency": "zar"}),
        ((), {"currency": "Z" * 3000}),
        ((), {"active": "1"}),
        ((), {"billing_cycle": "daily"}),
        ((~Q(currency="ZAR"),), {}),
        ((Q(currency="ZAR") | Q(currency="USD"),), {}),
        (((Q(currency="ZAR") | Q(currency="USD")) & Q(active=True),), {}),
    ],
)
def test_what_no_index_answers_is_refused(conditions: Any, lookups: Any) -> None:
    with pytest.raises(FieldError, match="can"):
        all_products().filter(*conditions, **lookups)


def test_price_orders_one_currency_both_ways_and_other_names_change_nothing(three: None) -> None:
    query = all_products()
    assert page(query.order_by("price")) == ["cheap", "dear"]
    assert page(query.order_by("-price")) == ["dear", "cheap"]
    assert page(query.filter(currency="USD").order_by("price")) == ["foreign"]
    assert page(query.order_by("-created_at")) == ["foreign", "dear", "cheap"]
    assert page(query.order_by("name")) == page(query.order_by()) == ["cheap", "dear", "foreign"]


def test_a_search_obeys_filters_the_order_by_price_and_pages(three: None) -> None:
    query = all_products().search("hosting")
    assert sorted(page(query)) == ["cheap", "dear", "foreign"]
    assert page(query.filter(billing_cycle="yearly")) == ["dear"]
    assert page(query.filter(active=False)) == []
    assert page(query.order_by("price")) == ["cheap", "dear"]
    assert page(query.order_by("-price"), limit=1) == ["dear"]
    first = query.page(None, 2)
    second = query.page(first.after, 2)
    assert len({product.pk for product in first.rows + second.rows}) == 3
    assert [product.pk for product in query.page(second.before, 2).rows] == [
        product.pk for product in first.rows
    ]


def test_chosen_ids_are_read_once_each_and_unknown_ones_are_left_out(three: None) -> None:
    query = all_products().filter(pk__in=["dear", "nobody", "a/b", "cheap"])
    assert [product.pk for product in query] == ["dear", "cheap"]
    assert len(query) == query.count() == 2
    assert query
    assert query.exists()
    assert query[0].pk == query.all()[0].pk == "dear"
    assert not all_products().filter(product_id__in=["nobody"])


def test_one_product_is_got_by_its_id(three: None) -> None:
    product = all_products().get(pk="dear")
    assert (product.name, product.version, str(product)) == ("Hosting dear", 1, "Hosting dear")
    assert all_products().using("default").get(Q(product_id="cheap")).pk == "cheap"
    for unknown in ("nobody", "a/b"):
        with pytest.raises(Product.DoesNotExist):
            all_products().get(pk=unknown)


def test_all_products_at_once_are_never_read(world: World) -> None:
    query = all_products()
    for read in (list, len, bool, lambda q: q[0], lambda q: q.count(), lambda q: q.get()):
        with pytest.raises(FieldError, match="never read"):
            read(query)
    with pytest.raises(FieldError, match="not read in pages"):
        query.filter(pk__in=["p1"]).page(None, 10)


def test_what_a_queryset_can_do_and_this_can_not_is_an_error_with_its_name(world: World) -> None:
    for name in ("delete", "update", "aggregate", "values", "explain", "iterator"):
        with pytest.raises(AttributeError, match=f"ProductQuery has no '{name}'"):
            getattr(all_products(), name)


def test_a_product_is_not_saved_or_deleted_past_the_catalogue(three: None) -> None:
    product = all_products().get(pk="dear")
    with pytest.raises(TypeError, match="written through the catalogue"):
        product.save()
    with pytest.raises(TypeError, match="written through the catalogue"):
        product.delete()


def test_a_product_knows_its_newest_change_while_that_is_open(
    catalogue: Catalogue, world: World, ann: Origin, three: None
) -> None:
    catalogue.update("dear", {"price": "901"}, ann)
    rows = all_products().page(None, 10).rows
    versions = {product.pk: product.open_change.version for product in rows if product.open_change}
    assert versions["dear"] == 2
    world.work()
    assert all_products().page(None, 10).rows[1].version == 2
