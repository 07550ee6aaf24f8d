"""Lists for programs that keep a copy: what has changed, some ids, some fields, other orders."""

from typing import Any

import pytest

from products.acceptance import Acceptance
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.api_client import Api, error_of, ids
from tests.support.builders import fields

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
BEFORE = "2020-01-01T00:00:00Z"


def walk(api: Api, since: str, **more: Any) -> tuple[list[str], list[str], str]:
    """Return the ids on all pages, the ids that were removed, and the time to go on from."""
    found: list[str] = []
    removed: list[str] = []
    query = "".join(f"&{name}={value}" for name, value in more.items())
    path = f"/products?updatedSince={since}{query}"
    page = api("get", path).json()
    while True:
        found += [product["productId"] for product in page["products"]]
        removed += page["removed"]
        if page["nextStartAt"] is None:
            return found, removed, page["nextUpdatedSince"]
        page = api("get", f"{path}&startAt={page['nextStartAt']}").json()


@pytest.mark.usefixtures("six")
def test_a_copy_follows_the_catalogue(
    public: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    found, removed, since = walk(public, BEFORE, limit=4)
    assert (sorted(found), removed) == ([f"p{number}" for number in range(6)], [])
    changed = acceptance.update("p1", {"price": "7"}, ann)
    gone = acceptance.deactivate("p2", ann)
    assert walk(public, since)[1] == []  # accepted, but not stored
    for accepted in (changed, gone):
        assert accepted.change
        pipeline.store([(accepted.change.product_id, accepted.change.version)])
    found, removed, later = walk(public, since, limit=2)
    assert found[-1] == "p1"
    assert removed == ["p2"]
    assert later >= since
    whole = public("get", f"/products?updatedSince={since}&fields=price&limit=100").json()
    assert {"productId": "p1", "price": "7.00"} in whole["products"]


@pytest.mark.usefixtures("six")
def test_staff_follow_what_is_accepted(staff: Api, acceptance: Acceptance, ann: Origin) -> None:
    future = "2999-01-01T00:00:00Z"
    assert walk(staff, future) == ([], [], "2999-01-01T00:00:00.000000Z")
    acceptance.update("p1", {"price": "7"}, ann)
    acceptance.deactivate("p2", ann)
    assert walk(staff, future)[:2] == (["p1"], ["p2"])
    assert sorted(walk(staff, future, active="all")[0]) == ["p1", "p2"]


@pytest.mark.usefixtures("six")
def test_following_takes_no_filter(public: Api) -> None:
    for name, value in {"sortBy": "name", "currency": "ZAR", "q": "host", "ids": "p1"}.items():
        refused = public("get", f"/products?updatedSince={BEFORE}&{name}={value}")
        assert error_of(refused)["errors"] == {name: ["Can't be combined with updatedSince."]}
    cursor = public("get", f"/products?updatedSince={BEFORE}&limit=1").json()["nextStartAt"]
    for other in ("updatedSince=2021-01-01T00:00:00Z", "limit=1"):
        assert public("get", f"/products?{other}&startAt={cursor}").status_code == 400
    assert public("get", "/products?updatedSince=yesterday").status_code == 400


@pytest.mark.usefixtures("six")
def test_some_products_are_read_by_their_ids(public: Api, staff: Api, api: Api) -> None:
    page = public("get", "/products?ids=p4,p1,never,p1")
    assert (ids(page), page.json()["total"]) == (["p1", "p4"], 2)
    assert ids(public("get", "/products?ids=p1&ids=p5&sortBy=name&order=desc")) == ["p5", "p1"]
    assert ids(public("get", "/products?ids=p1,p5&currency=USD")) == ["p5"]
    first = public("get", "/products?ids=p1,p2,p3&limit=2").json()
    rest = public("get", f"/products?ids=p3,p2,p1&limit=2&startAt={first['nextStartAt']}")
    assert ids(rest) == ["p3"]
    assert api("patch", "/products/p1", {"name": "Seen at once"}).status_code == 202
    assert staff("get", "/products?ids=p1").json()["products"][0]["name"] == "Seen at once"
    for wrong in ("", "a b", "p1,", ",".join(f"p{number}" for number in range(101))):
        assert public("get", f"/products?ids={wrong}").status_code == 400


@pytest.mark.usefixtures("six")
def test_a_list_may_have_some_fields_only(public: Api) -> None:
    page = public("get", "/products?fields=name,price&fields=active&limit=1").json()
    [product] = page["products"]
    assert product.keys() == {"productId", "name", "price", "active"}
    assert public("get", "/products?fields=colour").status_code == 400


@pytest.mark.usefixtures("six")
def test_a_list_has_a_total_where_one_page_holds_it(public: Api) -> None:
    assert public("get", "/products").json()["total"] == 6
    assert "total" not in public("get", "/products?limit=2").json()


def test_products_are_ordered_by_name_and_update(
    public: Api, staff: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    names = ["beta", "Alpha", "Émile", "alpha 2", "ζeta", "Éclair", "#1 plan", "zeta"]
    for number, name in enumerate(names):
        created = acceptance.create(f"p{number}", fields(name=name), ann)
        pipeline.store([(f"p{number}", created.product.version)])
    by_name = ["p6", "p1", "p3", "p0", "p5", "p2", "p7", "p4"]
    for api in (public, staff):
        for limit in (2, 100):
            assert _all(api, f"sortBy=name&limit={limit}") == by_name
            assert _all(api, f"sortBy=name&order=desc&limit={limit}") == by_name[::-1]
    changed = acceptance.update("p0", {"price": "7"}, ann)
    assert _all(staff, "sortBy=updatedAt&limit=3")[-1] == "p0"
    pipeline.store([("p0", changed.product.version)])
    by_update = [f"p{number}" for number in range(1, 8)] + ["p0"]
    assert _all(public, "sortBy=updatedAt&limit=3") == by_update
    assert _all(public, "sortBy=updatedAt&order=desc&limit=3") == by_update[::-1]
    assert public("get", "/products?q=alpha&sortBy=name").status_code == 400


def _all(api: Api, query: str) -> list[str]:
    page = api("get", f"/products?{query}")
    found = ids(page)
    while cursor := page.json()["nextStartAt"]:
        page = api("get", f"/products?{query}&startAt={cursor}")
        found += ids(page)
    return found
