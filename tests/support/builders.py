"""Functions that build test data with legal defaults."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from products.changes import Origin
from products.permissions import ALL_PERMISSIONS
from products.product import Product

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fields(**changes: Any) -> dict[str, Any]:
    """Return the fields a caller sends to create a product, with these ``changes``."""
    defaults = {
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": "1500.00",
    }
    return {**defaults, **changes}


def origin(actor: str, *, source: str = "test", request_id: str = "r", reason: str = "") -> Origin:
    """Return the origin of a caller who may do everything."""
    return Origin(
        actor=actor,
        source=source,
        request_id=request_id,
        reason=reason,
        permissions=ALL_PERMISSIONS,
    )


def a_product(**changes: Any) -> Product:
    """Return version 1 of a product, created at noon, with these ``changes``."""
    defaults: dict[str, Any] = {
        "product_id": "p1",
        "name": "Basic hosting",
        "description": "Hosting for a first site.",
        "price": Decimal("1500.00"),
        "version": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "updated_by": "ann",
    }
    return Product(**{**defaults, **changes})
