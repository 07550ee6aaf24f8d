"""JSON Schema as OpenAPI 3.0 has it: the vocabulary that describes what the API reads and answers.

Every bound is imported from the rule that enforces it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from products.identifiers import ID_PATTERN, MAX_VERSION
from products.product import CENT, LENGTHS, MAX_PRICE

type Schema = dict[str, Any]
"""A JSON Schema, or another object of an OpenAPI document."""

PRICE_DIGITS = len(str(int(MAX_PRICE)))
PRICE_PLACES = len(str(CENT).partition(".")[2])

TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANY_VALUE: Schema = {"nullable": True}
PRODUCT_ID: Schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
VERSION: Schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_VERSION}
AMOUNT: Schema = {
    "type": "string",
    "pattern": rf"^[0-9]{{1,{PRICE_DIGITS}}}(\.[0-9]{{1,{PRICE_PLACES}}})?$",
    "example": "1500.00",
}
"""An amount is text, because many clients read JSON numbers as floats."""


def ref(component: str) -> Schema:
    """Return a reference to a component of the contract."""
    return {"$ref": f"#/components/schemas/{component}"}


def described(schema: Schema, description: str) -> Schema:
    """Return the schema with a description."""
    return _extensible(schema) | {"description": description}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null allowed."""
    return _extensible(schema) | {"nullable": True}


def _extensible(schema: Schema) -> Schema:
    # OpenAPI 3.0 ignores every keyword next to a reference.
    return {"allOf": [schema]} if "$ref" in schema else schema


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
