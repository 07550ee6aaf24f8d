"""Price changes for many products: set a price, change it by percent or amount, round it. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from products.amounts import ANY_NOTATION, UnclearAmount
from products.errors import Invalid
from products.product import Product

CENT = Decimal("0.01")
EXPECTED = "Must be a number such as 10, -5 or 12.50."
MINUS_SIGN = "\u2212"
SIGNED_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,4})?")


class AdjustmentKind(StrEnum):
    SET = "set"
    PERCENT = "percent"
    AMOUNT = "amount"


class Rounding(StrEnum):
    """The step a new price is rounded to; NINES is the nearest amount that ends in .99."""

    CENTS = "0.01"
    ONES = "1"
    FIVES = "5"
    TENS = "10"
    NINES = ".99"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A price change; ``by`` is the new amount, or a signed percentage or amount."""

    kind: AdjustmentKind
    by: Decimal
    rounding: Rounding = Rounding.CENTS

    def new_amount(self, amount: Decimal) -> Decimal:
        """Return the adjusted amount, without checking that it is a valid price.

        The rules of the product check it when the write is planned.
        """
        if self.kind is AdjustmentKind.SET:
            return self.by
        if self.kind is AdjustmentKind.PERCENT:
            factor = 1 + self.by / 100
            return rounded(amount * factor, self.rounding)
        return rounded(amount + self.by, self.rounding)


def rounded(amount: Decimal, rounding: Rounding) -> Decimal:
    """Return the amount rounded half up to the rounding's step."""
    if rounding is Rounding.NINES:
        return _rounded_half_up(amount + CENT) - CENT
    step = Decimal(rounding)
    steps = _rounded_half_up(amount / step)
    return (steps * step).quantize(CENT)


def _rounded_half_up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


def new_prices(
    product: Product, fields: Iterable[str], adjustment: Adjustment
) -> dict[str, Decimal]:
    """Return the adjusted prices by field; a price that the product does not have is left out."""
    prices: dict[str, Decimal] = {}
    for name in fields:
        amount = getattr(product, name)
        if amount is not None:
            prices[name] = adjustment.new_amount(amount)
    return prices


def parse_percentage(text: str, field: str) -> Decimal:
    """Parse a percentage as people type it: perhaps with signs, or with a decimal comma.

    Raise Invalid for ``field`` when the text is not such a number.
    """
    typed = text.strip().replace(MINUS_SIGN, "-").removesuffix("%").strip().replace(",", ".")
    if not SIGNED_NUMBER.fullmatch(typed):
        raise Invalid({field: [EXPECTED]})
    return Decimal(typed)


def parse_signed_amount(text: str, field: str) -> Decimal:
    """Parse an amount as people type it, with or without a sign. Raise Invalid like the above."""
    typed = text.strip().replace(MINUS_SIGN, "-")
    unsigned = typed.removeprefix("+").removeprefix("-").strip()
    try:
        amount = ANY_NOTATION.read(unsigned)
    except UnclearAmount as unclear:
        raise Invalid({field: [str(unclear)]}) from None
    except ValueError:
        raise Invalid({field: [EXPECTED]}) from None
    if amount.currencies or amount.value < 0:
        raise Invalid({field: [EXPECTED]})  # the products may have other currencies
    return -amount.value if typed.startswith("-") else amount.value
