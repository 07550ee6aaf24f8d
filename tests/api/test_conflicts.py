"""Concurrent writers: preconditions, merges, conflicts, unique names and repeated requests."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from products.catalogue import Catalogue
from tests.support.api_client import Api, error_of, versions
from tests.support.builders import fields
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


# Preconditions, merges and conflicts


def test_if_match_is_checked_before_any_write(api: Api, p1: str, catalogue: Catalogue) -> None:
    api("patch", p1, {"price": "2"})
    calls: list[tuple[str, str, Any]] = [
        ("put", p1, {"price": "3"}),
        ("patch", p1, {}),
        ("delete", p1, None),
    ]
    calls.append(("post", f"{p1}/changes/1/restore", None))
    for tag in ('"v1"', '"v3"', '"v999999999999"', '"v0"'):
        for method, path, data in calls:
            refused = api(method, path, data, If_Match=tag)
            assert (refused.status_code, error_of(refused)["version"]) == (412, 2)
    assert versions(catalogue) == [2, 1]
    assert api("post", f"{p1}/changes/1/restore", None, If_Match=' "v2" ').status_code == 202
    assert (
        api("patch", p1, {"price": "4"}, If_Match='W/"v3"').status_code == 202
    )  # as a compressing cache sends it
    assert api("put", p1, {"price": "5"}, If_Match="*").status_code == 202
    assert api("delete", p1, If_Match='"v5"').status_code == 202
    assert api("patch", "/products/never", {"price": "1"}, If_Match='"v1"').status_code == 404


def test_sending_back_a_whole_product_overwrites_nothing(api: Api, p1: str) -> None:
    mine = api("get", p1).json()
    api("patch", p1, {"price": "2.00", "features": ["SSL"]})
    assert api("get", f"{p1}?asOf=1").json() == mine
    assert api("put", p1, mine).status_code == 200  # nothing differs from what was read
    assert api("put", p1, mine | {"name": "Better hosting"}).status_code == 202
    product = api("get", p1).json()
    assert (product["name"], product["price"], product["features"], product["version"]) == (
        "Better hosting",
        "2.00",
        ["SSL"],
        3,
    )
    same = api("put", p1, mine | {"price": "2.00"})  # somebody else has set it already
    assert (same.status_code, same.json()["version"]) == (200, 3)
    for field in ("productId", "createdAt", "updatedAt", "updatedBy"):
        refused = api("put", p1, mine | {field: "another"})
        assert (refused.status_code, list(error_of(refused)["errors"])) == (400, [field])


def test_a_conflict_lists_every_field_changed_by_both(
    api: Api, p1: str, catalogue: Catalogue
) -> None:
    api("patch", p1, {"billingCycle": "yearly", "renewalPrice": "9", "features": ["SSL"]})
    mine = {
        "version": 1,
        "billingCycle": "monthly",
        "renewalPrice": "8.00",
        "features": ["CDN"],
        "price": "1.00",
    }
    refused = api("put", p1, mine)
    body = error_of(refused)
    assert (refused.status_code, body["error"], body["version"]) == (409, "Conflict", 2)
    assert body["conflicts"] == {
        "billingCycle": {"base": "one-time", "yours": "monthly", "theirs": "yearly"},
        "renewalPrice": {"base": None, "yours": "8.00", "theirs": "9.00"},
        "features": {"base": [], "yours": ["CDN"], "theirs": ["SSL"]},
    }
    assert set(body["errors"]) == set(body["conflicts"])
    assert versions(catalogue) == [2, 1]
    assert (
        api("patch", p1, {"version": 1, "description": "Another description."}).status_code == 202
    )  # merged
    assert api("put", p1, mine | {"version": 3}).status_code == 202


def test_a_conflict_about_an_image_shows_urls(api: Api, p1: str) -> None:
    keys = [f"products/p1/{digit * 32}.webp" for digit in "01"]
    for key in keys:
        default_storage.save(key, ContentFile(b"image"))
    mine, theirs = (f"{settings.MEDIA_URL}{key}" for key in keys)
    api("patch", p1, {"imageUrl": theirs})
    refused = api("patch", p1, {"imageUrl": mine, "version": 1})
    expected = {"imageUrl": {"base": None, "yours": mine, "theirs": theirs}}
    assert error_of(refused)["conflicts"] == expected


def test_an_unknown_base_version_is_not_found(api: Api, p1: str) -> None:
    for version in (2, 10**12 - 1):
        refused = api("patch", p1, {"price": "1", "version": version})
        assert (refused.status_code, error_of(refused)["message"]) == (
            404,
            f"Product 'p1' has no version {version}.",
        )


def test_fifty_concurrent_if_match_writers_lose_no_write(
    api: Api, p1: str, catalogue: Catalogue
) -> None:
    saved: list[int] = []

    def write(number: int) -> None:
        for _ in range(200):
            tag = f'"v{catalogue.newest("p1").version}"'
            response = api("patch", p1, {"price": f"{number + 1}.00"}, If_Match=tag)
            assert response.status_code in {200, 202, 412}
            if response.status_code != 412:
                saved.append(response.status_code)
                return

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, range(50)))
    assert len(saved) == 50
    assert catalogue.newest("p1").version == 1 + saved.count(202)


# Unique names and ids


def test_a_name_is_free_only_after_its_product_was_renamed(api: Api, p1: str, world: World) -> None:
    api("post", "/products", fields(productId="p2", name="Other hosting"))
    calls: list[tuple[str, str, Any]] = [
        ("patch", "/products/p2", {"name": "basic  HOSTING", "price": "1"}),
        ("post", "/products", fields(productId="p3")),
        ("post", "/products?dryRun=true", fields(productId="p3")),
    ]
    for active in (True, False):
        api("patch", p1, {"active": active})
        for method, path, data in calls:
            refused = api(method, path, data)
            assert refused.status_code == 409
            assert "belongs to product 'p1'" in error_of(refused)["message"]
    assert (world.change("p2", 2), world.change("p3", 1)) == (None, None)
    api("patch", p1, {"name": "Third name"})
    assert api("post", "/products", fields(productId="p3")).status_code == 202
    assert api("patch", p1, {"name": "Basic hosting"}).status_code == 409


def test_names_that_grow_when_normalised_are_unique_too(api: Api) -> None:
    """Each character becomes eighteen, so the normalised name is too long for a DynamoDB key."""
    for name, status in (("\ufdfa" * 100, 202), ("\ufdfa" * 99 + "x", 202), ("\ufdfa" * 100, 409)):
        assert api("post", "/products", fields(name=name)).status_code == status


def test_the_id_of_an_inactive_product_is_not_reused(api: Api, p1: str, world: World) -> None:
    for active in (True, False):
        api("patch", p1, {"active": active})
        for path in ("/products", "/products?dryRun=true"):
            refused = api("post", path, fields(productId="p1", name="A name never used"))
            assert (refused.status_code, error_of(refused)["error"]) == (409, "Conflict")
            assert "already a product 'p1'" in error_of(refused)["message"]
    assert world.item("NAME#anameneverused", "CLAIM") is None


# Repeated requests


def test_an_idempotency_key_makes_a_request_take_effect_once(api: Api, world: World) -> None:
    first = api("post", "/products", fields(), Idempotency_Key="k1")
    again = api("post", "/products", fields(), Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["changeId"] == first.json()["changeId"]
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    world.work()
    done = api("post", "/products", fields(), Idempotency_Key="k1", Prefer="wait=1")
    assert (done.status_code, done.json()["version"]) == (201, 1)
    other = api("post", "/products", fields(price="2"), Idempotency_Key="k1")
    assert (other.status_code, error_of(other)["error"]) == (422, "Unprocessable Entity")
    assert (
        api("delete", f"/products/{first.json()['productId']}", Idempotency_Key="k1").status_code
        == 422
    )


def test_an_idempotency_key_fits_one_exact_request(api: Api, p1: str, catalogue: Catalogue) -> None:
    body = b'{"price": 2.00}'
    assert api("patch", p1, body, Idempotency_Key="k1").status_code == 202
    assert api("patch", p1, body, Idempotency_Key="k1")["Idempotent-Replayed"] == "true"
    for other in (
        b'{"price": 2.001}',
        b'{"price": 2.004}',
        b'{"price": 3.00}',
        b'{"price": 2.00, "features": []}',
    ):
        refused = api("patch", p1, other, Idempotency_Key="k1")
        assert (refused.status_code, error_of(refused)["error"]) == (422, "Unprocessable Entity")
    assert api("put", p1, body, Idempotency_Key="k1").status_code == 422
    assert api("patch", p1, body, Idempotency_Key="k1", If_Match='"v2"').status_code == 422
    assert (
        Api(name="ben")("patch", p1, body, Idempotency_Key="k1").status_code == 200
    )  # keys belong to a user
    assert versions(catalogue) == [2, 1]
