"""Price changes: exact to the cent."""

from decimal import Decimal

import pytest

from products.bulk.pricing import Adjustment, AdjustmentKind, Rounding, parse_signed_number
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
    ("text", "number"), [("10", "10"), (" -5 ", "-5"), ("+2.5%", "2.5"), ("\u22123", "-3")]
)
def test_signed_number_is_parsed_as_people_type_it(text: str, number: str) -> None:
    assert parse_signed_number(text, "by") == Decimal(number)


@pytest.mark.parametrize("text", ["", "x", "1e5", "NaN", "1,5", "--1", "9" * 10, "1.23456"])
def test_invalid_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_signed_number(text, "by")
