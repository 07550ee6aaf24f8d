"""The product, and every rule about what a product may be. Pure: no framework, no I/O, no clock."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from products.currency import (
    CURRENCIES,
    DEFAULT_CURRENCY,
    MAX_PLACES,
    canonical,
    fits,
    money,
    places,
    written_places,
)
from products.errors import Invalid
from products.identifiers import ID_PATTERN, validated_id
from products.unicode_text import is_forbidden, is_invisible, normalized

CENT = Decimal("0.01")
MIN_PRICE = CENT
MAX_PRICE = Decimal("999999.99")
LENGTHS = {
    "name": (3, 100),
    "description": (10, 500),
    "period": (5, 100),
    "feature": (2, 200),
}
"""The minimum and maximum number of characters."""
MAX_FEATURES = 20
MAX_CHARACTERS = (
    sum(most for field, (_, most) in LENGTHS.items() if field != "feature")
    + MAX_FEATURES * LENGTHS["feature"][1]
)
"""All characters that the texts of one product may have together."""
NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
AMOUNT = re.compile(rf"[0-9]{{1,6}}(\.[0-9]{{1,{MAX_PLACES}}})?")
ZERO = re.compile(r"0{1,6}(\.0{1,2})?")
IMAGE_KEY = re.compile(rf"products/{ID_PATTERN}/[0-9a-f]{{32}}\.webp")


class BillingCycle(StrEnum):
    ONE_TIME = "one-time"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One version of a product. Prices are in units of ``currency``; times are UTC.

    ``period`` is None when the text for customers is derived from the prices: see ``shown_period``.
    ``image`` is the image's key in the media storage, which contains a hash of the image.
    """

    product_id: str
    name: str
    description: str
    price: Decimal
    renewal_price: Decimal | None = None
    currency: str = DEFAULT_CURRENCY
    billing_cycle: BillingCycle = BillingCycle.ONE_TIME
    period: str | None = None
    features: tuple[str, ...] = ()
    active: bool = True
    image: str | None = None
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str

    @property
    def shown_period(self) -> str:
        """The period text for customers: written by staff, or derived from the prices."""
        return self.period or derived_period(self)


def derived_period(product: Product) -> str:
    """Return what the customer pays and when, such as ``once-off + R1000/year``."""
    if product.billing_cycle is BillingCycle.ONE_TIME:
        return "once-off"
    unit = "month" if product.billing_cycle is BillingCycle.MONTHLY else "year"
    if product.renewal_price is None or product.renewal_price == product.price:
        return f"per {unit}"
    return f"once-off + {money(product.renewal_price, product.currency)}/{unit}"


def normalised_name(name: str) -> str:
    """Return the uniqueness key of a name: two products may not share one.

    It is the name in NFKC, case-folded, without whitespace and invisible characters.
    """
    folded = normalized("NFKC", name).casefold()
    visible = "".join(character for character in folded if not is_invisible(character))
    return "".join(visible.split())


# The rules, one function for each field. A rule takes what was sent and returns the value to keep.
# It raises ValueError with a sentence, because it does not know the name of its field.


