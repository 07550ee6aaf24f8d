"""How a request is read before anybody looks at its meaning: its id, its JSON, its body's size."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from products.bootstrap import new_id

BODY_MOST = 10 * 1024  # bytes
BATCH_MOST = 100 * BODY_MOST
DEPTH_MOST = 10  # a product needs two; more would only exhaust the stack of whoever walks through it


class RequestIdMiddleware:
    """Gives every request an id, the caller's own where it is a sane one, and sends it back with the rate limit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) else new_id()
        request.request_id = request_id  # type: ignore[attr-defined] # ours
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        if rate := getattr(request, "rate_limit", None):
            for name, value in zip(("Limit", "Remaining", "Reset"), rate, strict=True):
                response[f"RateLimit-{name}"] = str(value)
        return response


def request_id(request: Any) -> str:
    return str(getattr(request, "request_id", ""))


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body must not be larger than {most} bytes.")


class StrictJSONParser(BaseParser):
    """JSON as the RFC has it, and no more: exact numbers, no NaN, no key twice, an object at the top."""

    media_type = "application/json"
    most = BODY_MOST

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        text = stream.read(self.most + 1)
        if len(text) > self.most:
            raise BodyTooLarge(self.most)
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

    most = BATCH_MOST


def _whole(digits: str) -> int:
    if len(digits) > 100:  # far beyond any number we take; Python itself stops at 4300 digits, in words of its own
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
    for _ in range(DEPTH_MOST):
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


class ExactJSONRenderer(JSONRenderer):
    """Compact JSON in UTF-8; amounts are texts ("1500.00"), because a JSON number is read as a float by many."""

    charset = None
