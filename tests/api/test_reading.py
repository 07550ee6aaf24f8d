"""Reading: pages, filters, orders and searches, and what the public and staff see."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User

from products.acceptance import Acceptance
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.admin_client import sign_in
from tests.support.api_client import Api, error_of, ids
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def next_of(response: Any) -> str | None:
    """Return the path of the next page. Check that the body agrees with ``Link``."""
    link, body = response.get("Link"), response.json()
    assert body["moreAvailable"] == bool(link) == bool(body["nextStartAt"])
    if not link:
        return None
    path: str = link[1:].partition(">")[0].removeprefix("/v1.0")
    assert link.endswith('; rel="next"')
    assert parse_qs(urlsplit(path).query)["startAt"] == [body["nextStartAt"]]
    return path


def pages_from(api: Api, path: str | None) -> Iterator[Any]:
    """Yield the response of each page."""
    while path:
        response = api("get", path)
        yield response
        path = next_of(response)


# Pages


def test_an_empty_catalogue_is_an_empty_page(public: Api) -> None:
    response = public("get", "/products")
    assert response.json() == {
        "products": [],
        "count": 0,
        "total": 0,
        "moreAvailable": False,
        "nextStartAt": None,
    }
    assert "Link" not in response


def test_a_page_has_25_products_by_default(
    public: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    for number in range(26):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        deliver(pipeline.store, f"p{number}", 1)
    assert [len(ids(page)) for page in pages_from(public, "/products")] == [25, 1]
    assert [len(ids(page)) for page in pages_from(public, "/products?limit=13")] == [13, 13]
    assert [len(ids(page)) for page in pages_from(public, "/products?limit=26")] == [26]
    assert [len(ids(page)) for page in pages_from(public, "/products?limit=100")] == [26]


FOUND = {
    "": "012345",
    "order=desc": "543210",
    "order=asc&minPrice=57": "0123",
    "order=desc&billingCycle=one-time": "420",
    "billingCycle=yearly": "135",
    "currency=EUR": "",
    "currency=ZAR&billingCycle=one-time&sortBy=price": "420",
    "sortBy=price": "43210",
    "sortBy=price&order=desc": "01234",
    "sortBy=price&currency=USD": "5",
    "sortBy=price&minPrice=57&maxPrice=59.00": "321",
    "minPrice=57&maxPrice=59": "123",
    "minPrice=59&maxPrice=57": "",
    "q=hosting+3": "3",
    "q=hosting&sortBy=price&currency=ZAR": "43210",
    "q=hosting&sortBy=price&billingCycle=yearly": "31",
    "q=hosting&order=desc&billingCycle=yearly": "531",
}


@pytest.mark.usefixtures("six")
def test_filters_and_orders_hold_across_pages(public: Api) -> None:
    for query, found in FOUND.items():
        assert ids(public("get", f"/products?{query}")) == [f"p{number}" for number in found], query
        pages = list(pages_from(public, f"/products?limit=1&{query}"))
        assert [product_id for page in pages for product_id in ids(page)] == [
            f"p{number}" for number in found
        ], query
        for page in pages[:-1]:
            kept = parse_qs(urlsplit(next_of(page) or "").query)
            assert {name: values for name, values in kept.items() if name != "startAt"} == parse_qs(
                f"limit=1&{query}"
            )


@pytest.mark.usefixtures("six")
def test_a_search_reports_its_freshness(public: Api) -> None:
    pages = list(pages_from(public, "/products?q=hosting&limit=4"))
    assert sorted(ids(pages[0]) + ids(pages[1])) == [f"p{number}" for number in range(6)]
    for page in pages:
        assert page.json()["search"]["source"] == "index"
        assert page.json()["search"]["completeUpTo"].endswith("Z")


@pytest.mark.usefixtures("six")
def test_staff_can_list_active_and_inactive_products(
    staff: Api, acceptance: Acceptance, ann: Origin
) -> None:
    for product_id in ("p1", "p4"):
        acceptance.deactivate(product_id, ann)
    for query, found in (
        ("", "0235"),
        ("&active=true", "0235"),
        ("&active=false", "14"),
        ("&active=all", "012345"),
    ):
        pages = pages_from(staff, f"/products?limit=2{query}")
        assert "".join(product_id[1] for page in pages for product_id in ids(page)) == found


# What the public and staff see


@pytest.mark.usefixtures("six")
def test_the_public_sees_stored_staff_sees_accepted_changes(
    public: Api, staff: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    acceptance.update("p1", {"price": "1"}, ann)
    response = staff("get", "/products/p1")
    assert (response.json()["price"], response.json()["updatedBy"], response["ETag"]) == (
        "1.00",
        "ann",
        '"v2"',
    )
    assert public("get", "/products/p1").json()["price"] == "59.00"
    acceptance.deactivate("p2", ann)
    assert ids(public("get", "/products")) == [f"p{number}" for number in range(6)]
    deliver(pipeline.store, "p2", 2)
    assert ids(public("get", "/products")) == ["p0", "p1", "p3", "p4", "p5"]
    assert "only staff" in str(error_of(public("get", "/products?active=all"))["errors"]).lower()


@pytest.mark.usefixtures("six")
def test_only_staff_see_who_wrote(public: Api, staff: Api) -> None:
    for path in ("/products", "/products?q=hosting"):
        assert all("updatedBy" not in product for product in public("get", path).json()["products"])
        assert all(
            product["updatedBy"] == "ann" for product in staff("get", path).json()["products"]
        )
    assert "updatedBy" not in public("get", "/products/p1").json()


@pytest.mark.usefixtures("six")
def test_a_user_without_the_view_permission_sees_the_public_api(
    public: Api, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.deactivate("p1", ann)
    without_group = Api(None, name="somebody")
    assert without_group("get", "/products/p0").json() == public("get", "/products/p0").json()
    assert "public" in without_group("get", "/products")["Cache-Control"]
    assert "active" in error_of(without_group("get", "/products?active=all"))["errors"]
    assert without_group("get", "/products/p0/changes").status_code == 403
    assert without_group("get", "/products/p0/changes/1").status_code == 403


def test_staff_can_read_with_a_session(world: World, acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    client = sign_in("eve", "Product viewers")
    response = client.get("/v1.0/products/p1")
    assert (response.json()["updatedBy"], response["Cache-Control"]) == ("ann", "private, no-store")
    assert ids(client.get("/v1.0/products")) == ["p1"]
    User.objects.filter(username="eve").update(is_active=False)
    assert (
        client.get("/v1.0/products/p1").status_code == 404
    )  # now public, and the product is not stored yet


def test_every_public_404_looks_the_same(
    public: Api, staff: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    for product_id, name in (("inactive", "Inactive hosting"), ("new", "New hosting")):
        acceptance.create(product_id, fields(name=name), ann)
    deliver(pipeline.store, "inactive", 1)
    acceptance.deactivate("inactive", ann)
    deliver(pipeline.store, "inactive", 2)
    for product_id in ("inactive", "new", "never"):
        refused = public("get", f"/products/{product_id}")
        assert (refused.status_code, refused["Cache-Control"]) == (404, "no-store")
        assert error_of(refused)["message"] == f"There is no product '{product_id}'."
    assert staff("get", "/products/inactive").json()["active"] is False
    assert staff("get", "/products/new").json()["active"] is True
    assert staff("get", "/products/never").status_code == 404