def _text(minimum: int, limit: int, *, lines: bool = False) -> Callable[[Any], str]:
    """Return the rule for a text of so many characters; ``lines`` allows line breaks and tabs."""
    allowed_controls = "\n\t" if lines else ""

    def rule(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("Must be text.")
        text = normalized("NFC", value.replace("\r\n", "\n")).strip()
        if any(is_forbidden(character, allowed_controls) for character in text):
            raise ValueError("Must not contain control characters.")
        visible = sum(not is_invisible(character) for character in text)
        if visible < minimum or len(text) > limit:
            length = visible if visible < minimum else len(text)
            raise ValueError(f"Must have {minimum} to {limit} characters; it has {length}.")
        return text

    return rule


def _price(value: Any) -> Decimal:
    # A float has already lost what the customer typed, so it is refused rather than rounded.
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError('Must be an amount such as "1500.00".')
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError('Must be an amount such as "1500.00".')
    amount = Decimal(value)
    if not amount.is_finite() or not MIN_PRICE <= amount <= MAX_PRICE:
        raise ValueError(f"Must be between {MIN_PRICE} and {MAX_PRICE}.")
    if written_places(amount) > MAX_PLACES:
        raise ValueError(f"Must have at most {MAX_PLACES} decimal places.")
    if isinstance(value, str) and not AMOUNT.fullmatch(value):
        raise ValueError('Must be an amount such as "1500.00".')
    return amount


def price_bound(value: Any) -> Decimal:
    """Return the first or last price of a list: any legal price, or 0. ValueError otherwise."""
    if isinstance(value, str) and ZERO.fullmatch(value):
        return Decimal(0)
    return _price(value)


def _optional(rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the rule for a field that may be empty, which is kept as None."""
    return lambda value: None if value is None or value == "" else rule(value)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in CURRENCIES:
        raise ValueError("Must be an ISO 4217 currency code such as ZAR.")
    return value


def _billing_cycle(value: Any) -> BillingCycle:
    if value not in list(BillingCycle):
        raise ValueError(f"Must be one of {', '.join(BillingCycle)}.")
    return BillingCycle(value)


def _features(value: Any) -> tuple[str, ...]:
    value = () if value is None else value
    if not isinstance(value, list | tuple):
        raise ValueError("Must be a list of texts.")
    if len(value) > MAX_FEATURES:
        raise ValueError(f"Must have at most {MAX_FEATURES} entries; it has {len(value)}.")
    rule = _text(*LENGTHS["feature"])
    features = []
    for number, entry in enumerate(value, 1):
        try:
            features.append(rule(entry))
        except ValueError as refusal:
            raise ValueError(f"Entry {number}: {refusal}") from None
    return tuple(features)


def _image(value: Any) -> str:
    if not isinstance(value, str) or not IMAGE_KEY.fullmatch(value):
        raise ValueError("Must be an image that was uploaded here.")
    return value


def _active(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Must be true or false.")
    return value


RULES: dict[str, Callable[[Any], Any]] = {
    "name": _text(*LENGTHS["name"]),
    "description": _text(*LENGTHS["description"], lines=True),
    "price": _price,
    "renewal_price": _optional(_price),
    "currency": _currency,
    "billing_cycle": _billing_cycle,
    "period": _optional(_text(*LENGTHS["period"])),
    "features": _features,
    "active": _active,
    "image": _optional(_image),
}
REQUIRED = ("name", "description", "price")
AMOUNT_FIELDS = ("price", "renewal_price")


def validated_edits(edits: Mapping[str, Any], currency: str = DEFAULT_CURRENCY) -> dict[str, Any]:
    """Return the caller's fields, each as its rule keeps it.

    Amounts are in ``currency``, unless the edits name another one. Raise Invalid with every field
    that breaks its rule or does not exist.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field, value in edits.items():
        if field not in RULES:
            errors[field] = ["There is no such field, or it can't be written."]
            continue
        try:
            values[field] = RULES[field](value)
        except ValueError as refusal:
            errors[field] = [str(refusal)]
    named = values.get("currency", currency)
    for field in AMOUNT_FIELDS:
        amount = values.get(field)
        if amount is not None and not fits(amount, named):
            errors[field] = [places_sentence(named)]
        elif amount is not None:
            values[field] = canonical(amount)
    if errors:
        raise Invalid(errors)
    return values


def places_sentence(currency: str) -> str:
    """Return what is wrong with an amount that does not fit the currency."""
    allowed = places(currency)
    if not allowed:
        return f"Must be a whole amount in {currency}."
    return f"Must have at most {allowed} decimal places."


def new_product(product_id: str, edits: Mapping[str, Any], *, by: str, at: datetime) -> Product:
    """Return version 1 of a product from the fields a caller sent.

    Raise Invalid with everything that is wrong.
    """
    errors = {field: ["This field is required."] for field in REQUIRED if field not in edits}
    try:
        values = validated_edits(edits)
    except Invalid as refusal:
        errors |= refusal.errors
    if errors:
        raise Invalid(errors)
    product = Product(
        product_id=validated_id(product_id),
        version=1,
        created_at=at,
        updated_at=at,
        updated_by=by,
        **values,
    )
    return validated_product(product)


def validated_product(product: Product) -> Product:
    """Return the product, or raise Invalid when its fields contradict one another.

    A period that equals the derived text is kept as None, so that it follows later prices.
    """
    if product.billing_cycle is BillingCycle.ONE_TIME and product.renewal_price is not None:
        sentence = "A one-time product is not renewed; leave this empty or choose a cycle."
        raise Invalid({"renewal_price": [sentence]})
    if product.period == derived_period(product):
        return replace(product, period=None)
    return product
