"""The examples in the OpenAPI contract.

The code that builds real responses builds them too, so they cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from products.api.errors import error_body
from products.api.job_representation import job_body, row_body
from products.api.json_types import JsonObject
from products.api.representation import (
    batch_result,
    change_body,
    dry_run_response,
    product_body,
    receipt_summary,
)
from products.bulk.job import Job, JobKind
from products.bulk.rows import RowState, planned_row
from products.changes import Change, Effect, Origin, next_change
from products.errors import DependencyUnavailable, Invalid, NameTaken, ProductNotFound
from products.idempotency import IdempotencyKeyReused
from products.merging import Clash, EditConflict, VersionMismatch
from products.permissions import Permission
from products.product import BillingCycle, Product
from products.writes import Accepted

type Examples = Mapping[str, JsonObject]
"""Example bodies by name."""

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
PRODUCT = product_body(BASIC)
_SENT = ("productId", "name", "description", "price", "renewalPrice", "billingCycle", "features")
NEW = {name: PRODUCT[name] for name in _SENT}
EDITS: JsonObject = {"price": "1600.00", "version": 1}


def _change(number: int, after: Product, previous: Change | None) -> Change:
    origin = Origin(actor="ann", source="api", request_id=REQUEST_ID)
    change_id = f"0195567e-4a91-7b02-8f6e-5f1f0a7c9e0{number}"
    at = AT + timedelta(minutes=number)
    return next_change(
        previous, after, origin, at=at, change_id=change_id, effects=frozenset(Effect)
    )


FIRST = _change(1, BASIC, None)
SECOND = _change(2, replace(BASIC, price=Decimal("1600.00")), FIRST)
RESULT = Accepted(SECOND.after, SECOND)
ACCEPTED = {"Accepted": receipt_summary(SECOND)}
DRY_RUN = {"DryRun": dry_run_response(RESULT)}
WAITED_FOR = {"WaitedFor": product_body(SECOND.after, staff=True)}
DONE = WAITED_FOR | DRY_RUN
PAGE: JsonObject = {
    "products": [PRODUCT],
    "count": 1,
    "moreAvailable": True,
    "nextStartAt": "WyI4ZDJmMGM1YjFhM2UiLCIuLi4iXQ:k3Zr0c",
}
BATCH: JsonObject = {
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
BATCH_RESULT: JsonObject = {
    "results": [batch_result(RESULT, "update", dry_run=False, until=None)],
    "accepted": 1,
    "unchanged": 0,
    "refused": 0,
}
RECEIPT = change_body(SECOND)
HISTORY: JsonObject = {
    "changes": [change_body(SECOND), change_body(FIRST)],
    "count": 2,
    "moreAvailable": False,
    "nextStartAt": None,
}
_CLASH = {"price": Clash(Decimal("1500.00"), Decimal("1600.00"), Decimal("1550.00"))}
_ERRORS: dict[int, dict[str, Exception]] = {
    400: {"InvalidField": Invalid({"price": ["Must be between 0.01 and 999999.99."]})},
    404: {"NoSuchProduct": ProductNotFound("PROD-OLD")},
    409: {
        "SameFieldChangedTwice": EditConflict(_CLASH, {"price": Decimal("1600.00")}, SECOND.after),
        "NameTaken": NameTaken("Basic", "PROD-BASIC"),
    },
    412: {"AnotherVersion": VersionMismatch(SECOND.after)},
    422: {"KeyOfAnotherRequest": IdempotencyKeyReused()},
    503: {"DatabaseAway": DependencyUnavailable("DynamoDB")},
}
REFUSALS: dict[int, Examples] = {
    code: {name: error_body(error, REQUEST_ID) for name, error in errors.items()}
    for code, errors in _ERRORS.items()
}
BATCH_REFUSALS = {code: REFUSALS[code] for code in (400, 422, 503)}
"""The others would show the results of the items too."""
_ROW = planned_row(1, BASIC, {"price": Decimal("1600.00")})
JOB_ROW = row_body(replace(_ROW, line=2))
JOB = job_body(
    Job(
        job_id="0195567e-4a91-7b02-8f6e-5f1f0a7c9e0a",
        kind=JobKind.CSV,
        title="Import of prices.csv",
        actor="ann",
        created_at=AT,
        updated_at=AT,
        rows=1,
        chunks=1,
        counts={RowState.WAITING: 1},
        permissions=frozenset({Permission.CHANGE}),
        notes=("Amounts are read with a decimal comma, as in “1 600,00”.",),
    )
)
