"""The list of products: newest versions, in pages, and only queries that an index can answer."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploy.local.engines import free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.items import OPEN_FLAGS
from products.admin.changelist import LINK_TOO_OLD
from products.admin.product_admin import ProductAdmin
from products.admin.rows import age_text
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import NOON, a_product, fields, origin
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell, recorded_operations
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def staff(world: World) -> Client:
    return sign_in("ann")


@pytest.fixture
def three(acceptance: Acceptance, world: World, ann: Origin) -> None:
    """Three stored and searchable products: cheap, dear, and a deactivated one."""
    for product_id, changes in {
        "cheap": {"price": "10"},
        "dear": {"price": "900.50", "billing_cycle": "yearly", "renewal_price": "95"},
        "retired": {"price": "50"},
    }.items():
        acceptance.create(product_id, fields(name=f"Hosting {product_id}", **changes), ann)
    acceptance.deactivate("retired", ann)
    world.work()


def ids(client: Client, query: str = "") -> list[str]:
    return [product.pk for product in client.get(f"{LIST}{query}").context["cl"].result_list]


def test_a_save_is_listed_immediately_with_its_status(
    world: World, staff: Client, ann: Origin, settings: Any
) -> None:
    settings.ENABLE_CLOUDFRONT = False
    forget_wiring()
    bootstrap.acceptance().create("p1", fields(), ann)
    assert world.record("p1") is None
    assert 'data-state="accepted"' in staff.get(LIST).text
    deliver(bootstrap.pipeline().store, "p1", 1)
    assert 'data-state="stored"' in staff.get(LIST).text
    world.work()
    assert 'data-state="complete"' in staff.get(LIST).text


def test_a_row_shows_prices_period_and_author(three: None, staff: Client) -> None:
    text = staff.get(f"{LIST}?cycle=yearly").text
    for shown in ("Hosting dear", "R900,50", "R95", "once-off + R95/year", "by ann", ">dear<"):
        assert shown in text
    assert "Hosting cheap" not in text


def test_filters_combine_and_include_deactivated_products(three: None, staff: Client) -> None:
    assert ids(staff) == ["cheap", "dear", "retired"]
    assert ids(staff, "?active=yes") == ["cheap", "dear"]
    assert ids(staff, "?active=no") == ["retired"]
    assert ids(staff, "?active=no&cycle=yearly") == []
    assert ids(staff, "?currency=USD") == []


def test_a_search_finds_texts_and_ids_within_the_filters(three: None, staff: Client) -> None:
    assert ids(staff, "?q=dear") == ["dear"]
    assert sorted(ids(staff, "?q=hosting")) == ["cheap", "dear", "retired"]
    assert ids(staff, "?q=hosting&active=no") == ["retired"]
    assert ids(staff, "?q=hosting&cycle=yearly") == ["dear"]
    assert "<b>1 product</b> · “dear”" in staff.get(f"{LIST}?q=dear").text


def test_a_search_finds_changes_that_no_worker_has_seen(
    staff: Client, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(name="Brand new thing"), ann)
    assert ids(staff, "?q=brand") == ["p1"]


def test_any_search_text_is_answered(staff: Client) -> None:
    for text in ("%00", "x" * 5000, "%20".join(["word"] * 1500), "%F0%9F%90%98", '"(*', "%"):
        assert staff.get(f"{LIST}?q={text}").status_code == 200


def test_prices_sort_both_ways_in_the_named_currency(
    three: None, staff: Client, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("foreign", fields(name="Hosting abroad", price="1", currency="USD"), ann)
    assert ids(staff, "?sort=cheapest") == ["cheap", "retired", "dear"]
    assert ids(staff, "?sort=dearest") == ["dear", "retired", "cheap"]
    assert ids(staff, "?sort=newest") == ["foreign", "retired", "dear", "cheap"]
    assert ids(staff, "?sort=name") == ["foreign", "cheap", "dear", "retired"]
    assert ids(staff, "?sort=updated") == ["foreign", "retired", "dear", "cheap"]
    assert "Showing ZAR only" in staff.get(f"{LIST}?sort=cheapest").text
    assert ids(staff, "?sort=cheapest&currency=USD") == ["foreign"]
    assert ids(staff, "?q=hosting&sort=dearest") == ["dear", "retired", "cheap"]
    for nonsense in ("1", "99", "-99", "x", "", "-"):
        assert ids(staff, f"?o={nonsense}") == ["cheap", "dear", "retired", "foreign"]


def test_a_price_range_is_sorted_by_price_in_one_currency(three: None, staff: Client) -> None:
    assert ids(staff, "?min=40") == ["retired", "dear"]
    assert ids(staff, "?max=900") == ["cheap", "retired"]
    assert ids(staff, "?min=10&max=800&sort=dearest") == ["retired", "cheap"]
    assert "From 40" in staff.get(f"{LIST}?min=40").text


def test_each_set_filter_is_a_removable_chip(three: None, staff: Client) -> None:
    text = staff.get(f"{LIST}?active=yes&cycle=yearly&q=dear").text
    assert '<a href="?cycle=yearly&amp;q=dear" aria-label="Remove the filter Active">' in text
    assert '<a href="?active=yes&amp;q=dear" aria-label="Remove the filter Yearly">' in text
    assert 'aria-label="Set filters"' not in staff.get(LIST).text


def test_filters_for_own_changes_and_open_changes(
    three: None, staff: Client, acceptance: Acceptance, world: World
) -> None:
    assert ids(staff, "?open=yes&q=nothing") == ids(staff, "?mine=yes&cycle=monthly") == []
    staff.post(f"{LIST}dear/cell/", {"field": "price", "value": "7", "version": "1"})
    mine = origin("ann")
    acceptance.update("cheap", {"price": "8"}, replace(mine, actor="ben"))
    assert ids(staff, "?mine=yes&active=yes") == ["dear"]
    for version in (1, 2):
        world.delete_change("retired", version)
    assert ids(staff, "?open=yes") == ["cheap", "dear"]
    assert ids(staff, "?open=yes&mine=yes&active=yes") == ["dear"]
    assert ids(staff, "?open=yes&q=cheap") == ["cheap"]


def test_a_list_page_has_a_fixed_number_of_reads(
    staff: Client, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    def reads() -> list[str]:
        with recorded_operations(bootstrap.dynamodb()) as seen:
            staff.get(LIST)
        return sorted(seen)

    def store(numbers: range) -> None:
        for number in numbers:
            bootstrap.table().put_record(
                a_product(product_id=f"s{number:04}", name=f"Stored {number}"), NOON
            )

    store(range(60))
    few = reads()
    store(range(60, 600))
    assert reads() == few
    # The partitions of the open changes, the active and the inactive products.
    assert few == ["Query"] * (len(OPEN_FLAGS) + 2)


def test_page_links_lead_forward_back_and_to_the_first(
    acceptance: Acceptance, staff: Client, ann: Origin
) -> None:
    silent = replace(acceptance, doorbell=FakeDoorbell())
    made = [f"p{number:02}" for number in range(ProductAdmin.list_per_page + 2)]
    for product_id in made:
        silent.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    first = staff.get(f"{LIST}?active=yes")
    assert "<b>52 products</b> · Active" in first.text
    assert "First page" not in first.text
    second = staff.get(LIST + first.context["cl"].next_query)
    assert [product.pk for product in second.context["cl"].result_list] == made[50:]
    assert "2 shown" in second.text
    assert "Next page" not in second.text
    assert second.context["cl"].first_query == "?active=yes"
    found = staff.get(f"{LIST}?q=hosting")
    assert "50 of 52 shown" in found.text
    rest = staff.get(LIST + found.context["cl"].next_query)
    pages = [product.pk for page in (found, rest) for product in page.context["cl"].result_list]
    assert sorted(pages) == made
    back = staff.get(LIST + second.context["cl"].previous_query)
    assert [product.pk for product in back.context["cl"].result_list] == made[:50]
    assert back.context["cl"].previous_cursor is None
    forth = staff.get(LIST + back.context["cl"].next_query)
    assert [product.pk for product in forth.context["cl"].result_list] == made[50:]
    assert "Previous page" in rest.text
    by_price = staff.get(LIST + first.context["cl"].next_query + "&sort=cheapest")
    assert str(LINK_TOO_OLD) in by_price.text  # a cursor belongs to its order
    assert by_price.context["cl"].result_list == []


@pytest.mark.parametrize(
    "query",
    [
        "p=c.",
        "p=c.nonsense",
        "p=c.2026-01-01T00:00:00.000000Z%23p1:forged",
        "p=c." + "x" * 3000,
        "unknown=1",
        "name__contains=x",
        "price__gte=1",
        "currency=zar",
        "active=perhaps",
        "cycle=daily",
        "sort=period",
        "min=x",
        "max=-1",
        "p=b.forged",
        "active__exact=1",
        "pk__in=cheap,dear",
        "product_id=cheap",
    ],
)
def test_a_filter_that_is_not_understood_shows_no_rows(query: str) -> None:
    answer = sign_in("ann").get(f"{LIST}?{query}")  # needs no AWS service
    assert (answer.status_code, answer.context["cl"].result_list) == (200, [])
    assert "No products are shown, because a filter was not understood." in answer.text
    assert "Edit all" not in answer.text
    for page in ("bulk", "export"):
        filters = urlencode({"filters": query})
        refused = sign_in(page).get(f"{LIST}{page}/?{filters}")
        assert refused.status_code == 400 or "so no product matches" in refused.text


def test_the_box_says_what_was_not_understood(staff: Client) -> None:
    refusals = {
        "?cycle=yearly&min=abc": ("min", "Must be an amount such as 1500.00, 1 500,00 or R1 500."),
        "?max=1%2C000": ("max", "Can mean 1000.00 or 1.00; write one of these."),
        "?min=%2410": ("min", "Is in USD, but the currency is ZAR."),
        "?cycle=daily": ("cycle", "“daily” is not one of these. Choose again."),
    }
    for query, (name, sentence) in refusals.items():
        answer = staff.get(f"{LIST}{query}")
        assert answer.context["cl"].refusals == {name: sentence}
        assert f'id="error-{name}" role="alert" >{sentence}<' in answer.text


def test_a_page_number_shows_the_first_page(three: None, staff: Client) -> None:
    assert ids(staff, "?p=7") == ["cheap", "dear", "retired"]


def test_no_sql_query_reads_products(three: None, staff: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as sql:
        for query in ("", "?q=hosting", "?sort=cheapest", "?active=no", "?unknown=1"):
            staff.get(f"{LIST}{query}")
        staff.get(f"{LIST}cheap/change/")
        staff.get(f"{LIST}cheap/history/")
    assert sql.captured_queries
    assert not [query for query in sql.captured_queries if "products_product" in query["sql"]]


def test_an_empty_list_says_why(
    staff: Client, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    assert "The catalogue is empty" in staff.get(LIST).text
    acceptance.create("p1", fields(), ann)
    text = staff.get(f"{LIST}?q=%3Cb%3Enever&cycle=monthly").text
    assert "Nothing was found for “&lt;b&gt;never” with the filters that are set." in text


def test_the_front_page_shows_sections_and_recent_changes(
    staff: Client, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    staff.post(f"{LIST}p1/delete/", {"post": "yes"})
    assert "Basic hosting" in staff.get("/admin/").text
    nobody = sign_in("nil", None).get("/admin/").text
    assert "You can't see products yet." in nobody
    assert LIST not in nobody


def test_the_count_is_true_while_changes_are_on_their_way(
    three: None, staff: Client, acceptance: Acceptance, world: World, ann: Origin
) -> None:
    silent = replace(acceptance, doorbell=FakeDoorbell())
    for number in range(ProductAdmin.list_per_page):
        silent.create(f"p{number:02}", fields(name=f"Backup {number}"), ann)
    silent.deactivate("cheap", ann)
    # In the index already, but not marked as done: this must not count it twice.
    bootstrap.index().put([bootstrap.catalogue().newest("p00")])
    for query, total in (("", 53), ("?active=yes", 51), ("?q=backup", 50), ("?q=hosting", 53)):
        assert staff.get(f"{LIST}{query}").context["cl"].total == total, query
    assert "(Show all)" not in staff.get(LIST).text


def test_the_rows_alone_are_sent_to_the_script(three: None, staff: Client) -> None:
    answer = staff.get(f"{LIST}?cycle=yearly", headers={"X-Requested-With": "fetch"})
    assert answer.text.startswith('<div id="list" data-title="Products: Yearly (1 product)"')
    assert "Hosting dear" in answer.text
    assert "<html" not in answer.text
    whole = staff.get(f"{LIST}?cycle=yearly").text
    assert "Products: Yearly (1 product) | BBWS products" in whole.partition("</title>")[0]


def test_links_to_a_product_keep_the_filters(three: None, staff: Client) -> None:
    text = staff.get(f"{LIST}?cycle=yearly&q=dear").text
    link = unescape(re.findall(r'class="name" href="([^"]*)"', text)[0])
    assert link == f"{LIST}dear/change/?_changelist_filters=cycle%3Dyearly%26q%3Ddear"
    assert f'href="{LIST}?cycle=yearly&amp;q=dear"' in staff.get(link).text


def test_only_those_who_may_are_offered_a_switch(three: None) -> None:
    offered = {
        "Product admins": ["Deactivate", "Deactivate", "Activate"],
        "Product editors": ["Activate"],
        "Product viewers": [],
    }
    for group, verbs in offered.items():
        text = sign_in(group.replace(" ", ""), group).get(LIST).text
        assert re.findall(r'class="switch"[^>]*>(\w+)<', text) == verbs


def test_names_are_escaped(staff: Client, acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(name='<b>"{id}" & co</b>'), ann)
    text = staff.get(LIST).text
    assert "&lt;b&gt;&quot;{id}&quot; &amp; co&lt;/b&gt;</a>" in text
    assert "<b>&quot;" not in text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_ages_are_in_words(age: timedelta, text: str) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    assert age_text(now - age, now) == text


def test_the_list_reports_that_dynamodb_is_unavailable(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    for answer in (staff.get(LIST), staff.get(f"{LIST}?q=x")):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "The catalogue can&#x27;t be reached just now." in answer.text
