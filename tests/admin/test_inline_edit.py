"""Editing in the list, and taking back: one value at a time, with the version that was on the screen."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from deploy.local.engines import free_port
from products.admin import inline_edit
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, page, said, signed_in
from tests.support.builders import fields
from tests.support.fakes import AlwaysLosingTable
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World, catalogue: Catalogue, ann: Origin) -> Client:
    catalogue.create("p1", fields(), ann)
    return signed_in("eve")


def cell(client: Client, field: str, value: str, version: str = "1", product: str = "p1") -> Any:
    return client.post(
        f"{LIST}{product}/cell/", {"field": field, "value": value, "version": version}
    )


def test_a_price_and_a_flag_are_saved_from_their_cells(eve: Client, catalogue: Catalogue) -> None:
    told = cell(eve, "price", "1600").json()
    assert (told["version"], told["price"]) == (2, {"value": "1600.00", "text": "R1600"})
    assert told["message"] == "Basic hosting: price 1500.00 → 1600.00, saved as v2."
    assert eve.get(told["receipt"]).json()["status"] == "accepted"
    assert cell(eve, "active", "false", "2").json()["active"] == {
        "value": "false",
        "text": "Deactivated",
    }
    assert "undo" not in cell(eve, "active", "false", "3").json()
    product = catalogue.newest("p1")
    assert (str(product.price), product.active, product.version, product.updated_by) == (
        "1600.00",
        False,
        3,
        "eve",
    )


def test_a_cell_somebody_else_has_changed_is_told_and_saved_only_when_that_is_meant(
    eve: Client, catalogue: Catalogue, ben: Origin
) -> None:
    catalogue.update("p1", {"price": "7", "description": "By ben, at some length."}, ben)
    refused = cell(eve, "price", "9")
    assert (refused.status_code, refused.json()) == (
        409,
        {"kind": "clash", "message": "ben changed this to 7.00.", "version": 2, "theirs": "7.00"},
    )
    assert cell(eve, "active", "false").json()["version"] == 3  # another field merges
    assert cell(eve, "price", "9", "2").json()["version"] == 4


def test_who_is_always_beaten_to_a_cell_meets_no_clash_and_may_try_again(
    eve: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten = replace(catalogue, table=AlwaysLosingTable(catalogue.table))  # type: ignore[arg-type]
    monkeypatch.setattr(inline_edit, "catalogue", lambda: beaten)
    refused = cell(eve, "price", "9")
    said = "Too many writers are changing this at once; nothing was saved."
    assert (refused.status_code, refused.json()) == (409, {"message": said})


@pytest.mark.parametrize(
    ("field", "value", "version", "sentence"),
    [
        ("price", "0", "1", "Must be between 0.01 and 999999.99."),
        ("price", "x", "1", 'Must be an amount such as "1500.00".'),
        ("name", "x", "1", "This cell can't be edited."),
        ("price", "1", "", "This cell can't be edited."),
        ("price", "1", "99", "Product 'p1' has no version 99."),
    ],
)
def test_what_a_cell_can_not_hold_is_refused_in_a_sentence(
    eve: Client, field: str, value: str, version: str, sentence: str
) -> None:
    refused = cell(eve, field, value, version)
    assert refused.status_code in {400, 404}
    assert refused.json()["message"] == sentence
    assert cell(eve, "price", "1", product="nobody").status_code == 404


def test_cells_and_undo_are_for_those_who_may_write(
    eve: Client, catalogue: Catalogue, ann: Origin
) -> None:
    editor, viewer = signed_in("ed", "Product editors"), signed_in("vic", "Product viewers")
    assert [
        cell(viewer, "price", "1").status_code,
        cell(editor, "active", "false").status_code,
    ] == [403, 403]
    assert viewer.post(page("p1", "undo/1")).status_code == 403
    assert editor.post(page("p1", "undo/1")).status_code == 403  # it would deactivate the product
    assert (
        eve.get(f"{LIST}p1/cell/").status_code == eve.get(page("p1", "undo/1")).status_code == 405
    )
    assert catalogue.newest("p1").version == 1


def test_a_version_is_taken_back_and_what_came_after_it_is_kept(
    eve: Client, catalogue: Catalogue, ben: Origin
) -> None:
    cell(eve, "price", "1600")
    catalogue.update("p1", {"description": "By ben, at some length."}, ben)
    answer = eve.post(page("p1", "undo/2"), {"next": page("p1")})
    assert (answer["Location"], said(answer)) == (page("p1"), "Took back v2, saved as v4.")
    product = catalogue.newest("p1")
    assert (str(product.price), product.description) == ("1500.00", "By ben, at some length.")
    assert catalogue.receipt("p1", 4).origin.reason == "Takes back version 2"
    assert eve.post(page("p1", "undo/4"), {"next": "https://evil.example/"})["Location"] == LIST
    assert eve.post(page("p1", "undo/1"))["Location"] == LIST
    assert not catalogue.newest("p1").active


def test_what_was_changed_again_can_not_be_taken_back_alone(
    eve: Client, catalogue: Catalogue, ben: Origin
) -> None:
    cell(eve, "price", "1600")
    catalogue.update("p1", {"price": "1700"}, ben)
    refused = eve.post(page("p1", "undo/2"), headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()) == (
        409,
        {"message": "v2 can't be taken back alone: ben changed price since."},
    )
    assert eve.post(page("p1", "undo/9"), headers={"accept": "application/json"}).status_code == 404
    taken = eve.post(page("p1", "undo/3"), headers={"accept": "application/json"})
    assert taken.json() == {"message": "Took back v3, saved as v4."}


def test_taking_back_what_is_back_already_does_not_claim_to_have_saved(
    eve: Client, catalogue: Catalogue
) -> None:
    cell(eve, "price", "1600")
    cell(eve, "price", "1500", "2")
    told = eve.post(page("p1", "undo/2"), headers={"accept": "application/json"})
    assert told.json() == {"message": "Nothing was different, so nothing was saved."}
    assert catalogue.newest("p1").version == 3


def test_an_undo_that_meets_a_dead_engine_may_have_happened_and_is_no_refusal(
    eve: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    told = eve.post(page("p1", "undo/1"), headers={"accept": "application/json"})
    assert (told.status_code, told.json()["message"]) == (
        503,
        "DynamoDB does not answer at the moment.",
    )
