"""What a request reads: which list, or which version of a product."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rest_framework.request import Request

from products.api.cursors import position_of
from products.api.parameters import (
    AS_OF_PARAMETERS,
    DEFAULT_LIMIT,
    LIST_PARAMETERS,
    read_parameters,
)
from products.api.permissions import is_staff
from products.currency import DEFAULT_CURRENCY, fits
from products.errors import Invalid
from products.lists import ListQuery
from products.product import places_sentence

LIST_NAMES = {parameter.field: name for name, parameter in LIST_PARAMETERS.items()}


def list_query_of(request: Request) -> ListQuery:
    """Return the list that a request asks for.

    Raises: Invalid, which names each parameter that is unknown, repeated or wrong.
    """
    values = read_parameters(request.query_params, LIST_PARAMETERS)
    if "active" in values and not is_staff(request):
        raise Invalid(
            {"active": ["Only staff may choose this; the public list holds active products."]}
        )
    _validate_bounds(values)
    cursor = values.pop("after", None)
    is_sorted = "by_price" in values or "descending" in values
    values.setdefault("limit", DEFAULT_LIMIT)
    query = ListQuery(**values, by_relevance="text" in values and not is_sorted)
    return query if cursor is None else replace(query, after=position_of(cursor, query))


def _validate_bounds(values: Mapping[str, Any]) -> None:
    """Raise Invalid for bounds that no price in the currency of the list can have."""
    currency = values.get("currency", DEFAULT_CURRENCY)
    errors = {
        name: [places_sentence(currency)]
        for name in ("min_price", "max_price")
        if name in values and not fits(values[name], currency)
    }
    if errors:
        raise Invalid({LIST_NAMES[name]: texts for name, texts in errors.items()})


def as_of(request: Request) -> int | datetime | None:
    """Return the version or the time in ``asOf``, or None without it."""
    values = read_parameters(request.query_params, AS_OF_PARAMETERS)
    wanted: int | datetime | None = values.get("as_of")
    return wanted
