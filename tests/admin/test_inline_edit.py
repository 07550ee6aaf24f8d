"""Inline edits and undo in the list: one value at a time, based on the version on screen."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from deploy.local.engines import free_port
from products.acceptance import Acceptance
from products.access.profiles import NO_BREAK_SPACE
from products.admin import staff_writes
from products.admin.inline_edit import SAVED
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, last_message, page_url, sign_in
from tests.support.builders import fields
from tests.support.fakes import AlwaysLosingTable
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World, acceptance: Acceptance, ann: Origin) -> Client:
    acceptance.create("p1", fields(), ann)
    return sign_in("eve")


def money(digits: str) -> str:
    return f"R{digits.replace(' ', NO_BREAK_SPACE)}"


def cell(client: Client, field: str, value: str, version: str = "1", product: str = "p1") -> Any:
    return client.post(
        f"{LIST}{product}/cell/", {"field": field, "value": value, "version": version}
    )


def test_a_price_and_a_flag_are_saved_from_their_cells(eve: Client, catalogue: Catalogue) -> None:
    result = cell(eve, "price", "1600").json()
    assert (result["version"], result["price"]) == (2, {"value": "1600.00", "text": money("1 600")})
    assert result["message"] == f"Basic hosting: price {money('1 500')} → {money('1 600')}. {SAVED}"
    assert eve.get(result["receipt"]).json()["status"] == "accepted"
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


def test_a_conflicting_cell_is_saved_only_with_their_version(
    eve: Client, acceptance: Acceptance, ben: Origin
) -> None:
    acceptance.update("p1", {"price": "7", "description": "By ben, at some length."}, ben)
    refused = cell(eve, "price", "9")
    assert (refused.status_code, refused.json()) == (
        409,
        {"kind": "clash", "message": "ben changed this to 7.00.", "version": 2, "theirs": "7.00"},
    )
    assert cell(eve, "active", "false").json()["version"] == 3  # another field merges
    assert cell(eve, "price", "9", "2").json()["version"] == 4


def test_a_contended_cell_may_be_saved_again(
    eve: Client, acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten = replace(acceptance, log=AlwaysLosingTable(acceptance.log))
    monkeypatch.setattr(staff_writes, "acceptance", lambda: beaten)
    refused = cell(eve, "price", "9")
    message = "Too many people are changing this at the same time; nothing was saved."
    assert (refused.status_code, refused.json()) == (409, {"message": message})


@pytest.mark.parametrize(
    ("field", "value", "version", "sentence"),
    [
        ("price", "0", "1", "Must be between 0.01 and 999999.99."),
        ("price", "x", "1", "Must be an amount such as 1500.00, 1 500,00 or R1 500."),
        ("name", "x", "1", "This cell can't be edited."),
        ("price", "1", "", "This cell can't be edited."),
        ("price", "1", "99", "This product has no version 99."),
        ("active", "TRUE", "1", "Must be yes or no."),
        ("active", "", "1", "Must be yes or no."),
    ],
)
def test_an_invalid_value_is_refused_with_a_reason(
    eve: Client, field: str, value: str, version: str, sentence: str
) -> None:
    refused = cell(eve, field, value, version)
    assert refused.status_code in {400, 404}
    assert refused.json()["message"] == sentence
    assert cell(eve, "price", "1", product="nobody").status_code == 404


@pytest.mark.parametrize("value", ["false", "FALSE", " false", "0", "", "no", "off", "x", "\u0000"])
def test_no_spelling_of_a_flag_goes_round_the_permission(
    eve: Client, catalogue: Catalogue, value: str
) -> None:
    editor = sign_in("ed", "Product editors")
    assert cell(editor, "active", value).status_code in (400, 403)
    assert catalogue.newest("p1").active


def test_cells_and_undo_need_the_change_permission(
    eve: Client, catalogue: Catalogue, ann: Origin
) -> None:
    editor, viewer = sign_in("ed", "Product editors"), sign_in("vic", "Product viewers")
    assert [
        cell(viewer, "price", "1").status_code,
        cell(editor, "active", "false").status_code,
    ] == [403, 403]
    assert viewer.post(page_url("p1", "undo/1")).status_code == 403
    assert (
        editor.post(page_url("p1", "undo/1")).status_code == 403
    )  # it would deactivate the product
    assert (
        eve.get(f"{LIST}p1/cell/").status_code
        == eve.get(page_url("p1", "undo/1")).status_code
        == 405
    )
    assert catalogue.newest("p1").version == 1


def test_undo_keeps_later_changes(
    eve: Client, acceptance: Acceptance, catalogue: Catalogue, ben: Origin
) -> None:
    cell(eve, "price", "1600")
    acceptance.update("p1", {"description": "By ben, at some length."}, ben)
    answer = eve.post(page_url("p1", "undo/2"), {"next": page_url("p1")})
    assert (answer["Location"], last_message(answer)) == (
        page_url("p1"),
        "Version 2 is undone, saved as version 4.",
    )
    product = catalogue.newest("p1")
    assert (str(product.price), product.description) == ("1500.00", "By ben, at some length.")
    assert catalogue.receipt("p1", 4).origin.reason == "Undo of version 2"
    assert eve.post(page_url("p1", "undo/4"), {"next": "https://evil.example/"})["Location"] == LIST
    assert eve.post(page_url("p1", "undo/1"))["Location"] == LIST
    assert not catalogue.newest("p1").active


def test_a_field_changed_later_blocks_its_undo(
    eve: Client, acceptance: Acceptance, ben: Origin
) -> None:
    cell(eve, "price", "1600")
    acceptance.update("p1", {"price": "1700"}, ben)
    refused = eve.post(page_url("p1", "undo/2"), headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()) == (
        409,
        {"message": "Version 2 can't be undone: ben changed price since."},
    )
    assert (
        eve.post(page_url("p1", "undo/9"), headers={"accept": "application/json"}).status_code
        == 404
    )
    undone = eve.post(page_url("p1", "undo/3"), headers={"accept": "application/json"})
    assert undone.json() == {"message": "Version 3 is undone, saved as version 4."}


def test_undo_without_a_difference_saves_nothing(eve: Client, catalogue: Catalogue) -> None:
    cell(eve, "price", "1600")
    cell(eve, "price", "1500", "2")
    result = eve.post(page_url("p1", "undo/2"), headers={"accept": "application/json"})
    assert result.json() == {"message": "Nothing was different, so nothing was saved."}
    assert catalogue.newest("p1").version == 3


def test_undo_reports_that_dynamodb_is_unavailable(
    eve: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    forget_wiring()
    result = eve.post(page_url("p1", "undo/1"), headers={"accept": "application/json"})
    assert (result.status_code, result.json()["message"]) == (
        503,
        "The catalogue can't be reached just now.",
    )
