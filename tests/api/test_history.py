"""A product's history: past versions, the list of changes, and the receipt of each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from products.acceptance import Acceptance
from products.changes import Origin
from products.documents import format_timestamp
from products.pipeline import Pipeline
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.delivery import deliver

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_staff_can_read_past_versions(
    staff: Api, public: Api, acceptance: Acceptance, ann: Origin
) -> None:
    first = acceptance.create("p1", fields(), ann).product
    acceptance.update("p1", {"price": "2"}, ann)
    assert staff("get", "/products/p1?asOf=1").json()["price"] == "1500.00"
    assert (
        staff("get", f"/products/p1?asOf={format_timestamp(first.updated_at)}").json()["version"]
        == 1
    )
    assert staff("get", "/products/p1?asOf=2999-01-01").json()["version"] == 2
    before = format_timestamp(first.created_at - timedelta(seconds=1))
    assert staff("get", f"/products/p1?asOf={before}").status_code == 404
    assert staff("get", "/products/p1?asOf=9").status_code == 404
    assert "asOf" in error_of(staff("get", "/products/p1?asOf=yesterday"))["errors"]
    assert "asOf" in error_of(public("get", "/products/p1?asOf=1"))["errors"]


def test_as_of_takes_every_notation_of_a_version_or_time(staff: Api, p1: str) -> None:
    created = datetime.fromisoformat(staff("get", "/products/p1").json()["createdAt"])
    later = (
        (created + timedelta(minutes=1))
        .astimezone(timezone(timedelta(hours=2)))
        .isoformat(timespec="seconds")
    )
    for text in (
        "1",
        "v1",
        "%22v1%22",
        "2999-01-01",
        later.replace("+", "%2B"),
        later,
        "29990101T1200Z",
    ):
        assert staff("get", f"/products/p1?asOf={text}").json()["version"] == 1, text
    early = error_of(staff("get", "/products/p1?asOf=2001-01-01T00:00:00 02:00"))
    assert early["message"].startswith("Product 'p1' was created at 2")


@pytest.mark.usefixtures("unwritten")
def test_a_restore_takes_no_fields(api: Api) -> None:
    refused = api("post", "/products/p1/changes/1/restore", {"fields": ["price"]})
    assert (refused.status_code, list(error_of(refused)["errors"])) == (400, ["fields"])


def test_the_history_is_paged_newest_first(
    staff: Api, public: Api, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    for price in ("2", "3", "4", "5"):
        acceptance.update("p1", {"price": price}, ann)
    versions: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        body = staff("get", f"/products/p1/changes?limit=2{cursor}").json()
        versions += [change["version"] for change in body["changes"]]
        cursor = f"&startAt={body['nextStartAt']}" if body["moreAvailable"] else None
    assert versions == [5, 4, 3, 2, 1]
    newest = staff("get", "/products/p1/changes?limit=1").json()["changes"][0]
    assert newest["changed"] == {"price": {"before": "4.00", "after": "5.00"}}
    assert (newest["user"], newest["source"], newest["requestId"]) == (
        "ann",
        "test",
        "request-of-ann",
    )
    assert public("get", "/products/p1/changes").status_code == 401
    assert staff("get", "/products/nobody/changes").status_code == 404


def test_the_history_lists_every_kind_of_change(
    staff: Api, acceptance: Acceptance, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p1", fields(features=["SSL"]), ann)
    acceptance.update("p1", {"name": "Better hosting", "features": []}, ben)
    acceptance.deactivate("p1", ann)
    acceptance.restore("p1", ben)
    acceptance.deactivate("p1", ann)
    body = staff("get", "/products/p1/changes").json()
    assert (body["count"], body["moreAvailable"], body["nextStartAt"]) == (5, False, None)
    shown = [
        (change["changeType"], change["user"], list(change["changed"]))
        for change in body["changes"]
    ]
    assert shown[:4] == [
        ("DELETE", "ann", ["active"]),
        ("RESTORE", "ben", ["active"]),
        ("DELETE", "ann", ["active"]),
        ("UPDATE", "ben", ["name", "features"]),
    ]
    first = body["changes"][-1]
    assert (first["changeType"], first["before"]) == ("CREATE", None)
    assert body["changes"][3]["before"] == first["after"]
    assert body["changes"][3]["changed"]["features"] == {"before": ["SSL"], "after": []}


def test_a_receipt_is_followed_from_accepted_to_complete(
    api: Api, staff: Api, pipeline: Pipeline
) -> None:
    receipt = api("post", "/products", fields(productId="p1"))["Location"].removeprefix("/v1.0")

    def states() -> list[str]:
        effects = staff("get", receipt).json()["effects"]
        return [effects[name]["state"] for name in ("stored", "purged", "searchable", "audited")]

    accepted = staff("get", receipt)
    assert (accepted.json()["status"], accepted["Retry-After"]) == ("accepted", "1")
    assert accepted.json()["effects"]["stored"] == {"state": "pending", "at": None}
    deliver(pipeline.store, "p1", 1)
    deliver(pipeline.audit, "p1", 1)
    assert staff("get", receipt).json()["status"] == "stored"
    assert states() == ["done", "pending", "pending", "done"]
    deliver(pipeline.index, "p1", 1)
    later = replace(pipeline, clock=lambda: datetime.now(UTC) + timedelta(seconds=5))
    deliver(later.purge, "p1", 1)
    done = staff("get", receipt)
    assert (done.json()["status"], states()) == ("complete", ["done"] * 4)
    assert all(effect["at"].endswith("Z") for effect in done.json()["effects"].values())
    assert "Retry-After" not in done
