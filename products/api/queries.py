"""What a request reads: which list, or which version of a product."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rest_framework.request import Request

from products.api.cursors import position_of
from products.api.parameters import (
    AS_OF_PARAMETERS,
    CATALOGUE_PARAMETERS,
    DEFAULT_LIMIT,
    FOLLOW_PARAMETERS,
    LIST_PARAMETERS,
    MAX_LIMIT,
    is_ignored,
    read_parameters,
)
from products.api.permissions import is_staff
from products.bootstrap import now
from products.currency import DEFAULT_CURRENCY, fits
from products.documents import parse_timestamp
from products.errors import Invalid
from products.following import FollowQuery
from products.lists import ListQuery, SortKey
from products.product import places_sentence

LIST_NAMES = {parameter.field: name for name, parameter in LIST_PARAMETERS.items()}


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a request to the list asks for: a list or what has changed, and which fields.

    ``moment`` is the time to come at which the list is wanted, for staff.
    """

    query: ListQuery | FollowQuery
    fields: frozenset[str] | None
    moment: datetime | None = None


def list_request_of(request: Request) -> ListRequest:
    """Return what a request to the list asks for.

    Raises: Invalid, which names each parameter that is unknown, repeated or wrong.
    """
    values = read_parameters(request.query_params, CATALOGUE_PARAMETERS)
    if "active" in values and not is_staff(request):
        raise Invalid(
            {"active": ["Only staff may choose this; the public list holds active products."]}
        )
    fields = values.pop("fields", None)
    cursor = values.pop("after", None)
    moment = _future(request, values.pop("moment", None))
    if "since" in values:
        return ListRequest(_follow_query(request, values, cursor), fields)
    values.setdefault("limit", MAX_LIMIT if "ids" in values else DEFAULT_LIMIT)
    query = list_query(values)
    if cursor is not None:
        query = replace(query, after=position_of(cursor, query))
    return ListRequest(query, fields, moment)


def _future(request: Request, moment: datetime | None) -> datetime | None:
    """Return the time at which the list is wanted. Raise Invalid unless it is to come."""
    if moment is None:
        return None
    if not is_staff(request):
        raise Invalid({"asOf": ["Only staff may read the list of another time."]})
    if moment <= now():
        sentence = "Must be a time to come. One product can be read at an earlier time."
        raise Invalid({"asOf": [sentence]})
    return moment


def list_query(values: Mapping[str, Any]) -> ListQuery:
    """Return the list with these filters and this order. Raises: Invalid."""
    _validate_bounds(values)
    is_search = "text" in values
    if is_search and values.get("sort") is SortKey.NAME:
        raise Invalid({"sortBy": ["A search can't be ordered by name."]})
    if is_search and "ids" in values:
        raise Invalid({"ids": ["Can't be combined with q."]})
    is_sorted = "sort" in values or "descending" in values
    return ListQuery(**values, by_relevance=is_search and not is_sorted)


def _follow_query(request: Request, values: Mapping[str, Any], cursor: str | None) -> FollowQuery:
    others = request.query_params.keys() - FOLLOW_PARAMETERS.keys()
    wrong = sorted(name for name in others if not is_ignored(name))
    if wrong:
        raise Invalid({name: ["Can't be combined with updatedSince."] for name in wrong})
    query = FollowQuery(**values)
    if cursor is None:
        return query
    after, next_since = position_of(cursor, query).split(" ")
    return replace(query, after=after, next_since=parse_timestamp(next_since))


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


def future_time(request: Request) -> datetime | None:
    """Return the time in ``asOf`` if it is to come."""
    wanted = as_of(request)
    if isinstance(wanted, datetime) and wanted > now():
        return wanted
    return None
