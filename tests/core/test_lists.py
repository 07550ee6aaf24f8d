"""Lists on a running DynamoDB: order, pages, filters, search, and no table scan."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import ChangeKey, Origin
from products.lists import MAX_EXAMINED, ListQuery, SortKey, build_page
from products.open_changes import OpenKey
from products.overlay import ListedChanges
from products.pipeline import Pipeline
from products.search.words import MAX_TEXT_LENGTH
from tests.support.builders import a_product, fields
from tests.support.delivery import deliver
from tests.support.fakes import recorded_operations
from tests.support.world import World

pytestmark = pytest.mark.engines


def create_stored(
    acceptance: Acceptance, pipeline: Pipeline, origin: Origin, product_id: str, **changes: Any
) -> None:
    """Create a product and store its record. Its default name contains the ID."""
    name = f"Hosting {product_id}"
    acceptance.create(product_id, fields(**{"name": name, **changes}), origin)
    deliver(pipeline.store, product_id, 1)


def walk(catalogue: Catalogue, listing: ListQuery, *, staff: bool = False) -> list[str]:
    """Return the IDs of all products of the list, read page by page."""
    read = catalogue.staff_page if staff else catalogue.page
    ids: list[str] = []
    while True:
        page = read(listing)
        ids += [product.product_id for product in page.products]
        if page.after is None:
            return ids
        listing = replace(listing, after=page.after)


def test_prices_sort_by_amount(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for price in ("999999.99", "0.01", "10000", "9999.99", "95", "1500.10", "1500.01"):
        create_stored(acceptance, pipeline, ann, f"p{price.replace('.', '-')}", price=price)
    rising = walk(catalogue, ListQuery(sort=SortKey.PRICE, limit=2))
    assert rising == ["p0-01", "p95", "p1500-01", "p1500-10", "p9999-99", "p10000", "p999999-99"]
    assert walk(catalogue, ListQuery(sort=SortKey.PRICE, limit=3, descending=True)) == rising[::-1]
    within = ListQuery(
        sort=SortKey.PRICE, min_price=Decimal("95.00"), max_price=Decimal("9999.99"), limit=2
    )
    assert walk(catalogue, within) == rising[1:5]
    assert walk(catalogue, replace(within, descending=True)) == rising[1:5][::-1]
    assert walk(catalogue, ListQuery(sort=SortKey.PRICE, currency="USD")) == []


def test_a_list_is_oldest_first_and_filters_combine(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "a", price="10")
    create_stored(acceptance, pipeline, ann, "b", price="20", billing_cycle="yearly")
    create_stored(
        acceptance, pipeline, ann, "c", price="30", billing_cycle="yearly", currency="USD"
    )
    acceptance.deactivate("a", ann)
    deliver(pipeline.store, "a", 2)
    assert walk(catalogue, ListQuery(limit=1)) == ["b", "c"]
    assert walk(catalogue, ListQuery(active=None, limit=1)) == ["a", "b", "c"]
    assert walk(catalogue, ListQuery(active=None, limit=1, descending=True)) == ["c", "b", "a"]
    assert walk(catalogue, ListQuery(active=False)) == ["a"]
    assert walk(catalogue, ListQuery(billing_cycle="yearly", currency="USD")) == ["c"]
    assert walk(catalogue, ListQuery(min_price=Decimal("15"), max_price=Decimal("25"))) == ["b"]


def test_pages_repeat_and_skip_nothing_while_others_write(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    ids = [f"p{number:02}" for number in range(20)]
    for product_id in ids:
        create_stored(acceptance, pipeline, ann, product_id)
    listing, seen = ListQuery(limit=3), []
    while True:
        page = catalogue.page(listing)
        seen += [product.product_id for product in page.products]
        if page.after is None:
            break
        number = len(seen)
        # This is the product of the cursor.
        acceptance.update(seen[-1], {"price": f"{number}.00"}, ann)
        deliver(pipeline.store, seen[-1], 2)
        if number < len(ids):
            create_stored(acceptance, pipeline, ann, f"new{number}")
        listing = replace(listing, after=page.after)
    assert [product_id for product_id in seen if product_id in ids] == ids


def test_staff_see_a_save_in_the_list_immediately(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for product_id in ("a", "b", "c"):
        create_stored(acceptance, pipeline, ann, product_id, price="10")
    acceptance.update("b", {"price": "5"}, ann)  # accepted, not stored
    acceptance.create("d", fields(name="Hosting d", price="7"), ann)
    assert walk(catalogue, ListQuery(), staff=False) == ["a", "b", "c"]
    assert walk(catalogue, ListQuery(limit=2), staff=True) == ["a", "b", "c", "d"]
    assert walk(catalogue, ListQuery(sort=SortKey.PRICE, limit=1), staff=True) == [
        "b",
        "d",
        "a",
        "c",
    ]
    page = catalogue.staff_page(ListQuery())
    prices = {product.product_id: product.price for product in page.products}
    assert prices["b"] == Decimal("5.00")
    assert page.open_changes["b"].version == 2
    acceptance.deactivate("c", ann)
    assert walk(catalogue, ListQuery(), staff=True) == ["a", "b", "d"]
    assert walk(catalogue, ListQuery(active=False), staff=True) == ["c"]


class TableWithLag:
    """A table whose indexes are still empty, as DynamoDB's may be for a moment."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def open_changes(self, *_: Any, **__: Any) -> Iterator[Any]:
        return iter(())

    in_order = open_keys = open_changes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)


