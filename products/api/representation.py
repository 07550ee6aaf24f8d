"""How products, changes and pages look to a client, and what a client may write. Shapes only: rules are the core's."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.urls import get_script_prefix

from products.bootstrap import image_url
from products.changes import Change, Effect
from products.documents import FIELD_NAMES, document_key, format_timestamp, to_document
from products.errors import Invalid
from products.merging import differences
from products.pipeline import effect_states
from products.product import Product
from products.writes import Accepted


def plain(value: Any) -> Any:
    """The value as JSON has it: amounts and times as text."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def wire_of(field: str) -> str:
    """The contract's name of a field: the core knows an image by its key, clients by its address."""
    return "imageUrl" if field == "image" else document_key(field)


def image_key(url: Any) -> Any:
    """The key of one of our own images, as read; what is none is left for the rule to refuse."""
    return url.removeprefix(settings.MEDIA_URL) if isinstance(url, str) else url


def product_body(product: Product, *, staff: bool = False) -> dict[str, Any]:
    """The bare product; ``updatedBy`` is for staff only."""
    body: dict[str, Any] = to_document(product) | {
        "period": product.shown_period,
        "price": plain(product.price),
    }
    body["renewalPrice"] = plain(product.renewal_price)
    body["imageUrl"] = image_url(body.pop("image", None))
    if not staff:
        del body["updatedBy"]
    return body


def change_url(change: Change) -> str:
    """Where the receipt is, seen from where the request came in: an API Gateway stage may stand before our path."""
    return f"{get_script_prefix()}v1.0/products/{quote(change.product_id)}/changes/{change.version}"


def receipt_summary(change: Change) -> dict[str, Any]:
    """The body of a 202: what was accepted, and where to follow it."""
    return {
        "productId": change.product_id,
        "version": change.version,
        "changeId": change.change_id,
        "status": change.status,
        "statusUrl": change_url(change),
    }


DONE = {"create": 201, "deactivate": 204}


def batch_result(
    accepted: Accepted, action: str, *, dry_run: bool, until: Effect | None
) -> dict[str, Any]:
    """One accepted write of a batch: the code a request of its own would have had, and what its body would say."""
    if dry_run:
        return {"code": 200, **dry_run_body(accepted)}
    change, product = accepted.change, accepted.product
    replayed = {"replayed": True} if accepted.replayed else {}
    if change and (until is None or until in change.open):
        return {"code": 202, **receipt_summary(change), **replayed}
    done = {"product": product_body(product, staff=True), **replayed}
    if change is None:
        return {"code": 200, "productId": product.product_id, "version": product.version, **done}
    return {"code": DONE.get(action, 200), **receipt_summary(change), **done}


def change_body(change: Change) -> dict[str, Any]:
    """The receipt: who changed what, and how far each effect has come."""
    return {
        **receipt_summary(change),
        "changeType": str(change.change_type),
        "user": change.origin.actor,
        "source": change.origin.source,
        "requestId": change.origin.request_id,
        "reason": change.origin.reason or None,
        "acceptedAt": format_timestamp(change.accepted_at),
        "effects": plain(effect_states(change)),
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
    shown = {
        name: pair if name != "image" else tuple(map(image_url, pair))
        for name, pair in changed.items()
    }
    return {
        wire_of(name): {"before": plain(before), "after": plain(after)}
        for name, (before, after) in shown.items()
    }


def edits_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's fields by the core's names; names nobody knows pass, so that the core refuses them with the rest.

    Invalid for a name that only the core uses, such as ``renewal_price``: it is not the contract's.
    """
    inner = (body.keys() - FIELD_NAMES.keys() | {"image"} & body.keys()) & set(FIELD_NAMES.values())
    if inner:
        raise Invalid(
            {
                wire_of(name): [f"There is no field {name!r}; write {wire_of(name)!r}."]
                for name in inner
            }
        )
    edits = {FIELD_NAMES.get(name, name): value for name, value in body.items()}
    if "imageUrl" in edits:
        edits["image"] = image_key(edits.pop("imageUrl"))
    return edits
