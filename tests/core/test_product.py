"""The rules of a product, without a dependency."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from products.currency import money
from products.documents import format_timestamp, from_document, parse_timestamp, to_document
from products.errors import Invalid
from products.identifiers import validated_id
from products.product import RULES, BillingCycle, Product, new_product, normalised_name
from tests.support.builders import NOON, a_product, fields


def made(**changes: Any) -> Product:
    """Return a new product with these fields."""
    return new_product("p1", fields(**changes), by="ann", at=NOON)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("name", "  Abc  ", "Abc"),
        ("name", "x" * 100, "x" * 100),
        ("description", "Line one.\r\nLine two.", "Line one.\nLine two."),
        ("price", "0.01", Decimal("0.01")),
        ("price", "999999.99", Decimal("999999.99")),
        ("price", 1500, Decimal("1500.00")),
        ("price", Decimal("95"), Decimal("95.00")),
        ("price", "95.1", Decimal("95.10")),
        ("price", "000095", Decimal("95.00")),
        ("renewal_price", None, None),
        ("renewal_price", "", None),
        ("currency", "USD", "USD"),
        ("billing_cycle", "monthly", BillingCycle.MONTHLY),
        ("period", "", None),
        ("features", ["SSL", " Backups "], ("SSL", "Backups")),
        ("features", [], ()),
        ("active", False, False),
    ],
)
def test_a_legal_value_is_kept(field: str, value: Any, kept: Any) -> None:
    assert getattr(made(**{field: value}), field) == kept


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "ab", "Must have 3 to 100 characters; it has 2."),
        ("name", " ab ", "Must have 3 to 100 characters; it has 2."),
        ("name", "x" * 101, "Must have 3 to 100 characters; it has 101."),
        ("name", 7, "Must be text."),
        ("name", None, "Must be text."),
        ("name", "tab\there", "Must not contain control characters."),
        ("name", "nul\0here", "Must not contain control characters."),
        ("name", "half \ud800 pair", "Must not contain control characters."),
        ("description", "too short", "Must have 10 to 500 characters; it has 9."),
        ("price", "0", "Must be between 0.01 and 999999.99."),
        ("price", "-1", "Must be between 0.01 and 999999.99."),
        ("price", "1000000", "Must be between 0.01 and 999999.99."),
        ("price", "1.005", "Must have at most 2 decimal places."),
        ("price", "1.500", "Must have at most 2 decimal places."),
        ("price", Decimal("1.500"), "Must have at most 2 decimal places."),
        ("price", " 95.10", 'Must be an amount such as "1500.00".'),
        ("price", "0000001.50", 'Must be an amount such as "1500.00".'),
        ("price", Decimal("NaN"), "Must be between 0.01 and 999999.99."),
        ("price", Decimal("Infinity"), "Must be between 0.01 and 999999.99."),
        ("price", Decimal("1e400"), "Must be between 0.01 and 999999.99."),
        ("price", 10**30, "Must be between 0.01 and 999999.99."),
        ("price", 15.5, 'Must be an amount such as "1500.00".'),
        ("price", True, 'Must be an amount such as "1500.00".'),
        ("price", "1_000", 'Must be an amount such as "1500.00".'),
        ("price", "٣", 'Must be an amount such as "1500.00".'),
        ("price", None, 'Must be an amount such as "1500.00".'),
        ("currency", "zar", "Must be an ISO 4217 currency code such as ZAR."),
        ("currency", ["ZAR"], "Must be an ISO 4217 currency code such as ZAR."),
        ("billing_cycle", "weekly", "Must be one of one-time, monthly, yearly."),
        ("billing_cycle", [], "Must be one of one-time, monthly, yearly."),
        ("period", "year", "Must have 5 to 100 characters; it has 4."),
        ("features", "SSL", "Must be a list of texts."),
        ("features", ["ok"] * 21, "Must have at most 20 entries; it has 21."),
        ("features", ["ok", "x"], "Entry 2: Must have 2 to 200 characters; it has 1."),
        ("active", "yes", "Must be true or false."),
        ("colour", "red", "There is no such field, or it can't be written."),
    ],
)
def test_an_illegal_value_is_explained(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(**{field: value})
    assert refused.value.errors == {field: [sentence]}


def test_all_errors_are_reported_together() -> None:
    with pytest.raises(Invalid) as refused:
        new_product("p1", {"price": "x", "hue": 1}, by="ann", at=NOON)
    assert set(refused.value.errors) == {"name", "description", "price", "hue"}


def test_a_one_time_product_has_no_renewal_price() -> None:
    with pytest.raises(Invalid, match="renewal_price: A one-time product is not renewed"):
        made(renewal_price="10.00")


@pytest.mark.parametrize("wrong", ["", "a" * 65, "a b", "ä", "a/b", None, 7, "a\n"])
def test_an_illegal_id_is_refused(wrong: Any) -> None:
    with pytest.raises(Invalid, match="1 to 64 letters"):
        validated_id(wrong)


@pytest.mark.parametrize(
    ("changes", "period"),
    [
        ({}, "once-off"),
        ({"billing_cycle": "yearly"}, "per year"),
        ({"billing_cycle": "monthly"}, "per month"),
        ({"billing_cycle": "yearly", "renewal_price": "1000"}, "once-off + R1000/year"),
        (
            {"billing_cycle": "monthly", "renewal_price": "99.50", "currency": "EUR"},
            "once-off + €99.50/month",
        ),
        ({"billing_cycle": "yearly", "renewal_price": "1500"}, "per year"),
        ({"period": "per domain"}, "per domain"),
    ],
)
def test_a_missing_period_is_derived(changes: dict[str, Any], period: str) -> None:
    assert made(**changes).shown_period == period


def test_a_period_equal_to_the_derived_one_stays_derived() -> None:
    product = made(billing_cycle="yearly", renewal_price="1000", period="once-off + R1000/year")
    assert product.period is None


def test_money_is_written_as_people_write_it() -> None:
    assert [money(Decimal("1000.00"), "ZAR"), money(Decimal("99.50"), "JPY")] == [
        "R1000",
        "JPY 99.50",
    ]


def test_names_that_differ_by_case_or_spaces_are_the_same() -> None:
    full_width = "\uff22asic Hosting"
    same = ["Basic Hosting", " basic  HOSTING", "BasicHosting", full_width]
    assert len(set(map(normalised_name, same))) == 1


INVISIBLE = [
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x180F, 0x200B, 0x200D),
    *(0x2060, 0x2065, 0x206F, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF0, 0xFFFC),
    *(0x16FE4, 0x1BCA0, 0x1D159, 0x1D173, 0xE0001, 0xE0061, 0xE0100, 0xE01EF, 0xE0FFF),
]


@pytest.mark.parametrize("code", INVISIBLE, ids=hex)
def test_invisible_characters_make_no_other_name(code: int) -> None:
    assert normalised_name(f"Basic{chr(code)} Hosting") == normalised_name("Basic Hosting")
    with pytest.raises(ValueError, match="Must"):
        RULES["name"](chr(code) * 5)


def test_a_document_is_parsed_to_the_same_product() -> None:
    product = a_product(
        renewal_price=Decimal("9.50"), billing_cycle=BillingCycle.YEARLY, features=("SSL",)
    )
    assert from_document(to_document(product)) == product
    assert from_document(to_document(replace(product, renewal_price=None))).renewal_price is None


def test_only_our_own_timestamp_format_is_parsed() -> None:
    assert parse_timestamp(format_timestamp(NOON)) == NOON
    assert format_timestamp(NOON) == "2026-03-01T12:00:00.000000Z"
    for other in (
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000000+00:00",
        "2026-13-01T12:00:00.000000Z",
        "",
    ):
        with pytest.raises(ValueError, match=r"."):
            parse_timestamp(other)
