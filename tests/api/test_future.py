"""Products and lists as plans will make them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from products import scheduling
from products.acceptance import Acceptance
from products.changes import Origin
from tests.support.api_client import Api, error_of, ids
from tests.support.builders import fields
from tests.support.world import World


@pytest.fixture
def api(db: None, world: World, acceptance: Acceptance, ann: Origin) -> Api:
    for number in range(4):
        product = fields(name=f"Hosting {number}", price=str(100 + number), active=number != 3)
        acceptance.create(f"p{number}", product, ann)
    world.work()
    return Api()


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def as_of(hours: float) -> str:
    return f"asOf={quote(at(hours))}"


def plan(api: Api, product_id: str, edits: dict[str, Any], start: float, end: float) -> str:
    body = {
        "name": f"Plan of {product_id}",
        "rows": [{"productId": product_id, "edits": edits}],
        "startsAt": at(start) if start else None,
        "endsAt": at(end),
    }
    response = api("post", "/plans", body)
    assert response.status_code == 201, response.content
    return str(response.json()["planId"])


def test_product_of_the_future_names_its_plans(api: Api) -> None:
    plan_id = plan(api, "p0", {"price": "80"}, 1, 3)
    now, then, after = (api("get", f"/products/p0?{as_of(h)}") for h in (0.5, 2, 4))
    prices = [response.json()["price"] for response in (now, then, after)]
    assert prices == ["100.00", "80.00", "100.00"]
    assert now.json()["plans"] == []
    assert then.json()["plans"] == [{"planId": plan_id, "name": "Plan of p0"}]
    assert (then["Cache-Control"], "ETag" in then) == ("private, no-store", False)
    assert "plans" not in api("get", f"/products/p0?{as_of(0)}").json()
    assert api("get", f"/products/none?{as_of(1)}").status_code == 404


def test_list_of_the_future_is_filtered_and_sorted_by_future_values(api: Api) -> None:
    plan_id = plan(api, "p0", {"price": "150"}, 1, 3)
    plan(api, "p1", {"active": False}, 1, 3)
    plan(api, "p3", {"active": True}, 1, 3)
    by_price = "sortBy=price&limit=2"
    first = api("get", f"/products?{by_price}&{as_of(2)}")
    assert ids(first) == ["p2", "p3"]
    cursor = first.json()["nextStartAt"]
    second = api("get", f"/products?{by_price}&{as_of(2)}&startAt={cursor}")
    assert ids(second) == ["p0"]
    assert second.json()["products"][0]["plans"] == [{"planId": plan_id, "name": "Plan of p0"}]
    assert ids(api("get", f"/products?minPrice=140&{as_of(2)}")) == ["p0"]
    assert ids(api("get", f"/products?sortBy=price&{as_of(4)}")) == ["p0", "p1", "p2"]
    assert ids(api("get", f"/products?active=false&{as_of(2)}")) == ["p1"]
    chosen = api("get", f"/products?ids=p0,p2&fields=price&{as_of(2)}").json()["products"]
    assert {product["productId"]: product["price"] for product in chosen} == {
        "p0": "150.00",
        "p2": "102.00",
    }


def test_search_of_the_future_matches_future_texts(api: Api) -> None:
    plan(api, "p0", {"name": "Zebra hosting"}, 1, 3)
    assert ids(api("get", f"/products?q=zebra&{as_of(2)}")) == ["p0"]
    assert ids(api("get", f"/products?q=zebra&{as_of(4)}")) == []


def test_running_plan_is_named_in_the_list(api: Api) -> None:
    plan_id = plan(api, "p0", {"price": "80"}, 0, 3)
    scheduling.switching().step()
    listed = api("get", f"/products?{as_of(1)}").json()["products"]
    assert {product["productId"]: product["plans"] for product in listed} == {
        "p0": [{"planId": plan_id, "name": "Plan of p0"}],
        "p1": [],
        "p2": [],
    }


def test_open_change_is_in_the_future_too(api: Api, acceptance: Acceptance, ann: Origin) -> None:
    plan(api, "p0", {"price": "80"}, 1, 3)
    acceptance.update("p0", {"name": "Renamed hosting"}, ann)
    acceptance.update("p1", {"name": "Another hosting"}, ann)
    listed = api("get", f"/products?{as_of(2)}").json()["products"]
    names = {product["productId"]: (product["name"], product["price"]) for product in listed}
    assert names["p0"] == ("Renamed hosting", "80.00")
    assert names["p1"] == ("Another hosting", "101.00")


@pytest.mark.parametrize("query", ["asOf=2020-01-01T00:00:00Z", "asOf=3", "asOf=soon"])
def test_list_of_another_time_must_be_to_come(api: Api, query: str) -> None:
    assert list(error_of(api("get", f"/products?{query}"))["errors"]) == ["asOf"]


def test_future_is_for_staff(api: Api) -> None:
    anonymous = Api(anonymous=True)
    for path in ("/products", "/products/p0"):
        refused = anonymous("get", f"{path}?{as_of(1)}")
        assert refused.status_code == 400
        assert list(error_of(refused)["errors"]) == ["asOf"]


def test_future_cannot_be_followed(api: Api) -> None:
    refused = api("get", f"/products?updatedSince=2020-01-01T00:00:00Z&{as_of(1)}")
    assert list(error_of(refused)["errors"]) == ["asOf"]
