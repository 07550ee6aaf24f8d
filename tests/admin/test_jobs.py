"""Bulk edits and CSV in the admin: planned, previewed, applied by a worker, and undone."""

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from deploy.local.engines import free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.admin.formatting import grouped_money
from products.bulk.job import Job
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import fields
from tests.support.import_files import saved
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db
BULK, IMPORT, EXPORT, JOBS = f"{LIST}bulk/", f"{LIST}import/", f"{LIST}export/", f"{LIST}jobs/"
PRICE_RISE = {
    "doing": "price",
    "field": "price",
    "way": "percent",
    "by": "10",
    "rounding": "1",
    "reason": "Autumn",
}


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve")


@pytest.fixture
def three(acceptance: Acceptance, world: World, ann: Origin) -> None:
    for number, price in enumerate(("95", "1500", "2500")):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}", price=price), ann)
    world.work()


def newest_job() -> Job:
    return bootstrap.jobs().table.jobs(1)[0]


def act(client: Client, what: str, job: Job | None = None) -> Any:
    return client.post(f"{JOBS}{(job or newest_job()).job_id}/{what}/")


def csv_rows(response: Any) -> list[dict[str, str]]:
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def uploaded(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("prices.csv", text.encode(), content_type="text/csv")


def test_ticked_products_are_previewed_and_changed(
    eve: Client, three: None, catalogue: Catalogue, world: World
) -> None:
    selected = {"ids": "p0,p2", "filters": "", "all": ""}
    assert "<b>2 products that you selected</b>" in eve.post(BULK, selected).text
    page = eve.post(BULK, selected | PRICE_RISE)["Location"]
    assert page == f"{JOBS}{newest_job().job_id}/"
    text = eve.get(page).text
    for shown in (
        "Price +10 %, rounded to whole amounts",
        "Apply to 2 products",
        "<del>R95</del>",
        "<ins>R105</ins>",
        "+R10 (+10,5 %)",
        "ZAR, 2 products",
        grouped_money(Decimal(2595), "ZAR"),
    ):
        assert shown in text, shown
    assert catalogue.newest("p0").version == 1
    act(eve, "start")
    assert 'data-progress="' in eve.get(page).text
    world.work()
    assert [str(catalogue.newest(f"p{n}").price) for n in range(3)] == [
        "105.00",
        "1500.00",
        "2750.00",
    ]
    assert catalogue.receipt("p0", 2).origin.reason == "Autumn"
    progress = eve.get(f"{page}progress/").json()
    assert (progress["state"], progress["done"], progress["counts"]["accepted"]) == ("done", 2, 2)
    assert "accepted (v2)" in eve.get(f"{page}?only=accepted").text
    assert "No rows with this status" in eve.get(f"{page}?only=refused").text


def test_rows_are_left_out_of_a_bulk_edit(
    eve: Client, three: None, catalogue: Catalogue, world: World
) -> None:
    page = eve.post(BULK, {"doing": "deactivate", "ids": "p0,p1,p2", "filters": ""})["Location"]
    assert "<b>3 products leave the website</b>" in eve.get(page).text
    for number in (1, 2):
        assert eve.post(f"{page}rows/{number}/", {"include": "no"})["Location"] == f"{page}?"
    assert eve.post(f"{page}rows/2/", {"include": "yes"}).status_code == 302
    text = eve.get(page).text
    assert "Apply to 2 products" in text
    assert 'aria-label="Include Hosting 0"' in text
    act(eve, "start")
    world.work()
    assert [catalogue.newest(f"p{n}").active for n in range(3)] == [True, False, False]
    answer = eve.post(f"{page}rows/2/", {"include": "no"}, follow=True)
    assert "The job is already done." in answer.text


def test_what_looks_wrong_is_flagged_in_the_preview(
    eve: Client, three: None, acceptance: Acceptance, world: World, ann: Origin
) -> None:
    acceptance.create("usd", fields(name="Hosting abroad", price="100", currency="USD"), ann)
    world.work()
    edit = PRICE_RISE | {"way": "set", "by": "100"}
    page = eve.post(f"{BULK}?filters=", edit)["Location"]
    text = eve.get(page).text
    assert "Prices in 1 currencies" not in text
    assert text.count('<span class="unusual">') == 3  # the fourth price is 100 already
    eve.post(f"{BULK}?filters=", edit | {"by": "110"})
    text = eve.get(f"{JOBS}{newest_job().job_id}/").text
    assert "<b>Prices in 2 currencies:</b> ZAR (3), USD (1)." in text
    assert newest_job().title.startswith("Price set to 110")
    assert newest_job().title.endswith(": all 4 products of the catalogue")


def test_an_empty_selection_is_not_the_whole_catalogue(eve: Client, three: None) -> None:
    for entries in ({"filters": ""}, {"ids": "", "filters": "", "all": ""}):
        answer = eve.post(BULK, PRICE_RISE | entries)
        assert "No product is selected." in answer.text
    assert bootstrap.jobs().table.jobs(1) == []


def test_undo_of_a_filtered_bulk_edit_skips_later_edits(
    eve: Client,
    three: None,
    acceptance: Acceptance,
    catalogue: Catalogue,
    world: World,
    ben: Origin,
) -> None:
    acceptance.deactivate("p1", ben)
    link = f"{BULK}?filters=active%3Dyes"
    assert link in eve.get(f"{LIST}?active=yes").text
    eve.post(link, PRICE_RISE | {"way": "amount", "by": "-5", "rounding": "0.01"})
    act(eve, "start")
    world.work()
    assert [str(catalogue.newest(f"p{n}").price) for n in range(3)] == [
        "90.00",
        "1500.00",
        "2495.00",
    ]
    acceptance.update("p2", {"description": "Edited since then."}, ben)
    undo = act(eve, "undo")["Location"]
    assert "<ins>R95</ins>" in eve.get(undo).text
    act(eve, "start")
    world.work()
    text = eve.get(undo).text
    assert "ben has saved version 3 since." in text
    assert [str(catalogue.newest(f"p{n}").price) for n in range(3)] == [
        "95.00",
        "1500.00",
        "2495.00",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"by": "x"}, "Must be a number such as"),
        ({"doing": "burn"}, "Select a valid choice"),
        ({"reason": "x" * 201}, "at most 200"),
    ],
)
def test_an_invalid_bulk_edit_is_refused_with_a_reason(
    eve: Client, three: None, given: dict[str, str], sentence: str
) -> None:
    assert sentence in eve.post(f"{BULK}?id=p0", PRICE_RISE | given).text
    assert "1 to 10000 rows" in eve.post(f"{BULK}?id=nobody", PRICE_RISE).text
    assert bootstrap.jobs().table.jobs(1) == []


