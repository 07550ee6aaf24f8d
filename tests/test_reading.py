"""Reading through the API, as the public and as staff."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from products.product import iso
from tests.builders import fields
from tests.clients import Api, error_of
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(world: World) -> Api:
    return Api(anonymous=True)


@pytest.fixture
def staff(world: World) -> Api:
    return Api("Product viewers")


@pytest.fixture
def five(catalogue: Catalogue, pipeline: Pipeline, ann: Origin) -> None:
    for number in range(5):
        cycle = "yearly" if number % 2 else "monthly"
        edits = fields(name=f"Hosting {number}", price=f"{50 - number}", billing_cycle=cycle)
        catalogue.create(f"p{number}", edits, ann)
        pipeline.persist(f"p{number}", 1)
        pipeline.make_searchable(f"p{number}", 1)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["count"] == len(body["products"])
    return [product["productId"] for product in body["products"]]


@pytest.mark.usefixtures("five")
def test_the_list_is_walked_by_links(public: Api) -> None:
    seen, path = [], "/products?limit=2"
    while path:
        response = public("get", path)
        seen += ids(response)
        assert response.json()["moreAvailable"] == ("Link" in response)
        link = response.get("Link", "")
        path = link[1:].partition(">")[0].removeprefix("/v1.0")
        if link:
            assert link.endswith('; rel="next"')
            assert parse_qs(urlsplit(path).query)["startAt"] == [response.json()["nextStartAt"]]
    assert seen == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "01234"),
        ("?order=desc", "43210"),
        ("?sortBy=price", "43210"),
        ("?sortBy=price&order=desc&limit=3", "012"),
        ("?minPrice=47&maxPrice=49", "123"),
        ("?sortBy=price&minPrice=47&maxPrice=49.00", "321"),
        ("?billingCycle=yearly", "13"),
        ("?currency=USD", ""),
        ("?currency=ZAR&billingCycle=monthly&sortBy=price", "420"),
        ("?q=hosting+3", "3"),
        ("?q=hosting&billingCycle=yearly&sortBy=price", "31"),
    ],
)
def test_filters_and_orders_combine(public: Api, query: str, found: str) -> None:
    assert ids(public("get", f"/products{query}")) == [f"p{number}" for number in found]


@pytest.mark.usefixtures("five")
def test_a_search_says_how_fresh_it_is(public: Api) -> None:
    response = public("get", "/products?q=hosting&limit=2")
    assert response.json()["search"]["source"] == "index"
    assert response.json()["search"]["completeUpTo"].endswith("Z")
    following = public("get", response["Link"][1:].partition(">")[0].removeprefix("/v1.0"))
    assert set(ids(response)) | set(ids(following)) < {f"p{number}" for number in range(5)}


@pytest.mark.usefixtures("five")
def test_one_product_is_cached_by_its_version(public: Api) -> None:
    response = public("get", "/products/p1")
    assert (response["ETag"], response["Cache-Control"].split(", ")[:3]) == (
        '"v1"',
        ["public", "max-age=10", "s-maxage=600"],
    )
    assert response.json() | {"createdAt": "", "updatedAt": ""} == {
        "productId": "p1",
        "name": "Hosting 1",
        "description": "Hosting for a first site.",
        "price": "49.00",
        "renewalPrice": None,
        "currency": "ZAR",
        "billingCycle": "yearly",
        "period": "per year",
        "features": [],
        "active": True,
        "version": 1,
        "createdAt": "",
        "updatedAt": "",
    }
    for tag in ('"v1"', 'W/"v1"', '"v0", "v1"', "*"):
        cached = public("get", "/products/p1", If_None_Match=tag)
        assert (cached.status_code, cached.content, cached["ETag"]) == (304, b"", '"v1"')
    assert public("get", "/products/p1", If_None_Match='"v2"').status_code == 200
    head = public("head", "/products/p1")
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", '"v1"')


@pytest.mark.usefixtures("five")
def test_a_list_is_cached_until_one_of_its_products_changes(
    public: Api, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    first = public("get", "/products?limit=3")
    assert "s-maxage=300" in first["Cache-Control"]
    assert public("get", "/products?limit=3", If_None_Match=first["ETag"]).status_code == 304
    catalogue.update("p1", {"price": "1"}, ann)
    pipeline.persist("p1", 2)
    assert public("get", "/products?limit=3", If_None_Match=first["ETag"]).status_code == 200


@pytest.mark.usefixtures("five")
def test_the_public_sees_what_is_stored_and_staff_what_is_accepted(
    public: Api, staff: Api, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    catalogue.update("p1", {"price": "1"}, ann)
    assert public("get", "/products/p1").json()["price"] == "49.00"
    seen = staff("get", "/products/p1")
    assert (seen.json()["price"], seen.json()["updatedBy"], seen["ETag"]) == ("1.00", "ann", '"v2"')
    assert seen["Cache-Control"] == staff("get", "/products")["Cache-Control"] == "private, no-store"
    catalogue.deactivate("p2", ann)
    pipeline.persist("p2", 2)
    assert error_of(public("get", "/products/p2"))["error"] == "Not Found"
    assert staff("get", "/products/p2").json()["active"] is False
    assert "p2" not in ids(public("get", "/products"))
    assert ids(staff("get", "/products?active=false")) == ["p2"]
    assert len(ids(staff("get", "/products?active=all"))) == 5
    assert "only staff" in str(error_of(public("get", "/products?active=all"))["errors"]).lower()


def test_staff_can_look_back(staff: Api, public: Api, catalogue: Catalogue, ann: Origin) -> None:
    first = catalogue.create("p1", fields(), ann).product
    catalogue.update("p1", {"price": "2"}, ann)
    assert staff("get", "/products/p1?asOf=1").json()["price"] == "1500.00"
    assert staff("get", f"/products/p1?asOf={iso(first.updated_at)}").json()["version"] == 1
    assert staff("get", "/products/p1?asOf=2999-01-01").json()["version"] == 2
    before = iso(first.created_at - timedelta(seconds=1))
    assert staff("get", f"/products/p1?asOf={before}").status_code == 404
    assert staff("get", "/products/p1?asOf=9").status_code == 404
    assert "asOf" in error_of(staff("get", "/products/p1?asOf=yesterday"))["errors"]
    assert "asOf" in error_of(public("get", "/products/p1?asOf=1"))["errors"]


def test_the_history_is_walked_newest_first(staff: Api, public: Api, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    for price in ("2", "3", "4", "5"):
        catalogue.update("p1", {"price": price}, ann)
    versions, cursor = [], ""
    while cursor is not None:
        body = staff("get", f"/products/p1/changes?limit=2{cursor}").json()
        versions += [change["version"] for change in body["changes"]]
        cursor = f"&startAt={body['nextStartAt']}" if body["moreAvailable"] else None
    assert versions == [5, 4, 3, 2, 1]
    newest = staff("get", "/products/p1/changes?limit=1").json()["changes"][0]
    assert newest["changed"] == {"price": {"before": "4.00", "after": "5.00"}}
    assert (newest["user"], newest["source"], newest["requestId"]) == ("ann", "test", "request-of-ann")
    assert public("get", "/products/p1/changes").status_code == 401
    assert staff("get", "/products/nobody/changes").status_code == 404
    foreign = staff("get", "/products/p1/changes?limit=1").json()["nextStartAt"]
    assert staff("get", f"/products/p2/changes?startAt={foreign}").status_code == 400


def test_a_receipt_tells_how_far_a_write_has_come(
    staff: Api, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    receipt = staff("get", "/products/p1/changes/1")
    assert receipt["Retry-After"] == "1"
    assert receipt.json()["effects"]["stored"] == {"state": "pending", "at": None}
    pipeline.persist("p1", 1)
    pipeline.audit("p1", 1)
    effects = staff("get", "/products/p1/changes/1").json()["effects"]
    assert [effects[name]["state"] for name in ("stored", "purged", "searchable", "audited")] == [
        "done",
        "pending",
        "pending",
        "done",
    ]
    assert staff("get", "/products/p1/changes/2").status_code == 404
    assert staff("get", f"/products/p1/changes/{'9' * 30}").status_code == 404
