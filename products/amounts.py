"""Amounts as people and spreadsheets write them, and what they mean. Pure.

An amount has a decimal mark and perhaps a separator of thousands: ``1 500,00``, ``1.500,00`` or
``R1,500.00``. A text that means two amounts in two notations, such as ``1.500``, is ambiguous. It
is read only when the notation is known.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from products.currency import CURRENCIES, canonical
from products.unicode_text import normalized

MAX_LENGTH = 60  # characters of an amount with its currency
CENT = Decimal("0.01")
MAX_ROUNDED = Decimal(10) ** 12
FLOAT_DIGITS = 15
"""From so many digits on, a number was written by a computer from a binary fraction."""
FLOAT_ERROR = Decimal("0.000001")
EXPECTED = "Must be an amount such as 1500.00, 1 500,00 or R1 500."
DOLLARS = "USD AUD CAD NZD HKD SGD NAD TTD JMD FJD BBD BSD BZD GYD LRD SBD SRD XCD TWD".split()
SIGNS: dict[str, list[str]] = {
    "r": ["ZAR"],
    "rand": ["ZAR"],
    "$": DOLLARS,
    "us$": ["USD"],
    "a$": ["AUD"],
    "au$": ["AUD"],
    "c$": ["CAD"],
    "ca$": ["CAD"],
    "nz$": ["NZD"],
    "hk$": ["HKD"],
    "s$": ["SGD"],
    "n$": ["NAD"],
    "r$": ["BRL"],
    "mx$": ["MXN"],
    "€": ["EUR"],
    "euro": ["EUR"],
    "£": ["GBP", "EGP", "GIP", "FKP"],
    "¥": ["JPY", "CNY"],
    "₹": ["INR"],
    "rs": ["INR", "PKR", "LKR", "MUR", "NPR"],
    "₦": ["NGN"],
    "ksh": ["KES"],
    "tsh": ["TZS"],
    "ush": ["UGX"],
    "gh₵": ["GHS"],
    "₵": ["GHS"],
    "mt": ["MZN"],
    "p": ["BWP"],
    "kr": ["SEK", "NOK", "DKK", "ISK"],
    "fr": ["CHF"],
    "sfr": ["CHF"],
    "zł": ["PLN"],
    "kč": ["CZK"],
    "ft": ["HUF"],
    "lei": ["RON"],
    "₺": ["TRY"],
    "tl": ["TRY"],
    "₽": ["RUB"],
    "₴": ["UAH"],
    "₩": ["KRW"],
    "₪": ["ILS"],
    "₫": ["VND"],
    "฿": ["THB"],
    "₱": ["PHP"],
}
"""The currencies that a sign or word can mean, in lower case."""
_NO_CENTS = re.compile(r"[.,/][-\u2013\u2014]+")  # as in "1500,-"
_BARE_MARK = re.compile(r"(?:^|\s)[.,]$")  # as in ".99"
_DIGIT_MARKS = str.maketrans({"\u066b": ",", "\u066c": "'", "\u2019": "'", "\u2212": "-"})


class DecimalMark(StrEnum):
    """The character in front of the decimal places; ``label`` is its name."""

    POINT = "."
    COMMA = ","

    @property
    def label(self) -> str:
        return f"decimal {self.name.lower()}"

    @property
    def other(self) -> "DecimalMark":
        return DecimalMark.COMMA if self is DecimalMark.POINT else DecimalMark.POINT


class UnclearAmount(ValueError):
    """The text means different amounts in different notations: ``amounts``, by decimal mark."""

    def __init__(self, amounts: dict[DecimalMark, Decimal]) -> None:
        self.amounts = amounts
        larger, smaller = sorted(amounts.values(), reverse=True)
        super().__init__(f"Can mean {larger:f} or {smaller:f}; write one of these.")


@dataclass(frozen=True, slots=True)
class WrittenAmount:
    """An amount that was read.

    ``mark`` is the decimal mark that the text itself proves, and ``currencies`` are those that its
    sign or code can mean, the most likely first.
    """

    value: Decimal
    mark: DecimalMark | None = None
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notation:
    """How the amounts of a form or a file are written.

    Ambiguous amounts are read with ``mark``. An amount that proves the other mark is accepted,
    unless somebody has chosen the mark (``is_chosen``).
    """

    mark: DecimalMark | None = None
    is_chosen: bool = False

    def read(self, text: str) -> WrittenAmount:
        """Return the amount. Raise ValueError with a sentence, UnclearAmount if it is ambiguous."""
        number, currencies = _split_currency(_plain(text))
        amounts = {mark: _value(number, mark) for mark in DecimalMark}
        readings = {mark: value for mark, value in amounts.items() if value is not None}
        if not readings:
            raise ValueError(EXPECTED)
        if self.mark and self.is_chosen and self.mark not in readings:
            raise ValueError(f"Is not written with a {self.mark.label}.")
        if len(set(readings.values())) == 1:
            proved = next(iter(readings)) if len(readings) == 1 else None
            return WrittenAmount(next(iter(readings.values())), proved, currencies)
        if self.mark is None:
            raise UnclearAmount(readings)
        return WrittenAmount(readings[self.mark], None, currencies)

    def read_in(self, text: str, currency: str | None) -> Decimal:
        """Return the amount in this currency. Raise ValueError if its sign is of another one."""
        amount = self.read(text)
        if amount.currencies and currency and currency not in amount.currencies:
            named = amount.currencies[0]
            raise ValueError(f"Is in {named}, but the currency is {currency}.")
        return amount.value


ANY_NOTATION = Notation()


def proofs(texts: Iterable[str]) -> dict[DecimalMark, str]:
    """Return the first text that proves each decimal mark."""
    found: dict[DecimalMark, str] = {}
    for text in texts:
        try:
            mark = ANY_NOTATION.read(text).mark
        except ValueError:
            continue
        if mark:
            found.setdefault(mark, text)
    return found


def _plain(text: str) -> str:
    """Return the text with plain digits and spaces, without invisible characters."""
    compatible = normalized("NFKC", text).translate(_DIGIT_MARKS)
    visible = (character for character in compatible if unicodedata.category(character) != "Cf")
    return "".join(str(unicodedata.decimal(character, character)) for character in visible).strip()


def _split_currency(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the number with its sign, and the currencies. Raise ValueError for other words."""
    digits = list(re.finditer("[0-9]", text))
    if not digits or len(text) > MAX_LENGTH:
        raise ValueError(EXPECTED)
    before, number = text[: digits[0].start()], text[digits[0].start() : digits[-1].end()]
    after = _NO_CENTS.sub("", text[digits[-1].end() :].strip())
    bare_mark = _BARE_MARK.search(before)
    if bare_mark:
        number = f"0{before[-1]}{number}"
        before = before[:-1]
    is_negative = "-" in before or (before.strip().startswith("(") and after.endswith(")"))
    words = [part.strip(" -+().").casefold() for part in (before, after)]
    currencies = _currencies([word for word in words if word])
    return f"-{number}" if is_negative else number, currencies


