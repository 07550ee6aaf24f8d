"""The product, and every rule about what a product may be. Pure: no framework, no I/O, no clock."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from products.currency import CURRENCIES, DEFAULT_CURRENCY, money
from products.errors import Invalid

MIN_PRICE, MAX_PRICE = Decimal("0.01"), Decimal("999999.99")
LENGTHS = {"name": (3, 100), "description": (10, 500), "period": (5, 100), "feature": (2, 200)}
MAX_FEATURES = 20
BIDI_CONTROLS = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # they make a text read as another


class BillingCycle(StrEnum):
    ONE_TIME = "one-time"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product as of one version. Prices are in units of ``currency`` with two places; times are UTC.

    ``period`` is None when the text customers see is derived from the prices (see ``shown_period``).
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
    image: str | None = None  # its key in the media storage, made from what it shows
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str

    @property
    def shown_period(self) -> str:
        """The period text for customers: the staff's own words, else derived from the prices."""
        return self.period or derived_period(self)


def derived_period(product: Product) -> str:
    """What the customer pays when, in a few words, e.g. ``once-off + R1000/year``."""
    if product.billing_cycle is BillingCycle.ONE_TIME:
        return "once-off"
    unit = "month" if product.billing_cycle is BillingCycle.MONTHLY else "year"
    if product.renewal_price is None or product.renewal_price == product.price:
        return f"per {unit}"
    return f"once-off + {money(product.renewal_price, product.currency)}/{unit}"


def normalised_name(name: str) -> str:
    """Two products may not share this: the name without its case, its spaces, what can't be seen, and its way of being
    encoded."""
    seen = (
        c for c in unicodedata.normalize("NFKC", name).casefold() if unicodedata.category(c) != "Cf"
    )
    return "".join("".join(seen).split())


# The rules, one function a field: each takes what was sent and gives the value to keep, or refuses with a sentence.
# They raise ValueError, so that a rule need not know the name of the field it guards.


def _text(minimum: int, limit: int, *, lines: bool = False) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("Must be text.")
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
        allowed = "\n\t" if lines else ""
        if any(
            (unicodedata.category(c) in {"Cc", "Cs"} and c not in allowed) or c in BIDI_CONTROLS
            for c in text
        ):
            raise ValueError("Must not contain control characters.")
        seen = sum(unicodedata.category(c) != "Cf" for c in text)
        if not (minimum <= seen and len(text) <= limit):
            raise ValueError(
                f"Must have {minimum} to {limit} characters; it has {len(text) if seen >= minimum else seen}."
            )
        return text

    return rule


def _price(value: Any) -> Decimal:
    # A float has already lost what the customer typed, so it is refused rather than rounded.
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError('Must be an amount such as "1500.00".')
    if isinstance(value, str) and not re.fullmatch(r"\s*-?[0-9]{1,12}(\.[0-9]{1,12})?\s*", value):
        raise ValueError('Must be an amount such as "1500.00".')
    amount = Decimal(value)
    if not amount.is_finite() or not MIN_PRICE <= amount <= MAX_PRICE:
        raise ValueError(f"Must be between {MIN_PRICE} and {MAX_PRICE}.")
    cents = amount.quantize(Decimal("0.01"))
    if cents != amount:
        raise ValueError("Must have at most 2 decimal places.")
    return cents


def price_bound(value: Any) -> Decimal:
    """What a list of prices may begin or end at: any price, and 0, which bounds nothing. ValueError otherwise."""
    return (
        Decimal(0)
        if isinstance(value, str) and re.fullmatch(r"0{1,6}(\.0{1,2})?", value)
        else _price(value)
    )


def _optional(rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
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
    if not isinstance(value, list | tuple):
        raise ValueError("Must be a list of texts.")
    if len(value) > MAX_FEATURES:
        raise ValueError(f"Must have at most {MAX_FEATURES} entries; it has {len(value)}.")
    kept, rule = [], _text(*LENGTHS["feature"])
    for number, entry in enumerate(value, 1):
        try:
            kept.append(rule(entry))
        except ValueError as refusal:
            raise ValueError(f"Entry {number}: {refusal}") from None
    return tuple(kept)


def _image(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(
        r"products/[A-Za-z0-9_-]{1,64}/[0-9a-f]{32}\.webp", value
    ):
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


def is_id(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) is not None


def validated_id(product_id: Any) -> str:
    """The id, or Invalid: 1 to 64 of A-Z a-z 0-9 _ - (DESIGN §4)."""
    if not isinstance(product_id, str) or not is_id(product_id):
        raise Invalid({"product_id": ["Must be 1 to 64 letters, digits, hyphens or underscores."]})
    return product_id


def validated_edits(edits: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's fields, each by its rule; Invalid names every field that breaks one or does not exist."""
    kept: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field, value in edits.items():
        if field not in RULES:
            errors[field] = ["There is no such field, or it can't be written."]
            continue
        try:
            kept[field] = RULES[field](value)
        except ValueError as refusal:
            errors[field] = [str(refusal)]
    if errors:
        raise Invalid(errors)
    return kept


def new_product(product_id: str, edits: Mapping[str, Any], *, by: str, at: datetime) -> Product:
    """Version 1 of a product from the fields a caller sent; Invalid lists all that is wrong at once."""
    errors = {field: ["This field is required."] for field in REQUIRED if field not in edits}
    try:
        kept = validated_edits(edits)
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
        **kept,
    )
    return validated_product(product)


def validated_product(product: Product) -> Product:
    """The product if its fields agree with one another, with a period that is only the derived text left to derive."""
    if product.billing_cycle is BillingCycle.ONE_TIME and product.renewal_price is not None:
        raise Invalid(
            {
                "renewal_price": [
                    "A one-time product is not renewed; leave this empty or choose a cycle."
                ]
            }
        )
    return replace(product, period=None) if product.period == derived_period(product) else product
