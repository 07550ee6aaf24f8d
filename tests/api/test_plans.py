"""Plans by HTTP: make, preview, follow, change, end and undo them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from products import scheduling
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.contract import validate_response
from tests.support.import_files import csv_of
from tests.support.world import World


@pytest.fixture
def api(db: None, world: World) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def shop(acceptance: Acceptance, world: World, ann: Origin) -> None:
    for number in range(3):
        product = fields(name=f"Hosting {number}", price="100", renewal_price=None)
        acceptance.create(f"p{number}", product, ann)
    world.work()


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def sale(price: str = "80", *, ids: str = "p0", **others: Any) -> dict[str, Any]:
    """Return a plan of a price that starts in an hour and ends in three."""
    rows = [{"productId": i, "edits": {"price": price}} for i in ids.split()]
    times = {"startsAt": in_hours(1), "endsAt": in_hours(3)}
    return {"name": "Sale", "rows": rows, **times, **others}


def make(api: Api, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = api("post", "/plans", body, **headers)
    assert response.status_code == 201, response.content
    return dict(response.json())


def start_now(api: Api, **others: Any) -> str:
    """Make a plan that starts now, make its start, and return its path."""
    body = sale(**others)
    del body["startsAt"]
    path = f"/plans/{make(api, body)['planId']}"
    assert len(scheduling.switching().step()) == 1
    return path


def test_plan_is_made_followed_ended_early_and_in_the_history(
    api: Api, catalogue: Catalogue
) -> None:
    path = start_now(api, reason="Campaign 7")
    assert catalogue.newest("p0").price == 80
    plan = api("get", path).json()
    assert (plan["state"], plan["counts"]["start"]["applied"]) == ("running", 1)
    [row] = api("get", f"{path}/rows").json()["rows"]
    assert row["start"]["changed"] == {"price": {"before": "100.00", "after": "80.00"}}
    assert [step["step"] for step in row["foreseen"]] == ["end"]
    assert row["foreseen"][0]["changed"] == {"price": {"before": "80.00", "after": "100.00"}}
    receipt = api("get", row["start"]["receiptUrl"].removeprefix("/v1.0")).json()
    assert (receipt["source"], receipt["reason"]) == ("plan", "Sale: Campaign 7")
    assert api("post", f"{path}/end").json()["state"] == "running"
    scheduling.switching().step()
    assert catalogue.newest("p0").price == 100
    ended = api("get", path).json()
    assert (ended["state"], ended["nextStepAt"]) == ("ended", None)
    assert api("post", f"{path}/end").status_code == 409
    history = api("get", f"{path}/history").json()["versions"]
    assert [list(version["changed"]) for version in history] == [["endsAt"], []]


def test_dry_run_shows_all_steps_and_overlaps_and_stores_nothing(api: Api) -> None:
    other = make(api, sale("90", name="Earlier"))
    body = sale("80", startsAt=in_hours(2), endsAt=in_hours(5))
    preview = api("post", "/plans?dryRun=true", body).json()
    [row] = preview["plannedRows"]
    changes = [(step["step"], step["changed"]["price"]) for step in row["foreseen"]]
    assert changes == [
        ("start", {"before": "90.00", "after": "80.00"}),
        ("end", {"before": "80.00", "after": "100.00"}),
    ]
    [overlap] = preview["overlaps"]
    assert (overlap["field"], overlap["planId"], overlap["wins"]) == (
        "price",
        other["planId"],
        True,
    )
    assert overlap["until"] == other["endsAt"]
    assert [plan["name"] for plan in api("get", "/plans").json()["plans"]] == ["Earlier"]


def test_overlap_is_in_the_answer_to_a_new_plan(api: Api) -> None:
    make(api, sale("90", name="Earlier"))
    assert [o["planName"] for o in make(api, sale("80"))["overlaps"]] == ["Earlier"]


def test_local_times_are_of_the_zone(api: Api) -> None:
    year = datetime.now(UTC).year + 1
    body = sale(startsAt=f"{year}-06-01T08:00", endsAt=f"{year}-06-02T08:00")
    assert make(api, body)["startsAt"] == f"{year}-06-01T06:00:00.000000Z"
    berlin = make(api, body | {"zone": "Europe/Berlin"})
    assert (berlin["startsAt"], berlin["zone"]) == (
        f"{year}-06-01T06:00:00.000000Z",
        "Europe/Berlin",
    )
    moved = api("patch", f"/plans/{berlin['planId']}", {"startsAt": f"{year}-06-01T09:30"})
    assert moved.json()["startsAt"] == f"{year}-06-01T07:30:00.000000Z"


def test_repeated_request_makes_one_plan_also_after_its_start(api: Api) -> None:
    body = sale()
    del body["startsAt"]
    first = make(api, body, Idempotency_Key="k1")
    scheduling.switching().step()
    again = api("post", "/plans", body, Idempotency_Key="k1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["planId"] == first["planId"]
    assert again.json()["state"] == "running"
    other = api("post", "/plans", body | {"name": "Other"}, Idempotency_Key="k1")
    assert other.status_code == 422
    assert len(api("get", "/plans").json()["plans"]) == 1


def test_plan_is_moved_cancelled_and_undone_at_its_version(api: Api) -> None:
    path = f"/plans/{make(api, sale())['planId']}"
    read = api("get", path)
    assert read["ETag"] == '"v1.1"'
    assert api("get", path, If_None_Match=read["ETag"]).status_code == 304
    moved = api("patch", path, {"name": "Later", "endsAt": None}, If_Match=read["ETag"])
    assert (moved.json()["name"], moved.json()["endsAt"]) == ("Later", None)
    refused = api("delete", path, If_Match='"v1"')
    assert (refused.status_code, refused.json()["version"]) == (412, 2)
    assert api("delete", path, If_Match='"v2"').json()["state"] == "cancelled"
    assert api("patch", path, {"name": "x"}).status_code == 409
    assert api("post", f"{path}/undo").json()["state"] == "scheduled"
    first = api("get", f"{path}/history?limit=1").json()
    assert first["versions"][0]["changed"] == {
        "state": {"before": "cancelled", "after": "scheduled"}
    }
    rest = api("get", f"{path}/history?limit=3&startAt={first['nextStartAt']}").json()
    assert [version["version"] for version in rest["versions"]] == [3, 2, 1]
    assert set(rest["versions"][1]["changed"]) == {"name", "endsAt"}
    assert rest["nextStartAt"] is None


def test_etag_changes_when_a_plan_starts(api: Api) -> None:
    path = start_now(api)
    response = api("get", path, If_None_Match='"v1.1"')
    assert (response.status_code, response.json()["state"]) == (200, "running")
    assert api("patch", path, {"name": "Still"}, If_Match='"v1.1"').status_code == 200


def test_selection_by_filter_adjusts_each_price(api: Api, catalogue: Catalogue) -> None:
    body = sale(adjust={"kind": "percent", "by": "-10"}, select={"maxPrice": "500.00"})
    del body["rows"], body["startsAt"]
    assert make(api, body)["rows"] == 3
    scheduling.switching().step()
    assert [catalogue.newest(f"p{number}").price for number in range(3)] == [90, 90, 90]


def test_selection_by_ids_edits_these_products(api: Api) -> None:
    body = sale(edits={"active": False}, select={"ids": ["p0", "p2"]})
    del body["rows"]
    path = f"/plans/{make(api, body)['planId']}"
    first = api("get", f"{path}/rows?limit=1").json()
    second = api("get", f"{path}/rows?limit=1&startAt={first['nextStartAt']}").json()
    found = [row["productId"] for row in first["rows"] + second["rows"]]
    assert (found, second["moreAvailable"]) == (["p0", "p2"], False)


def test_null_counts_as_omitted(api: Api) -> None:
    """Many generated clients send null for what nobody set."""
    unset: dict[str, Any] = {
        "rows": None,
        "jobId": None,
        "edits": None,
        "startsAt": None,
        "clashRule": None,
    }
    adjust = {"kind": "percent", "by": "-10", "fields": None, "rounding": None}
    select = {"ids": None, "maxPrice": "500.00"}
    assert make(api, sale(**unset, adjust=adjust, select=select))["rows"] == 3
    refused = api("post", "/plans", sale(rows=None, edits={"active": False}, select={"ids": None}))
    assert "select" in error_of(refused)["errors"]


def test_selection_without_a_product_to_change_is_refused(api: Api) -> None:
    body = sale(adjust={"kind": "amount", "by": "5", "fields": ["renewalPrice"]}, select={})
    del body["rows"]
    assert "select" in error_of(api("post", "/plans", body))["errors"]


def imported(api: Api, *rows: list[str]) -> dict[str, Any]:
    """Plan a job that imports a file, and return it."""
    data = csv_of([["productId", "name", "description", "price"], *rows])
    job = api.client.post(
        "/v1.0/imports?reason=List", data.encode(), content_type="text/csv", headers=api.headers
    )
    validate_response(job)
    return dict(job.json())


def test_planned_job_becomes_a_plan_and_is_discarded(api: Api, catalogue: Catalogue) -> None:
    first = catalogue.newest("p0")
    job = imported(api, ["p0", first.name, first.description, "70"])
    body = {"name": "New prices", "jobId": job["jobId"], "startsAt": in_hours(1)}
    preview = api("post", "/plans?dryRun=true", body).json()
    assert [set(row["edits"]) for row in preview["plannedRows"]] == [{"price"}]
    assert api("get", f"/jobs/{job['jobId']}").json()["state"] == "planned"
    plan = make(api, body, Idempotency_Key="j1")
    assert (plan["rows"], plan["reason"]) == (1, "List")
    assert api("get", f"/jobs/{job['jobId']}").json()["state"] == "cancelled"
    assert make(api, body, Idempotency_Key="j1")["planId"] == plan["planId"]
    assert api("post", "/plans", body).status_code == 409


def test_job_of_somebody_else_is_refused(api: Api) -> None:
    job = imported(api, ["p0", "", "", "70"])
    body = {"name": "New prices", "jobId": job["jobId"]}
    assert Api(name="ben")("post", "/plans", body).status_code == 403


def test_job_that_creates_a_product_is_refused(api: Api) -> None:
    job = imported(api, ["new", "New hosting", "A new product", "70"])
    refused = api("post", "/plans", {"name": "Launch", "jobId": job["jobId"]})
    assert refused.status_code == 409
    [sentence] = error_of(refused)["errors"]["products[new]"]
    assert "create it inactive and plan its activation" in sentence
    assert api("get", f"/jobs/{job['jobId']}").json()["state"] == "planned"


def test_rows_that_cannot_be_planned_are_named_by_position(api: Api) -> None:
    body = sale()
    body["rows"] += [
        {"productId": "p1", "edits": {"price": "-1"}},
        {"productId": "none", "edits": {"price": "1"}},
        {"productId": "p2", "edits": {}},
    ]
    refused = api("post", "/plans", body)
    assert refused.status_code == 400
    assert set(error_of(refused)["errors"]) == {"rows[1].price", "rows[2]", "rows[3].edits"}
    assert api("get", "/plans").json()["plans"] == []


def test_field_that_others_changed_since_is_a_conflict(
    api: Api, acceptance: Acceptance, ben: Origin
) -> None:
    acceptance.update("p0", {"description": "Another description."}, ben)
    row = {"productId": "p0", "version": 1, "edits": {"price": "80"}}
    make(api, sale() | {"rows": [row]})
    acceptance.update("p0", {"price": "95"}, ben)
    refused = api("post", "/plans", sale() | {"rows": [row]})
    assert refused.status_code == 409
    assert list(error_of(refused)["errors"]) == ["rows[0].price"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": 5}, "name"),
    ({"reason": "x" * 201}, "reason"),
    ({"reason": "\ud800"}, "reason"),
    ({"startsAt": "soon"}, "startsAt"),
    ({"startsAt": "2020-01-01T00:00:00Z"}, "startsAt"),
    ({"startsAt": "2027-03-28T02:30", "zone": "Europe/Berlin"}, "startsAt"),
    ({"endsAt": "2020-01-01T00:00:00Z"}, "endsAt"),
    ({"endsAt": 7}, "endsAt"),
    ({"zone": "Mars/Olympus"}, "zone"),
    ({"clashRule": "win"}, "clashRule"),
    ({"rows": []}, "rows"),
    ({"rows": [5]}, "rows[0]"),
    ({"rows": [{"productId": "p/0", "edits": {}}]}, "rows[0].productId"),
    ({"rows": [{"productId": "p0", "edits": []}]}, "rows[0].edits"),
    ({"rows": [{"productId": "p0", "colour": 1}]}, "rows[0].colour"),
    ({"rows": [{"productId": "p0", "version": 0}]}, "rows[0].version"),
    ({"rows": [{"productId": "p0", "version": 9, "edits": {"price": "1"}}]}, "rows[0].version"),
    ({"rows": [{"productId": "p0", "adjust": {"kind": "x", "by": "1"}}]}, "rows[0].adjust.kind"),
    ({"rows": [{"productId": "p0", "adjust": {"kind": "set"}}]}, "rows[0].adjust.by"),
    ({"rows": [{"productId": "p0", "edits": {"renewal_price": "1"}}]}, "rows[0].renewalPrice"),
    ({"select": {}}, "rows"),
    ({"edits": {"price": "1"}}, "edits"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_wrong_field_of_a_plan_is_named(api: Api, change: dict[str, Any], field: str) -> None:
    refused = api("post", "/plans", sale() | change)
    assert refused.status_code == 400, refused.content
    assert list(error_of(refused)["errors"]) == [field]


@pytest.mark.parametrize(
    ("select", "field"),
    [
        ({"ids": []}, "select.ids"),
        ({"ids": ["p0"], "active": "all"}, "select"),
        ({"minPrice": "low"}, "select.minPrice"),
        ({"colour": "red"}, "select.colour"),
        (5, "select"),
    ],
)
def test_wrong_selection_is_named(api: Api, select: Any, field: str) -> None:
    body = sale(edits={"active": False}, select=select)
    del body["rows"]
    assert list(error_of(api("post", "/plans", body))["errors"]) == [field]


def test_wrong_change_of_a_plan_is_named(api: Api) -> None:
    path = f"/plans/{make(api, sale())['planId']}"
    changes: list[dict[str, Any]] = [
        {"rows": []},
        {"startsAt": None},
        {"endsAt": "2020-01-01T00:00:00Z"},
    ]
    for change in changes:
        refused = api("patch", path, change)
        assert list(error_of(refused)["errors"]) == list(change)
    assert api("patch", path, {"name": "x"}, If_Match="v1").status_code == 400
    assert api("get", "/plans/none").status_code == 404
    assert api("get", "/plans/none/rows").status_code == 404
    assert api("get", "/plans?open=perhaps").status_code == 400


def test_open_plans_are_listed_by_their_next_step(api: Api) -> None:
    for name, hours in (("B", 2), ("A", 1), ("C", 3)):
        make(api, sale(name=name, startsAt=in_hours(hours), endsAt=None))
    cancelled = make(api, sale(name="D"))
    api("delete", f"/plans/{cancelled['planId']}")
    for query, expected in (("open=true&", "ABC"), ("", "DCAB")):
        names, position = "", ""
        for _ in expected:
            page = api("get", f"/plans?{query}limit=1{position}").json()
            names += "".join(plan["name"] for plan in page["plans"])
            position = f"&startAt={page['nextStartAt']}"
        assert page["moreAvailable"] is False
        assert names == expected


def test_product_shows_what_is_coming(api: Api) -> None:
    path = start_now(api)
    make(api, sale("60", name="Weekend", startsAt=in_hours(1), endsAt=in_hours(2)))
    outlook = api("get", "/products/p0/plans").json()
    assert [plan["name"] for plan in outlook["running"]] == ["Sale"]
    assert path.endswith(outlook["running"][0]["planId"])
    prices = [step["changed"]["price"]["after"] for step in outlook["steps"]]
    assert prices == ["60.00", "80.00", "100.00"]
    assert api("get", "/products/p1/plans").json()["steps"] == []
    assert api("get", "/products/none/plans").status_code == 404


def test_viewer_reads_plans_but_may_not_make_them(api: Api) -> None:
    plan_id = make(api, sale())["planId"]
    viewer = Api("Product viewers", name="vic")
    assert viewer("get", f"/plans/{plan_id}").status_code == 200
    for method, path in (
        ("post", "/plans"),
        ("patch", f"/plans/{plan_id}"),
        ("delete", f"/plans/{plan_id}"),
        ("post", f"/plans/{plan_id}/end"),
        ("post", f"/plans/{plan_id}/undo"),
    ):
        refused = viewer(method, path, {"name": "x"} if method != "delete" else None)
        assert refused.status_code == 403
        assert "products.plan_product" in error_of(refused)["message"]
    anonymous = Api(anonymous=True)
    for path in ("/plans", f"/plans/{plan_id}", f"/plans/{plan_id}/rows", "/products/p0/plans"):
        assert anonymous("get", path).status_code == 401


def test_plan_needs_the_permissions_of_its_edits(api: Api) -> None:
    body = sale(edits={"active": False}, select={"ids": ["p0"]})
    del body["rows"]
    refused = Api("Product editors", name="ed")("post", "/plans", body)
    assert refused.status_code == 403
    assert "products.delete_product" in error_of(refused)["errors"]["rows[0]"][0]
