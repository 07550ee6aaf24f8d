"""Request bodies: strict JSON of a limited size."""

import json
import math
import re
from collections import Counter
from decimal import Decimal
from typing import Protocol

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from products.api.json_types import UncheckedJson
from products.product import MAX_CHARACTERS

BYTES_OF_CHARACTER = 24
"""Of one character of a text at most: escaped as ``\\uXXXX`` and decomposed into four."""
BYTES_AROUND_TEXTS = 8 * 1024
"""For the names of fields, the other values, and spaces that indent them."""
MAX_BODY_BYTES = 1024 * math.ceil((MAX_CHARACTERS * BYTES_OF_CHARACTER + BYTES_AROUND_TEXTS) / 1024)
MAX_BATCH_BYTES = 5_000_000
"""Less than a function of AWS Lambda accepts in one call, with the body and its own data."""
MERGE_PATCH = "application/merge-patch+json"
MAX_DEPTH = 10  # a product needs two levels
MAX_DIGITS = 100
"""More than any accepted number has. Python refuses only from 4301 digits on."""
SURROGATE = re.compile("[\ud800-\udfff]")


class BodyTooLarge(APIException):
    """The body has more bytes than the endpoint accepts."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The body must not be larger than {max_bytes} bytes.")


class ByteStream(Protocol):
    """The part of a request's stream that the parser needs."""

    def read(self, size: int, /) -> bytes: ...


class StrictJSONParser(BaseParser):
    """Parse JSON as RFC 8259 defines it, with an object at the top level.

    Numbers are read without rounding. NaN, infinities and duplicate keys are refused.
    """

    media_type = "application/json"
    max_bytes = MAX_BODY_BYTES

    def parse(
        self, stream: ByteStream, media_type: str | None = None, parser_context: object = None
    ) -> UncheckedJson:
        """Return the object in the body.

        Raises: BodyTooLarge above ``max_bytes``, ParseError for anything but a JSON object.
        """
        text = stream.read(self.max_bytes + 1)
        if len(text) > self.max_bytes:
            raise BodyTooLarge(self.max_bytes)
        try:
            body = _decode(text)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise ParseError(f"The body is not valid JSON: {_reason(error)}.") from None
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        if _is_too_deep(body):
            raise ParseError(f"The body is not valid JSON: {_reason(RecursionError())}.")
        return body


class MergePatchParser(StrictJSONParser):
    """Parse a JSON merge patch (RFC 7396), which is how edits are merged anyway."""

    media_type = MERGE_PATCH


class BatchJSONParser(StrictJSONParser):
    """Parse the body of a batch, which may be a hundred times as large."""

    max_bytes = MAX_BATCH_BYTES


def _decode(text: bytes) -> object:
    body: object = json.loads(
        text.decode("utf-8"),
        parse_float=Decimal,
        parse_int=_parse_int,
        parse_constant=_refuse_constant,
        object_pairs_hook=_object_of_pairs,
    )
    return body


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ArithmeticError
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _object_of_pairs(pairs: list[tuple[str, object]]) -> UncheckedJson:
    """Build an object. Raise ValueError for a duplicate key or one that is not valid Unicode."""
    keys = [key for key, _ in pairs]
    duplicates = sorted(key for key, count in Counter(keys).items() if count > 1)
    if duplicates:
        raise ValueError(f"the key {duplicates[0]!r} occurs twice")
    # A response that quotes such a key could not be encoded as UTF-8.
    unpaired = [key for key in keys if SURROGATE.search(key)]
    if unpaired:
        raise ValueError(f"the key {unpaired[0]!r} contains an unpaired surrogate")
    return dict(pairs)


def _reason(error: Exception) -> str:
    if isinstance(error, ArithmeticError):
        return "a number is out of range"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8, from byte {error.start + 1} on"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def _is_too_deep(body: object) -> bool:
    """Check whether the value has more than MAX_DEPTH levels, without recursion."""
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
    return bool(level)


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
