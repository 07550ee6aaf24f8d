"""The currencies we accept, compared with the published standard."""

import pytest
from iso4217 import raw_xml

from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY

UNITS_OF_ACCOUNT = {
    "UYW",  # Uruguay's pension unit
    "XAD",  # the Arab Monetary Fund's accounting dinar
}
"""Codes that the standard does not mark as funds, although nobody pays in them."""


def national_currencies() -> set[str]:
    """Return the active codes of ISO 4217 without funds, metals, and test codes."""
    codes = set()
    for entry in raw_xml.findall("CcyTbl/CcyNtry"):
        name = entry.find("CcyNm")
        code = entry.findtext("Ccy")
        if name is None or code is None:
            continue  # a country without a currency of its own
        is_fund = name.get("IsFund") == "true"
        has_minor_units = entry.findtext("CcyMnrUnts") != "N.A."  # metals and test codes have none
        if has_minor_units and not is_fund:
            codes.add(code)
    return codes


def test_the_currencies_are_those_of_iso_4217() -> None:
    assert national_currencies() - UNITS_OF_ACCOUNT == CURRENCIES


@pytest.mark.parametrize("code", ["ANG", "BGN", "HRK", "ZWL"])
def test_a_withdrawn_currency_is_not_offered(code: str) -> None:
    assert code not in CURRENCIES


@pytest.mark.parametrize("code", ["CHE", "CLF", "USN", "UYW", "XAU", "XDR", "XTS", "XXX"])
def test_funds_metals_and_test_codes_are_not_offered(code: str) -> None:
    assert code not in CURRENCIES


def test_the_default_and_all_signs_are_of_offered_currencies() -> None:
    assert {DEFAULT_CURRENCY, *CURRENCY_SIGNS} <= CURRENCIES
