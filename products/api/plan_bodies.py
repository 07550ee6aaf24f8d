"""The bodies of requests about plans, read as the core's drafts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from products.api.etags import base_version
from products.api.json_types import FieldErrors, UncheckedJson
from products.api.parameters import LIST_PARAMETERS
from products.api.parsers import SURROGATE
from products.api.plan_fields import (
    ADJUSTMENT_FIELDS,
    EDITABLE,
    PLAN_FIELDS,
    PLAN_NAMES,
    PRICE_NAMES,
    ROW_FIELDS,
    SELECTION_FIELDS,
)
from products.api.product_fields import edits_of
from products.api.queries import list_query
from products.bulk.pricing import EXPECTED, SIGNED_NUMBER, Adjustment, AdjustmentKind, Rounding
from products.errors import Invalid
from products.identifiers import is_id
from products.lists import ListQuery
from products.plans.creation import Selection
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import MAX_ROWS, ClashRule, Plan
from products.plans.times import DEFAULT_ZONE, parse_time, time_zone

NO_FIELD = "There is no such field."
TEXT_FIELDS = ("name", "reason", "zone")
SOURCES = ("rows", "select", "jobId")
ANY_PRODUCT = "selected"  # replaced by the ID of each selected product
ONE_SOURCE = "Name the products in one way: by rows, select or jobId."


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as it was sent: its rows are in the draft, selected, or those of a job."""

    draft: Draft
    selection: Selection | None = None
    job_id: str | None = None


def read_new_plan(body: UncheckedJson) -> NewPlan:
    """Return the plan in a body. Raise Invalid, which names each wrong field.

    A field that is null counts as omitted: many generated clients send what nobody set as null.
    """
    body = _without_null(body)
    errors: FieldErrors = {name: [NO_FIELD] for name in body.keys() - PLAN_FIELDS.keys()}
    if sum(name in body for name in SOURCES) != 1:
        errors["rows"] = [ONE_SOURCE]
    elif "select" not in body and body.keys() & {"edits", "adjust"}:
        errors["edits"] = ["With rows or jobId, each row has its own edits."]
    if errors:
        raise Invalid(errors)
    facts = _facts(body, DEFAULT_ZONE)
    draft = Draft(
        name=facts.get("name", ""),
        rows=_rows(body["rows"]) if "rows" in body else (),
        starts_at=facts.get("starts_at"),
        ends_at=facts.get("ends_at"),
        zone=facts.get("zone", DEFAULT_ZONE),
        reason=facts.get("reason", ""),
        clash_rule=facts.get("clash_rule", ClashRule.KEEP),
    )
    if "jobId" in body:
        return NewPlan(draft, job_id=_text(body["jobId"], "jobId"))
    if "rows" in body:
        return NewPlan(draft)
    return _with_selection(draft, body)


