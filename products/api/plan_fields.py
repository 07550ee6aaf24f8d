"""The fields of plans in request bodies: their names in the API, and their descriptions."""

from products.api.json_schema import (
    PRODUCT_ID,
    TEXT,
    VERSION,
    Schema,
    choice_of,
    described,
    list_of,
    nullable,
    object_of,
    ref,
)
from products.api.parameters import LIST_PARAMETERS
from products.bulk.pricing import SIGNED_NUMBER, AdjustmentKind, Rounding
from products.changes import MAX_REASON_LENGTH
from products.plans.plan import MAX_NAME_LENGTH, MAX_ROWS, ClashRule
from products.plans.times import DEFAULT_ZONE, MAX_TIME_LENGTH, MAX_ZONE_LENGTH

PLAN_NAMES = {"starts_at": "startsAt", "ends_at": "endsAt", "clash_rule": "clashRule"}
"""The API's names of the core's fields of a plan, where they differ."""
FILTERS = ("active", "currency", "billingCycle", "minPrice", "maxPrice")
"""The parameters of the list that a selection may have."""
PRICE_NAMES = {"price": "price", "renewalPrice": "renewal_price"}

_TIME: Schema = {"type": "string", "maxLength": MAX_TIME_LENGTH, "example": "2026-12-01T08:00"}
_PLAN_FACTS: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH},
    "reason": described(
        {"type": "string", "maxLength": MAX_REASON_LENGTH},
        "Kept with each change in the history, after the plan's name.",
    ),
    "startsAt": described(
        nullable(_TIME), "RFC 3339 with an offset, or a local time of `zone`; now when omitted."
    ),
    "endsAt": described(
        nullable(_TIME), "When the values are taken back; never when null or omitted."
    ),
    "zone": described(
        {"type": "string", "maxLength": MAX_ZONE_LENGTH},
        f"The IANA time zone of local times; {DEFAULT_ZONE} by default.",
    ),
    "clashRule": ref("ClashRuleEnum"),
}
PLAN_FIELDS: dict[str, Schema] = {
    **_PLAN_FACTS,
    "rows": nullable(list_of(ref("PlanRowCreation"), minItems=1, maxItems=MAX_ROWS)),
    "select": ref("PlanSelection"),
    "edits": ref("ProductEdits"),
    "adjust": ref("PriceAdjustment"),
    "jobId": described(TEXT, "A planned job of the caller. Its rows become the plan's."),
}
ROW_FIELDS: dict[str, Schema] = {
    "productId": PRODUCT_ID,
    "edits": ref("ProductEdits"),
    "adjust": ref("PriceAdjustment"),
    "version": described(
        VERSION, "The version you started from; a later change of the same field is a conflict."
    ),
}
SELECTION_FIELDS: dict[str, Schema] = {
    "ids": described(
        nullable(list_of(PRODUCT_ID, minItems=1, maxItems=MAX_ROWS)),
        "These products, without filters.",
    ),
    **{name: LIST_PARAMETERS[name].schema for name in FILTERS},
}
ADJUSTMENT_FIELDS: dict[str, Schema] = {
    "kind": ref("AdjustmentKindEnum"),
    "by": {"type": "string", "pattern": f"^{SIGNED_NUMBER.pattern}$", "example": "-10"},
    "fields": described(
        nullable(list_of(choice_of(PRICE_NAMES), minItems=1, maxItems=2)), "price if absent"
    ),
    "rounding": ref("RoundingEnum"),
}
PLAN_REQUESTS: dict[str, Schema] = {
    "PlanCreation": object_of(
        "Edits that start at a time: `rows`; or `select` with `edits` or `adjust`; or `jobId`.",
        PLAN_FIELDS,
        optional=PLAN_FIELDS.keys() - {"name"},
    ),
    "PlanEdits": object_of(
        "What changes of the plan. A running plan keeps its start and its clash rule.",
        _PLAN_FACTS,
        optional=_PLAN_FACTS,
    ),
    "PlanRowCreation": object_of(
        "The edits of one product.", ROW_FIELDS, optional=ROW_FIELDS.keys() - {"productId"}
    ),
    "PlanSelection": object_of(
        "Products by ID, or those that the list has with these filters now.",
        SELECTION_FIELDS,
        optional=SELECTION_FIELDS,
    ),
    "PriceAdjustment": object_of(
        "A change of the prices that the product will have at the start.",
        ADJUSTMENT_FIELDS,
        optional={"fields", "rounding"},
    ),
    "ClashRuleEnum": described(
        choice_of(ClashRule),
        "If others change a planned field before the start: keep theirs (default), or apply ours.",
    ),
    "AdjustmentKindEnum": choice_of(AdjustmentKind),
    "RoundingEnum": described(
        choice_of(Rounding), "The step that new prices are rounded to; .99 is the nearest such."
    ),
}
EDITABLE = frozenset(_PLAN_FACTS)
"""The fields that a PATCH may have."""
