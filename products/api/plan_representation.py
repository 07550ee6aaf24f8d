"""The JSON forms of plans, their rows, and what is to come for a product."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.urls import get_script_prefix

from products.api.json_types import JsonObject
from products.api.plan_fields import PLAN_NAMES
from products.api.product_fields import API_NAMES
from products.api.representation import field_body, plain
from products.documents import format_timestamp
from products.plans.amending import FACTS
from products.plans.drafts import Preview
from products.plans.forecast import Foreseen, Outlook, Overlap
from products.plans.plan import (
    FieldChanges,
    Plan,
    PlanRow,
    PlanState,
    RowOutcome,
    RowState,
    Step,
)


def plan_url(plan: Plan) -> str:
    """Return the path of a plan."""
    return f"{get_script_prefix()}v1.0/plans/{plan.plan_id}"


def plan_body(plan: Plan) -> JsonObject:
    """Return a plan: what was asked for, and how far it is."""
    return {"planId": plan.plan_id, **_facts(plan), "statusUrl": plan_url(plan)}


def _facts(plan: Plan) -> JsonObject:
    return {
        "name": plan.name,
        "reason": plan.reason or None,
        "owner": plan.owner,
        "state": str(plan.state),
        "clashRule": str(plan.clash_rule),
        "startsAt": format_timestamp(plan.starts_at),
        "endsAt": plain(plan.ends_at),
        "zone": plan.zone,
        "rows": plan.rows,
        "counts": {
            str(step): {str(state): counts.get(state, 0) for state in RowState}
            for step, counts in plan.counts.items()
        },
        "createdAt": format_timestamp(plan.created_at),
        "updatedAt": format_timestamp(plan.updated_at),
        "updatedBy": plan.updated_by,
        "startedAt": plain(plan.started_at),
        "endedAt": plain(plan.ended_at),
        "nextStepAt": plain(plan.due),
        "version": plan.version,
    }


def new_plan_body(preview: Preview) -> JsonObject:
    """Return a plan that was made, and where other plans set the same fields."""
    return plan_body(preview.plan) | {"overlaps": list(map(_overlap_body, preview.overlaps))}


def preview_body(preview: Preview) -> JsonObject:
    """Return a plan as it would be made, with its rows."""
    return {
        "dryRun": True,
        **_facts(preview.plan),
        "plannedRows": [
            plan_row_body(row, preview.foreseen.get(row.product_id, ())) for row in preview.rows
        ],
        "overlaps": list(map(_overlap_body, preview.overlaps)),
    }


def _overlap_body(overlap: Overlap) -> JsonObject:
    return {
        "productId": overlap.product_id,
        "field": API_NAMES[overlap.field],
        "planId": overlap.plan.plan_id,
        "planName": overlap.plan.name,
        "wins": overlap.wins,
        "from": format_timestamp(overlap.since),
        "until": plain(overlap.until),
    }


def plan_row_body(row: PlanRow, foreseen: Sequence[Foreseen]) -> JsonObject:
    """Return a row: its edits, the steps to come, and what became of those that were made."""
    currency = str(row.edits.get("currency", row.currency))
    return {
        "number": row.number,
        "productId": row.product_id,
        "name": row.name,
        "edits": {
            API_NAMES[name]: field_body(name, value, currency) for name, value in row.edits.items()
        },
        "basedOn": row.base,
        "foreseen": [
            {
                "step": str(step.step),
                "at": format_timestamp(step.at),
                "changed": _changed_body(step.changed, step.before.currency, step.after.currency),
                "message": step.message,
            }
            for step in foreseen
        ],
        **{str(step): _outcome_body(row, row.outcome(step)) for step in Step},
    }


def _outcome_body(row: PlanRow, outcome: RowOutcome | None) -> JsonObject | None:
    if outcome is None:
        return None
    is_applied = outcome.state is RowState.APPLIED
    path = f"v1.0/products/{quote(row.product_id)}/changes/{outcome.version}"
    return {
        "state": str(outcome.state),
        "version": outcome.version,
        "changed": _changed_body(outcome.changed, row.currency, row.currency),
        "message": outcome.message,
        "receiptUrl": f"{get_script_prefix()}{path}" if is_applied else None,
    }


def _changed_body(changed: FieldChanges, before: str, after: str) -> JsonObject:
    """Return the changes; the amounts have the places of the currency before and after."""
    return {
        API_NAMES[name]: {
            "before": field_body(name, old, before),
            "after": field_body(name, new, after),
        }
        for name, (old, new) in changed.items()
    }


def plan_version_body(plan: Plan, previous: Plan | None) -> JsonObject:
    """Return what a person did to the plan: they made it, or changed these of its facts."""
    changed = {
        PLAN_NAMES.get(name, name): {
            "before": plain(getattr(previous, name)),
            "after": plain(getattr(plan, name)),
        }
        for name in _fields_of_people(previous, plan)
        if getattr(previous, name) != getattr(plan, name)
    }
    return {
        "version": plan.version,
        "user": plan.updated_by,
        "at": format_timestamp(plan.updated_at),
        "changed": changed,
    }


def _fields_of_people(previous: Plan | None, plan: Plan) -> Sequence[str]:
    """Return the fields that people can have changed: the state only by a cancellation."""
    if previous is None:
        return ()
    is_cancellation = PlanState.CANCELLED in (previous.state, plan.state)
    return (*FACTS, "state") if is_cancellation else tuple(FACTS)


def plan_names(plans: Sequence[Plan]) -> list[JsonObject]:
    """Return the plans that a future product rests on."""
    return [{"planId": plan.plan_id, "name": plan.name} for plan in plans]


def outlook_body(outlook: Outlook) -> JsonObject:
    """Return what is to come for a product: the plans that run, and the steps in their order."""
    return {
        "productId": outlook.now.product_id,
        "version": outlook.now.version,
        "running": plan_names(outlook.running),
        "steps": [_step_body(step) for step in outlook.steps],
    }


def _step_body(step: Foreseen) -> JsonObject:
    currencies = step.before.currency, step.after.currency
    return {
        "planId": step.plan.plan_id,
        "planName": step.plan.name,
        "step": str(step.step),
        "at": format_timestamp(step.at),
        "changed": _changed_body(step.changed, *currencies),
        "message": step.message,
    }


def page_of(name: str, items: Sequence[Mapping[str, Any]], cursor: str | None) -> JsonObject:
    """Return a page of items under this name."""
    return {
        name: list(items),
        "count": len(items),
        "moreAvailable": cursor is not None,
        "nextStartAt": cursor,
    }
