"""The JSON forms of products and changes in responses."""

from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from django.urls import get_script_prefix

from products.api.json_types import JsonObject
from products.api.product_fields import API_NAMES
from products.bootstrap import image_url
from products.changes import Change, Effect
from products.currency import amount_text, canonical
from products.documents import format_timestamp, to_document
from products.effects import effect_states
from products.merging import differences
from products.product import Product
from products.writes import Accepted

STATUS_WHEN_DONE = {"create": 201, "deactivate": 204}


def plain(value: object) -> object:
    """Return the value with amounts and times as text."""
    if isinstance(value, Decimal):
        exact = canonical(value)
        return f"{exact:f}"
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def listed_product(product: Product, fields: frozenset[str] | None, *, staff: bool) -> JsonObject:
    """Return the product, with its id and only these fields if they are given."""
    body = product_body(product, staff=staff)
    if fields is None:
        return body
    return {name: value for name, value in body.items() if name in fields | {"productId"}}


def product_body(product: Product, *, staff: bool = False) -> JsonObject:
    """Return the product, with ``updatedBy`` only for staff."""
    body: JsonObject = to_document(product)
    body["period"] = product.shown_period
    body["price"] = amount_text(product.price, product.currency)
    if product.renewal_price is not None:
        body["renewalPrice"] = amount_text(product.renewal_price, product.currency)
    body.pop("image", None)
    body["imageUrl"] = image_url(product.image)
    if not staff:
        del body["updatedBy"]
    return body


def change_url(change: Change) -> str:
    """Return the path of the receipt. It includes the stage of an API Gateway, if there is one."""
    prefix = get_script_prefix()
    return f"{prefix}v1.0/products/{quote(change.product_id)}/changes/{change.version}"


def receipt_summary(change: Change) -> JsonObject:
    """Return the body of a 202: what was accepted, and the URL of its receipt."""
    return {
        "productId": change.product_id,
        "version": change.version,
        "changeId": change.change_id,
        "status": change.status,
        "statusUrl": change_url(change),
    }


def batch_result(
    accepted: Accepted, action: str, *, dry_run: bool, until: Effect | None
) -> JsonObject:
    """Return the result of one accepted write of a batch.

    It has the status code and the content that a single request would have been answered with.
    ``until`` is the effect the caller waited for.
    """
    if dry_run:
        return {"code": 200, **dry_run_body(accepted)}
    change, product = accepted.change, accepted.product
    replayed = {"replayed": True} if accepted.replayed else {}
    if change and (until is None or until in change.open):
        return {"code": 202, **receipt_summary(change), **replayed}
    done = {"product": product_body(product, staff=True), **replayed}
    if change is None:
        return {"code": 200, "productId": product.product_id, "version": product.version, **done}
    return {"code": STATUS_WHEN_DONE.get(action, 200), **receipt_summary(change), **done}


def change_body(change: Change) -> JsonObject:
    """Return the receipt of a change: who changed what, and the state of each effect."""
    before = product_body(change.before, staff=True) if change.before else None
    return {
        **receipt_summary(change),
        "changeType": str(change.change_type),
        "user": change.origin.actor,
        "source": change.origin.source,
        "requestId": change.origin.request_id,
        "reason": change.origin.reason or None,
        "acceptedAt": format_timestamp(change.accepted_at),
        "effects": plain(effect_states(change)),
        "changed": _changed_body(change),
        "before": before,
        "after": product_body(change.after, staff=True),
    }


def dry_run_response(accepted: Accepted) -> JsonObject:
    """Return the product as a write would leave it, and what the write would change."""
    return product_body(accepted.product, staff=True) | dry_run_body(accepted)


def dry_run_body(accepted: Accepted) -> JsonObject:
    """Return what a write would change."""
    change = accepted.change
    return {
        "dryRun": True,
        "changeType": str(change.change_type) if change else None,
        "changed": _changed_body(change) if change else {},
        "product": product_body(accepted.product, staff=True),
    }


def _changed_body(change: Change) -> JsonObject:
    body: JsonObject = {}
    currency = (change.before or change.after).currency
    for field, (before, after) in differences(change.before, change.after).items():
        body[API_NAMES[field]] = {
            "before": field_body(field, before, currency),
            "after": field_body(field, after, change.after.currency),
        }
    return body


def field_body(field: str, value: object, currency: str = "") -> object:
    """Return a field's value as responses show it, an image as its URL.

    An amount has the places of its ``currency``, if this is known.
    """
    if field == "image":
        return image_url(value if isinstance(value, str) else None)
    if isinstance(value, Decimal) and currency:
        return amount_text(value, currency)
    return plain(value)
