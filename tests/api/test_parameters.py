"""Cursors, query parameters, ids, versions and headers: valid, or refused by name."""

import itertools
from typing import Any

import pytest

from products.acceptance import Acceptance
from products.changes import Origin
from tests.support.api_client import Api, error_of, ids
from tests.support.builders import fields

pytestmark = pytest.mark.django_db


# Cursors and parameters


@pytest.mark.usefixtures("six")
def test_an_altered_cursor_is_refused(public: Api) -> None:
    cursor = public("get", "/products?limit=1").json()["nextStartAt"]
    altered = [
        cursor[:at] + ("x" if cursor[at] != "x" else "y") + cursor[at + 1 :]
        for at in range(0, len(cursor), 5)
    ]
    for wrong in (
        *altered,
        cursor[:-1],
        cursor + "A",
        cursor * 2,
        "p1",
        ":",
        "%C3%A9:%C3%A9",
        "x" * 4000,
    ):
        refused = public("get", f"/products?startAt={wrong}")
        assert refused.status_code == 400, wrong
        assert error_of(refused)["errors"] == {
            "startAt": ["Must be the nextStartAt of an earlier answer."]
        }


@pytest.mark.usefixtures("six")
def test_a_cursor_is_valid_for_its_own_list_only(
    public: Api, staff: Api, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.update("p1", {"price": "1"}, ann)
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
    wrong_lists = [f"/products?{other}&startAt={cursor}" for other in others]
    wrong_lists += [f"/products?active=all&startAt={cursor}", f"/products?startAt={history}"]
    wrong_lists += [
        f"/products/p1/changes?startAt={cursor}",
        f"/products/p2/changes?startAt={history}",
    ]
    for path in wrong_lists:
        refused = staff("get", path)
        assert refused.status_code == 400, path
        assert "another order or other filters" in error_of(refused)["errors"]["startAt"][0]
    for limit in (2, 4):  # the page size may change
        assert (
            ids(public("get", f"/products?limit={limit}&startAt={cursor}"))
            == ["p1", "p2", "p3", "p4"][:limit]
        )


def test_unknown_and_repeated_parameters_are_refused(public: Api, staff: Api) -> None:
    values = {
        "limit": "5",
        "sortBy": "price",
        "order": "asc",
        "minPrice": "1",
        "maxPrice": "2",
        "currency": "ZAR",
    }
    values |= {"billingCycle": "yearly", "q": "host", "active": "all"}
    for name, value in values.items():
        refused = staff("get", f"/products?{name}={value}&{name}={value}")
        assert error_of(refused)["errors"] == {name: ["Must be given once."]}
    for name in ("Limit", "sort_by", "page", "limit[]", "%00", "dryRun", "%ED%A0%80"):
        refused = public("get", f"/products?{name}=1")
        assert refused.status_code == 400, name
        assert list(error_of(refused)["errors"].values()) == [["There is no such parameter."]]
    several = error_of(public("get", "/products?limit=0&order=up&colour=red"))["errors"]
    assert list(several) == ["limit", "order", "colour"]
    for path in (
        "/products/p1?limit=1",
        "/products/p1/changes?sortBy=price",
        "/products/p1/changes/1?asOf=1",
    ):
        assert staff("get", path).status_code == 400


INVALID = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("limit=ten", "limit"),
    ("sortBy=colour", "sortBy"),
    ("minPrice=1.500", "minPrice"),
    ("maxPrice=9.5&currency=JPY", "maxPrice"),
    ("order=up", "order"),
    ("minPrice=cheap", "minPrice"),
    ("maxPrice=1e9", "maxPrice"),
    ("currency=rand", "currency"),
    ("billingCycle=weekly", "billingCycle"),
    ("active=maybe", "active"),
    ("startAt=", "startAt"),
    ("startAt=xyz", "startAt"),
    ("startAt=%00", "startAt"),
    ("q=", "q"),
    (f"q={'x' * 201}", "q"),
]


def test_an_invalid_parameter_is_named(public: Api) -> None:
    for query, parameter in INVALID:
        refused = public("get", f"/products?{query}")
        assert refused.status_code == 400, query
        assert list(error_of(refused)["errors"]) == [parameter], query


def test_a_minimum_price_of_zero_is_no_limit(public: Api) -> None:
    """A slider in a portal starts at 0, and the contract has always allowed it."""
    everything = ids(public("get", "/products"))
    for query in ("minPrice=0", "minPrice=0.00&sortBy=price", "minPrice=0&maxPrice=999999.99"):
        assert sorted(ids(public("get", f"/products?{query}"))) == sorted(everything), query
    assert ids(public("get", "/products?maxPrice=0")) == []


@pytest.mark.usefixtures("six")
def test_price_bounds_never_mix_currencies(public: Api) -> None:
    """p5 costs 55 dollars, the others 56 to 60 rand."""
    for query in ("minPrice=1", "maxPrice=100", "minPrice=1&maxPrice=999999.99"):
        page = public("get", f"/products?{query}")
        assert ids(page) == ["p0", "p1", "p2", "p3", "p4"], query
        assert page.json()["currency"] == "ZAR"
    dollars = public("get", "/products?minPrice=1&currency=USD")
    assert (ids(dollars), dollars.json()["currency"]) == (["p5"], "USD")
    everything = public("get", "/products?minPrice=0&maxPrice=999999.99")
    assert len(ids(everything)) == 6
    assert "currency" not in everything.json()


