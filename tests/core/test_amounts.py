"""Amounts as people write them: every clear notation is read, no ambiguous one is guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.amounts import ANY_NOTATION, DecimalMark, Notation, UnclearAmount, proofs
from products.currency import CURRENCIES, CURRENCY_SIGNS

COMMA, POINT = DecimalMark.COMMA, DecimalMark.POINT
amounts = st.integers(1, 99_999_999).map(lambda cents: Decimal(cents) / 100)


def grouped(amount: Decimal, separator: str, mark: str, places: int = 2) -> str:
    whole = f"{int(amount):,}".replace(",", separator)
    return f"{whole}{mark}{f'{amount:.2f}'[-2:]}" if places else whole


@pytest.mark.parametrize(
    ("text", "value", "mark"),
    [
        ("1500", "1500", None),
        ("1 500,00", "1500", COMMA),
        ("R1 500,00", "1500", COMMA),
        ("R 1 500,00", "1500", COMMA),
        ("R1500", "1500", None),
        ("R1\u00a0500", "1500", None),
        ("1\u202f500,5", "1500.5", COMMA),
        ("1,500.00", "1500", POINT),
        ("1.500,00", "1500", COMMA),
        ("1.500.000", "1500000", COMMA),
        ("1'500.50", "1500.5", POINT),
        ("1,50,000.00", "150000", POINT),
        ("$15.00", "15", POINT),
        ("€ 12,90", "12.9", COMMA),
        ("15.00 GBP", "15", POINT),
        ("99.900000000000006", "99.9", POINT),
        ("1.5E+03", "1500", POINT),
        ("149.0000", "149", POINT),
        ("0.500", "0.5", POINT),
        (".99", "0.99", POINT),
        ("1500,-", "1500", None),
        ("-5", "-5", None),
        ("\u0661\u0665\u066b\u0665\u0660", "15.5", COMMA),
        ("\uff11\uff15\uff10\uff10", "1500", None),
        ("1.005", None, None),
        ("1.500", None, None),
        ("1,500", None, None),
        ("12,900", None, None),
        ("R1.299", None, None),
    ],
)
def test_an_amount_is_read_or_ambiguous(
    text: str, value: str | None, mark: DecimalMark | None
) -> None:
    if value is None:
        with pytest.raises(UnclearAmount, match=r"Can mean .* or .*; write one of these"):
            ANY_NOTATION.read(text)
    else:
        amount = ANY_NOTATION.read(text)
        assert (amount.value, amount.mark) == (Decimal(value), mark)


@pytest.mark.parametrize(
    "text", ["", " ", "Free", "12 kg", "10%", "99/month", "1 50", "12,345,67", "1..5", "9" * 61]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Must be an amount such as"):
        ANY_NOTATION.read(text)


@given(amounts, st.sampled_from([" ", "\u00a0", "\u202f", ".", "'", ""]))
def test_decimal_commas_are_read_to_the_cent(amount: Decimal, separator: str) -> None:
    for text in (grouped(amount, separator, ","), f"R {grouped(amount, separator, ',')}"):
        assert ANY_NOTATION.read(text).value == amount


@given(amounts, st.sampled_from([" ", "\u00a0", ",", "'", ""]))
def test_decimal_points_are_read_to_the_cent(amount: Decimal, separator: str) -> None:
    assert ANY_NOTATION.read(grouped(amount, separator, ".")).value == amount


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(".,"))
def test_three_digits_after_one_mark_are_never_guessed(whole: int, rest: int, mark: str) -> None:
    text = f"{whole}{mark}{rest:03}"
    with pytest.raises(UnclearAmount) as unclear:
        ANY_NOTATION.read(text)
    for known, value in unclear.value.amounts.items():
        assert Notation(known).read(text).value == value


@given(amounts)
def test_floats_of_spreadsheets_are_rounded_to_what_was_typed(amount: Decimal) -> None:
    noisy = repr(float(amount) * (1 + 2**-50))
    if len(noisy.replace(".", "")) >= 15:
        assert ANY_NOTATION.read(noisy).value == amount


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_each_currency_code_is_understood(code: str) -> None:
    assert ANY_NOTATION.read(f"{code} 12.50").currencies == (code,)


def test_our_own_signs_come_first() -> None:
    for code, sign in CURRENCY_SIGNS.items():
        assert ANY_NOTATION.read(f"{sign}12.50").currencies[0] == code
    with pytest.raises(ValueError, match="two currencies"):
        ANY_NOTATION.read("€ 12 USD")


def test_a_chosen_mark_refuses_the_other_one() -> None:
    chosen = Notation(COMMA, is_chosen=True)
    assert chosen.read("1.500").value == 1500
    with pytest.raises(ValueError, match="Is not written with a decimal comma"):
        chosen.read("12.50")
    assert Notation(COMMA).read("12.50").value == Decimal("12.5")


def test_proofs_are_the_first_clear_amount_of_each_mark() -> None:
    texts = ["free", "1.500", "1500", "2,50", "3,75", "1.25"]
    assert proofs(texts) == {COMMA: "2,50", POINT: "1.25"}
