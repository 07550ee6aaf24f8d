"""What a writer through the API is answered: at once, or when it has come about, or before anything is done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.api_client import Api, error_of, versions
from tests.support.builders import fields
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@contextmanager
def at_work(world: World) -> Iterator[None]:
    """A worker on a thread of its own, who takes whatever is in the queues."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            world.work()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


# Answers


def test_each_accepted_write_says_where_to_follow_it(api: Api) -> None:
    calls: list[tuple[str, str, Any]] = [("post", "/products", fields(productId="p1"))]
    calls += [("put", "/products/p1", {"price": "2"}), ("patch", "/products/p1", {"price": "3"})]
    for version, (method, path, data) in enumerate([*calls, ("delete", "/products/p1", None)], 1):
        response = api(method, path, data)
        body = response.json()
        assert (response.status_code, response["ETag"], response["Retry-After"]) == (
            202,
            f'"v{version}"',
            "1",
        )
        assert body == {
            "productId": "p1",
            "version": version,
            "changeId": body["changeId"],
            "status": "accepted",
            "statusUrl": f"/v1.0/products/p1/changes/{version}",
        }
        assert response["Location"] == body["statusUrl"]
        assert response["Cache-Control"] == "private, no-store"
        assert "Preference-Applied" not in response
        receipt = api("get", f"/products/p1/changes/{version}").json()
        assert (receipt["changeId"], receipt["requestId"]) == (
            body["changeId"],
            response["X-Request-ID"],
        )
        assert (receipt["user"], receipt["source"]) == ("ann", "api")


def test_put_and_patch_leave_alone_what_is_not_sent(api: Api, p1: str) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        assert api(method, p1, {"price": f"{version}.00"}).status_code == 202
        seen = api("get", p1).json()
        assert (seen["name"], seen["description"], seen["price"]) == (
            "Basic hosting",
            "Hosting for a first site.",
            f"{version}.00",
        )


def test_a_made_id_and_the_defaults_are_told(api: Api) -> None:
    written = api("post", "/products", fields()).json()
    assert written["productId"].startswith("prod_")
    seen = api("get", f"/products/{written['productId']}").json()
    told = {
        name: seen[name]
        for name in ("currency", "billingCycle", "renewalPrice", "period", "features", "active")
    }
    assert told == {
        "currency": "ZAR",
        "billingCycle": "one-time",
        "renewalPrice": None,
        "period": "once-off",
        "features": [],
        "active": True,
    }
    assert seen["createdAt"] == seen["updatedAt"]


def test_request_ids_are_taken_when_sane_and_made_otherwise_and_are_in_the_receipt(
    api: Api, p1: str
) -> None:
    taken = ["request-1", "a" * 64, "A.b_c-123"]
    for version, given in enumerate(taken, 2):
        written = api("patch", p1, {"price": f"{version}.00"}, X_Request_ID=given)
        assert written["X-Request-ID"] == given
        assert api("get", f"{p1}/changes/{version}").json()["requestId"] == given
    for wrong in ("short", "a" * 65, "with space", "é" * 10, "", "semi;colon", "a" * 5000):
        refused = api("patch", p1, {"price": "x"}, X_Request_ID=wrong)
        assert refused["X-Request-ID"] not in {wrong, ""}
        error_of(refused)


