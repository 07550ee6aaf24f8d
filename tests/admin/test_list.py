"""The list of products: newest versions, in pages, and only queries that an index can answer."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploy.local.engines import free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.admin import staff_writes
from products.admin.product_admin import ProductAdmin
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import CorruptChange, DependencyUnavailable
from products.writes import Accepted
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import a_product, fields, origin
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


def act(client: Client, action: str, chosen: list[str], query: str = "", **others: str) -> Any:
    data = {"action": action, "index": "0", ACTION_CHECKBOX_NAME: chosen, **others}
    response = client.post(f"{LIST}{query}", data, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


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
    for shown in ("Hosting dear", "R900.50", "R95", "once-off + R95/year", "by ann"):
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
    assert "1 result (" in staff.get(f"{LIST}?q=dear").text


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


def test_page_links_lead_forward_back_and_to_the_first(
    acceptance: Acceptance, staff: Client, ann: Origin
) -> None:
    silent = replace(acceptance, doorbell=FakeDoorbell())
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
    assert staff.get(LIST + by_price)["Location"] == f"{LIST}?e=1"  # a cursor belongs to its order


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
def test_a_query_without_an_index_is_refused_before_any_read(query: str) -> None:
    answer = sign_in("ann").get(f"{LIST}?{query}")  # needs no AWS service
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


def test_an_unknown_filter_shows_the_whole_list_with_a_warning(three: None, staff: Client) -> None:
    answer = staff.get(f"{LIST}?unknown=1", follow=True)
    assert "all products are shown" in answer.text
    assert len(answer.context["cl"].result_list) == 3


def test_a_page_number_shows_the_first_page(three: None, staff: Client) -> None:
    assert ids(staff, "?p=7") == ["cheap", "dear", "retired"]


def test_no_sql_query_reads_products(three: None, staff: Client) -> None:
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


def test_actions_deactivate_and_restore_ticked_products(
    three: None, staff: Client, catalogue: Catalogue
) -> None:
    assert act(staff, "deactivate", ["cheap", "dear", "retired"]) == [
        "2 products deactivated. 1 was deactivated already."
    ]
    assert [catalogue.newest(i).active for i in ("cheap", "dear", "retired")] == [False] * 3
    assert catalogue.history("cheap")[0].origin.actor == "ann"
    assert act(staff, "deactivate", ["dear"]) == [
        "No products deactivated. 1 was deactivated already."
    ]
    assert act(staff, "restore", ["dear"], "?active=no") == ["1 product restored."]
    assert catalogue.newest("dear").active
    assert catalogue.newest("dear").version == 3


def test_actions_ignore_products_that_do_not_exist(three: None, staff: Client) -> None:
    assert act(staff, "deactivate", ["nobody", "a/b", "cheap"]) == ["1 product deactivated."]


def test_actions_apply_to_ticked_products_only(
    staff: Client, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    for forged in ("1", "true", "on", "yes"):
        assert act(staff, "deactivate", ["p1"], select_across=forged) == [
            "Choose the products one by one."
        ]
    assert catalogue.newest("p1").active


@dataclass
class FailingAcceptance:
    """Refuses each product with the next of these errors, and accepts it without any."""

    acceptance: Acceptance
    errors: list[Exception | None]

    def deactivate(self, *arguments: Any, **options: Any) -> Accepted:
        error = self.errors.pop(0)
        if error:
            raise error
        return self.acceptance.deactivate(*arguments, **options)


def test_an_action_passes_over_refusals_and_stops_at_an_outage(
    three: None, staff: Client, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    acceptance.restore("retired", origin("ann"))
    errors: list[Exception | None] = [
        CorruptChange("It was altered."),
        None,
        DependencyUnavailable("DynamoDB"),
    ]
    failing = FailingAcceptance(acceptance, errors)
    monkeypatch.setattr(staff_writes, "acceptance", lambda: failing)
    messages = act(staff, "deactivate", ["cheap", "dear", "retired"])
    assert [message.rpartition(": ")[2] for message in messages] == [
        "It was altered.",
        "DynamoDB does not answer at the moment.",
        "1 product deactivated.",
    ]
    failing.errors = [DependencyUnavailable("DynamoDB")]
    assert act(staff, "deactivate", ["cheap", "dear", "retired"])[1:] == [
        "No products deactivated."
    ]


def test_products_are_never_deleted_from_the_list(
    three: None, staff: Client, catalogue: Catalogue
) -> None:
    actions = staff.get(LIST).context["action_form"].fields["action"].choices
    assert [name for name, _ in actions] == ["", "bulk", "deactivate", "restore"]
    assert act(staff, "delete_selected", ["cheap"]) == ["No action selected."]
    assert catalogue.newest("cheap").active


def test_the_list_reports_that_dynamodb_is_unavailable(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    chosen = {"action": "deactivate", "index": "0", ACTION_CHECKBOX_NAME: ["p1"]}
    for answer in (staff.get(LIST), staff.get(f"{LIST}?q=x"), staff.post(LIST, chosen)):
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "DynamoDB does not answer at the moment." in answer.text
