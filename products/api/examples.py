"""The examples in the OpenAPI contract.

The code that builds real responses builds them too, so they cannot drift apart.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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
SECOND = _change(2, replace(BASIC, price=Decimal("1600.00")), FIRST)
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


def request_example(name: str, value: object) -> OpenApiExample:
    """Return an example of a request body."""
    return OpenApiExample(name, value, request_only=True)


def response_example(name: str, value: object, code: int) -> OpenApiExample:
    """Return an example of the body of a response with this code."""
    return OpenApiExample(name, value, response_only=True, status_codes=[str(code)])


def refusals(codes: Iterable[int]) -> list[OpenApiExample]:
    """Return the examples of the error responses with these codes."""
    shown = []
    for code, (name, error) in REFUSALS.items():
        if code in codes:
            shown.append(response_example(name, error_body(error, REQUEST_ID), code))
    if 409 in codes:
        name_taken = NameTaken("Basic", "PROD-BASIC")
        shown.append(response_example("NameTaken", error_body(name_taken, REQUEST_ID), 409))
    return shown


def of_write(request: OpenApiExample | None, done_status: int) -> list[OpenApiExample]:
    """Return the examples of a write of one product: its request and its responses."""
    status_with_product = 201 if done_status == 201 else 200
    product = product_body(SECOND.after, staff=True)
    responses = [
        response_example("Accepted", receipt_summary(SECOND), 202),
        response_example("WaitedFor", product, status_with_product),
        response_example("DryRun", dry_run_body(ACCEPTED), 200),
    ]
    return [request, *responses] if request else responses


PRODUCT = response_example("Product", product_body(BASIC), 200)
LIST = response_example("Page", PAGE, 200)
RECEIPT = response_example("Receipt", change_body(SECOND), 200)
_HISTORY = {"changes": [change_body(SECOND), change_body(FIRST)]}
HISTORY = response_example(
    "History", _HISTORY | {"count": 2, "moreAvailable": False, "nextStartAt": None}, 200
)
