"""Imports and jobs by HTTP: what staff can do with a file, a script can do too."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.contract import validate_response
from tests.support.import_files import csv_of, ods_of, xlsx_of
from tests.support.world import World

NEW = "A description of it."


@pytest.fixture
def api(db: None, world: World) -> Api:
    return Api()


@pytest.fixture
def three(acceptance: Acceptance, world: World, ann: Origin) -> None:
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}", price="149"), ann)
    world.work()


def send(api: Api, data: str | bytes, query: str = "", kind: str = "text/csv") -> Any:
    """Plan the import of a file."""
    encoded = data.encode() if isinstance(data, str) else data
    response = api.client.post(
        f"/v1.0/imports{query}", encoded, content_type=kind, headers=api.headers
    )
    validate_response(response)
    return response


def download(api: Api, query: str = "") -> list[dict[str, str]]:
    response = api.client.get(f"/v1.0/products.csv{query}", headers=api.headers)
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def edited(rows: list[dict[str, str]], **cells: str) -> str:
    return csv_of([list(rows[0]), *([*(row | cells).values()] for row in rows)])


def test_export_is_edited_imported_followed_and_undone(
    api: Api, three: None, catalogue: Catalogue, world: World
) -> None:
    rows = download(api)
    planned = send(api, edited(rows, price="99,00"), "?fileName=prices.csv&reason=Autumn")
    assert planned.status_code == 201
    job = planned.json()
    assert (job["state"], job["title"], job["reason"]) == (
        "planned",
        "Import of prices.csv",
        "Autumn",
    )
    assert "Amounts are read with a decimal comma, as in “99,00”." in job["notes"]
    assert catalogue.newest("p0").price == 149
    path = planned["Location"].removeprefix("/v1.0")
    page = api("get", f"{path}/rows").json()
    assert [row["line"] for row in page["rows"]] == [2, 3, 4]
    assert page["rows"][0]["changed"] == {"price": {"before": "149.00", "after": "99.00"}}
    started = api("post", f"{path}/start")
    assert (started.status_code, started.json()["state"]) == (202, "running")
    assert started["Retry-After"] == "1"
    assert api("post", f"{path}/start").status_code == 409
    world.work()
    done = api("get", path).json()
    assert (done["state"], done["done"], done["counts"]["accepted"]) == ("done", 3, 3)
    assert catalogue.newest("p0").price == 99
    undo = api("post", f"{path}/undo")
    assert (undo.status_code, undo.json()["undoOf"]) == (201, job["jobId"])
    api("post", f"{undo['Location'].removeprefix('/v1.0')}/start")
    world.work()
    assert catalogue.newest("p0").price == 149
    listed = api("get", "/jobs?limit=1").json()
    assert [found["jobId"] for found in listed["jobs"]] == [undo.json()["jobId"]]


def test_conflicts_are_decided_by_row_or_for_the_job(
    api: Api,
    three: None,
    acceptance: Acceptance,
    catalogue: Catalogue,
    world: World,
    ben: Origin,
) -> None:
    rows = download(api)
    for product_id in ("p0", "p1"):
        acceptance.update(product_id, {"price": "175"}, ben)
    planned = send(api, edited(rows, price="99.00"))
    path = planned["Location"].removeprefix("/v1.0")
    assert planned.json()["counts"]["clash"] == 2
    clashing = api("get", f"{path}/rows?state=clash").json()["rows"]
    assert clashing[0]["conflicts"] == {
        "price": {"base": "149.00", "yours": "99.00", "theirs": "175.00"}
    }
    assert clashing[0]["message"] == "ben has saved version 2 since."
    first = clashing[0]["number"]
    decided = api("post", f"{path}/rows/{first}/decisions", {"price": "mine"})
    assert (decided.status_code, decided.json()["state"]) == (200, "waiting")
    for body, status in (({"price": "yours"}, 400), ({"name": "mine"}, 404)):
        assert api("post", f"{path}/rows/{first}/decisions", body).status_code == status
    second = clashing[1]["number"]
    wrong = api("post", f"{path}/rows/{second}/decisions", {"name": "mine"})
    assert "Decide about each of these fields" in error_of(wrong)["message"]
    assert api("post", f"{path}/decisions", {"side": "x"}).status_code == 400
    assert api("post", f"{path}/decisions", {"all": "mine"}).status_code == 400
    assert api("post", f"{path}/decisions", {"side": "theirs"}).json()["counts"]["clash"] == 0
    api("post", f"{path}/start")
    world.work()
    prices = {row["productId"]: row["price"] for row in download(api)}
    assert prices[clashing[0]["productId"]] == "99.00"
    assert prices[clashing[1]["productId"]] == "175.00"
    assert prices["p2"] == "99.00"


@pytest.mark.parametrize("make", [xlsx_of, ods_of])
def test_workbook_is_imported_by_body_or_form(api: Api, make: Any) -> None:
    data = make(["Nr", "What", "Text", "Cost"], ["N-1", "New one", NEW, 9.5])
    query = "?columns=productId,name,description,price&currency=EUR&billingCycle=monthly"
    planned = send(api, data, query, "application/octet-stream")
    assert planned.json()["counts"]["waiting"] == 1
    form = {"file": SimpleUploadedFile("prices.xlsx", data)}
    again = api.client.post(f"/v1.0/imports{query}", form, headers=api.headers)
    validate_response(again)
    path = again["Location"].removeprefix("/v1.0")
    [row] = api("get", f"{path}/rows").json()["rows"]
    after = {name: values["after"] for name, values in row["changed"].items()}
    assert (after["price"], after["currency"], after["billingCycle"]) == ("9.50", "EUR", "monthly")


def test_ambiguous_amount_needs_the_decimal_mark(api: Api) -> None:
    data = f"SKU,Name,Description,Price\nN-1,New one,{NEW},1.500\n"
    assert send(api, data).json()["counts"]["refused"] == 1
    comma = send(api, data, "?decimalMark=comma")
    path = comma["Location"].removeprefix("/v1.0")
    [row] = api("get", f"{path}/rows").json()["rows"]
    assert row["changed"]["price"]["after"] == "1500.00"
    for price in ("1.500", "1,500", "1 500", "R1500", " 1500", "1500.000"):
        body = {"name": "New one", "description": NEW, "price": price}
        assert api("post", "/products", body).status_code == 400


@pytest.mark.parametrize(
    ("data", "query", "named"),
    [
        ("", "", "file"),
        ("SKU,Price\n", "", "file"),
        ("[1]", "", "file"),
        ("Nr,Cost\n1,2\n", "", "file"),
        ("SKU,Price\n1,2\n", "?columns=sku", "columns"),
        ("SKU,Price\n1,2\n", "?columns=price,price", "file"),
        ("SKU,Price\n1,2\n", "?decimalMark=,", "decimalMark"),
        ("SKU,Price\n1,2\n", "?currency=zar", "currency"),
        ("SKU,Price\n1,2\n", "?billingCycle=x", "billingCycle"),
        ("SKU,Price\n1,2\n", "?fileName=", "fileName"),
        ("SKU,Price\n1,2\n", f"?reason={'x' * 201}", "reason"),
        ("SKU,Price\n1,2\n", "?mode=x", "mode"),
    ],
)
def test_impossible_import_is_refused_by_name(api: Api, data: str, query: str, named: str) -> None:
    refused = send(api, data, query)
    assert refused.status_code == 400
    assert error_of(refused)["errors"].keys() == {named}


def test_too_large_file_is_refused(api: Api) -> None:
    assert send(api, b"x" * 5_000_001).status_code == 413


def test_jobs_and_exports_need_permissions(api: Api, three: None) -> None:
    viewer, stranger = Api("Product viewers", name="vic"), Api(None, name="stan")
    planned = send(api, "SKU,Price\np0,5\n")
    path = planned["Location"].removeprefix("/v1.0")
    for reader, status in ((viewer, 200), (stranger, 403)):
        for address in (path, f"{path}/rows", "/jobs"):
            assert reader("get", address).status_code == status
    assert len(download(viewer)) == 3
    for caller, status in ((stranger, 403), (Api(anonymous=True), 401)):
        refused = caller.client.get("/v1.0/products.csv", headers=caller.headers)
        assert refused.status_code == status
    assert send(viewer, "SKU,Price\np0,5\n").status_code == 403
    editor = Api("Product editors", name="ed")
    assert editor("post", f"{path}/start").status_code == 403  # another user has planned it
    for action in ("start", "cancel", "undo"):
        assert viewer("post", f"{path}/{action}").status_code == 403
    weak = send(editor, "SKU,Active\np0,no\n").json()
    assert weak["counts"]["refused"] == 1
    for address in ("/jobs/nobody", "/jobs/nobody/rows"):
        assert api("get", address).status_code == 404
    assert api("post", f"{path}/cancel").status_code == 409


def test_export_has_the_filters_of_the_list(
    api: Api, three: None, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.update("p2", {"price": "500"}, ann)
    assert {row["productId"] for row in download(api, "?maxPrice=200")} == {"p0", "p1"}
    for query in ("?limit=3", "?price=1"):
        refused = api.client.get(f"/v1.0/products.csv{query}", headers=api.headers)
        assert refused.status_code == 400


def test_large_file_is_planned_by_a_worker(api: Api, world: World, catalogue: Catalogue) -> None:
    """The request answers without the plan, and the job then shows how far it is."""
    rows = [["", f"Hosting {number:04}", "95.00", NEW] for number in range(250)]
    planning = send(api, csv_of([["productId", "name", "price", "description"], *rows]))
    assert (planning.status_code, planning["Retry-After"]) == (202, "1")
    path = planning["Location"].removeprefix("/v1.0")
    job = planning.json()
    assert (job["state"], job["rows"], job["message"]) == ("planning", 0, None)
    refused = api("post", f"{path}/start")
    assert (refused.status_code, error_of(refused)["message"]) == (
        409,
        "The file of this job is still being read.",
    )
    assert api("get", f"{path}/rows").json()["rows"] == []
    world.work()
    planned = api("get", path).json()
    assert (planned["state"], planned["rows"], planned["counts"]["waiting"]) == (
        "planned",
        250,
        250,
    )
    assert api("post", f"{path}/start").status_code == 202
    world.work()
    assert api("get", path).json()["counts"]["accepted"] == 250
