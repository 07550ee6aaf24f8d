"""The sidebar of the form: the card as customers see it, the errors of a save, and the receipt."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from tests.support.admin_client import LIST, current_entries, form_entries, page_url, sign_in
from tests.support.builders import NOON, fields
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve")


@pytest.fixture
def basic(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)


def preview(client: Client, path: str, entries: dict[str, Any]) -> Any:
    return client.post(path, entries).json()


def test_the_receipt_follows_a_change_to_its_last_effect(
    eve: Client, basic: None, catalogue: Catalogue, world: World
) -> None:
    change = catalogue.receipt("p1", 1)
    bootstrap.table().fail(
        change, Effect.AUDITED, Failure(reason="no <bucket>", at=NOON, attempts=2, permanent=False)
    )
    text = eve.get(page_url("p1")).text
    assert "by ann, test" in text
    assert 'data-step="pending"' in text
    assert "no &lt;bucket&gt; (tried 2 times)" in text
    assert f'data-url="{page_url("p1", "receipt/1")}" data-open' in text
    asked = eve.get(page_url("p1", "receipt/1")).json()
    assert (asked["open"], asked["newer"]) == (True, None)
    world.work()
    done = eve.get(page_url("p1", "receipt/1")).json()
    assert done["html"].count('data-step="done"') >= 3
    audited_at = catalogue.receipt("p1", 1).done[Effect.AUDITED]
    assert f"{audited_at.astimezone(ZoneInfo('Africa/Johannesburg')):%H:%M:%S}" in done["html"]


def test_an_open_page_learns_what_others_save(
    eve: Client, basic: None, acceptance: Acceptance, ben: Origin
) -> None:
    acceptance.update("p1", {"price": "2", "features": ["Mail"]}, ben)
    newer = eve.get(page_url("p1", "receipt/1")).json()["newer"]
    assert (newer["version"], newer["by"], newer["fields"]) == (2, "ben", ["Price", "Features"])
    assert eve.get(page_url("p1", "receipt/2")).json()["newer"] is None
    assert eve.get(page_url("p1", "receipt/9")).status_code == 404
    assert eve.get(page_url("nobody", "receipt/1")).status_code == 404
    assert eve.get(page_url("no%20id%21", "receipt/1")).status_code == 400


def test_the_reason_is_kept_with_the_change(
    eve: Client, basic: None, catalogue: Catalogue, world: World
) -> None:
    eve.post(page_url("p1"), current_entries(eve, "p1", price="2", reason="Autumn sale"))
    assert catalogue.receipt("p1", 2).origin.reason == "Autumn sale"
    world.work()
    assert [record.get("reason") for record in world.audit_records().values()] == [
        None,
        "Autumn sale",
    ]
    assert "Reason: Autumn sale" in eve.get(page_url("p1", "receipt/2")).json()["html"]
    answer = eve.post(page_url("p1"), current_entries(eve, "p1", price="3", reason="x" * 201))
    assert "Must have at most 200 characters." in answer.text
    assert catalogue.newest("p1").version == 2


def test_a_preview_shows_the_result_and_writes_nothing(
    eve: Client, basic: None, world: World
) -> None:
    before = world.dynamodb.scan(TableName=world.table)["Count"]
    entries = current_entries(
        eve, "p1", price="99", renewal_price="45", billing_cycle="monthly", features="Mail\nWeb"
    )
    body = preview(eve, page_url("p1", "preview"), entries)
    assert body["errors"] == {}
    for shown in ("R99", "then R45/month", "once-off + R45/month", "<li>Mail</li><li>Web</li>"):
        assert shown in body["html"]
    body = preview(eve, f"{LIST}add/preview/", form_entries(name="<script>", price="5"))
    assert "&lt;script&gt;" in body["html"]
    assert world.dynamodb.scan(TableName=world.table)["Count"] == before


def test_a_preview_shows_the_errors_of_a_save(
    eve: Client, basic: None, acceptance: Acceptance, ann: Origin, ben: Origin
) -> None:
    acceptance.create("p2", fields(name="Taken"), ann)
    entries = current_entries(eve, "p1", price="5")
    asked = {"name": "taken", "price": "x"}
    assert preview(eve, page_url("p1", "preview"), entries | asked)["errors"].keys() == {"price"}
    assert (
        "belongs to product 'p2'"
        in preview(eve, page_url("p1", "preview"), entries | {"name": "taken"})["errors"]["name"][0]
    )
    acceptance.update("p1", {"price": "7"}, ben)
    assert preview(eve, page_url("p1", "preview"), entries)["errors"]["price"] == [
        "ben changed this to 7.00 meanwhile."
    ]
    assert preview(eve, f"{LIST}add/preview/", form_entries(product_id="p1", name="New"))[
        "errors"
    ].keys() == {"product_id"}
    assert eve.post(page_url("nobody", "preview"), entries).status_code == 404


def test_a_conflict_offers_both_values_of_each_field(
    eve: Client, basic: None, acceptance: Acceptance, ben: Origin
) -> None:
    entries = current_entries(eve, "p1", price="5", features="Mine", name="Eve's hosting")
    acceptance.update("p1", {"price": "7", "features": ["Theirs", "too"]}, ben)
    text = eve.post(page_url("p1"), entries).text
    for shown in (
        'data-conflict="id_price"',
        'data-value="7.00"',
        'data-value="5.00"',
        'data-value="Theirs\ntoo"',
    ):
        assert shown in text
    assert 'data-conflict="id_name"' not in text


@pytest.mark.parametrize(
    ("group", "path"),
    [("Product viewers", page_url("p1", "preview")), (None, page_url("p1", "preview"))],
)
def test_a_preview_needs_the_permission_to_save(
    world: World, basic: None, group: str | None, path: str
) -> None:
    assert sign_in("vera", group).post(path, form_entries()).status_code == 403
    assert sign_in("sue", None).get(page_url("p1", "receipt/1")).status_code == 403
    assert sign_in("eva").get(path).status_code == 405
