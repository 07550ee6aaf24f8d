"""Price bounds in the words of a search: "domain under R100", "between R500 and R1000". Pure."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY, places
from products.product import MAX_PRICE
from products.search.words import fold

CODE_BY_SIGN = {sign.casefold(): code for code, sign in CURRENCY_SIGNS.items()} | {
    "rand": "ZAR",
    "rands": "ZAR",
    "us$": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "euro": "EUR",
    "euros": "EUR",
    "pound": "GBP",
    "pounds": "GBP",
}
ALSO_WORDS = frozenset("ALL BAM BOB CUP GEL LAK MAD MOP PEN RON TOP TRY".split())
"""Codes of currencies that are words, too: "under 100 all included"."""
CODES = {code.lower(): code for code in CURRENCIES - ALSO_WORDS} | CODE_BY_SIGN
THOUSAND = 1000
_NUMBER = r"\d{1,3}(?:[ ,]\d{3}){1,6}(?:\.\d{1,2})?|\d+(?:[.,]\d{1,3})?"
NUMBER = re.compile(f"({_NUMBER})")
_UNIT = "|".join(sorted(map(re.escape, CODES), key=len, reverse=True))
_CYCLE = r"\s?(?:pm|p/m|pa|(?:per|a|each|every|/)\s?(?:month|year)|monthly|yearly)"
_AMOUNT = rf"(?:(?:{_UNIT})\s?)?(?:{_NUMBER})k?(?:(?![\w%])|(?=p[ma]\b))(?:\s?(?:{_UNIT})(?!\w))?"
_LESS = "under|below|less than|cheaper than|lower than|onder|minder as|goedkoper as|<"
_AT_MOST = (
    "up to|at most|no more than|not more than|not over|max(?:imum)?(?: of)?|within|hoogstens"
    "|maksimum|<="
)
_MORE = "over|above|more than|exceeding|meer as|bo|>"
_AT_LEAST = "at least|no less than|not less than|not under|min(?:imum)?(?: of)?|minstens|vanaf|>="
_OR_LESS = "or (?:less|under|below|cheaper)|of minder"
_OR_MORE = r"or (?:more|over|above)|and (?:up|above)|of meer|\+"
_RANGE = r"(?:between|tussen)\s(?P<low>{0})\s(?:and|en|to)\s(?P<high>{0})"
_SPAN = r"(?:from\s)?(?P<low>{0})\s?(?:-|\u2013|to|tot)\s?(?P<high>{0})"
_BEFORE = r"(?P<word>{1})\s?(?P<amount>{0})"
_AFTER = r"(?P<amount>{0})\s?(?P<word>{1})"


def _pattern(form: str, words: str = "") -> re.Pattern[str]:
    text = form.replace("{0}", _AMOUNT).replace("{1}", words)
    return re.compile(rf"(?<![\w.])(?:{text})(?:(?!\w)|(?=p[ma]\b))")


AT_THE_END = re.compile(rf"(?:{_CYCLE})?")
"""What may follow a bound without a currency."""


# A longer phrase comes first: "not over" is no "over".
RULES = (
    (_pattern(_RANGE), "between"),
    (_pattern(_SPAN), "span"),
    (_pattern(_AFTER, _OR_LESS), "at most"),
    (_pattern(_AFTER, _OR_MORE), "at least"),
    (_pattern(_BEFORE, _AT_MOST), "at most"),
    (_pattern(_BEFORE, _AT_LEAST), "at least"),
    (_pattern(_BEFORE, _LESS), "less"),
    (_pattern(_BEFORE, _MORE), "more"),
)
LEFT_OVER = re.compile(r"\s(?:for|from|at|priced|price|prices|costing|budget|vir)$")
"""Words in front of a bound that mean nothing without it."""


@dataclass(frozen=True, slots=True)
class PriceWords:
    """What a search text says about the price, and the rest of the text.

    ``is_sure`` is whether it names a currency. A number alone may be something else.
    """

    text: str
    min_price: Decimal | None
    max_price: Decimal | None
    currency: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _Amount:
    value: Decimal
    currency: str | None


def price_words(text: str, currency: str | None = None) -> PriceWords | None:
    """Return the bounds in the text, or None if it has none.

    An amount without a currency is one in ``currency`` or the default. It is a bound only at the
    end of the text: "over 100 templates" says nothing about a price.
    """
    found = _bound(" ".join(fold(text).split()), currency)
    other = _bound(found.text, found.currency) if found else None
    if found is None or other is None:
        return found
    return replace(
        other,
        min_price=max(filter(None, (found.min_price, other.min_price)), default=None),
        max_price=min(filter(None, (found.max_price, other.max_price)), default=None),
        is_sure=found.is_sure or other.is_sure,
    )


def _bound(text: str, currency: str | None) -> PriceWords | None:
    """Return the first bound that the text has."""
    for pattern, kind in RULES:
        for match in pattern.finditer(text):
            amounts = _amounts(match)
            named = {amount.currency for amount in amounts if amount.currency}
            is_last = AT_THE_END.fullmatch(text, match.end()) is not None
            fits = named <= {currency} if currency else len(named) <= 1
            if fits and (named or (is_last and kind != "span")):
                code = next(iter(named), currency or DEFAULT_CURRENCY)
                low, high = _bounds(kind, [amount.value for amount in amounts], code)
                return PriceWords(_without(text, match), low, high, code, bool(named))
    return None


def _amounts(match: re.Match[str]) -> list[_Amount]:
    groups = match.groupdict()
    texts = [groups["amount"]] if "amount" in groups else [groups["low"], groups["high"]]
    return [_amount(text) for text in texts]


def _amount(text: str) -> _Amount:
    before, found, rest = NUMBER.split(text, maxsplit=1)
    number = re.sub(r"[ ,](?=\d{3}(?!\d))", "", found).replace(",", ".")
    is_short = rest[:1] == "k" and rest not in CODES
    value = Decimal(number) * (THOUSAND if is_short else 1)
    units = [before.strip(), rest[is_short:].strip()]
    return _Amount(value, next(filter(None, map(_code, units)), None))


def _code(unit: str) -> str | None:
    return CODES.get(unit)


def _bounds(kind: str, values: list[Decimal], code: str) -> tuple[Decimal | None, Decimal | None]:
    step = Decimal(1).scaleb(-places(code))
    first, last = min(values), min(max(values), MAX_PRICE)
    return {
        "less": (None, last - step),
        "at most": (None, last),
        "more": (first + step, None),
        "at least": (first, None),
    }.get(kind, (first, last))


def _without(text: str, match: re.Match[str]) -> str:
    before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    return f"{LEFT_OVER.sub('', f' {before}').strip()} {after}".strip()
