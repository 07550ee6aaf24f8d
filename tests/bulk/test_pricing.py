"""Price changes: exact to the cent."""

from decimal import Decimal

import pytest

from products.bulk.pricing import (
    Adjustment,
    AdjustmentKind,
    Rounding,
    parse_percentage,
    parse_signed_amount,
)
from products.errors import Invalid


@pytest.mark.parametrize(
    ("kind", "by", "rounding", "amount", "expected"),
    [
        (AdjustmentKind.SET, "7.5", Rounding.CENTS, "100", "7.5"),
        (AdjustmentKind.PERCENT, "10", Rounding.CENTS, "99.95", "109.95"),
        (AdjustmentKind.PERCENT, "-33.3333", Rounding.CENTS, "100", "66.67"),
        (AdjustmentKind.AMOUNT, "-5", Rounding.CENTS, "12.50", "7.50"),
        (AdjustmentKind.PERCENT, "10", Rounding.ONES, "95", "105"),
        (AdjustmentKind.PERCENT, "7.5", Rounding.FIVES, "1500", "1615"),
        (AdjustmentKind.PERCENT, "7.5", Rounding.TENS, "1500", "1610"),
        (AdjustmentKind.PERCENT, "0", Rounding.NINES, "104.40", "103.99"),
        (AdjustmentKind.PERCENT, "0", Rounding.NINES, "104.60", "104.99"),
        (AdjustmentKind.AMOUNT, "0.005", Rounding.CENTS, "1.00", "1.01"),
    ],
)
def test_price_is_adjusted_and_rounded_half_up(
    kind: AdjustmentKind, by: str, rounding: Rounding, amount: str, expected: str
) -> None:
    assert Adjustment(kind, Decimal(by), rounding).new_amount(Decimal(amount)) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "number"),
    [("10", "10"), (" -5 ", "-5"), ("+2.5%", "2.5"), ("\u22123", "-3"), ("7,5 %", "7.5")],
)
def test_percentage_is_parsed_as_people_type_it(text: str, number: str) -> None:
    assert parse_percentage(text, "by") == Decimal(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", "10"),
        (" -5 ", "-5"),
        ("+1 500,00", "1500"),
        ("\u22123,5", "-3.5"),
        ("1,250.50", "1250.5"),
    ],
)
def test_amount_is_parsed_as_people_type_it(text: str, number: str) -> None:
    assert parse_signed_amount(text, "by") == Decimal(number)


@pytest.mark.parametrize("text", ["", "x", "1e500", "NaN", "--1", "9" * 70, "R50"])
def test_invalid_number_is_refused(text: str) -> None:
    for parse in (parse_percentage, parse_signed_amount):
        with pytest.raises(Invalid, match="Must be a number such as"):
            parse(text, "by")


def test_ambiguous_amount_is_refused() -> None:
    with pytest.raises(Invalid, match=r"Can mean 1500.00 or 1.50"):
        parse_signed_amount("-1.500", "by")