def _currencies(words: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for position, word in enumerate(words):
        codes = SIGNS.get(word) or [word.upper()]
        if codes[0] not in CURRENCIES:
            raise ValueError(EXPECTED)
        found = [code for code in found if code in codes] if position else codes
        if not found:
            raise ValueError("Has signs of two currencies.")
    return tuple(found)


def _number_pattern(mark: DecimalMark) -> re.Pattern[str]:
    groups = [rf"[1-9][0-9]{{0,2}}(?:{separator}[0-9]{{3}})+" for separator in " '"]
    thousands = re.escape(mark.other)
    groups.append(rf"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+")
    groups.append(rf"[1-9][0-9]?(?:{thousands}[0-9]{{2}})+{thousands}[0-9]{{3}}")  # as in India
    fraction = rf"(?:{re.escape(mark)}([0-9]+))?"
    return re.compile(rf"-?([0-9]+|{'|'.join(groups)}){fraction}(?:[eE]([+-]?[0-9]{{1,2}}))?")


_PATTERNS = {mark: _number_pattern(mark) for mark in DecimalMark}


def _value(number: str, mark: DecimalMark) -> Decimal | None:
    """Return what the number means with this decimal mark, or None."""
    match = _PATTERNS[mark].fullmatch(number)
    if match is None:
        return None
    whole, fraction, exponent = match.groups()
    if exponent and not whole.isdigit():
        return None
    sign = "-" if number.startswith("-") else ""
    digits = re.sub("[^0-9]", "", whole)
    value = Decimal(f"{sign}{digits}.{fraction or 0}e{exponent or 0}")
    return _rounded(value, len(digits) + len(fraction or ""))


def exact_amount(number: Decimal) -> Decimal:
    """Return an amount that a program stores as a number, without a binary fraction's error."""
    return _rounded(number, len(number.as_tuple().digits))


def _rounded(value: Decimal, digits: int) -> Decimal:
    """Return the value with two or three places, without zeros and errors of a computer."""
    if abs(value) >= MAX_ROUNDED:
        return value
    rounded = value.quantize(CENT)
    is_float_error = digits >= FLOAT_DIGITS and abs(value - rounded) < FLOAT_ERROR
    exact = rounded if is_float_error else canonical(value)
    return exact if exact == value or is_float_error else value