def test_an_invalid_price_is_shown_in_the_preview(eve: Client, three: None) -> None:
    page = eve.post(
        f"{BULK}?id=p0&id=p2", PRICE_RISE | {"way": "amount", "by": "-100", "rounding": "0.01"}
    )["Location"]
    text = eve.get(page).text
    assert "price: Must be between 0.01 and 999999.99." in text
    assert "Apply to 1 product" in text


def test_an_export_is_edited_and_imported_again(
    eve: Client, three: None, catalogue: Catalogue, world: World
) -> None:
    answer = eve.get(f"{EXPORT}?filters=q%3DHosting")
    text = answer.getvalue().decode("utf-8-sig")
    assert answer["Content-Disposition"].startswith('attachment; filename="products-')
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["productId"] for row in rows) == ["p0", "p1", "p2"]
    edited = (
        text.replace("1500.00", "1600.00").replace("2500.00", "0")
        + ",Brand new,A description of it.,5,,,,,Mail|Web,yes,,\r\n"
    )
    asked = eve.post(IMPORT, {"file": uploaded(edited), "ask": "columns"}).json()
    first = {"name": "productId", "field": "productId", "samples": ["p0", "p1", "p2"]}
    assert (asked["rows"], asked["columns"][0]) == (4, first)
    page = eve.post(IMPORT, {"file": uploaded(edited), "reason": "New list"})["Location"]
    shown = eve.get(page).text
    for text in (
        "Apply to 2 products",
        f"<del>{grouped_money(Decimal(1500), 'ZAR')}</del>",
        "Import of prices.csv",
        "Brand new",
    ):
        assert text in shown
    act(eve, "start")
    world.work()
    assert catalogue.newest("p1").price == Decimal("1600.00")
    assert catalogue.by_names(["brand NEW"])["brandnew"].features == ("Mail", "Web")
    errors = csv_rows(eve.get(f"{page}errors/"))
    assert [(row["productId"], row["price"], row["error"]) for row in errors] == [
        ("p2", "0", "price “0”: Must be between 0.01 and 999999.99.")
    ]
    second_job = eve.post(IMPORT, {"file": uploaded(edited)})["Location"]
    assert 'data-count="waiting"' not in eve.get(second_job).text  # nothing is left to change


