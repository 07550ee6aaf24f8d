"""Plain functions that make what a test needs, with defaults that are legal."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from products.product import Product

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fields(**changes: Any) -> dict[str, Any]:
    """What a caller sends to create a product."""
    return {
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": "1500.00",
    } | changes


def a_product(**changes: Any) -> Product:
    """A product of the core, version 1, made at noon."""
    standing: dict[str, Any] = {
        "product_id": "p1",
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": Decimal("1500.00"),
        "version": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "updated_by": "ann",
    }
    return Product(**standing | changes)