@pytest.mark.usefixtures("six")
@pytest.mark.parametrize("name", ["_", "utm_source", "utm_campaign", "utm_x", "gclid", "fbclid"])
def test_cache_busters_and_trackers_are_ignored(public: Api, api: Api, name: str) -> None:
    page = public("get", f"/products?limit=2&{name}=17&{name}=18&sortBy=price")
    assert ids(page) == ["p4", "p3"]
    assert f"{name}=" not in page["Link"]
    body, key = fields(productId="q1", name="Once"), {"Idempotency-Key": f"key-{name}"}
    first = api("post", f"/products?{name}=1", body, **key)
    again = api("post", f"/products?{name}=2", body, **key)
    assert first.json() == again.json()
    assert public("get", f"/products/p1?{name}=1").status_code == 200
    assert public("get", f"/products?x{name}=1").status_code == 400


# URLs and headers


INVALID_IDS = [
    "a%20b",
    "%00",
    "x" * 65,
    "%F0%9F%8D%8B",
    "a.b",
    "..",
    "%27%22",
    "%ff",
    "%ED%A0%80",
    "p1%0A",
    "%C3%A9",
    "~",
    "p1;x",
]
"""Ids as they are written in a URL."""

CALLS_WITH_ID: list[tuple[str, str, Any]] = [
    ("get", "", None),
    ("put", "", {"price": "1"}),
    ("delete", "", None),
    ("get", "/changes", None),
    ("get", "/changes/1", None),
    ("post", "/changes/1/restore", None),
]


@pytest.mark.usefixtures("unwritten")
def test_an_invalid_id_is_refused_on_every_url(api: Api) -> None:
    calls = itertools.product(INVALID_IDS, CALLS_WITH_ID)
    for product_id, (method, suffix, data) in calls:
        refused = api(method, f"/products/{product_id}{suffix}", data)
        assert refused.status_code == 400, (product_id, method, suffix)
        assert list(error_of(refused)["errors"]) == ["productId"]


@pytest.mark.usefixtures("unwritten")
def test_an_invalid_id_is_refused_in_a_body(api: Api) -> None:
    in_urls = [product_id for product_id in INVALID_IDS if "%" not in product_id]
    values: list[Any] = [*in_urls, "", 7, True, [], {}, "\u0661", "p1\n", "a b"]
    for value in values:
        refused = api("post", "/products", fields(name="Another one", productId=value))
        assert list(error_of(refused)["errors"]) == ["productId"]


@pytest.mark.usefixtures("unwritten")
def test_an_impossible_version_is_not_found(api: Api) -> None:
    large = ["9" * digits for digits in (12, 13, 1000, 1100, 4000, 4301)]
    not_numbers = ["-1", "1.0", "v1", "%D9%A1", "1e3", "+1", "%00"]
    for version in ("0", "00", "2", *large, *not_numbers):
        receipt = f"/products/p1/changes/{version}"
        for method, path in (("get", receipt), ("post", f"{receipt}/restore")):
            refused = api(method, path)
            assert refused.status_code == 404, (method, version[:20])
            error_of(refused)
    for as_of in (
        "0",
        "9" * 13,
        "-1",
        "1.0",
        "2026-13-01",
        "2026-02-30T00:00",
        "now",
        "%00",
        "9" * 5000,
    ):
        assert list(error_of(api("get", f"/products/p1?asOf={as_of}"))["errors"]) == ["asOf"]
    for time in ("0001-01-01T00:00:00%2B14:00", "2026-01-01"):
        assert api("get", f"/products/p1?asOf={time}").status_code == 404
    assert api("get", "/products/p1?asOf=9999-12-31T23:59:59-14:00").status_code == 200


HEADERS: dict[str, list[str]] = {
    "Prefer": [
        *("wait", "wait=", "wait=-1", "wait=1.5", "wait=1e3", "wait=\xb9", "wait=9999999999"),
        *(
            "wait=soon",
            "wait=1; until=lunch",
            "wait=1, until=stored, until=audited",
            "until=stored; until=stored; wait=1",
            "wait=0, until=stored,purged",
            'wait=0, until="stored,purged"',
            'wait=0; until="stored; wait=1"',
        ),
        *(
            "wait=1; until",
            "wait=0; until=Stored",
            "wait=0; until=complete",
            'wait=0; until="stored purged"',
        ),
    ],
    "If-Match": [
        *("", "v1", "1", '"1"', '"v"', '"v-1"', '"v1', '"v1.0"', '"v1", "v2"', '"V1"', "\xb9"),
        *('"v9999999999999"', f'"v{"9" * 5000}"', '"v\xb2"'),
    ],
    "Idempotency-Key": ["", " ", "a b", "x" * 256, "\xe9", "a\tb"],
}


@pytest.mark.usefixtures("unwritten")
def test_an_invalid_header_is_named(api: Api) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("patch", "/products/p1", {"price": "1"}),
        ("delete", "/products/p1", None),
    ]
    calls += [
        ("post", "/products", fields(name="Another one")),
        ("post", "/products/p1/changes/1/restore", None),
    ]
    for header, value in (
        (header, value) for header, values in HEADERS.items() for value in values
    ):
        for method, path, data in calls:
            refused = api(method, path, data, **{header: value})
            assert refused.status_code == 400, (header, value)
            assert list(error_of(refused)["errors"]) == [header], (header, value)


@pytest.mark.usefixtures("unwritten")
def test_unknown_preferences_are_ignored(api: Api) -> None:
    for value in (
        "",
        ",;,",
        "return=minimal",
        "respond-async",
        "until=lunch",
        'to="us, wait=soon"',
        "x=" + "y" * 5000,
    ):
        assert api("patch", "/products/p1", {}, Prefer=value).status_code == 200
