"""Request bodies: strict JSON within bounds."""

import json
import re
from decimal import Decimal
from typing import Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_BODY_BYTES = 10 * 1024  # bytes
MAX_BATCH_BYTES = 100 * MAX_BODY_BYTES
MAX_DEPTH = 10  # a product needs two levels


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The body must not be larger than {max_bytes} bytes.")


class StrictJSONParser(BaseParser):
    """JSON as the RFC has it, and no more: exact numbers, no NaN, no key twice, an object at the top."""

    media_type = "application/json"
    max_bytes = MAX_BODY_BYTES

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        text = stream.read(self.max_bytes + 1)
        if len(text) > self.max_bytes:
            raise BodyTooLarge(self.max_bytes)
        try:
            body = json.loads(
                text.decode("utf-8"),
                parse_float=Decimal,
                parse_int=_whole,
                parse_constant=_refuse_constant,
                object_pairs_hook=_without_doubles,
            )
        except (ValueError, RecursionError, ArithmeticError) as fault:
            raise ParseError(f"The body is not valid JSON: {_reason(fault)}.") from None
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        if _is_deep(body):
            raise ParseError(f"The body is not valid JSON: {_reason(RecursionError())}.")
        return body


class BatchJSONParser(StrictJSONParser):
    """The same for a hundred products at once."""

    max_bytes = MAX_BATCH_BYTES


def _whole(digits: str) -> int:
    if (
        len(digits) > 100
    ):  # far beyond any number we take; Python itself stops at 4300 digits, in words of its own
        raise ArithmeticError
    return int(digits)


def _reason(fault: Exception) -> str:
    if isinstance(fault, ArithmeticError):
        return "a number is out of all bounds"
    if isinstance(fault, UnicodeDecodeError):
        return f"it is not UTF-8, from byte {fault.start + 1} on"
    return "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)


def _is_deep(body: Any) -> bool:
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _parts(value)]
    return bool(level)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"the key {doubled[0]!r} occurs twice")
    halves = [key for key in keys if re.search("[\ud800-\udfff]", key)]
    if halves:  # an answer that names such a key could not be written as UTF-8
        raise ValueError(f"the key {halves[0]!r} holds half a character")
    return dict(pairs)
