"""Writing: immediate responses, responses after a wait, and dry runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.api_client import Api, error_of, versions
from tests.support.builders import fields
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@contextmanager
def running_worker(world: World) -> Iterator[None]:
    """Run a worker on a thread that processes all queues."""
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


# Responses


def test_each_accepted_write_links_to_its_receipt(api: Api) -> None:
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


def test_put_and_patch_keep_omitted_fields(api: Api, p1: str) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        assert api(method, p1, {"price": f"{version}.00"}).status_code == 202
        product = api("get", p1).json()
        assert (product["name"], product["description"], product["price"]) == (
            "Basic hosting",
            "Hosting for a first site.",
            f"{version}.00",
        )


def test_a_generated_id_and_the_defaults_are_returned(api: Api) -> None:
    receipt = api("post", "/products", fields()).json()
    assert receipt["productId"].startswith("prod_")
    product = api("get", f"/products/{receipt['productId']}").json()
    shown = {
        name: product[name]
        for name in ("currency", "billingCycle", "renewalPrice", "period", "features", "active")
    }
    assert shown == {
        "currency": "ZAR",
        "billingCycle": "one-time",
        "renewalPrice": None,
        "period": "once-off",
        "features": [],
        "active": True,
    }
    assert product["createdAt"] == product["updatedAt"]


def test_valid_request_ids_are_kept_and_others_replaced(api: Api, p1: str) -> None:
    valid = ["request-1", "a" * 64, "A.b_c-123"]
    for version, given in enumerate(valid, 2):
        written = api("patch", p1, {"price": f"{version}.00"}, X_Request_ID=given)
        assert written["X-Request-ID"] == given
        assert api("get", f"{p1}/changes/{version}").json()["requestId"] == given
    for wrong in ("short", "a" * 65, "with space", "é" * 10, "", "semi;colon", "a" * 5000):
        refused = api("patch", p1, {"price": "x"}, X_Request_ID=wrong)
        assert refused["X-Request-ID"] not in {wrong, ""}
        error_of(refused)


def test_the_api_updates_a_product_created_elsewhere(
    api: Api, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p9", fields(), ann)
    assert api("patch", "/products/p9", {"price": "1"}).json()["version"] == 2


# Waiting


@pytest.mark.parametrize(
    ("preference", "until"),
    [
        ("wait=9", "stored"),
        ("wait=10; until=searchable", "searchable"),
        ("wait=10; until=audited", "audited"),
    ],
)
def test_a_wait_returns_the_product_after_the_effect(
    api: Api, world: World, preference: str, until: str
) -> None:
    applied = f"{preference.partition(';')[0]}, until={until}"
    with running_worker(world):
        calls = (("post", "", 201), ("put", "/p1", 200), ("patch", "/p1", 200))
        for version, (method, path, status) in enumerate(calls, 1):
            data = fields(productId="p1") if method == "post" else {"price": f"{version}.00"}
            response = api(method, f"/products{path}", data, Prefer=preference)
            assert (response.status_code, response["Preference-Applied"]) == (status, applied)
            assert response["Location"] == f"/v1.0/products/p1/changes/{version}"
            assert (response.json()["version"], response.json()["updatedBy"]) == (version, "ann")
            states = api("get", f"/products/p1/changes/{version}").json()["effects"]
            assert {states[name]["state"] for name in ("stored", until)} == {"done"}
        deleted = api("delete", "/products/p1", Prefer=f'Wait="99", UNTIL="{until}"')
        assert (deleted.status_code, deleted.content, deleted["ETag"]) == (204, b"", '"v4"')
        assert deleted["Location"] == "/v1.0/products/p1/changes/4"
        assert deleted["Preference-Applied"] == f"wait=10, until={until}"  # limited to 10 seconds
    assert Api(anonymous=True)("get", "/products/p1").status_code == 404


def test_a_write_is_kept_when_its_wait_times_out(api: Api, p1: str, world: World) -> None:
    for version, method in enumerate(("put", "patch"), 2):
        response = api(method, p1, {"price": f"{version}.00"}, Prefer="wait=0")
        assert (response.status_code, "Preference-Applied" in response) == (202, False)
    deleted = api("delete", p1, Prefer="respond-async, wait=0; until=audited, handling=lenient")
    assert (deleted.status_code, deleted["Retry-After"], "Preference-Applied" in deleted) == (
        202,
        "1",
        False,
    )
    assert api("post", "/products", fields(name="Another one"), Prefer="wait=0").status_code == 202
    world.work()
    record = world.record("p1")
    assert record
    assert (int(record["version"]), record["active"]) == (4, False)


def test_an_unchanged_product_is_returned_without_waiting(
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
    again = api("delete", p1, Prefer="wait=10")
    assert (again.status_code, again.content, "Location" in again) == (204, b"", False)
    assert versions(catalogue) == [2, 1]


# Dry runs and restoring


def test_a_dry_run_returns_the_change_without_writing(
    api: Api, p1: str, catalogue: Catalogue
) -> None:
    dry_run = api("patch", f"{p1}?dryRun=true", {"price": "2"})
    assert (dry_run.status_code, "Location" in dry_run) == (200, False)
    body = dry_run.json()
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
