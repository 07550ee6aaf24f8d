"""The one wire form, for API, table, search index and audit trail: names in camelCase, money Decimal. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from products.product import RULES, BillingCycle, Product

TIMESTAMP_LENGTH = len("2026-03-01T12:00:00.000000Z")


def format_timestamp(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``; such texts sort as the moments do."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_timestamp(text: str) -> datetime:
    """The moment written by ``iso``; ValueError for any other text."""
    if len(text) != TIMESTAMP_LENGTH or text[-1] != "Z":
        raise ValueError(f"{text!r} is not a timestamp like 2026-03-01T12:00:00.000000Z")
    return datetime.fromisoformat(text)


def document_key(field: str) -> str:
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)


FIELD_NAMES = {document_key(field.name): field.name for field in fields(Product)}
READ_ONLY = frozenset(FIELD_NAMES.values()) - RULES.keys()


def is_as_read(product: Product, field: str, value: Any) -> bool:
    """Whether the value is just what the product had, in a field that callers read but can't write."""
    return field in READ_ONLY and to_document(product)[document_key(field)] == value


def to_document(product: Product) -> dict[str, Any]:
    """The product as stored and sent; ``period`` is None when derived. ``from_document`` is its inverse."""
    document = {wire: getattr(product, name) for wire, name in FIELD_NAMES.items()}
    if product.image is None:
        del document[
            "image"
        ]  # so that the hashes of products without one are what they always were
    times = {
        "createdAt": format_timestamp(product.created_at),
        "updatedAt": format_timestamp(product.updated_at),
    }
    return (
        document
        | times
        | {"billingCycle": str(product.billing_cycle), "features": list(product.features)}
    )


def from_document(document: Mapping[str, Any]) -> Product:
    """The product of ``to_document``; KeyError or ValueError when the document is not one."""
    values = {name: document[wire] for wire, name in FIELD_NAMES.items() if name != "image"}
    cents = Decimal("0.01")
    renewal = values["renewal_price"]
    return Product(
        **values
        | {
            "price": Decimal(values["price"]).quantize(cents),
            "renewal_price": None if renewal is None else Decimal(renewal).quantize(cents),
            "billing_cycle": BillingCycle(values["billing_cycle"]),
            "features": tuple(values["features"]),
            "version": int(values["version"]),
            "created_at": parse_timestamp(values["created_at"]),
            "updated_at": parse_timestamp(values["updated_at"]),
            "image": document.get("image"),
        }
    )
