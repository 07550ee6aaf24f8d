"""Currencies, and how amounts of money are written. Pure."""

from decimal import Decimal

DEFAULT_CURRENCY = "ZAR"
NO_BREAK_SPACE = "\u00a0"
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


def money(amount: Decimal, currency: str) -> str:
    """Return the amount as people read it: ``R1000``, ``R99.50``, ``JPY 500``."""
    digits = f"{amount:.2f}".removesuffix(".00")
    sign = CURRENCY_SIGNS.get(currency)
    return f"{sign}{digits}" if sign else f"{currency} {digits}"


def grouped(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}".replace(",", NO_BREAK_SPACE)


def grouped_money(amount: Decimal, currency: str) -> str:
    """Return the amount with its thousands apart, for tables: ``R12 345.50`` in one word."""
    digits = f"{amount:,.2f}".removesuffix(".00").replace(",", NO_BREAK_SPACE)
    sign = CURRENCY_SIGNS.get(currency)
    prefix = sign or f"{currency}{NO_BREAK_SPACE}"
    return f"-{prefix}{digits[1:]}" if amount < 0 else f"{prefix}{digits}"
