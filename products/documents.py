"""The one document format of a product: for the API, table, search index, and audit trail. Pure.

Names are in camelCase, amounts are ``Decimal``, and times are text.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from products.currency import canonical
from products.product import RULES, BillingCycle, Product

MAX_TIME_LENGTH = 40  # characters of a time as clients write it
TIMESTAMP_LENGTH = len("2026-03-01T12:00:00.000000Z")


def format_timestamp(at: datetime) -> str:
    """Return the time as ISO 8601 in UTC, with microseconds and ``Z``.

    Such texts sort as the times do.
    """
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


def parse_timestamp(text: str) -> datetime:
    """Return the time that ``format_timestamp`` wrote; ValueError for any other text."""
    if len(text) != TIMESTAMP_LENGTH or text[-1] != "Z":
        raise ValueError(f"{text!r} is not a timestamp like 2026-03-01T12:00:00.000000Z")
    return datetime.fromisoformat(text)


def document_key(field: str) -> str:
    """Return the camelCase key of a field: ``renewalPrice`` for ``renewal_price``."""
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)


FIELD_NAMES = {document_key(field.name): field.name for field in fields(Product)}
READ_ONLY = frozenset(FIELD_NAMES.values()) - RULES.keys()


def is_as_read(product: Product, field: str, value: Any) -> bool:
    """Whether the field is read-only and the value is the product's own, in any notation.

    Clients that parse times write them with another offset, or with fewer digits.
    """
    if field not in READ_ONLY:
        return False
    own = getattr(product, field)
    return _is_same_time(own, value) if isinstance(own, datetime) else bool(own == value)


def _is_same_time(at: datetime, value: Any) -> bool:
    """Whether the text is this time, as exactly as it is written: to the second, or with places."""
    if not isinstance(value, str) or len(value) > MAX_TIME_LENGTH:
        return False
    try:
        named = datetime.fromisoformat(value)
    except ValueError:
        return False
    places = re.search(r"[.,](\d+)", value)
    step = timedelta(microseconds=max(1, 10 ** (6 - len(places[1] if places else ""))))
    known = named if named.tzinfo else named.replace(tzinfo=UTC)
    return abs(at - known) < step


def to_document(product: Product) -> dict[str, Any]:
    """Return the product as it is stored and sent. ``from_document`` is the inverse.

    ``period`` is None when it is derived from the prices.
    """
    document = {key: getattr(product, name) for key, name in FIELD_NAMES.items()}
    document["billingCycle"] = str(product.billing_cycle)
    document["features"] = list(product.features)
    document["createdAt"] = format_timestamp(product.created_at)
    document["updatedAt"] = format_timestamp(product.updated_at)
    if product.image is None:
        # Changes made before products had images keep their hashes this way.
        del document["image"]
    return document


def from_document(document: Mapping[str, Any]) -> Product:
    """Return the product of a document; KeyError or ValueError when it is not one."""
    values = {name: document[key] for key, name in FIELD_NAMES.items() if name != "image"}
    renewal_price = values["renewal_price"]
    parsed = {
        "price": canonical(Decimal(values["price"])),
        "renewal_price": None if renewal_price is None else canonical(Decimal(renewal_price)),
        "billing_cycle": BillingCycle(values["billing_cycle"]),
        "features": tuple(values["features"]),
        "version": int(values["version"]),
        "created_at": parse_timestamp(values["created_at"]),
        "updated_at": parse_timestamp(values["updated_at"]),
        "image": document.get("image"),
    }
    return Product(**{**values, **parsed})