def _with_selection(draft: Draft, body: UncheckedJson) -> NewPlan:
    """Return the plan of selected products: given IDs become its rows, filters a selection."""
    selected = _object(body["select"], SELECTION_FIELDS, "select")
    if not selected and body["select"]:  # not all products because of an ID that is missing
        raise Invalid({"select": ["Name ids or filters; active=all selects every product."]})
    change: UncheckedJson = {name: body[name] for name in ("edits", "adjust") if name in body}
    if not change:
        raise Invalid({"edits": ["Name the edits, or adjust, of the selected products."]})
    if "ids" not in selected:
        row = _row({**change, "productId": ANY_PRODUCT})
        return NewPlan(draft, Selection(_listing(selected), row))
    if len(selected) > 1:
        raise Invalid({"select": ["ids can't be combined with filters."]})
    ids = selected["ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_ROWS:
        raise Invalid({"select.ids": [f"Must be a list of 1 to {MAX_ROWS} product ids."]})
    items: list[UncheckedJson] = [{**change, "productId": id_} for id_ in ids]
    rows = _rows(items)
    return NewPlan(replace(draft, rows=rows))


def read_changes(body: UncheckedJson, plan: Plan) -> dict[str, Any]:
    """Return what a PATCH changes of the plan, by the core's names. Raises: Invalid."""
    unknown = sorted(body.keys() - EDITABLE)
    if unknown:
        sentence = "There is no such field, or it can't be changed."
        raise Invalid({name: [sentence] for name in unknown})
    if body.get("startsAt", "") is None:
        raise Invalid({"startsAt": ["Must be a time."]})
    return _facts(body, plan.zone)


def _facts(body: UncheckedJson, zone_name: str) -> dict[str, Any]:
    """Return the fields about the plan itself. Local times are of the body's zone, or this one."""
    facts: dict[str, Any] = {name: _text(body[name], name) for name in TEXT_FIELDS if name in body}
    zone = time_zone(facts.get("zone", zone_name))
    for field in ("starts_at", "ends_at"):
        if PLAN_NAMES[field] in body:
            facts[field] = _time(body[PLAN_NAMES[field]], zone, field)
    if "clashRule" in body:
        facts["clash_rule"] = ClashRule(_choice(body["clashRule"], list(ClashRule), "clashRule"))
    return facts


def _time(value: object, zone: ZoneInfo, field: str) -> datetime | None:
    return None if value is None else parse_time(_text(value, field), zone, field)


def _rows(items: object) -> list[DraftRow]:
    """Return the rows of the list. Raise Invalid with the position of each wrong one."""
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ROWS:
        raise Invalid({"rows": [f"Must be a list of 1 to {MAX_ROWS} rows."]})
    rows: list[DraftRow] = []
    errors: FieldErrors = {}
    for position, item in enumerate(items):
        try:
            rows.append(_row(item))
        except Invalid as error:
            errors |= row_errors(f"rows[{position}]", error.errors)
    if errors:
        raise Invalid(errors)
    return rows


def row_errors(row: str, errors: Mapping[str, list[str]]) -> FieldErrors:
    """Return the errors of one row under the names that they have in the plan."""
    return {f"{row}.{name}" if name else row: texts for name, texts in errors.items()}


def _row(item: object) -> DraftRow:
    fields = _object(item, ROW_FIELDS, "")
    product_id = _text(fields.get("productId"), "productId")
    if not is_id(product_id):
        raise Invalid({"productId": ["Must be the id of a product."]})
    edits = fields.get("edits", {})
    if not isinstance(edits, dict):
        raise Invalid({"edits": ["Must be an object of the product's fields."]})
    adjustment: Adjustment | None = None
    adjusted: tuple[str, ...] = ("price",)
    if "adjust" in fields:
        adjustment, adjusted = _adjustment(fields["adjust"])
    return DraftRow(
        product_id=product_id,
        edits=edits_of(edits),
        adjustment=adjustment,
        adjusted_fields=adjusted,
        base=base_version(fields.get("version")),
    )


def _adjustment(value: object) -> tuple[Adjustment, tuple[str, ...]]:
    fields = _object(value, ADJUSTMENT_FIELDS, "adjust")
    kind = _choice(fields.get("kind"), list(AdjustmentKind), "adjust.kind")
    rounding = _choice(fields.get("rounding", Rounding.CENTS), list(Rounding), "adjust.rounding")
    names = fields.get("fields", ["price"])
    if not isinstance(names, list) or not names:
        raise Invalid({"adjust.fields": [f"Must be a list of {' and '.join(PRICE_NAMES)}."]})
    adjusted = [PRICE_NAMES[_choice(name, list(PRICE_NAMES), "adjust.fields")] for name in names]
    adjustment = Adjustment(AdjustmentKind(kind), _number(fields.get("by")), Rounding(rounding))
    return adjustment, tuple(dict.fromkeys(adjusted))


def _number(value: object) -> Decimal:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    text = f"{value:f}" if isinstance(value, Decimal) else str(value) if is_number else value
    if not isinstance(text, str) or not SIGNED_NUMBER.fullmatch(text):
        raise Invalid({"adjust.by": [EXPECTED]})
    return Decimal(text)


def _listing(filters: Mapping[str, object]) -> ListQuery:
    """Return the list with these filters, which are those of the list's parameters."""
    values: dict[str, Any] = {}
    errors: FieldErrors = {}
    for name, value in filters.items():
        parameter = LIST_PARAMETERS[name]
        try:
            values[parameter.field] = parameter.rule(_text(value, f"select.{name}"))
        except ValueError as error:
            errors[f"select.{name}"] = [str(error)]
    if errors:
        raise Invalid(errors)
    return list_query(values)


def _object(value: object, fields: Mapping[str, object], name: str) -> UncheckedJson:
    if not isinstance(value, dict):
        raise Invalid({name: ["Must be an object."]})
    unknown = value.keys() - fields.keys()
    if unknown:
        prefix = f"{name}." if name else ""
        raise Invalid({f"{prefix}{field}": [NO_FIELD] for field in sorted(unknown)})
    return _without_null(value)


def _without_null(fields: UncheckedJson) -> UncheckedJson:
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or SURROGATE.search(value):
        raise Invalid({name: ["Must be a text."]})
    return value


def _choice(value: object, choices: list[Any], name: str) -> str:
    if value not in choices:
        raise Invalid({name: [f"Must be one of {', '.join(choices)}."]})
    return str(value)
