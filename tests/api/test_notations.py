"""What clients write differently from us: times, numbers, media types, and escapes."""

import json
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.api.parsers import MAX_BODY_BYTES
from products.documents import is_as_read, to_document
from products.product import LENGTHS, MAX_FEATURES
from tests.support.api_client import Api, error_of
from tests.support.builders import NOON, a_product, fields


@pytest.fixture
def read(api: Api) -> dict[str, Any]:
    """Create a product and return it as staff read it."""
    assert api("post", "/products", fields(productId="p1")).status_code == 202
    return dict(api("get", "/products/p1").json())


LOCAL_NOON = NOON.replace(tzinfo=None)
times = st.datetimes(LOCAL_NOON, LOCAL_NOON.replace(year=9000)).map(
    lambda at: at.replace(tzinfo=NOON.tzinfo)
)


@given(times, st.timezones(), st.sampled_from(["microseconds", "milliseconds", "seconds"]))
def test_a_time_may_come_back_in_any_notation(at: Any, zone: Any, precision: str) -> None:
    product = a_product(updated_at=at)
    written = at.astimezone(zone).isoformat(timespec=precision)
    assert is_as_read(product, "updated_at", written)
    assert is_as_read(product, "updated_at", to_document(product)["updatedAt"])
    earlier = (at - timedelta(days=365)).isoformat()
    assert not is_as_read(product, "updated_at", earlier)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01T12:00:00+00:00",
        "2026-03-01T14:00:00+02:00",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:00:00.000000000Z",
        "2026-03-01T12:00:00Z",
        "2026-03-01 12:00:00",
    ],
)
def test_a_time_is_compared_as_an_instant(written: str) -> None:
    assert is_as_read(a_product(), "created_at", written)


@pytest.mark.parametrize(
    "written",
    ["2026-03-01T12:00:00.001Z", "2026-03-01T12:00:00+02:00", "noon", "", 7, None, "9" * 99],
)
def test_another_time_is_not_taken_for_the_same(written: Any) -> None:
    assert not is_as_read(a_product(), "created_at", written)


@pytest.mark.django_db
def test_a_product_parsed_and_sent_back_whole_changes_nothing(
    api: Api, read: dict[str, Any]
) -> None:
    parsed = read | {
        "createdAt": read["createdAt"].replace("Z", "+00:00"),
        "updatedAt": read["updatedAt"][:23] + "Z",
        "version": 1.0,
        "price": 1500.0,
    }
    for method in ("put", "patch"):
        unchanged = api(method, "/products/p1", parsed)
        assert (unchanged.status_code, unchanged.json()["version"]) == (200, 1)
    refused = api("put", "/products/p1", parsed | {"createdAt": "2020-01-01T00:00:00Z"})
    assert list(error_of(refused)["errors"]) == ["createdAt"]


@pytest.mark.django_db
def test_a_merge_patch_is_accepted(api: Api, read: dict[str, Any]) -> None:
    patch = json.dumps({"price": "9.00", "period": None})
    response = api.client.generic(
        "PATCH",
        "/v1.0/products/p1",
        patch,
        content_type="application/merge-patch+json; charset=utf-8",
        headers=api.headers,
    )
    assert response.status_code == 202
    assert api("get", "/products/p1").json()["price"] == "9.00"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("currency", "sent", "shown"), [("JPY", "1500", "1500"), ("KWD", "1.5", "1.500")]
)
def test_amounts_are_shown_with_the_places_of_their_currency(
    api: Api, currency: str, sent: str, shown: str
) -> None:
    body = fields(
        productId="p1", price=sent, currency=currency, renewalPrice=sent, billingCycle="yearly"
    )
    dry = api("post", "/products?dryRun=true", body).json()
    assert dry["changed"]["price"]["after"] == shown
    assert api("post", "/products", body).status_code == 202
    product = api("get", "/products/p1").json()
    assert [product["price"], product["renewalPrice"]] == [shown, shown]
    assert api("put", "/products/p1", product).status_code == 200
    assert api("patch", "/products/p1", {"price": "2.0001"}).status_code == 400


LONGEST = {
    "a": "a",
    "\u6a5f": "\u6a5f",
    "\U0001f600": "\U0001f600",
    "\u1f82": unicodedata.normalize("NFD", "\u1f82"),
    "\U0001109a": unicodedata.normalize("NFD", "\U0001109a"),
}
"""Characters, and the longest text that means each."""


@pytest.mark.django_db
@pytest.mark.parametrize("sent", LONGEST.values(), ids=[f"U+{ord(c):X}" for c in LONGEST])
@pytest.mark.parametrize("indent", [None, 4])
def test_a_legal_product_fits_into_a_body(api: Api, sent: str, indent: int | None) -> None:
    body = fields(
        productId="p" * 64,
        name=sent * LENGTHS["name"][1],
        description=sent * LENGTHS["description"][1],
        period=sent * LENGTHS["period"][1],
        features=[sent * LENGTHS["feature"][1]] * MAX_FEATURES,
    )
    text = json.dumps(body, indent=indent).encode()
    assert len(text) <= MAX_BODY_BYTES
    created = api("post", "/products", text)
    assert created.status_code == 202
    read = api("get", f"/products/{body['productId']}").json()
    assert api("put", f"/products/{body['productId']}", read).status_code == 200
