"""What a reader of the API may rely on: pages, cursors, caches, and who sees what."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory

from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from tests.builders import fields
from tests.clients import Api, error_of
from tests.staff import signed_in
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(world: World) -> Api:
    return Api(anonymous=True)


@pytest.fixture
def staff(world: World) -> Api:
    return Api("Product viewers")


@pytest.fixture
def six(catalogue: Catalogue, pipeline: Pipeline, ann: Origin) -> None:
    """p0 to p5, dearest first; the odd ones are yearly, and all but p5 are sold in rand."""
    for number in range(6):
        changes = {"billing_cycle": "yearly"} if number % 2 else {}
        currency = "USD" if number == 5 else "ZAR"
        edits = fields(name=f"Hosting {number}", price=f"{60 - number}", currency=currency, **changes)
        catalogue.create(f"p{number}", edits, ann)
        pipeline.persist(f"p{number}", 1)
        pipeline.make_searchable(f"p{number}", 1)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [product["productId"] for product in response.json()["products"]]


def next_of(response: Any) -> str | None:
    """The path of the next page, as its ``Link`` has it."""
    link = response.get("Link")
    return link[1:].partition(">")[0].removeprefix("/v1.0") if link else None


def walked(api: Api, path: str | None) -> Iterator[Any]:
    while path:
        response = api("get", path)
        yield response
        path = next_of(response)


# Pages


def test_an_empty_catalogue_is_an_empty_page(public: Api) -> None:
    response = public("get", "/products")
    assert response.json() == {"products": [], "count": 0, "moreAvailable": False, "nextStartAt": None}
    assert "Link" not in response


def test_a_page_has_twenty_five_products_unless_asked_otherwise(
    public: Api, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for number in range(26):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
        pipeline.persist(f"p{number}", 1)
    assert [len(ids(page)) for page in walked(public, "/products")] == [25, 1]
    assert [len(ids(page)) for page in walked(public, "/products?limit=13")] == [13, 13]
    assert [len(ids(page)) for page in walked(public, "/products?limit=26")] == [26]
    assert [len(ids(page)) for page in walked(public, "/products?limit=100")] == [26]


@pytest.mark.usefixtures("six")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("order=asc&minPrice=57", "0123"),
        ("order=desc&billingCycle=one-time", "420"),
        ("sortBy=price&order=desc", "01234"),
        ("sortBy=price&currency=USD", "5"),
        ("sortBy=price&minPrice=57&maxPrice=59", "321"),
        ("minPrice=59&maxPrice=57", ""),
        ("q=hosting&sortBy=price&currency=ZAR", "43210"),
        ("q=hosting&order=desc&billingCycle=yearly", "531"),
    ],
)
def test_a_walk_keeps_its_order_and_filters_from_page_to_page(public: Api, query: str, found: str) -> None:
    pages = list(walked(public, f"/products?limit=1&{query}"))
    assert "".join(product_id[1] for page in pages for product_id in ids(page)) == found
    for page in pages[:-1]:
        kept = parse_qs(urlsplit(next_of(page) or "").query)
        assert {name: values[0] for name, values in kept.items() if name != "startAt"} == dict(
            part.split("=") for part in f"limit=1&{query}".split("&")
        )


@pytest.mark.usefixtures("six")
def test_staff_walk_active_and_inactive_products_alike(staff: Api, catalogue: Catalogue, ann: Origin) -> None:
    for product_id in ("p1", "p4"):
        catalogue.deactivate(product_id, ann)
    for query, found in (("", "0235"), ("&active=true", "0235"), ("&active=false", "14"), ("&active=all", "012345")):
        pages = walked(staff, f"/products?limit=2{query}")
        assert "".join(product_id[1] for page in pages for product_id in ids(page)) == found


@pytest.mark.usefixtures("six")
def test_a_page_size_may_change_on_the_way(public: Api) -> None:
    cursor = public("get", "/products?limit=1").json()["nextStartAt"]
    assert ids(public("get", f"/products?limit=3&startAt={cursor}")) == ["p1", "p2", "p3"]
    assert ids(public("get", f"/products?startAt={cursor}")) == ["p1", "p2", "p3", "p4", "p5"]


# Cursors and parameters


@pytest.mark.usefixtures("six")
def test_a_cursor_altered_in_any_place_is_refused(public: Api) -> None:
    cursor = public("get", "/products?limit=1").json()["nextStartAt"]
    altered = [cursor[:at] + ("x" if cursor[at] != "x" else "y") + cursor[at + 1 :] for at in range(0, len(cursor), 5)]
    for wrong in (*altered, cursor[:-1], cursor + "A", cursor * 2, "p1", ":", "%C3%A9:%C3%A9", "x" * 4000):
        refused = public("get", f"/products?startAt={wrong}")
        assert refused.status_code == 400, wrong
        assert error_of(refused)["errors"] == {"startAt": ["Must be the nextStartAt of an earlier answer."]}


@pytest.mark.usefixtures("six")
def test_a_cursor_is_for_the_list_it_came_with(public: Api, staff: Api, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.update("p1", {"price": "1"}, ann)
    cursor = public("get", "/products?limit=1").json()["nextStartAt"]
    history = staff("get", "/products/p1/changes?limit=1").json()["nextStartAt"]
    others = [
        "order=desc",
        "sortBy=price",
        "minPrice=1",
        "maxPrice=99",
        "currency=ZAR",
        "billingCycle=yearly",
        "q=host",
    ]
    foreign = [f"/products?{other}&startAt={cursor}" for other in others]
    foreign += [f"/products?active=all&startAt={cursor}", f"/products?startAt={history}"]
    foreign += [f"/products/p1/changes?startAt={cursor}", f"/products/p2/changes?startAt={history}"]
    for path in foreign:
        refused = staff("get", path)
        assert refused.status_code == 400, path
        assert "another order or other filters" in error_of(refused)["errors"]["startAt"][0]
    assert ids(staff("get", f"/products?limit=2&startAt={cursor}")) == ["p1", "p2"]


def test_every_parameter_is_known_and_given_once(public: Api, staff: Api) -> None:
    values = {"limit": "5", "sortBy": "price", "order": "asc", "minPrice": "1", "maxPrice": "2", "currency": "ZAR"}
    values |= {"billingCycle": "yearly", "q": "host", "active": "all"}
    for name, value in values.items():
        refused = staff("get", f"/products?{name}={value}&{name}={value}")
        assert error_of(refused)["errors"] == {name: ["Must be given once."]}
    for name in ("Limit", "sort_by", "page", "limit[]", "%00", "asOf", "dryRun", "%ED%A0%80"):
        refused = public("get", f"/products?{name}=1")
        assert refused.status_code == 400, name
        assert list(error_of(refused)["errors"].values()) == [["There is no such parameter."]]
    several = error_of(public("get", "/products?limit=0&order=up&colour=red"))["errors"]
    assert list(several) == ["limit", "order", "colour"]
    for path in ("/products/p1?limit=1", "/products/p1/changes?sortBy=price", "/products/p1/changes/1?asOf=1"):
        assert staff("get", path).status_code == 400


# Who sees what


@pytest.mark.usefixtures("six")
def test_who_wrote_is_for_staff_to_know(public: Api, staff: Api) -> None:
    for path in ("/products", "/products?q=hosting"):
        assert all("updatedBy" not in product for product in public("get", path).json()["products"])
        assert all(product["updatedBy"] == "ann" for product in staff("get", path).json()["products"])
    assert "updatedBy" not in public("get", "/products/p1").json()


@pytest.mark.usefixtures("six")
def test_a_user_without_the_view_permission_is_the_public(public: Api, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.deactivate("p1", ann)
    plain = Api(None, name="somebody")
    assert plain("get", "/products/p0").json() == public("get", "/products/p0").json()
    assert "public" in plain("get", "/products")["Cache-Control"]
    assert "active" in error_of(plain("get", "/products?active=all"))["errors"]
    assert plain("get", "/products/p0/changes").status_code == 403
    assert plain("get", "/products/p0/changes/1").status_code == 403


def test_staff_read_by_session_as_they_do_by_token(world: World, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    client = signed_in("eve", "Product viewers")
    seen = client.get("/v1.0/products/p1")
    assert (seen.json()["updatedBy"], seen["Cache-Control"]) == ("ann", "private, no-store")
    assert ids(client.get("/v1.0/products")) == ["p1"]
    User.objects.filter(username="eve").update(is_active=False)
    assert client.get("/v1.0/products/p1").status_code == 404  # the public, to whom it is not yet there


def test_what_is_not_there_for_the_public_looks_the_same_for_every_reason(
    public: Api, staff: Api, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for product_id, name in (("gone", "Gone hosting"), ("new", "New hosting")):
        catalogue.create(product_id, fields(name=name), ann)
    pipeline.persist("gone", 1)
    catalogue.deactivate("gone", ann)
    pipeline.persist("gone", 2)
    for product_id in ("gone", "new", "never"):
        refused = public("get", f"/products/{product_id}")
        assert (refused.status_code, refused["Cache-Control"]) == (404, "no-store")
        assert error_of(refused)["message"] == f"There is no product '{product_id}'."
    assert staff("get", "/products/gone").json()["active"] is False
    assert staff("get", "/products/new").json()["active"] is True
    assert staff("get", "/products/never").status_code == 404


# Caches


@pytest.mark.usefixtures("six")
def test_staff_revalidate_too_and_get_what_is_newest(staff: Api, catalogue: Catalogue, ann: Origin) -> None:
    tag = staff("get", "/products/p1")["ETag"]
    pages = staff("get", "/products")["ETag"]
    assert staff("get", "/products/p1", If_None_Match=tag).status_code == 304
    assert staff("get", "/products", If_None_Match=f'"other", {pages}').status_code == 304
    catalogue.update("p1", {"price": "1"}, ann)  # not stored yet
    assert staff("get", "/products/p1", If_None_Match=tag).status_code == 200
    assert staff("get", "/products", If_None_Match=pages).status_code == 200
    assert staff("get", "/products/p1?asOf=1", If_None_Match=tag).status_code == 304


@pytest.mark.usefixtures("six")
def test_an_answer_that_is_not_modified_has_no_body_in_any_form(world: World) -> None:
    """The server's own answer, since Django's test client takes such a body away."""
    for path in ("/v1.0/products/p1", "/v1.0/products"):
        for accept in ("application/json", "text/html"):
            headers = {"Accept": accept, "If-None-Match": "*"}
            answered: dict[str, str] = {}
            body = WSGIHandler()(
                RequestFactory().get(path, headers=headers).environ,
                lambda status, sent, answered=answered: answered.update(dict(sent), status=status),  # type: ignore[misc]
            )
            assert (answered["status"], b"".join(body)) == ("304 Not Modified", b"")
            assert answered["ETag"]
            assert "public" in answered["Cache-Control"]
            assert "Accept" in answered["Vary"]


@pytest.mark.usefixtures("six")
def test_what_must_not_be_shared_or_kept_says_so(public: Api, staff: Api) -> None:
    for path in ("/products", "/products?q=hosting", "/products/p1", "/products/p1/changes", "/products/p1/changes/1"):
        assert staff("get", path)["Cache-Control"] == "private, no-store"
    for path in ("/products?limit=x", "/products/a.b", "/products/never", "/products/p1/changes"):
        assert public("get", path)["Cache-Control"] == "no-store"
    found = public("get", "/products?q=hosting")
    assert ("ETag" in found, "s-maxage=300" in found["Cache-Control"]) == (False, True)
    assert "stale-while-revalidate" in public("get", "/products/p1")["Cache-Control"]


@pytest.mark.usefixtures("six")
def test_head_answers_as_get_does_without_a_body(public: Api) -> None:
    for path in ("/products", "/products/p1"):
        whole, head = public("get", path), public("head", path)
        assert (head.status_code, head.content, head["ETag"]) == (200, b"", whole["ETag"])
        assert head["Content-Length"] == whole["Content-Length"]


# History and receipts


def test_the_history_tells_each_write_of_a_product_also_of_an_inactive_one(
    staff: Api, catalogue: Catalogue, ann: Origin, ben: Origin
) -> None:
    catalogue.create("p1", fields(features=["SSL"]), ann)
    catalogue.update("p1", {"name": "Better hosting", "features": []}, ben)
    catalogue.deactivate("p1", ann)
    catalogue.restore("p1", ben)
    catalogue.deactivate("p1", ann)
    body = staff("get", "/products/p1/changes").json()
    assert (body["count"], body["moreAvailable"], body["nextStartAt"]) == (5, False, None)
    told = [(change["changeType"], change["user"], list(change["changed"])) for change in body["changes"]]
    assert told[:4] == [
        ("DELETE", "ann", ["active"]),
        ("RESTORE", "ben", ["active"]),
        ("DELETE", "ann", ["active"]),
        ("UPDATE", "ben", ["name", "features"]),
    ]
    first = body["changes"][-1]
    assert (first["changeType"], first["before"]) == ("CREATE", None)
    assert body["changes"][3]["before"] == first["after"]
    assert body["changes"][3]["changed"]["features"] == {"before": ["SSL"], "after": []}


def test_a_receipt_is_followed_from_accepted_to_complete(staff: Api, world: World, pipeline: Pipeline) -> None:
    written = Api()("post", "/products", fields(productId="p1"))
    receipt = written["Location"].removeprefix("/v1.0")
    assert staff("get", receipt).json()["status"] == "accepted"
    pipeline.persist("p1", 1)
    assert staff("get", receipt).json()["status"] == "stored"
    pipeline.make_searchable("p1", 1)
    pipeline.audit("p1", 1)
    later = replace(pipeline, clock=lambda: datetime.now(UTC) + timedelta(seconds=5))  # what was stored has settled
    later.purge("p1", 1)
    done = staff("get", receipt)
    assert done.json()["status"] == "complete"
    assert {effect["state"] for effect in done.json()["effects"].values()} == {"done"}
    assert all(effect["at"].endswith("Z") for effect in done.json()["effects"].values())
    assert "Retry-After" not in done
    for version in (0, 2, 10**12, 10**40):
        assert staff("get", f"/products/p1/changes/{version}").status_code == 404


def test_documents_and_browsable_pages_are_served_without_signing_in(world: World) -> None:
    assert Client().get("/v1.0/schema").status_code == 200
    page = Client().get("/v1.0/products/never", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
