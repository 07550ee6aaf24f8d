"""Names for the JSON that the API reads and writes."""

from typing import Any

type JsonObject = dict[str, object]
"""A JSON object for a response."""

type UncheckedJson = dict[str, Any]
"""A JSON object from a client. No rule has checked its values yet, so they can be anything."""

type FieldErrors = dict[str, list[str]]
"""Sentences about what is wrong, by field, header or query parameter."""
