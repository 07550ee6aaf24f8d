"""The staff's list of products: the newest of everything, in pages, and no question that no index can answer."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploy.local.engines import free_port
from products import bootstrap
from products.admin import ProductAdmin
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, signed_in
from tests.support.builders import a_product, fields
from tests.support.fakes import FakeDoorbell, recorded_operations
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def staff(world: World) -> Client:
    return signed_in("ann")


@pytest.fixture
def three(catalogue: Catalogue, world: World, ann: Origin) -> None:
    """Cheap, dear and retired, stored and searchable."""
    for product_id, changes in {
        "cheap": {"price": "10"},
        "dear": {"price": "900.50", "billing_cycle": "yearly", "renewal_price": "95"},
        "retired": {"price": "50"},
    }.items():
        catalogue.create(product_id, fields(name=f"Hosting {product_id}", **changes), ann)
    catalogue.deactivate("retired", ann)
    world.work()


def ids(client: Client, query: str = "") -> list[str]:
    return [product.pk for product in client.get(f"{LIST}{query}").context["cl"].result_list]


def act(client: Client, action: str, chosen: list[str], query: str = "", **others: str) -> Any:
    data = {"action": action, "index": "0", ACTION_CHECKBOX_NAME: chosen, **others}
    response = client.post(f"{LIST}{query}", data, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def test_a_save_is_in_the_list_at_once_and_the_list_follows_its_way(
    world: World, staff: Client, ann: Origin, settings: Any
) -> None:
    settings.ENABLE_CLOUDFRONT = False
    forget_wiring()
    bootstrap.catalogue().create("p1", fields(), ann)
    assert world.record("p1") is None
    assert 'data-state="accepted"' in staff.get(LIST).text
    bootstrap.pipeline().store("p1", 1)
    assert 'data-state="stored"' in staff.get(LIST).text
    world.work()
    assert 'data-state="complete"' in staff.get(LIST).text


def test_a_row_says_what_staff_need_to_know(three: None, staff: Client) -> None:
    text = staff.get(f"{LIST}?cycle=yearly").text
    for shown in ("Hosting dear", "R900.50", "R95", "once-off + R95/year", "by ann"):
        assert shown in text
    assert "Hosting cheap" not in text


def test_the_list_holds_deactivated_products_too_and_filters_combine(
    three: None, staff: Client
) -> None:
    assert ids(staff) == ["cheap", "dear", "retired"]
    assert ids(staff, "?active=yes") == ["cheap", "dear"]
    assert ids(staff, "?active=no") == ["retired"]
    assert ids(staff, "?active=no&cycle=yearly") == []
    assert ids(staff, "?currency=USD") == []


def test_a_search_finds_by_any_text_and_by_id_and_obeys_the_filters(
    three: None, staff: Client
) -> None:
    assert ids(staff, "?q=dear") == ["dear"]
    assert sorted(ids(staff, "?q=hosting")) == ["cheap", "dear", "retired"]
    assert ids(staff, "?q=hosting&active=no") == ["retired"]
    assert ids(staff, "?q=hosting&cycle=yearly") == ["dear"]
    assert "1 result (" in staff.get(f"{LIST}?q=dear").text


def test_a_search_finds_what_no_worker_has_seen_yet(
    staff: Client, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(name="Brand new thing"), ann)
    assert ids(staff, "?q=brand") == ["p1"]


def test_any_search_text_is_answered(staff: Client) -> None:
    for text in ("%00", "x" * 5000, "%20".join(["word"] * 1500), "%F0%9F%90%98", '"(*', "%"):
        assert staff.get(f"{LIST}?q={text}").status_code == 200


def test_prices_sort_both_ways_and_the_page_says_of_which_currency(
    three: None, staff: Client, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("foreign", fields(name="Hosting abroad", price="1", currency="USD"), ann)
    assert ids(staff, "?sort=cheapest") == ["cheap", "retired", "dear"]
    assert ids(staff, "?sort=dearest") == ["dear", "retired", "cheap"]
    assert ids(staff, "?sort=newest") == ["foreign", "retired", "dear", "cheap"]
    assert "so ZAR only" in staff.get(f"{LIST}?sort=cheapest").text
    assert ids(staff, "?sort=cheapest&currency=USD") == ["foreign"]
    assert ids(staff, "?q=hosting&sort=dearest") == ["dear", "retired", "cheap"]
    for nonsense in ("1", "99", "-99", "x", "", "-"):
        assert ids(staff, f"?o={nonsense}") == ["cheap", "dear", "retired", "foreign"]


def test_a_price_range_is_one_of_a_currency_and_in_its_order(three: None, staff: Client) -> None:
    assert ids(staff, "?min=40") == ["retired", "dear"]
    assert ids(staff, "?max=900") == ["cheap", "retired"]
    assert ids(staff, "?min=10&max=800&sort=dearest") == ["retired", "cheap"]
    assert "From 40" in staff.get(f"{LIST}?min=40").text


def test_each_filter_that_is_set_is_a_chip_that_can_be_taken_away(
    three: None, staff: Client
) -> None:
    text = staff.get(f"{LIST}?active=yes&cycle=yearly&q=dear").text
    assert '<a href="?cycle=yearly&amp;q=dear" aria-label="Remove the filter Active">' in text
    assert '<a href="?active=yes&amp;q=dear" aria-label="Remove the filter Yearly">' in text
    assert 'aria-label="Set filters"' not in staff.get(LIST).text


def test_what_i_changed_last_and_what_is_still_open(
    three: None, staff: Client, catalogue: Catalogue, world: World
) -> None:
    assert ids(staff, "?open=yes&q=nothing") == ids(staff, "?mine=yes&cycle=monthly") == []
    staff.post(f"{LIST}dear/cell/", {"field": "price", "value": "7", "version": "1"})
    mine = Origin(actor="ann", source="test", request_id="x")
    catalogue.update("cheap", {"price": "8"}, replace(mine, actor="ben"))
    assert ids(staff, "?mine=yes&active=yes") == ["dear"]
    for version in (1, 2):
        world.forget_change("retired", version)
    assert ids(staff, "?open=yes") == ["cheap", "dear"]
    assert ids(staff, "?open=yes&mine=yes&active=yes") == ["dear"]
    assert ids(staff, "?open=yes&q=cheap") == ["cheap"]


def test_a_list_page_is_a_fixed_number_of_reads_however_many_products_there_are(
    staff: Client, catalogue: Catalogue, ann: Origin, world: World
) -> None:
    def reads() -> list[str]:
        with recorded_operations(bootstrap.dynamodb()) as seen:
            staff.get(LIST)
        return sorted(seen)

    def store(numbers: range) -> None:
        for number in numbers:
            bootstrap.table().put_record(
                a_product(product_id=f"s{number:04}", name=f"Stored {number}")
            )

    store(range(60))
    few = reads()
    store(range(60, 600))
    assert reads() == few
    assert few == [
        "Query",
        "Query",
        "Query",
    ]  # the open changes, the active and the inactive products


def test_pages_are_walked_by_links_and_the_first_is_one_click_away(
    catalogue: Catalogue, staff: Client, ann: Origin
) -> None:
    silent = replace(catalogue, doorbell=FakeDoorbell())
    made = [f"p{number:02}" for number in range(ProductAdmin.list_per_page + 2)]
    for product_id in made:
        silent.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    first = staff.get(f"{LIST}?active=yes")
    assert "50 shown, more to come" in first.text
    assert "First page" not in first.text
    second = staff.get(LIST + first.context["cl"].next_query)
    assert [product.pk for product in second.context["cl"].result_list] == made[50:]
    assert "2 shown" in second.text
    assert "Next page" not in second.text
    assert second.context["cl"].first_query == "?active=yes"
    found = staff.get(f"{LIST}?q=hosting")
    assert "50 shown, more to come" in found.text
    rest = staff.get(LIST + found.context["cl"].next_query)
    pages = [product.pk for page in (found, rest) for product in page.context["cl"].result_list]
    assert sorted(pages) == made
    back = staff.get(LIST + second.context["cl"].previous_query)
    assert [product.pk for product in back.context["cl"].result_list] == made[:50]
    assert back.context["cl"].previous_cursor is None
    forth = staff.get(LIST + back.context["cl"].next_query)
    assert [product.pk for product in forth.context["cl"].result_list] == made[50:]
    assert "Previous page" in rest.text
    by_price = first.context["cl"].next_query + "&sort=cheapest"
    assert staff.get(LIST + by_price).url == f"{LIST}?e=1"  # a cursor belongs to its order


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
        "sort=name",
        "min=x",
        "max=-1",
        "p=b.forged",
        "active__exact=1",
        "pk__in=cheap,dear",
        "product_id=cheap",
    ],
)
def test_a_list_no_index_can_answer_is_refused_before_anything_is_read(query: str) -> None:
    answer = signed_in("ann").get(f"{LIST}?{query}")  # no engine is needed for this
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


def test_who_asked_for_such_a_list_gets_the_whole_one_and_a_word_about_it(
    three: None, staff: Client
) -> None:
    answer = staff.get(f"{LIST}?unknown=1", follow=True)
    assert "this is the whole list" in answer.text
    assert len(answer.context["cl"].result_list) == 3


def test_a_page_number_of_old_is_the_first_page(three: None, staff: Client) -> None:
    assert ids(staff, "?p=7") == ["cheap", "dear", "retired"]


def test_no_sql_is_ever_about_products(three: None, staff: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as sql:
        for query in ("", "?q=hosting", "?sort=cheapest", "?active=no", "?unknown=1"):
            staff.get(f"{LIST}{query}")
        act(staff, "deactivate", ["cheap"])
        staff.get(f"{LIST}cheap/change/")
        staff.get(f"{LIST}cheap/history/")
    assert sql.captured_queries
    assert not [query for query in sql.captured_queries if "products_product" in query["sql"]]


def test_a_list_of_nothing_says_why(staff: Client, catalogue: Catalogue, ann: Origin) -> None:
    assert "The catalogue is empty" in staff.get(LIST).text
    catalogue.create("p1", fields(), ann)
    text = staff.get(f"{LIST}?q=%3Cb%3Enever&cycle=monthly").text
    assert "Nothing was found for “&lt;b&gt;never” with the filters that are set." in text


def test_the_front_page_has_what_one_may_open_and_what_one_did_last(
    staff: Client, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    staff.post(f"{LIST}p1/delete/", {"post": "yes"})
    assert "Basic hosting" in staff.get("/admin/").text
    nobody = signed_in("nil", None).get("/admin/").text
    assert "You may not see the products yet." in nobody
    assert LIST not in nobody


def test_many_are_deactivated_and_restored_at_once(
    three: None, staff: Client, catalogue: Catalogue
) -> None:
    assert act(staff, "deactivate", ["cheap", "dear", "retired"]) == [
        "2 products deactivated. 1 needed nothing."
    ]
    assert [catalogue.newest(i).active for i in ("cheap", "dear", "retired")] == [False] * 3
    assert catalogue.history("cheap")[0].origin.actor == "ann"
    assert act(staff, "deactivate", ["dear"]) == ["No products deactivated. 1 needed nothing."]
    assert act(staff, "restore", ["dear"], "?active=no") == ["1 product restored."]
    assert catalogue.newest("dear").active
    assert catalogue.newest("dear").version == 3


def test_chosen_products_that_do_not_exist_are_no_reason_to_fail(
    three: None, staff: Client
) -> None:
    assert act(staff, "deactivate", ["nobody", "a/b", "cheap"]) == ["1 product deactivated."]


def test_nobody_acts_on_products_that_were_not_ticked(
    staff: Client, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    for forged in ("1", "true", "on", "yes"):
        assert act(staff, "deactivate", ["p1"], select_across=forged) == [
            "Choose the products one by one."
        ]
    assert catalogue.newest("p1").active


def test_products_are_never_deleted_from_the_list(
    three: None, staff: Client, catalogue: Catalogue
) -> None:
    actions = staff.get(LIST).context["action_form"].fields["action"].choices
    assert [name for name, _ in actions] == ["", "bulk", "deactivate", "restore"]
    assert act(staff, "delete_selected", ["cheap"]) == ["No action selected."]
    assert catalogue.newest("cheap").active


def test_while_dynamodb_is_away_the_list_says_so(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    chosen = {"action": "deactivate", "index": "0", ACTION_CHECKBOX_NAME: ["p1"]}
    for answer in (staff.get(LIST), staff.get(f"{LIST}?q=x"), staff.post(LIST, chosen)):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "DynamoDB does not answer at the moment." in answer.text
