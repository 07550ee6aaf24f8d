"""The currencies we accept, and their decimal places, compared with the published standard."""

from decimal import Decimal

import pytest
from iso4217 import raw_xml

from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY, money, places
from products.errors import Invalid
from products.lists import price_sort_key
from products.merging import merged
from products.product import validated_edits
from tests.support.builders import a_product

UNITS_OF_ACCOUNT = {
    "UYW",  # Uruguay's pension unit
    "XAD",  # the Arab Monetary Fund's accounting dinar
}
"""Codes that the standard does not mark as funds, although nobody pays in them."""


def national_currencies() -> dict[str, int]:
    """Return the places of the active codes of ISO 4217 without funds, metals, and test codes."""
    codes = {}
    for entry in raw_xml.findall("CcyTbl/CcyNtry"):
        name = entry.find("CcyNm")
        code = entry.findtext("Ccy")
        if name is None or code is None:
            continue  # a country without a currency of its own
        is_fund = name.get("IsFund") == "true"
        minor_units = entry.findtext("CcyMnrUnts")
        if minor_units not in (None, "N.A.") and not is_fund:  # metals and test codes have none
            codes[code] = int(str(minor_units))
    return codes


def test_the_currencies_are_those_of_iso_4217() -> None:
    assert national_currencies().keys() - UNITS_OF_ACCOUNT == CURRENCIES


def test_each_currency_has_the_places_of_the_standard() -> None:
    standard = national_currencies()
    assert {code: places(code) for code in CURRENCIES} == {
        code: standard[code] for code in CURRENCIES
    }


@pytest.mark.parametrize("code", ["ANG", "BGN", "HRK", "ZWL"])
def test_a_withdrawn_currency_is_not_offered(code: str) -> None:
    assert code not in CURRENCIES


@pytest.mark.parametrize("code", ["CHE", "CLF", "USN", "UYW", "XAU", "XDR", "XTS", "XXX"])
def test_funds_metals_and_test_codes_are_not_offered(code: str) -> None:
    assert code not in CURRENCIES


def test_the_default_and_all_signs_are_of_offered_currencies() -> None:
    assert {DEFAULT_CURRENCY, *CURRENCY_SIGNS} <= CURRENCIES


@pytest.mark.parametrize(
    ("currency", "price", "kept"),
    [
        ("ZAR", "1.5", "1.50"),
        ("ZAR", "1.500", None),
        ("ZAR", "1.501", None),
        ("JPY", "1500", "1500.00"),
        ("JPY", "1500.00", "1500.00"),
        ("JPY", "1500.50", None),
        ("JPY", "1.500", None),  # it may mean 1500
        ("KWD", "1.234", "1.234"),
        ("KWD", "1.500", "1.50"),
        ("KWD", "1.2345", None),
    ],
)
def test_an_amount_has_the_places_of_its_currency(
    currency: str, price: str, kept: str | None
) -> None:
    edits = {"price": price, "currency": currency}
    if kept is None:
        with pytest.raises(Invalid, match=r"^price: Must"):
            validated_edits(edits)
        with pytest.raises(Invalid, match=r"^price: Must"):
            validated_edits({"price": price}, currency)
    else:
        assert str(validated_edits(edits)["price"]) == kept


def test_an_amount_must_fit_a_new_currency() -> None:
    product = a_product(price=Decimal("1500.50"))
    with pytest.raises(Invalid, match="whole amount in JPY"):
        merged(product, {"currency": "JPY"}, product)
    assert merged(product, {"currency": "JPY", "price": "1500"}, product).currency == "JPY"


def test_an_ambiguous_amount_is_refused_even_if_it_changes_nothing() -> None:
    product = a_product(price=Decimal("1.50"))
    with pytest.raises(Invalid):
        merged(product, {"price": "1.500"}, product)


def test_a_product_from_before_the_rule_can_be_deactivated() -> None:
    product = a_product(price=Decimal("1500.50"), currency="JPY")
    assert merged(product, {"active": False}, product).active is False


def test_money_has_the_places_of_its_currency() -> None:
    assert money(Decimal("1.234"), "KWD") == "KWD 1.234"
    assert money(Decimal("1.50"), "KWD") == "KWD 1.500"
    assert money(Decimal("1500.00"), "JPY") == "JPY 1500"


@pytest.mark.parametrize("currency", ["ZAR", "JPY", "KWD"])
def test_sort_keys_sort_as_prices_do(currency: str) -> None:
    step = Decimal(1).scaleb(-places(currency))
    prices = [step * factor for factor in (1, 9, 10, 99, 1000, 1001, 99_999)]
    assert sorted(prices, key=lambda price: price_sort_key(price, currency)) == prices
