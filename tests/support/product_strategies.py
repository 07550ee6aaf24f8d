"""Hypothesis strategies for legal products, with texts that files and spreadsheets get wrong."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from products.currency import CURRENCIES, THREE_PLACES, canonical, places
from products.errors import Invalid
from products.product import LENGTHS, MAX_PRICE, RULES, BillingCycle, Product, validated_product
from tests.support.builders import a_product

TRICKY = (
    "(empty)",
    "'(empty)",
    "'@home' bundle",
    "=1+1 plan",
    "-minus",
    "+27 12",
    "''x''",
    "Debian | Ubuntu | Rocky",
    "a; b, c",
    '19" rack, "quoted"',
    "<p>Fast &amp; <b>good</b></p>",
    "&lt;b&gt; as text",
    "C:\\new\\road",
    "مرحبا بالعالم",
    "日本のホスティング",
    "e\u0301 👩‍👩‍👧 emoji",
    "1.500",
    "1 500,00",
    "#N/A plan",
    "_x0041_ escape",
    "no\u00a0break\u2028line",
    "yes",
    "null",
)
words = st.sampled_from(TRICKY) | st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=20
)


def _texts(field: str, joiner: str = " ") -> st.SearchStrategy[str]:
    rule = RULES.get(field) or (lambda text: RULES["features"]([text])[0])
    return (
        st.lists(words, min_size=1, max_size=4)
        .map(joiner.join)
        .map(lambda text: text[: LENGTHS[field][1]])
        .filter(lambda text: _is_legal(rule, text))
        .map(rule)
    )


def _is_legal(rule: object, value: object) -> bool:
    try:
        rule(value)  # type: ignore[operator] # a rule is a function
    except ValueError:
        return False
    return True


prices = st.integers(1, 99_999_999).map(lambda cents: Decimal(cents) / 100)
values = {
    "name": _texts("name"),
    "description": _texts("description", "\n"),
    "price": prices,
    "renewal_price": st.none() | prices,
    "currency": st.sampled_from(sorted(CURRENCIES)),
    "billing_cycle": st.sampled_from(BillingCycle),
    "period": st.none() | _texts("period"),
    "features": st.lists(_texts("feature"), max_size=4).map(tuple),
    "active": st.booleans(),
}
"""Strategies for the legal values of each field but the image."""


def _legal(product: Product) -> Product:
    renewal_price = product.renewal_price
    fitting = replace(
        product,
        price=_fitting(product.price, product.currency),
        renewal_price=renewal_price and _fitting(renewal_price, product.currency),
    )
    try:
        return validated_product(fitting)
    except Invalid:
        return replace(fitting, renewal_price=None)


def _fitting(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with the places of the currency; with three, the last one is not zero."""
    if places(currency) > 2:
        return amount / 10 + Decimal("0.011")
    rounded = round(amount, places(currency))
    return canonical(max(rounded, Decimal(1)) if rounded <= MAX_PRICE else Decimal(999_999))


products = st.builds(a_product, **values).map(_legal)
whole_prices = st.integers(1, 999_999).map(lambda units: canonical(Decimal(units)))
edits = st.fixed_dictionaries(
    {},
    optional=values
    | {
        "price": whole_prices,  # whole amounts fit every currency
        "renewal_price": st.none() | whole_prices,
        "currency": st.sampled_from(sorted(THREE_PLACES)),  # every amount fits these
    },
)