def test_preview_shows_what_one_must_check(eve: Client, three: None, world: World) -> None:
    file = "SKU;Name;Description;Price;Colour\nN-1;New one;A description of it.;1 500,00;red\n"
    page = eve.post(IMPORT, {"file": uploaded(f"{file}\nP-0;;;95,00;\np0;;;abc;\n")})["Location"]
    text = eve.get(page).text
    for shown in (
        "Amounts are read with a decimal comma, as in “1 500,00”.",
        "Ignored columns: “Colour”.",
        '<td class="number">2</td>',
        '<td class="number">4</td>',
        "<code>N-1</code>, fixed once it is added",
        '<ins>ZAR</ins> <span class="help">(default)</span>',
        '<ins>one-time</ins> <span class="help">(default)</span>',
        "There is no product P-0. Did you mean p0?",
        "Price “abc”: Must be an amount",
        "1 row has no version",
    ):
        assert shown in text, shown


def test_options_hold_for_the_whole_file(eve: Client, three: None, world: World) -> None:
    file = "SKU,Name,Description,Price\nN-1,New one,A description of it.,1.500\n"
    asked = eve.post(IMPORT, {"file": uploaded(file)})["Location"]
    assert "Choose the decimal mark" in eve.get(asked).text
    options = {"decimal_mark": "comma", "currency": "EUR", "billing_cycle": "monthly"}
    page = eve.post(IMPORT, {"file": uploaded(file), **options})["Location"]
    text = eve.get(page).text
    for shown in (
        f"<ins>{grouped_money(Decimal(1500), 'EUR')}</ins>",
        "<ins>EUR</ins>",
        "<ins>monthly</ins>",
        "Apply to 1",
    ):
        assert shown in text
    for wrong in ({"decimal_mark": "x"}, {"currency": "XXY"}, {"billing_cycle": "weekly"}):
        answer = eve.post(IMPORT, {"file": uploaded(file), **wrong})
        assert "Choose the options from the lists." in answer.text


def test_workbook_is_exported_edited_and_imported(
    eve: Client, three: None, catalogue: Catalogue, world: World
) -> None:
    answer = eve.get(f"{EXPORT}?as=xlsx")
    assert answer["Content-Disposition"].endswith('.xlsx"')
    workbook = openpyxl.load_workbook(io.BytesIO(answer.content))
    head, first, *_ = workbook.active.rows
    columns = [cell.value for cell in head]
    first[columns.index("price")].value = 96.5
    file = SimpleUploadedFile("prices.xlsx", saved(workbook))
    page = eve.post(IMPORT, {"file": file})["Location"]
    assert "<ins>R96,50</ins>" in eve.get(page).text
    act(eve, "start")
    world.work()
    assert catalogue.newest(str(first[0].value)).price == Decimal("96.50")


