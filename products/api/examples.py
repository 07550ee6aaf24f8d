"""The contract's examples. Each is made by the code that makes real answers, so it can't show what does not occur."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample

from products.api.errors import error_body
from products.api.representation import (
    batch_result,
    change_body,
    dry_run_body,
    product_body,
    receipt_summary,
)
from products.changes import Change, Effect, Origin, next_change
from products.errors import DependencyUnavailable, Invalid, NameTaken, ProductNotFound
from products.idempotency import IdempotencyKeyReused
from products.merging import Clash, EditConflict, VersionMismatch
from products.product import BillingCycle, Product
from products.writes import Accepted

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REQUEST_ID = "0195567e-4a80-7c3e-9d55-3f0a2b6c1d21"
BASIC = Product(
    product_id="PROD-BASIC",
    name="Basic",
    description="WordPress hosting for a first business site, set up for you and kept up to date.",
    price=Decimal("1500.00"),
    renewal_price=Decimal("1000.00"),
    billing_cycle=BillingCycle.YEARLY,
    features=("One WordPress site, installed and themed", "10 GB SSD storage"),
    version=1,
    created_at=AT - timedelta(days=30),
    updated_at=AT - timedelta(days=30),
    updated_by="ann",
)
NEW = {
    "productId": "PROD-BASIC",
    "name": BASIC.name,
    "description": BASIC.description,
    "price": "1500.00",
    "renewalPrice": "1000.00",
    "billingCycle": "yearly",
    "features": list(BASIC.features),
}
EDITS = {"price": "1600.00", "version": 1}


def _change(number: int, after: Product, previous: Change | None) -> Change:
    origin = Origin(actor="ann", source="api", request_id=REQUEST_ID)
    change_id = f"0195567e-4a91-7b02-8f6e-5f1f0a7c9e0{number}"
    at = AT + timedelta(minutes=number)
    return next_change(
        previous, after, origin, at=at, change_id=change_id, effects=frozenset(Effect)
    )


FIRST = _change(1, BASIC, None)
SECOND = _change(
    2,
    Product(**{f: getattr(BASIC, f) for f in BASIC.__slots__} | {"price": Decimal("1600.00")}),
    FIRST,
)
ACCEPTED = Accepted(SECOND.after, SECOND)
PAGE = {
    "products": [product_body(BASIC)],
    "count": 1,
    "moreAvailable": True,
    "nextStartAt": "WyI4ZDJmMGM1YjFhM2UiLCIuLi4iXQ:k3Zr0c",
}
BATCH = {
    "mode": "each",
    "items": [
        {
            "action": "update",
            "productId": "PROD-BASIC",
            "product": {"price": "1600.00"},
            "ifVersion": 1,
        },
        {"action": "deactivate", "productId": "PROD-OLD"},
    ],
}
BATCH_RESULT = {
    "results": [batch_result(ACCEPTED, "update", dry_run=False, until=None)],
    "accepted": 1,
    "unchanged": 0,
    "refused": 0,
}
_CLASH = {"price": Clash(Decimal("1500.00"), Decimal("1600.00"), Decimal("1550.00"))}
REFUSALS: dict[int, tuple[str, Exception]] = {
    400: ("InvalidField", Invalid({"price": ["Must be between 0.01 and 999999.99."]})),
    404: ("NoSuchProduct", ProductNotFound("PROD-OLD")),
    409: (
        "SameFieldChangedTwice",
        EditConflict(_CLASH, {"price": Decimal("1600.00")}, SECOND.after),
    ),
    412: ("AnotherVersion", VersionMismatch(SECOND.after)),
    422: ("KeyOfAnotherRequest", IdempotencyKeyReused()),
    503: ("DatabaseAway", DependencyUnavailable("DynamoDB")),
}


def asked(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: Any, code: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(code)])


def refusals(codes: Iterable[int]) -> list[OpenApiExample]:
    shown = [
        answered(name, error_body(error, REQUEST_ID), code)
        for code, (name, error) in REFUSALS.items()
        if code in codes
    ]
    if 409 in codes:
        shown.append(
            answered("NameTaken", error_body(NameTaken("Basic", "PROD-BASIC"), REQUEST_ID), 409)
        )
    return shown


def of_write(request: OpenApiExample | None, reached: int) -> list[OpenApiExample]:
    """What a single write may be answered with."""
    answers = [
        answered("Accepted", receipt_summary(SECOND), 202),
        answered(
            "WaitedFor", product_body(SECOND.after, staff=True), 201 if reached == 201 else 200
        ),
        answered("DryRun", dry_run_body(ACCEPTED), 200),
    ]
    return [request, *answers] if request else answers


PRODUCT = answered("Product", product_body(BASIC), 200)
LIST = answered("Page", PAGE, 200)
RECEIPT = answered("Receipt", change_body(SECOND), 200)
_HISTORY = {"changes": [change_body(SECOND), change_body(FIRST)]}
HISTORY = answered(
    "History", _HISTORY | {"count": 2, "moreAvailable": False, "nextStartAt": None}, 200
)
