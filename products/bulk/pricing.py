"""How a price is changed for many products at once: set, by a share, by an amount, and rounded. Pure, in Decimal."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from products.errors import Invalid
from products.product import Product

CENT = Decimal("0.01")


class AdjustmentKind(StrEnum):
    SET = "set"
    PERCENT = "percent"
    AMOUNT = "amount"


class Rounding(StrEnum):
    """What the new price is rounded to; NINES is the nearest amount that ends in .99."""

    CENTS = "0.01"
    ONES = "1"
    FIVES = "5"
    TENS = "10"
    NINES = ".99"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One way to change an amount; ``by`` is the new amount, or a signed percentage or amount."""

    kind: AdjustmentKind
    by: Decimal
    rounding: Rounding = Rounding.CENTS

    def of(self, amount: Decimal) -> Decimal:
        """The new amount; whether it is a legal price is for the product's rules to say."""
        if self.kind is AdjustmentKind.SET:
            return self.by
        changed = (
            amount * (1 + self.by / 100)
            if self.kind is AdjustmentKind.PERCENT
            else amount + self.by
        )
        return rounded(changed, self.rounding)


def rounded(amount: Decimal, rounding: Rounding) -> Decimal:
    """Half up, as people round."""
    if rounding is Rounding.NINES:
        return (amount + CENT).quantize(Decimal(1), ROUND_HALF_UP) - CENT
    step = Decimal(rounding)
    return ((amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(CENT)


def new_prices(
    product: Product, fields: Iterable[str], adjustment: Adjustment
) -> dict[str, Decimal]:
    """The product's prices after the adjustment; one that it does not have stays away."""
    standing = {name: getattr(product, name) for name in fields}
    return {name: adjustment.of(amount) for name, amount in standing.items() if amount is not None}


def parse_signed_number(text: str, field: str) -> Decimal:
    """A number as a person types it, with or without a sign; Invalid."""
    typed = text.strip().replace("\u2212", "-").removesuffix("%").strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]{1,4})?", typed):
        raise Invalid({field: ["Must be a number such as 10, -5 or 12.50."]})
    return Decimal(typed)
