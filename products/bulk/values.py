"""The value that a cell means, as people, spreadsheets and other shops write it. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from products.amounts import SIGNS, Notation, exact_amount
from products.bulk.columns import PRICE_FIELDS, Column
from products.bulk.csv_files import CLEARED, unescape_cell
from products.bulk.sheets import Cell, cell_text
from products.currency import CURRENCIES
from products.identifiers import parse_version
from products.product import BillingCycle

CLEARABLE = {"renewalPrice", "period", "features"}
"""The fields that may be empty."""
_WORD = re.compile(r"[^\W_]+")

TRUE_WORDS = frozenset(
    "true yes y 1 on x active activated enabled published publish online live visible ja aktief "
    "aktiv actif oui si sí sim".split()
)
FALSE_WORDS = frozenset(
    "false no n 0 -1 off inactive deactivated disabled draft archived unpublished unlisted offline "
    "hidden private retired proposed rejected pending nee nein non não onaktief inaktiv".split()
)
CYCLE_WORDS: dict[BillingCycle, str] = {
    BillingCycle.ONE_TIME: (
        "one-time onetime once once-off onceoff one-off oneoff single single-payment lifetime "
        "eenmalig einmalig"
    ),
    BillingCycle.MONTHLY: (
        "monthly month per-month a-month 1-month every-month mo m p-m pm maandeliks maand "
        "maandelijks monatlich monat mensuel mensual mensal mensile"
    ),
    BillingCycle.YEARLY: (
        "yearly year per-year a-year 1-year every-year annual annually annum per-annum p-a pa yr "
        "12-months jaarliks jaar jaarlijks jährlich jahr annuel anual annuale"
    ),
}
RECURRING = {"recurring", "subscription"}
_CYCLES = {word: cycle for cycle, words in CYCLE_WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads the cells of one file."""

    notation: Notation

    def value(
        self, column: Column, cell: Cell, currency: str | None = None, *, is_exported: bool = False
    ) -> Any:
        """Return the value for the column's field; the rules of the product check it later.

        ``currency`` is the row's, and ``is_exported`` says that it is from our own export. Raise
        ValueError with a sentence when the cell can't be read.
        """
        text = cell_text(cell)
        if text == CLEARED:
            return _cleared(column.field)
        text = unescape_cell(text)
        if column.field in PRICE_FIELDS:
            return self._amount(cell, text, currency)
        if column.field == "features":
            return _features(text, column, is_exported=is_exported)
        reader = _READERS.get(column.field)
        return reader(text) if reader else text

    def _amount(self, cell: Cell, text: str, currency: str | None) -> Decimal:
        if isinstance(cell, Decimal):
            return exact_amount(cell)
        return self.notation.read_in(text, currency)


def _cleared(field: str) -> list[str] | None:
    """Return the empty value of a field. Raise ValueError for one that can't be empty."""
    if field not in CLEARABLE:
        raise ValueError("Can't be cleared.")
    return [] if field == "features" else None


def _features(text: str, column: Column, *, is_exported: bool) -> list[str]:
    """Return the features in a cell: its lines, or the parts between bars or commas."""
    separators = "\n" if is_exported else "\n|"
    if column.is_of_tags and not any(separator in text for separator in separators):
        separators = ","
    parts = re.split(f"[{separators}]", text)
    return [part.strip() for part in parts if part.strip()]


def read_active(text: str) -> bool:
    """Return whether the product is active. Raise ValueError for other words."""
    word = text.strip().casefold()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("Must be yes or no.")


def read_cycle(text: str) -> BillingCycle:
    """Return the billing cycle. Raise ValueError for other words."""
    word = "-".join(_WORD.findall(text.casefold()))
    cycle = _CYCLES.get(word)
    if cycle is None:
        raise ValueError(f"Must be one of {', '.join(BillingCycle)}.")
    return cycle


def is_recurring(text: str) -> bool:
    """Return whether the text says that there is a cycle, but not which."""
    return text.strip().casefold() in RECURRING


def read_currency(text: str) -> str:
    """Return the currency of a code or sign in any case. Raise ValueError for anything else."""
    word = text.strip().strip(".")
    found = SIGNS.get(word.casefold(), [word.upper()])
    if found[0] not in CURRENCIES:
        raise ValueError("Must be an ISO 4217 currency code such as ZAR.")
    return found[0]


def read_version(text: str) -> int:
    """Return the version that a row started from. Raise ValueError for anything else."""
    version = parse_version(text.strip().removeprefix("v"))
    if version is None:
        raise ValueError("Must be a version such as 3, as in an export.")
    return version


def visible(text: str) -> str:
    """Return the text without invisible characters, which spreadsheets and web pages add."""
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


_READERS: Mapping[str, Callable[[str], Any]] = {
    "productId": visible,
    "active": read_active,
    "billingCycle": read_cycle,
    "currency": read_currency,
    "version": read_version,
}
