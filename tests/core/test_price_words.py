"""Price bounds in the words of a search."""

from decimal import Decimal

import pytest

from products.lists import ListQuery, readings
from products.search.price_words import price_words


def bounds(text: str, currency: str | None = None) -> tuple[object, ...] | None:
    words = price_words(text, currency)
    if words is None:
        return None
    low, high = (None if p is None else str(p) for p in (words.min_price, words.max_price))
    return words.text, low, high, words.currency


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("domain under R100", ("domain", None, "99.99", "ZAR")),
        ("hosting below R2 000", ("hosting", None, "1999.99", "ZAR")),
        ("Hosting BELOW R2,000.00", ("hosting", None, "1999.99", "ZAR")),
        ("less than 500", ("", None, "499.99", "ZAR")),
        ("over R1000", ("", "1000.01", None, "ZAR")),
        ("between R500 and R1000", ("", "500", "1000", "ZAR")),
        ("vps between 1000 and 500", ("vps", "500", "1000", "ZAR")),
        ("max 1500", ("", None, "1500", "ZAR")),
        ("R500-R1000 vps", ("vps", "500", "1000", "ZAR")),
        ("ssl up to $50", ("ssl", None, "50", "USD")),
        ("ssl cheaper than 20 euro", ("ssl", None, "19.99", "EUR")),
        ("500 rand or less", ("", None, "500", "ZAR")),
        ("R1000+", ("", "1000", None, "ZAR")),
        ("web design under 10k", ("web design", None, "9999.99", "ZAR")),
        ("at least R500 at most R900", ("", "500", "900", "ZAR")),
        ("not over R300", ("", None, "300", "ZAR")),
        ("below 99,50", ("", None, "99.49", "ZAR")),
        ("domein onder R100", ("domein", None, "99.99", "ZAR")),
        ("tussen R100 en R200", ("", "100", "200", "ZAR")),
        ("under 20 kwd", ("", None, "19.999", "KWD")),
        ("hosting under JPY 900", ("hosting", None, "899", "JPY")),
        ("hosting under R100 per month", ("hosting per month", None, "99.99", "ZAR")),
        ("hosting under 300 per month", ("hosting per month", None, "299.99", "ZAR")),
    ],
)
def test_words_about_the_price_are_bounds(text: str, expected: tuple[object, ...]) -> None:
    assert bounds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "R1500",
        "vps R99",
        "over 100 templates",
        "under 10 GB",
        "up to 10 people",
        "between 10 and 20 players",
        "fibre 50-200",
        "vps 2 to 4",
        "voice over ip",
        "under 100 all included",
        "between R500 and $900",
        "under",
        "",
    ],
)
def test_other_numbers_are_words(text: str) -> None:
    assert bounds(text) is None


def test_a_plain_amount_has_the_lists_currency() -> None:
    assert bounds("under 100", "USD") == ("", None, "99.99", "USD")
    assert bounds("under R100", "USD") is None


def test_the_tighter_bound_applies() -> None:
    listing = ListQuery(
        text="vps under R100", min_price=Decimal(5), max_price=Decimal(80), by_relevance=True
    )
    (bounded,) = readings(listing)
    assert (bounded.text, bounded.min_price, bounded.max_price) == ("vps", Decimal(5), Decimal(80))


def test_bounds_without_a_currency_may_be_words_too() -> None:
    listing = ListQuery(text="templates max 150", by_relevance=True)
    bounded, literal = readings(listing)
    assert (bounded.max_price, literal) == (Decimal(150), listing)
