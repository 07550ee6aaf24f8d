"""The fields of a product in request bodies: their names in the API, and what may be written.

The rules of the core check the values. The contract describes them with ``NEW_PRODUCT`` and
``EDITS``, which have exactly the fields that have a rule.
"""

from collections.abc import Mapping

from django.conf import settings

from products.api.json_schema import (
    AMOUNT,
    BOOLEAN,
    PRODUCT_ID,
    TEXT,
    TIME,
    VERSION,
    Schema,
    described,
    list_of,
    nullable,
    object_of,
    ref,
    text_of,
)
from products.api.json_types import UncheckedJson
from products.documents import FIELD_NAMES, READ_ONLY
from products.errors import Invalid
from products.product import MAX_FEATURES, REQUIRED, RULES

API_NAMES = {field: name for name, field in FIELD_NAMES.items()} | {"image": "imageUrl"}
"""The API's name of each field of the core, which has an image's key where the API has its URL."""
CORE_NAMES = {name: field for field, name in API_NAMES.items()}

_WRITABLE: dict[str, Schema] = {
    "name": described(text_of("name"), "Unique; case and spaces are ignored."),
    "description": text_of("description"),
    "price": described(AMOUNT, "Due at purchase."),
    "renewal_price": described(nullable(AMOUNT), "Due each cycle; null for a one-time product."),
    "currency": ref("CurrencyEnum"),
    "billing_cycle": ref("BillingCycleEnum"),
    "period": described(nullable(text_of("period")), "Derived from the prices when omitted."),
    "features": described(
        nullable(list_of(text_of("feature"), maxItems=MAX_FEATURES)), "Null for none."
    ),
    "active": BOOLEAN,
    "image": described(nullable(TEXT), "As returned, or null; staff upload images in the admin."),
}
_READ_ONLY: dict[str, Schema] = {
    "product_id": PRODUCT_ID,
    "created_at": TIME,
    "updated_at": TIME,
    "updated_by": TEXT,
}
_FIELDS = {API_NAMES[field]: _WRITABLE[field] for field in RULES}

NEW_PRODUCT = object_of(
    "A product to be created.",
    {"productId": described(PRODUCT_ID, "Generated when omitted."), **_FIELDS},
    optional={"productId", *_FIELDS} - {API_NAMES[field] for field in REQUIRED},
)
_EDITABLE = {
    **_FIELDS,
    **{
        API_NAMES[field]: described(_READ_ONLY[field], "As returned; it can't be changed.")
        for field in sorted(READ_ONLY - {"version"})
    },
    "version": described(
        VERSION, "The version you started from; later changes by others are merged."
    ),
}
EDITS = object_of(
    "The fields that may be changed; omitted fields stay unchanged.", _EDITABLE, optional=_EDITABLE
)


def edits_of(body: Mapping[str, object]) -> UncheckedJson:
    """Return the body's fields under the core's names.

    Unknown names pass, so that the core refuses them together with wrong values. Raise Invalid for
    a name that only the core uses, such as ``renewal_price``.
    """
    names_of_core = (body.keys() & API_NAMES.keys()) - CORE_NAMES.keys()
    if names_of_core:
        raise Invalid({API_NAMES[name]: [_rename_sentence(name)] for name in names_of_core})
    edits = {CORE_NAMES.get(name, name): value for name, value in body.items()}
    if "image" in edits:
        edits["image"] = _image_key(edits["image"])
    return edits


def _rename_sentence(name: str) -> str:
    return f"There is no field {name!r}; write {API_NAMES[name]!r}."


def _image_key(url: object) -> object:
    """Return the key of one of our images. Other values stay, for the field's rule to refuse."""
    return url.removeprefix(settings.MEDIA_URL) if isinstance(url, str) else url
