"""JSON Schema as OpenAPI 3.0 has it: the vocabulary that describes what the API reads and answers.

Every bound is imported from the rule that enforces it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from products.currency import MAX_PLACES
from products.identifiers import ID_PATTERN, MAX_VERSION
from products.product import LENGTHS, MAX_PRICE

type Schema = dict[str, Any]
"""A JSON Schema, or another object of an OpenAPI document."""

PRICE_DIGITS = len(str(int(MAX_PRICE)))

TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANY_VALUE: Schema = {"description": "Any JSON value; null where the field is empty."}
"""Without a type, OpenAPI 3.0 allows null too."""
PRODUCT_ID: Schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
VERSION: Schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_VERSION}
AMOUNT: Schema = {
    "type": "string",
    "pattern": rf"^[0-9]{{1,{PRICE_DIGITS}}}(\.[0-9]{{1,{MAX_PLACES}}})?$",
    "example": "1500.00",
}
"""An amount is text, because many clients read JSON numbers as floats.

It has the decimal places of its currency: none in JPY, three in KWD, two in most.
"""


def ref(component: str) -> Schema:
    """Return a reference to a component of the contract."""
    return {"$ref": f"#/components/schemas/{component}"}


def described(schema: Schema, description: str) -> Schema:
    """Return the schema with a description. Components have one of their own."""
    return _inline(schema) | {"description": description}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null allowed."""
    return _inline(schema) | {"nullable": True}


def _inline(schema: Schema) -> Schema:
    if "type" not in schema:
        # OpenAPI 3.0 ignores keywords next to a reference, and null needs a type.
        raise ValueError(f"only a schema with a type can be extended: {schema}")
    return schema


def text_of(field: str) -> Schema:
    """Return the schema of a text with the core's bounds for this field."""
    min_length, max_length = LENGTHS[field]
    return {"type": "string", "maxLength": max_length, "minLength": min_length}


def choice_of(values: Iterable[str]) -> Schema:
    """Return the schema of a text that is one of these."""
    return {"enum": [str(value) for value in values], "type": "string"}


def list_of(items: Schema, **bounds: int) -> Schema:
    """Return the schema of a list; ``bounds`` are minItems and maxItems."""
    return {"type": "array", "items": items, **bounds}


def map_of(values: Schema) -> Schema:
    """Return the schema of an object with any keys."""
    return {"type": "object", "additionalProperties": values}


def object_of(
    description: str, properties: Mapping[str, Schema], *, optional: Iterable[str] = ()
) -> Schema:
    """Return the schema of an object that has all of the properties but the optional ones."""
    schema = {"type": "object", "description": description, "properties": dict(properties)}
    required = sorted(properties.keys() - set(optional))
    return schema | {"required": required} if required else schema
