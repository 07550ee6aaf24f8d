"""What the rows of a job do to prices: differences, totals, and what looks like a mistake. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from products.bulk.rows import FieldChanges, Row, RowState

PRICE_FIELDS = ("price", "renewal_price")
LARGE_PERCENTAGE = 50
"""A price that changes by more is unusual."""
MAX_FROM_MEDIAN = 20
"""A price is unusual too if its percentage is so far from the median of the job."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price before and after; one that is new or removed has no difference."""

    field: str
    before: Decimal | None
    after: Decimal | None
    currency: str

    @property
    def difference(self) -> Decimal | None:
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def percentage(self) -> Decimal | None:
        if self.difference is None or not self.before:
            return None
        return 100 * self.difference / self.before


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the prices in one currency, before and after."""

    currency: str
    products: int
    before: Decimal
    after: Decimal


def price_changes(row: Row) -> list[PriceChange]:
    """Return what the row does to the price and to the renewal price."""
    return changes_of_prices(row.changed, row.currency)


def changes_of_prices(changed: FieldChanges, currency: str) -> list[PriceChange]:
    """Return the price and the renewal price among these changes."""
    return [PriceChange(name, *changed[name], currency) for name in PRICE_FIELDS if name in changed]


def totals(rows: Iterable[Row]) -> list[Total]:
    """Return the sums of the prices of the rows that will be written, by currency."""
    found: dict[str, Total] = {}
    for row in rows:
        if row.state != RowState.WAITING:
            continue
        for change in price_changes(row):
            if change.field == "price" and change.before is not None and change.after is not None:
                known = found.get(row.currency, Total(row.currency, 0, Decimal(0), Decimal(0)))
                found[row.currency] = Total(
                    row.currency,
                    known.products + 1,
                    known.before + change.before,
                    known.after + change.after,
                )
    return sorted(found.values(), key=lambda total: -total.products)


def unusual_numbers(rows: Iterable[Row]) -> frozenset[int]:
    """Return the numbers of rows whose prices change by far more than those of the others."""
    percentages = {
        row.number: [
            change.percentage for change in price_changes(row) if change.percentage is not None
        ]
        for row in rows
    }
    everything = [value for values in percentages.values() for value in values]
    middle = median(everything) if everything else Decimal(0)
    return frozenset(
        number
        for number, values in percentages.items()
        if any(
            abs(value) > LARGE_PERCENTAGE or abs(value - middle) > MAX_FROM_MEDIAN
            for value in values
        )
    )