def test_a_product_made_elsewhere_is_the_same_product(
    api: Api, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p9", fields(), ann)
    assert api("patch", "/products/p9", {"price": "1"}).json()["version"] == 2


# Waiting


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        ("wait=9", "stored"),
        ("wait=10; until=searchable", "searchable"),
        ("wait=10; until=audited", "audited"),
    ],
)
def test_who_waits_gets_the_product_at_the_point_that_was_asked_for(
    api: Api, world: World, asked: str, until: str
) -> None:
    applied = f"{asked.partition(';')[0]}, until={until}"
    with at_work(world):
        calls = (("post", "", 201), ("put", "/p1", 200), ("patch", "/p1", 200))
        for version, (method, path, status) in enumerate(calls, 1):
            data = fields(productId="p1") if method == "post" else {"price": f"{version}.00"}
            response = api(method, f"/products{path}", data, Prefer=asked)
            assert (response.status_code, response["Preference-Applied"]) == (status, applied)
            assert response["Location"] == f"/v1.0/products/p1/changes/{version}"
            assert (response.json()["version"], response.json()["updatedBy"]) == (version, "ann")
            states = api("get", f"/products/p1/changes/{version}").json()["effects"]
            assert {states[name]["state"] for name in ("stored", until)} == {"done"}
        gone = api("delete", "/products/p1", Prefer=f'Wait="99", UNTIL="{until}"')
        assert (gone.status_code, gone.content, gone["ETag"]) == (204, b"", '"v4"')
        assert gone["Location"] == "/v1.0/products/p1/changes/4"
        assert (
            gone["Preference-Applied"] == f"wait=10, until={until}"
        )  # cut at what we are ready for
    assert Api(anonymous=True)("get", "/products/p1").status_code == 404


def test_who_gives_up_waiting_has_still_written(api: Api, p1: str, world: World) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        response = api(method, p1, {"price": f"{version}.00"}, Prefer="wait=0")
        assert (response.status_code, "Preference-Applied" in response) == (202, False)
    listed = api("delete", p1, Prefer="respond-async, wait=0; until=audited, handling=lenient")
    assert (listed.status_code, listed["Retry-After"], "Preference-Applied" in listed) == (
        202,
        "1",
        False,
    )
    assert api("post", "/products", fields(name="Another one"), Prefer="wait=0").status_code == 202
    world.work()
    record = world.record("p1")
    assert record
    assert (int(record["version"]), record["active"]) == (4, False)


def test_what_changes_nothing_is_answered_at_once_with_what_is_there(
    api: Api, p1: str, catalogue: Catalogue
) -> None:
    for data in (
        {},
        fields(),
        {"version": 1},
        {"price": "1500"},
        {"name": " Basic hosting "},
        api("get", p1).json(),
    ):
        for method in ("put", "patch"):
            same = api(method, p1, data, Prefer="wait=10; until=audited")
            assert (same.status_code, same["ETag"], same.json()["version"]) == (200, '"v1"', 1)
            assert "Location" not in same
    api("delete", p1)
    gone = api("delete", p1, Prefer="wait=10")
    assert (gone.status_code, gone.content, "Location" in gone) == (204, b"", False)
    assert versions(catalogue) == [2, 1]


# Trying, and going back


def test_a_dry_run_says_what_would_happen(api: Api, p1: str, catalogue: Catalogue) -> None:
    would = api("patch", f"{p1}?dryRun=true", {"price": "2"})
    assert (would.status_code, "Location" in would) == (200, False)
    body = would.json()
    assert (body["dryRun"], body["changeType"], body["product"]["version"]) == (True, "UPDATE", 2)
    assert body["changed"] == {"price": {"before": "1500.00", "after": "2.00"}}
    assert api("patch", f"{p1}?dryRun=true", {"price": "1500"}).json()["changeType"] is None
    assert api("delete", f"{p1}?dryRun=true").json()["changeType"] == "DELETE"
    assert api("post", "/products?dryRun=true", fields()).status_code == 409
    assert "dryRun" in error_of(api("delete", f"{p1}?dryRun=yes"))["errors"]
    assert catalogue.newest("p1").version == 1


def test_a_version_is_restored(api: Api, p1: str) -> None:
    api("patch", p1, {"price": "2", "features": ["SSL"]})
    restored = api("post", f"{p1}/changes/1/restore")
    assert (restored.status_code, restored.json()["version"]) == (202, 3)
    assert api("get", p1).json()["features"] == []
    assert api("post", f"{p1}/changes/1/restore").status_code == 200
    assert api("post", f"{p1}/changes/9/restore").status_code == 404
