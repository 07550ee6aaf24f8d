"""Currencies, and how amounts of money are written. Pure."""

from decimal import Decimal

DEFAULT_CURRENCY = "ZAR"
CURRENCY_SIGNS = {"ZAR": "R", "USD": "$", "EUR": "€", "GBP": "£"}

# The active national currencies of ISO 4217. A copy, because importing a package with the standard
# takes about 80 ms of every cold start on Lambda. tests/core/test_currency.py compares the two.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN
    BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
    EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR
    ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)

WITHOUT_PLACES = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()
)
THREE_PLACES = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
USUAL_PLACES = 2
MAX_PLACES = 3


def places(currency: str) -> int:
    """Return how many decimal places amounts in this currency have."""
    if currency in WITHOUT_PLACES:
        return 0
    return MAX_PLACES if currency in THREE_PLACES else USUAL_PLACES


def written_places(amount: Decimal) -> int:
    """Return how many decimal places the amount was written with, zeros included."""
    return max(0, -int(amount.as_tuple().exponent))


def fits(amount: Decimal, currency: str) -> bool:
    """Whether the currency has coins for the amount, and the amount is not ambiguous.

    Zeros up to two places do no harm. Who writes 1.500 may mean 1500, unless the currency has
    three places.
    """
    allowed = places(currency)
    is_clear = written_places(amount) <= max(USUAL_PLACES, allowed)
    return is_clear and amount == round(amount, allowed)


def canonical(amount: Decimal) -> Decimal:
    """Return the amount with two places, or with three if it needs them.

    The change log hashes this form, so equal amounts have equal hashes in every currency.
    """
    usual = amount.quantize(Decimal("0.01"))
    return usual if usual == amount else amount.quantize(Decimal("0.001"))


def amount_text(amount: Decimal, currency: str) -> str:
    """Return the amount with the decimal places of its currency."""
    exact = canonical(amount)
    shown = places(currency) if fits(exact, currency) else written_places(exact)
    return f"{exact:.{shown}f}"


def money(amount: Decimal, currency: str) -> str:
    """Return the amount as people read it: ``R1000``, ``R99.50``, ``JPY 500``."""
    is_whole = amount == amount.to_integral_value()
    digits = f"{amount:.0f}" if is_whole else amount_text(amount, currency)
    sign = CURRENCY_SIGNS.get(currency)
    return f"{sign}{digits}" if sign else f"{currency} {digits}"
