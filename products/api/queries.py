"""Query parameters of lists and reads: each is understood completely, or refused by its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from products.api.cursors import position_of
from products.api.json_types import FieldErrors
from products.api.permissions import is_staff
from products.errors import Invalid
from products.lists import ListQuery
from products.product import RULES, price_bound

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
MAX_TEXT_LENGTH = 200
IGNORED = {"format"}  # belongs to DRF's browsable API

type Rule = Callable[[str], Any]
"""Returns the value of a parameter's text. Raises ValueError with a sentence for the caller."""

type Parameters = Mapping[str, tuple[str, Rule]]
"""For each query parameter the name of its value, and its rule."""


def choice(**meanings: object) -> Rule:
    """Return the rule that accepts these texts, with the value that each one means."""

    def read(text: str) -> object:
        if text not in meanings:
            raise ValueError(f"Must be one of {', '.join(meanings)}.")
        return meanings[text]

    return read


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"Must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _text(text: str) -> str:
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_TEXT_LENGTH:
        raise ValueError(f"Must have 1 to {MAX_TEXT_LENGTH} characters.")
    return stripped


def _version_or_time(text: str) -> int | datetime:
    if version := re.fullmatch(r'("?)v?([1-9][0-9]{0,11})\1', text):  # an ETag names a version too
        return int(version[2])
    # In a query string, an unescaped "+" is a space: "12:00:00 02:00" was "12:00:00+02:00".
    unescaped = re.sub(r"(?<=:[0-9]{2}) (?=[0-9]{2}:?[0-9]{2}$)", "+", text)
    try:
        time = datetime.fromisoformat(unescaped)
    except ValueError:
        raise ValueError(
            "Must be a version such as 3, or a time such as 2026-03-01T12:00:00Z."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


PAGE_PARAMETERS: Parameters = {"limit": ("limit", _limit), "startAt": ("after", str)}
LIST_PARAMETERS: Parameters = {
    **PAGE_PARAMETERS,
    "sortBy": ("by_price", choice(createdAt=False, price=True)),
    "order": ("descending", choice(asc=False, desc=True)),
    "minPrice": ("min_price", price_bound),
    "maxPrice": ("max_price", price_bound),
    "currency": ("currency", RULES["currency"]),
    "billingCycle": ("billing_cycle", RULES["billing_cycle"]),
    "q": ("text", _text),
    "active": ("active", choice(true=True, false=False, all=None)),
}
AS_OF_PARAMETERS: Parameters = {"asOf": ("as_of", _version_or_time)}


def list_query_of(request: Request) -> ListQuery:
    """Return the list that a request asks for.

    Raises: Invalid, which names each parameter that is unknown, repeated or wrong.
    """
    values = read_parameters(request.query_params, LIST_PARAMETERS)
    if "active" in values and not is_staff(request):
        raise Invalid(
            {"active": ["Only staff may choose this; the public list holds active products."]}
        )
    cursor = values.pop("after", None)
    is_sorted = "by_price" in values or "descending" in values
    values.setdefault("limit", DEFAULT_LIMIT)
    query = ListQuery(**values, by_relevance="text" in values and not is_sorted)
    return query if cursor is None else replace(query, after=position_of(cursor, query))


def as_of(request: Request) -> int | datetime | None:
    """Return the version or the time in ``asOf``, or None without it."""
    values = read_parameters(request.query_params, AS_OF_PARAMETERS)
    wanted: int | datetime | None = values.get("as_of")
    return wanted


def read_parameters(query: QueryDict, known: Parameters) -> dict[str, Any]:
    """Return the values of the given parameters.

    Raises: Invalid, which names each parameter that is unknown, repeated or wrong.
    """
    values: dict[str, Any] = {}
    errors: FieldErrors = {}
    for name, texts in query.lists():
        if name in IGNORED:
            continue
        try:
            field, value = _read_parameter(name, texts, known)
        except ValueError as error:
            errors[name] = [str(error)]
        else:
            values[field] = value
    if errors:
        raise Invalid(errors)
    return values


def _read_parameter(
    name: str,
    texts: list[str],
    known: Parameters,
) -> tuple[str, object]:
    if name not in known:
        raise ValueError("There is no such parameter.")
    if len(texts) > 1:
        raise ValueError("Must be given once.")
    field, rule = known[name]
    return field, rule(texts[0])
