"""Reading query parameters and headers: each is understood completely, or refused by its name."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core import signing
from django.http import QueryDict
from rest_framework.request import Request

from products.api.permissions import is_staff
from products.changes import Effect
from products.listing import Listing
from products.product import RULES, Invalid

LIMIT_DEFAULT, LIMIT_MOST, WAIT_MOST, TEXT_MOST = 25, 100, 10, 200
SIGNER = signing.Signer(salt="products.cursor")


def _choice(**meanings: Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in meanings:
            raise ValueError(f"Must be one of {', '.join(meanings)}.")
        return meanings[text]

    return read


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= LIMIT_MOST:
        raise ValueError(f"Must be a whole number from 1 to {LIMIT_MOST}.")
    return int(text)


def _text(text: str) -> str:
    if not 1 <= len(text.strip()) <= TEXT_MOST:
        raise ValueError(f"Must have 1 to {TEXT_MOST} characters.")
    return text.strip()


_active = _choice(true=True, false=False, all=None)
PARAMETERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "limit": ("limit", _limit),
    "startAt": ("after", str),
    "sortBy": ("by_price", _choice(createdAt=False, price=True)),
    "order": ("descending", _choice(asc=False, desc=True)),
    "minPrice": ("min_price", RULES["price"]),
    "maxPrice": ("max_price", RULES["price"]),
    "currency": ("currency", RULES["currency"]),
    "billingCycle": ("billing_cycle", RULES["billing_cycle"]),
    "q": ("text", _text),
    "active": ("active", _active),
}
IGNORED = {"format"}  # DRF's own, of the browsable API


def listing_of(request: Request) -> Listing:
    """The list a request asks for; Invalid names every parameter that is unknown, doubled or wrong."""
    values = read_parameters(request.query_params, PARAMETERS)
    if "active" in values and not is_staff(request):
        raise Invalid({"active": ["Only staff may choose this; the public list holds active products."]})
    cursor = values.pop("after", None)
    listing = Listing(**{"limit": LIMIT_DEFAULT, **values})
    return replace(listing, after=_position(cursor, listing)) if cursor else listing


def read_parameters(query: QueryDict, known: Mapping[str, tuple[str, Callable[[str], Any]]]) -> dict[str, Any]:
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


def cursor_of(listing: Listing, position: str) -> str:
    return SIGNER.sign_object([_fingerprint(listing), position])


def _position(cursor: str, listing: Listing) -> str:
    try:
        fingerprint, position = SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise Invalid({"startAt": ["Must be the nextStartAt of an earlier answer."]}) from None
    if fingerprint != _fingerprint(listing):
        raise Invalid({"startAt": ["Belongs to a list with another order or other filters."]})
    return str(position)


def _fingerprint(listing: Listing) -> str:
    return hashlib.sha256(repr(replace(listing, after=None, limit=0)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a writer would wait (seconds), and for which effect."""

    seconds: float
    until: Effect

    @property
    def applied(self) -> str:
        return f"wait={self.seconds:g}, until={self.until}"


def wait_of(request: Request) -> Wait | None:
    """``Prefer: wait=N; until=…`` (RFC 7240); N is cut at WAIT_MOST. Preferences we don't know are ignored."""
    preferences: dict[str, str] = {}
    for part in re.split(r"[,;]", request.headers.get("Prefer", "")):
        name, _, value = part.strip().partition("=")
        preferences.setdefault(name.strip().lower(), value.strip().strip('"'))
    if "wait" not in preferences:
        return None
    until = preferences.get("until", Effect.STORED)
    if not re.fullmatch(r"[0-9]{1,9}", preferences["wait"]):
        raise Invalid({"Prefer": ["wait must be a whole number of seconds."]})
    if until not in list(Effect):
        raise Invalid({"Prefer": [f"until must be one of {', '.join(Effect)}."]})
    return Wait(min(int(preferences["wait"]), WAIT_MOST), Effect(until))


# Versions as entity tags


def etag_of(version: int) -> str:
    return f'"v{version}"'


def only_if_version(request: Request) -> int | None:
    """The version ``If-Match`` insists on; None without the header, or with ``*``."""
    given = request.headers.get("If-Match", "").strip()
    if given in {"", "*"}:
        return None
    match = re.fullmatch(r'"v([0-9]{1,12})"', given)
    if not match:
        raise Invalid({"If-Match": ['Must be the ETag of a product, such as "v3".']})
    return int(match[1])


def is_not_modified(request: Request, version: int) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag_of(version) in tags or "*" in tags
