"""The query of the admin: the catalogue answers it, and every unknown question is an error."""

from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db.models import Q

from products.acceptance import Acceptance
from products.admin.queryset import all_products
from products.changes import Origin
from products.models import Product
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.engines


@pytest.fixture
def three(acceptance: Acceptance, world: World, ann: Origin) -> None:
    """Three stored and searchable products: cheap, dear, and a foreign one in dollars."""
    for product_id, changes in {
        "cheap": {"price": "10"},
        "dear": {"price": "900", "billing_cycle": "yearly"},
        "foreign": {"price": "5", "currency": "USD"},
    }.items():
        acceptance.create(product_id, fields(name=f"Hosting {product_id}", **changes), ann)
    world.work()


def page(query: Any, after: str | None = None, limit: int = 10) -> list[str]:
    return [product.pk for product in query.page(after, limit).rows]


def test_pages_are_oldest_first_and_continue(three: None) -> None:
    first = all_products().page(None, 2)
    assert [product.pk for product in first.rows] == ["cheap", "dear"]
    assert page(all_products(), first.after) == ["foreign"]


def test_filters_combine_in_every_form(three: None) -> None:
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
def test_a_query_without_an_index_is_refused(conditions: Any, lookups: Any) -> None:
    with pytest.raises(FieldError, match="can"):
        all_products().filter(*conditions, **lookups)


def test_price_orders_one_currency_and_other_names_are_ignored(three: None) -> None:
    query = all_products()
    assert page(query.order_by("price")) == ["cheap", "dear"]
    assert page(query.order_by("-price")) == ["dear", "cheap"]
    assert page(query.filter(currency="USD").order_by("price")) == ["foreign"]
    assert page(query.order_by("-created_at")) == ["foreign", "dear", "cheap"]
    assert page(query.order_by("name")) == page(query.order_by()) == ["cheap", "dear", "foreign"]


def test_a_search_respects_filters_order_and_pages(three: None) -> None:
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


def test_chosen_ids_are_read_without_unknown_ones(three: None) -> None:
    query = all_products().filter(pk__in=["dear", "nobody", "a/b", "cheap"])
    assert [product.pk for product in query] == ["dear", "cheap"]
    assert len(query) == query.count() == 2
    assert query
    assert query.exists()
    assert query[0].pk == query.all()[0].pk == "dear"
    assert not all_products().filter(product_id__in=["nobody"])


def test_get_returns_one_product_by_id(three: None) -> None:
    product = all_products().get(pk="dear")
    assert (product.name, product.version, str(product)) == ("Hosting dear", 1, "Hosting dear")
    assert all_products().using("default").get(Q(product_id="cheap")).pk == "cheap"
    for unknown in ("nobody", "a/b"):
        with pytest.raises(Product.DoesNotExist):
            all_products().get(pk=unknown)


def test_the_whole_catalogue_is_never_read(world: World) -> None:
    query = all_products()
    for read in (list, len, bool, lambda q: q[0], lambda q: q.count(), lambda q: q.get()):
        with pytest.raises(FieldError, match="never read"):
            read(query)
    with pytest.raises(FieldError, match="not read in pages"):
        query.filter(pk__in=["p1"]).page(None, 10)


def test_an_unsupported_queryset_method_is_an_error(world: World) -> None:
    for name in ("delete", "update", "aggregate", "values", "explain", "iterator"):
        with pytest.raises(AttributeError, match=f"ProductQuery has no '{name}'"):
            getattr(all_products(), name)


def test_the_model_can_not_be_saved_or_deleted(three: None) -> None:
    product = all_products().get(pk="dear")
    with pytest.raises(TypeError, match="written through the catalogue"):
        product.save()
    with pytest.raises(TypeError, match="written through the catalogue"):
        product.delete()


def test_a_product_has_its_newest_change_while_it_is_open(
    acceptance: Acceptance, world: World, ann: Origin, three: None
) -> None:
    acceptance.update("dear", {"price": "901"}, ann)
    rows = all_products().page(None, 10).rows
    versions = {product.pk: product.open_change.version for product in rows if product.open_change}
    assert versions["dear"] == 2
    world.work()
    assert all_products().page(None, 10).rows[1].version == 2
