"""The examples of plans in the contract, built by the code that builds real responses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from products.api.contract.examples import AT, BASIC, Examples
from products.api.json_types import JsonObject
from products.api.plan_representation import (
    new_plan_body,
    outlook_body,
    page_of,
    plan_body,
    plan_row_body,
    plan_version_body,
    preview_body,
)
from products.permissions import Permission
from products.plans.drafts import Preview
from products.plans.forecast import Foreseen, Outlook, Overlap
from products.plans.plan import Plan, PlanRow, Step

STARTS_AT = datetime(2026, 12, 1, 6, tzinfo=UTC)
ENDS_AT = STARTS_AT + timedelta(days=7)
_PLAN = Plan(
    plan_id="0195567e-4a91-7b02-8f6e-5f1f0a7c9e0b",
    name="Summer sale",
    owner="ann",
    reason="Campaign 4711",
    starts_at=STARTS_AT,
    ends_at=ENDS_AT,
    zone="Africa/Johannesburg",
    rows=1,
    chunks=1,
    created_at=AT,
    updated_at=AT,
    updated_by="ann",
    permissions=frozenset({Permission.PLAN, Permission.CHANGE}),
)
_POSTPONED = replace(
    _PLAN, version=2, updated_by="ben", starts_at=STARTS_AT + timedelta(hours=2), sequence=2
)
_PRICES = (Decimal("1500.00"), Decimal("1350.00"))
_ROW = PlanRow(
    number=1,
    product_id=BASIC.product_id,
    name=BASIC.name,
    currency=BASIC.currency,
    edits={"price": _PRICES[1]},
    base=1,
    changed={"price": _PRICES},
)
_REDUCED = replace(BASIC, price=_PRICES[1])
_STEPS = (
    Foreseen(STARTS_AT, _PLAN, Step.START, BASIC, _REDUCED),
    Foreseen(ENDS_AT, _PLAN, Step.END, _REDUCED, BASIC),
)
_OTHER = replace(_PLAN, plan_id="0195567e-4a91-7b02-8f6e-5f1f0a7c9e0c", name="December offers")
_OVERLAP = Overlap(BASIC.product_id, "price", _OTHER, wins=True, since=STARTS_AT, until=ENDS_AT)
_PREVIEW = Preview(_PLAN, [_ROW], [_OVERLAP], {BASIC.product_id: _STEPS})

NEW_PLANS: Examples = {
    "Rows": {
        "name": "Summer sale",
        "reason": "Campaign 4711",
        "startsAt": "2026-12-01T08:00",
        "endsAt": "2026-12-08T08:00",
        "zone": "Africa/Johannesburg",
        "rows": [{"productId": "PROD-BASIC", "edits": {"price": "1350.00"}, "version": 1}],
    },
    "Selection": {
        "name": "Ten percent off",
        "startsAt": "2026-12-01T06:00:00Z",
        "endsAt": "2026-12-08T06:00:00Z",
        "select": {"currency": "ZAR", "billingCycle": "yearly"},
        "adjust": {"kind": "percent", "by": "-10", "rounding": "5"},
    },
    "Job": {
        "name": "New price list",
        "startsAt": "2027-01-01T00:00",
        "jobId": "0195567e-4a91-7b02-8f6e-5f1f0a7c9e0a",
    },
}
PLAN_EDITS: JsonObject = {"startsAt": "2026-12-01T10:00", "zone": "Africa/Johannesburg"}
PLAN: Examples = {"Plan": plan_body(_PLAN)}
CREATED_PLAN: Examples = {"Plan": new_plan_body(_PREVIEW)}
PREVIEW: Examples = {"DryRun": preview_body(_PREVIEW)}
PLANS: Examples = {"Plans": page_of("plans", [plan_body(_PLAN)], None)}
ROWS: Examples = {"Rows": page_of("rows", [plan_row_body(_ROW, _STEPS)], None)}
HISTORY: Examples = {
    "History": page_of(
        "versions", [plan_version_body(_POSTPONED, _PLAN), plan_version_body(_PLAN, None)], None
    )
}
OUTLOOK: Examples = {"Outlook": outlook_body(Outlook(BASIC, _STEPS, []))}
