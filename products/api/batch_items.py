"""The body of a batch: its mode and its items, read as the core's writes."""

from collections.abc import Mapping

from products.api.etags import base_version
from products.api.json_schema import (
    PRODUCT_ID,
    VERSION,
    Schema,
    choice_of,
    described,
    list_of,
    object_of,
    ref,
)
from products.api.json_types import FieldErrors, UncheckedJson
from products.api.product_fields import edits_of
from products.batch import MAX_WRITES
from products.errors import Invalid
from products.writes import Write

ACTIONS = ("create", "update", "deactivate", "restore")
FLAG_EDITS: dict[str, UncheckedJson] = {
    "deactivate": {"active": False},
    "restore": {"active": True},
}
MODES = ("each", "all")
BATCH_FIELDS: dict[str, Schema] = {
    "mode": ref("ModeEnum"),
    "items": list_of(ref("BatchItem"), maxItems=MAX_WRITES, minItems=1),
}
ITEM_FIELDS: dict[str, Schema] = {
    "action": ref("ActionEnum"),
    "productId": described(PRODUCT_ID, "Required except with create."),
    "product": ref("ProductEdits"),
    "ifVersion": described(VERSION, "Like If-Match: the version the product must still have."),
}
BATCH_SCHEMAS: dict[str, Schema] = {
    "ActionEnum": choice_of(ACTIONS),
    "ModeEnum": described(
        choice_of(MODES), "Each item on its own, in order; or all or none, in one transaction."
    ),
    "BatchItem": object_of(
        "One write of a batch; `product` holds the fields to create or update.",
        ITEM_FIELDS,
        optional=ITEM_FIELDS.keys() - {"action"},
    ),
    "NewBatch": object_of(f"Up to {MAX_WRITES} writes.", BATCH_FIELDS),
}
NO_FIELD = "There is no such field."


def read_batch(body: UncheckedJson) -> tuple[str, list[tuple[str, Write]]]:
    """Return the mode, and the action and write of each item.

    Raises: Invalid, which names each wrong field of the batch and of its items.
    """
    errors: FieldErrors = {name: [NO_FIELD] for name in body.keys() - BATCH_FIELDS.keys()}
    mode, items = body.get("mode"), body.get("items")
    if mode not in MODES:
        errors["mode"] = ["Must be each (every item on its own) or all (all or none)."]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_WRITES:
        errors["items"] = [f"Must be a list of 1 to {MAX_WRITES} items."]
        raise Invalid(errors)
    writes = []
    for position, item in enumerate(items):
        try:
            writes.append(_read_item(item))
        except Invalid as error:
            errors |= item_errors(position, error.errors)
    if errors:
        raise Invalid(errors)
    return str(mode), writes


def item_errors(position: int, errors: Mapping[str, list[str]]) -> FieldErrors:
    """Return the errors of one item under the names that they have in the batch."""
    item = f"items[{position}]"
    named: FieldErrors = {}
    for field, texts in errors.items():
        name = f"{item}.{field}" if field else item
        named[name] = texts
    return named


def _read_item(item: object) -> tuple[str, Write]:
    """Return the action and the write of an item. The core checks the values of its fields."""
    if not isinstance(item, dict):
        raise Invalid({"": ["Must be an object."]})
    errors = _shape_errors(item)
    if errors:
        raise Invalid(errors)
    action = str(item["action"])
    edits = edits_of(item.get("product", {}))
    if action == "create":
        return action, _creation(item, edits)
    return action, _update(action, item, edits)


def _shape_errors(item: UncheckedJson) -> FieldErrors:
    errors: FieldErrors = {name: [NO_FIELD] for name in item.keys() - ITEM_FIELDS.keys()}
    action, fields = item.get("action"), item.get("product", {})
    takes_fields = action in ("create", "update")
    if action not in ACTIONS:
        errors["action"] = [f"Must be one of {', '.join(ACTIONS)}."]
    if not isinstance(fields, dict) or ("product" in item and not takes_fields):
        errors["product"] = [
            "Must be an object of the product's fields, with create and update only."
        ]
    if action != "create" and not isinstance(item.get("productId"), str):
        errors["productId"] = ["Must name the product."]
    if action == "create" and "ifVersion" in item:
        errors["ifVersion"] = ["A product that does not exist yet has no version."]
    return errors


def _creation(item: UncheckedJson, edits: UncheckedJson) -> Write:
    inner_id = edits.pop("product_id", None)
    product_id = item.get("productId", inner_id)
    if inner_id not in (None, product_id):
        raise Invalid({"productId": ["The item and its product have different ids."]})
    return Write(product_id=product_id, edits=edits, creates=True)


def _update(action: str, item: UncheckedJson, edits: UncheckedJson) -> Write:
    expected_version = base_version(item.get("ifVersion"), "ifVersion")
    base = base_version(edits.pop("version", None))
    return Write(
        product_id=str(item["productId"]),
        edits=FLAG_EDITS.get(action, edits),
        base=base,
        expected_version=expected_version,
    )
