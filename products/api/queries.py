"""Reading query parameters and headers: each is understood completely, or refused by its name."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.core import signing
from django.http import QueryDict
from rest_framework.request import Request

from products.api.permissions import is_staff
from products.errors import Invalid
from products.lists import ListQuery, Page
from products.product import RULES, price_bound

DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT_LENGTH = 25, 100, 200
SIGNER = signing.Signer(salt="products.cursor")


def choice(**meanings: Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in meanings:
            raise ValueError(f"Must be one of {', '.join(meanings)}.")
        return meanings[text]

    return read


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"Must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _text(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAX_TEXT_LENGTH:
        raise ValueError(f"Must have 1 to {MAX_TEXT_LENGTH} characters.")
    return text.strip()


_active = choice(true=True, false=False, all=None)
PARAMETERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "limit": ("limit", _limit),
    "startAt": ("after", str),
    "sortBy": ("by_price", choice(createdAt=False, price=True)),
    "order": ("descending", choice(asc=False, desc=True)),
    "minPrice": ("min_price", price_bound),
    "maxPrice": ("max_price", price_bound),
    "currency": ("currency", RULES["currency"]),
    "billingCycle": ("billing_cycle", RULES["billing_cycle"]),
    "q": ("text", _text),
    "active": ("active", _active),
}
IGNORED = {"format"}  # DRF's own, of the browsable API


def listing_of(request: Request) -> ListQuery:
    """The list a request asks for; Invalid names every parameter that is unknown, doubled or wrong."""
    values = read_parameters(request.query_params, PARAMETERS)
    if "active" in values and not is_staff(request):
        raise Invalid(
            {"active": ["Only staff may choose this; the public list holds active products."]}
        )
    cursor = values.pop("after", None)
    by_relevance = "text" in values and "by_price" not in values and "descending" not in values
    listing = ListQuery(**{"limit": DEFAULT_LIMIT, **values, "by_relevance": by_relevance})
    return listing if cursor is None else replace(listing, after=position_of(cursor, listing))


def read_parameters(
    query: QueryDict, known: Mapping[str, tuple[str, Callable[[str], Any]]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, texts in query.lists():
        if name in IGNORED:
            continue
        try:
            if name not in known:
                raise ValueError("There is no such parameter.")
            if len(texts) > 1:
                raise ValueError("Must be given once.")
            field, rule = known[name]
            values[field] = rule(texts[0])
        except ValueError as refusal:
            errors[name] = [str(refusal)]
    if errors:
        raise Invalid(errors)
    return values


# A cursor is a position bound to the order and the filters it was made for, signed so that nobody can make one up.


def cursor_of(listing: object, position: str) -> str:
    return SIGNER.sign_object([_fingerprint(listing), position])


def position_of(cursor: str, listing: object) -> str:
    try:
        fingerprint, position = SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise Invalid({"startAt": ["Must be the nextStartAt of an earlier answer."]}) from None
    if fingerprint != _fingerprint(listing):
        raise Invalid({"startAt": ["Belongs to a list with another order or other filters."]})
    return str(position)


def _fingerprint(listing: object) -> str:
    kept = replace(listing, after=None, limit=0) if isinstance(listing, ListQuery) else listing
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:12]


# Versions as entity tags


def etag_of(version: int) -> str:
    return f'"v{version}"'


def etag_of_page(page: Page) -> str:
    """Weak: it stands for the versions shown and the place to go on from, not for each byte."""
    shown = [(product.product_id, product.version) for product in page.products]
    return f'W/"{hashlib.sha256(repr((shown, page.after)).encode()).hexdigest()[:20]}"'


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names the tag."""
    return etag_matches(request.META.get("HTTP_IF_NONE_MATCH", ""), etag)


def etag_matches(condition: str, etag: str) -> bool:
    """Whether the header's value names the tag; as RFC 9110 has it, a weak comparison."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return etag.removeprefix("W/") in tags or "*" in tags


def as_of(request: Request) -> int | datetime | None:
    """``asOf``: a version, or a moment in ISO 8601."""
    return read_parameters(request.query_params, {"asOf": ("as_of", _version_or_moment)}).get(
        "as_of"
    )


def _version_or_moment(text: str) -> int | datetime:
    if version := re.fullmatch(r'("?)v?([1-9][0-9]{0,11})\1', text):  # an ETag names a version too
        return int(version[2])
    # A plus that was not escaped has become a space, as in the +02:00 of `date -Iseconds` behind curl.
    unescaped = re.sub(r"(?<=:[0-9]{2}) (?=[0-9]{2}:?[0-9]{2}$)", "+", text)
    try:
        moment = datetime.fromisoformat(unescaped)
    except ValueError:
        raise ValueError(
            "Must be a version such as 3, or a time such as 2026-03-01T12:00:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def base_version(version: Any, name: str = "version") -> int | None:
    """A version in a body: the one a client started from, so that what was changed since is merged with it."""
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 10**12:
        raise Invalid({name: ["Must be the version you started from, a whole number from 1."]})
    return version
