"""HTTP caching: which responses caches may store, for whom, and for how long."""

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory

from products.acceptance import Acceptance
from products.api.etags import etag_matches
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.api_client import Api
from tests.support.delivery import deliver
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("six"), pytest.mark.engines]


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
        "price": "59.00",
        "renewalPrice": None,
        "currency": "ZAR",
        "billingCycle": "yearly",
        "period": "per year",
        "features": [],
        "active": True,
        "imageUrl": None,
        "version": 1,
        "createdAt": "",
        "updatedAt": "",
    }
    for tag in ('"v1"', 'W/"v1"', '"v0", "v1"', "*"):
        cached = public("get", "/products/p1", If_None_Match=tag)
        assert (cached.status_code, cached.content, cached["ETag"]) == (304, b"", '"v1"')
    assert public("get", "/products/p1", If_None_Match='"v2"').status_code == 200


def test_a_list_is_cached_until_one_of_its_products_changes(
    public: Api, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    first = public("get", "/products?limit=3")
    assert "s-maxage=300" in first["Cache-Control"]
    assert public("get", "/products?limit=3", If_None_Match=first["ETag"]).status_code == 304
    acceptance.update("p1", {"price": "1"}, ann)
    deliver(pipeline.store, "p1", 2)
    assert public("get", "/products?limit=3", If_None_Match=first["ETag"]).status_code == 200


def test_staff_revalidation_sees_the_newest_version(
    staff: Api, acceptance: Acceptance, ann: Origin
) -> None:
    tag = staff("get", "/products/p1")["ETag"]
    pages = staff("get", "/products")["ETag"]
    assert staff("get", "/products/p1", If_None_Match=tag).status_code == 304
    assert staff("get", "/products", If_None_Match=f'"other", {pages}').status_code == 304
    acceptance.update("p1", {"price": "1"}, ann)  # not stored yet
    assert staff("get", "/products/p1", If_None_Match=tag).status_code == 200
    assert staff("get", "/products", If_None_Match=pages).status_code == 200
    assert staff("get", "/products/p1?asOf=1", If_None_Match=tag).status_code == 304


def test_a_304_has_no_body_in_any_format(world: World) -> None:
    """It is read from WSGI, because Django's test client removes such a body."""
    for path in ("/v1.0/products/p1", "/v1.0/products"):
        for accept in ("application/json", "text/html"):
            headers = {"Accept": accept, "If-None-Match": "*"}
            started: dict[str, str] = {}
            body = WSGIHandler()(
                RequestFactory().get(path, headers=headers).environ,
                lambda status, sent, started=started: started.update(dict(sent), status=status),
            )
            assert (started["status"], b"".join(body)) == ("304 Not Modified", b"")
            assert started["ETag"]
            assert "public" in started["Cache-Control"]
            assert "Accept" in started["Vary"]


def test_a_response_with_a_cookie_is_private(world: World) -> None:
    """A shared cache would give all visitors the same CSRF token, or sign them out."""
    for headers, cookie in (
        ({"Accept": "text/html"}, "csrftoken"),
        ({"Cookie": "sessionid=ended"}, "sessionid"),
    ):
        for path in ("/v1.0/products", "/v1.0/products/p1"):
            response = Client().get(path, headers=headers)
            assert [name for name in response.cookies if name.endswith(cookie)], path
            assert response["Cache-Control"] == "private, no-store"


def test_private_responses_and_errors_are_not_cached(public: Api, staff: Api) -> None:
    for path in (
        "/products",
        "/products?q=hosting",
        "/products/p1",
        "/products/p1/changes",
        "/products/p1/changes/1",
    ):
        assert staff("get", path)["Cache-Control"] == "private, no-store"
    for path in ("/products?limit=x", "/products/a.b", "/products/never", "/products/p1/changes"):
        assert public("get", path)["Cache-Control"] == "no-store"
    found = public("get", "/products?q=hosting")
    assert ("ETag" in found, "s-maxage=300" in found["Cache-Control"]) == (False, True)
    assert "stale-while-revalidate" in public("get", "/products/p1")["Cache-Control"]
    for path in ("/products", "/products/p1"):
        whole, head = public("get", path), public("head", path)
        assert (head.status_code, head.content, head["ETag"]) == (200, b"", whole["ETag"])
        assert head["Content-Length"] == whole["Content-Length"]


def test_long_if_none_match_matches_nothing() -> None:
    assert etag_matches('"v2", "v1"', '"v1"')
    assert not etag_matches('"v1", ' * 10_000, '"v1"')