def test_your_own_save_is_in_the_list_before_any_index_has_it(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("a", fields(), ann)
    lagging = replace(catalogue, table=TableWithLag(catalogue.table))
    assert lagging.staff_page(ListQuery()).products == []
    page = lagging.staff_page(ListQuery(), also=("a", "nobody"))
    assert [product.product_id for product in page.products] == ["a"]
    found = lagging.search(relevance_query("basic"), staff=True, also=("a",))
    assert [product.product_id for product in found.products] == ["a"]


def test_the_newest_open_changes_are_overlaid_first(acceptance: Acceptance, ann: Origin) -> None:
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    table = bootstrap.table()
    newest_first = [change.product_id for change in table.open_changes(newest_first=True)]
    oldest_first = [change.product_id for change in table.open_changes()]
    assert newest_first == ["p2", "p1", "p0"]
    assert oldest_first == ["p0", "p1", "p2"]
    keys = list(table.open_keys(newest_first=True))
    assert [key.product_id for key in keys] == newest_first
    marks = table.marks([key.change_key for key in keys])
    assert {mark.status for mark in marks.values()} == {"accepted"}


def test_a_stored_change_is_marked_but_read_from_its_record(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "a")
    deliver(pipeline.index, "a", 1)
    acceptance.create("b", fields(name="Hosting b"), ann)
    page = catalogue.staff_page(ListQuery())
    assert [product.product_id for product in page.products] == ["a", "b"]
    assert list(page.open_changes) == ["b"]
    assert {name: mark.status for name, mark in page.marks.items()} == {"a": "stored"}
    whole = catalogue.staff_page(ListQuery(only_open=True))
    assert [product.product_id for product in whole.products] == ["a", "b"]


class RecordingTable:
    """A table that records of which changes it says what is open."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.asked: list[list[ChangeKey]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def marks(self, keys: list[ChangeKey]) -> Any:
        self.asked.append(keys)
        return self.table.marks(keys)


def test_whether_lists_have_a_change_is_read_once(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "a")
    deliver(pipeline.index, "a", 1)
    acceptance.create("b", fields(name="Hosting b"), ann)
    table = RecordingTable(catalogue.table)
    recorded = replace(catalogue, table=cast(Any, table))
    for _ in range(2):
        recorded.staff_page(ListQuery())
    of_the_overlay, of_the_rows = table.asked[::2], table.asked[1::2]
    assert [sorted(keys) for keys in of_the_overlay] == [[("a", 1), ("b", 1)], [("b", 1)]]
    assert of_the_rows == [[("a", 1)], [("a", 1)]]


def test_the_known_listed_changes_are_bounded() -> None:
    keys = [OpenKey("a", version, "2026") for version in range(1, 4)]
    listed = ListedChanges(capacity=2)
    listed.add(keys)
    assert [key in listed for key in keys] == [False, True, True]


def test_a_filter_without_matches_reads_a_bounded_number() -> None:
    plenty = (
        a_product(product_id=f"p{number:05}", currency="USD") for number in range(MAX_EXAMINED * 2)
    )
    page = build_page(ListQuery(currency="ZAR"), [plenty], {})
    assert page.products == []
    assert page.after
    assert page.after.endswith(f"p{MAX_EXAMINED - 1:05}")


def relevance_query(text: str, **changes: Any) -> ListQuery:
    """Return a search in the order of relevance."""
    return ListQuery(text=text, by_relevance=True, **changes)


def test_search_finds_names_texts_ids_and_own_saves(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "a", name="Gold hosting")
    create_stored(
        acceptance,
        pipeline,
        ann,
        "b",
        name="Silver hosting",
        description="Cheaper than gold hosting.",
    )
    for product_id in ("a", "b"):
        deliver(pipeline.index, product_id, 1)

    def found(text: str, *, staff: bool = False, active: bool | None = True) -> list[str]:
        return [
            product.product_id
            for product in catalogue.search(
                relevance_query(text, active=active), staff=staff
            ).products
        ]

    assert found("gold") == ["a", "b"]  # the name counts more than the description
    assert found("gol") == ["a", "b"]  # the start of a word
    assert found("silvr") == ["b"]  # a typing error
    assert found("b")[0] == "b"
    create_stored(acceptance, pipeline, ann, "PACK-9", name="Tin hosting")
    deliver(pipeline.index, "PACK-9", 1)
    for id_as_typed in ("PACK-9", "pack-9", "PACK", "pa"):
        assert found(id_as_typed)[0] == "PACK-9", id_as_typed
    acceptance.update("b", {"name": "Bronze hosting"}, ann)
    assert found("bronze", staff=True) == ["b"]
    acceptance.deactivate("a", ann)
    assert found("gold", staff=True, active=True) == ["b"]
    assert set(found("gold", staff=True, active=None)) == {"a", "b"}


def test_search_without_an_index_reads_the_table(world: World, ann: Origin, settings: Any) -> None:
    settings.ENABLE_OPENSEARCH = False
    catalogue, pipeline = bootstrap.catalogue(), bootstrap.pipeline()
    acceptance = bootstrap.acceptance()
    create_stored(acceptance, pipeline, ann, "a", name="Gold hosting")
    create_stored(acceptance, pipeline, ann, "b", name="Silver hosting")
    found = catalogue.search(relevance_query("GOLD host"), staff=False).products
    assert [product.product_id for product in found] == ["a"]


def test_one_damaged_record_does_not_hide_the_others(
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    ann: Origin,
    world: World,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for product_id in ("a", "b"):
        create_stored(acceptance, pipeline, ann, product_id)
    key = {"PK": {"S": "PRODUCT#a"}, "SK": {"S": "METADATA"}}
    world.dynamodb.update_item(TableName=world.table, Key=key, UpdateExpression="REMOVE price")
    assert walk(catalogue, ListQuery()) == ["b"]
    assert "damaged item skipped" in caplog.text


def test_no_read_scans_the_table(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    with recorded_operations(bootstrap.dynamodb()) as operations:
        create_stored(acceptance, pipeline, ann, "a")
        for listing in (
            ListQuery(),
            ListQuery(active=None),
            ListQuery(sort=SortKey.PRICE),
            ListQuery(text="host"),
        ):
            catalogue.staff_page(listing)
        catalogue.search(relevance_query("host"), staff=True)
        catalogue.history("a")
        bootstrap.relay().requeue()
    assert "Query" in operations
    assert "Scan" not in operations


def test_records_are_read_in_batches(
    acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "a")
    ids = ["a", *(f"none{number}" for number in range(150))]
    assert list(bootstrap.table().records(ids)) == ["a"]


def test_search_combines_with_filters_order_and_pages(
    acceptance: Acceptance, pipeline: Pipeline, ann: Origin, settings: Any
) -> None:
    for number in range(7):
        cycle = "yearly" if number % 2 else "monthly"
        create_stored(
            acceptance, pipeline, ann, f"p{number}", price=f"{10 - number}", billing_cycle=cycle
        )
        deliver(pipeline.index, f"p{number}", 1)

    def found(listing: ListQuery) -> list[str]:
        ids: list[str] = []
        while True:
            page = bootstrap.catalogue().search(listing, staff=False)
            ids += [product.product_id for product in page.products]
            if page.after is None:
                return ids
            listing = replace(listing, after=page.after)

    for has_index in (True, False):
        settings.ENABLE_OPENSEARCH = has_index
        bootstrap.index.cache_clear()
        bootstrap.catalogue.cache_clear()
        ids = [f"p{number}" for number in range(7)]
        assert found(ListQuery(text="hosting", sort=SortKey.PRICE, limit=2)) == ids[::-1]
        assert found(ListQuery(text="hosting", descending=True, limit=3)) == ids[::-1]
        yearly = ListQuery(text="hosting", billing_cycle="yearly", limit=2)
        assert found(yearly) == ["p1", "p3", "p5"]
        priced = ListQuery(text="hosting", min_price=Decimal("5"), max_price=Decimal("7"))
        assert found(priced) == ["p3", "p4", "p5"]
        assert sorted(found(relevance_query("hosting", limit=3))) == ids


def test_search_reports_its_freshness(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    create_stored(acceptance, pipeline, ann, "b")
    deliver(pipeline.index, "b", 1)
    create_stored(acceptance, pipeline, ann, "a")
    waiting = catalogue.receipt("a", 1).accepted_at
    behind = catalogue.search(relevance_query("host"), staff=False).freshness
    assert behind
    assert (behind.complete_up_to, behind.from_index) == (waiting, True)
    deliver(pipeline.index, "a", 1)
    fresh = catalogue.search(relevance_query("host"), staff=False).freshness
    assert fresh
    assert fresh.complete_up_to > waiting


def test_only_the_beginning_of_a_long_search_counts() -> None:
    listing = ListQuery(text="a" * 10_000)
    assert listing.text == "a" * MAX_TEXT_LENGTH
    assert replace(ListQuery(), text="b" * 10_000).text == "b" * MAX_TEXT_LENGTH
