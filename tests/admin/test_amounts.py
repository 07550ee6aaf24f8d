"""Amounts in the form, the cells and the filters of the list, as people write them."""

from decimal import Decimal

import pytest
from django.test import Client

from products.acceptance import Acceptance
from products.admin.formatting import grouped_money
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import (
    ADD,
    LIST,
    form_entries,
    form_errors,
    shown_entries,
    sign_in,
)
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1 500,00", "1500.00"), ("R1\u00a0500", "1500.00"), ("1,500.50", "1500.50"), ("12", "12.00")],
)
def test_amounts_are_accepted_as_people_write_them(
    eve: Client, catalogue: Catalogue, world: World, text: str, amount: str
) -> None:
    entries = form_entries(product_id="p1", price=text)
    understood = eve.post(f"{ADD}preview/", entries).json()["understood"]
    assert understood == {"price": grouped_money(Decimal(amount), "ZAR")}
    eve.post(ADD, entries)
    assert catalogue.newest("p1").price == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1.500", "Can mean 1500.00 or 1.50; write one of these."),
        ("1,500", "Can mean 1500.00 or 1.50; write one of these."),
        ("free", "Must be an amount such as 1500.00, 1 500,00 or R1 500."),
        ("€12,90", "Is in EUR, but the currency is ZAR."),
    ],
)
def test_unclear_amount_is_refused_at_its_field(text: str, sentence: str) -> None:
    answer = sign_in("eve").post(ADD, form_entries(product_id="p1", price=text))
    assert form_errors(answer) == {"price": [sentence]}
    assert shown_entries(answer)["price"] == text


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("1 750,50", 200, "price R1\u00a0500 → R1\u00a0750,50"),
        ("R1750.5", 200, "price R1\u00a0500 → R1\u00a0750,50"),
        ("1.750", 400, "Can mean 1750.00 or 1.75; write one of these."),
        ("$12", 400, "Is in USD, but the currency is ZAR."),
    ],
)
def test_cell_of_the_list_shows_what_it_understood(
    eve: Client, acceptance: Acceptance, ann: Origin, text: str, status: int, message: str
) -> None:
    acceptance.create("p1", fields(), ann)
    entries = {"field": "price", "value": text, "version": "1"}
    answer = eve.post(f"{LIST}p1/cell/", entries)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_price_filter_accepts_the_same_notations(
    eve: Client, acceptance: Acceptance, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    world.work()
    for text, is_found in (("1 400,00", True), ("R1 600", False), ("0", True)):
        assert ("Basic hosting" in eve.get(LIST, {"min": text}).text) is is_found