def test_clash_is_decided_in_the_preview(
    eve: Client,
    three: None,
    acceptance: Acceptance,
    catalogue: Catalogue,
    world: World,
    ben: Origin,
) -> None:
    text = eve.get(EXPORT).getvalue().decode("utf-8-sig")
    for product_id in ("p1", "p2"):
        acceptance.update(product_id, {"price": "1750"}, ben)
    world.work()
    edited = text.replace("1500.00", "99.00").replace("2500.00", "99.00")
    page = eve.post(IMPORT, {"file": uploaded(edited)})["Location"]
    shown = eve.get(page).text
    assert "In 2 rows, somebody else has changed the same field" in shown
    assert "sheet: R99" in shown
    assert "theirs: R1" in shown
    job = newest_job()
    number = next(row.number for row in bootstrap.jobs().rows(job) if row.product_id == "p1")
    back = eve.post(f"{page}clashes/{number}/", {"price": "mine", "only": "clash"})["Location"]
    assert back == f"{page}?only=clash"
    assert eve.post(f"{page}clashes/{number}/", {"price": "yours"}).status_code == 400
    assert eve.post(f"{page}clashes/", {"side": "yours"}).status_code == 400
    again = eve.post(f"{page}clashes/{number}/", {"price": "mine"})
    assert f"Row {number} of this job has no clash" in eve.get(again["Location"]).text
    eve.post(f"{page}clashes/", {"side": "theirs"})
    act(eve, "start")
    world.work()
    assert [catalogue.newest(p).price for p in ("p1", "p2")] == [99, 1750]
    assert eve.post(f"{page}clashes/", {"side": "theirs"}).status_code == 302
    assert "The job is already done." in eve.get(page).text


def test_columns_are_mapped_as_the_user_chooses(
    eve: Client, three: None, world: World, catalogue: Catalogue
) -> None:
    file = "What,Old,New\nHosting 0,1,77\n"
    assert "One column must be the product" in eve.post(IMPORT, {"file": uploaded(file)}).text
    eve.post(
        IMPORT, {"file": uploaded(file), "column-0": "name", "column-1": "", "column-2": "price"}
    )
    act(eve, "start")
    world.work()
    assert catalogue.newest("p0").price == Decimal("77.00")
    twice = {"column-0": "name", "column-1": "price", "column-2": "price"}
    assert "one column only" in eve.post(IMPORT, {"file": uploaded(file), **twice}).text
    assert "Choose a file." in eve.post(IMPORT).text
    assert eve.post(IMPORT, {"file": uploaded("x"), "ask": "columns"}).status_code == 400


def test_a_job_is_started_only_by_its_planner(eve: Client, three: None, world: World) -> None:
    eve.post(f"{BULK}?id=p0", PRICE_RISE | {"doing": "deactivate"})
    job = newest_job()
    editor, viewer = sign_in("ed", "Product editors"), sign_in("vic", "Product viewers")
    assert act(editor, "start").status_code == 403
    for what in ("start", "cancel", "undo"):
        assert act(viewer, what).status_code == 403
        assert eve.get(f"{JOBS}{job.job_id}/{what}/").status_code == 405
    assert "Deactivate" in viewer.get(JOBS).text
    assert "Apply" not in viewer.get(f"{JOBS}{job.job_id}/").text
    assert [viewer.get(path).status_code for path in (BULK, IMPORT)] == [403, 403]
    assert viewer.get(EXPORT).status_code == 200
    nobody = sign_in("stan", None)
    paths = (
        JOBS,
        BULK,
        IMPORT,
        EXPORT,
        f"{JOBS}{job.job_id}/",
        f"{JOBS}{job.job_id}/progress/",
        f"{JOBS}x/errors/",
    )
    assert {nobody.get(path).status_code for path in paths} == {403}
    assert eve.get(f"{JOBS}nobody/").status_code == 404
    act(eve, "start", job)
    world.work()
    assert act(editor, "undo", job).status_code == 302  # an editor may reactivate a product


def test_a_running_job_is_cancelled(eve: Client, three: None) -> None:
    assert "No bulk edits or imports" in eve.get(JOBS).text
    eve.post(f"{BULK}?id=p0", PRICE_RISE)
    act(eve, "start")
    act(eve, "cancel")
    assert newest_job().state == "cancelled"
    answer = act(eve, "cancel")
    assert "The job is already cancelled." in eve.get(answer["Location"]).text


@pytest.mark.parametrize("what", ["start", "cancel", "undo"])
def test_job_actions_report_that_dynamodb_is_unavailable(
    eve: Client, three: None, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    eve.post(f"{BULK}?id=p0", PRICE_RISE)
    job = newest_job()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    answer = act(eve, what, job)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The catalogue can&#x27;t be reached" in answer.text
