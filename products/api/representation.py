"""How products, changes and pages look to a client, and what a client may write. Shapes only: rules are the core's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from products.acceptance import Accepted
from products.changes import Change, differences
from products.pipeline import states
from products.product import FIELD_NAMES, Product, iso, to_document, wire_name

READ_ONLY = {"product_id", "created_at", "updated_at"}


def plain(value: Any) -> Any:
    """The value as JSON has it: amounts and times as text."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def product_body(product: Product, *, staff: bool = False) -> dict[str, Any]:
    """The bare product; ``updatedBy`` is for staff only."""
    body: dict[str, Any] = plain(to_document(replace(product, period=product.shown_period)))
    if not staff:
        del body["updatedBy"]
    return body


def change_url(change: Change) -> str:
    return f"/v1.0/products/{quote(change.product_id)}/changes/{change.version}"


def receipt_summary(change: Change) -> dict[str, Any]:
    """The body of a 202: what was accepted, and where to follow it."""
    return {
        "productId": change.product_id,
        "version": change.version,
        "changeId": change.change_id,
        "status": change.status,
        "statusUrl": change_url(change),
    }


def change_body(change: Change) -> dict[str, Any]:
    """The receipt: who changed what, and how far each effect has come."""
    return {
        **receipt_summary(change),
        "changeType": str(change.change_type),
        "user": change.origin.actor,
        "source": change.origin.source,
        "requestId": change.origin.request_id,
        "acceptedAt": iso(change.accepted_at),
        "effects": plain(states(change)),
        "changed": _changed_body(differences(change.before, change.after)),
        "before": product_body(change.before, staff=True) if change.before else None,
        "after": product_body(change.after, staff=True),
    }


def dry_run_body(accepted: Accepted) -> dict[str, Any]:
    """What a write would do."""
    change = accepted.change
    changed = differences(change.before, change.after) if change else {}
    return {
        "dryRun": True,
        "changeType": str(change.change_type) if change else None,
        "changed": _changed_body(changed),
        "product": product_body(accepted.product, staff=True),
    }


def _changed_body(changed: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {
        wire_name(name): {"before": plain(before), "after": plain(after)} for name, (before, after) in changed.items()
    }


def edits_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's fields by the core's names; unknown names pass, so that the core refuses them by name."""
    return {FIELD_NAMES.get(name, name): value for name, value in body.items()}
