"""Query parameters: each is understood completely, or refused by its name.

The tables say what the views accept, and the contract describes the same tables.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict

from products.api.json_schema import AMOUNT, PRODUCT_ID, TEXT, TIME, Schema, choice_of, ref
from products.api.json_types import FieldErrors
from products.api.product_fields import CORE_NAMES
from products.currency import DEFAULT_CURRENCY
from products.errors import Invalid
from products.identifiers import is_id, parse_version
from products.lists import SortKey
from products.product import RULES, BillingCycle, price_bound
from products.search.words import MAX_TEXT_LENGTH

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
FIELD_CHOICE = tuple(CORE_NAMES)

BROWSABLE_API = {"format"}  # belongs to DRF's browsable API
CACHE_BUSTERS = {"_", "cb", "cachebuster", "nocache"}
TRACKERS = {
    *("_ga", "_gl", "_hsenc", "_hsmi", "dclid", "fbclid", "gad_source", "gbraid", "gclid"),
    *("gclsrc", "igshid", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "srsltid"),
    *("ttclid", "twclid", "wbraid", "yclid"),
}
IGNORED = BROWSABLE_API | CACHE_BUSTERS | TRACKERS

type Rule = Callable[[str], Any]
"""Returns the value of a parameter's text. Raises ValueError with a sentence for the caller."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: the name of its value in the code, its rule, and its description.

    A parameter with ``is_list`` may be repeated, or have values between commas. One that excludes
    others has no example: API consoles send the examples of all parameters together.
    """

    field: str
    rule: Rule
    schema: Schema
    description: str
    example: object

    @property
    def is_list(self) -> bool:
        return self.schema.get("type") == "array"


type Parameters = Mapping[str, Parameter]


def _choice(field: str, description: str, **meanings: object) -> Parameter:
    """Return a parameter that accepts these texts, with the value that each one means."""

    def rule(text: str) -> object:
        if text not in meanings:
            raise ValueError(f"Must be one of {', '.join(meanings)}.")
        return meanings[text]

    return Parameter(field, rule, choice_of(meanings), description, next(iter(meanings)))


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"Must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _text(text: str) -> str:
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_TEXT_LENGTH:
        raise ValueError(f"Must have 1 to {MAX_TEXT_LENGTH} characters.")
    return stripped


def _ids(text: str) -> tuple[str, ...]:
    ids = text.split(",")
    wrong = [product_id for product_id in ids if not is_id(product_id)]
    if wrong:
        raise ValueError(f"Must be product ids between commas; {wrong[0][:80]!r} is none.")
    if len(set(ids)) > MAX_LIMIT:
        raise ValueError(f"Must be at most {MAX_LIMIT} ids.")
    return tuple(sorted(set(ids)))


def _fields(text: str) -> frozenset[str]:
    names = text.split(",")
    wrong = [name for name in names if name not in FIELD_CHOICE]
    if wrong:
        raise ValueError(f"Must be among {', '.join(FIELD_CHOICE)}.")
    return frozenset(names)


def _time(text: str) -> datetime:
    # In a query string, an unescaped "+" is a space: "12:00:00 02:00" was "12:00:00+02:00".
    unescaped = re.sub(r"(?<=:[0-9]{2}) (?=[0-9]{2}:?[0-9]{2}$)", "+", text)
    try:
        time = datetime.fromisoformat(unescaped)
    except ValueError:
        raise ValueError("Must be a time such as 2026-03-01T12:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _since(text: str) -> datetime:
    try:
        return _time(text).astimezone(UTC)
    except OverflowError:  # the first or the last day, with an offset
        raise ValueError("Must be a time between the years 1 and 9999 in UTC.") from None


def _version_or_time(text: str) -> int | datetime:
    tag = re.fullmatch(r'("?)v?([0-9]+)\1', text)  # an ETag names a version too
    version = parse_version(tag[2]) if tag else None
    if version is not None:
        return version
    try:
        return _time(text)
    except ValueError:
        raise ValueError(
            "Must be a version such as 3, or a time such as 2026-03-01T12:00:00Z."
        ) from None


PAGE_PARAMETERS: Parameters = {
    "limit": Parameter(
        "limit",
        _limit,
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        f"The size of a page; {DEFAULT_LIMIT} by default.",
        DEFAULT_LIMIT,
    ),
    "startAt": Parameter(
        "after",
        str,
        TEXT,
        "The nextStartAt of the previous page. It is valid for the same order and filters only.",
        None,
    ),
}
LIST_PARAMETERS: Parameters = {
    **PAGE_PARAMETERS,
    "sortBy": _choice(
        "sort",
        "createdAt by default; price orders the products of one currency.",
        **{str(key): key for key in SortKey},
    ),
    "order": _choice("descending", "asc by default.", asc=False, desc=True),
    "minPrice": Parameter(
        "min_price", price_bound, AMOUNT, "The lowest price; 0 means no limit.", "100.00"
    ),
    "maxPrice": Parameter("max_price", price_bound, AMOUNT, "The highest price.", "2500.00"),
    "currency": Parameter(
        "currency",
        RULES["currency"],
        ref("CurrencyEnum"),
        f"Only products in this currency. {DEFAULT_CURRENCY} by default with sortBy=price, minPrice"
        " or maxPrice, because prices in two currencies can't be compared.",
        DEFAULT_CURRENCY,
    ),
    "billingCycle": Parameter(
        "billing_cycle",
        RULES["billing_cycle"],
        ref("BillingCycleEnum"),
        "Only products with this cycle.",
        str(BillingCycle.MONTHLY),
    ),
    "q": Parameter(
        "text",
        _text,
        {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH},
        "Full-text search; best matches first unless sorted.",
        "hosting",
    ),
    "active": _choice("active", "Staff only.", true=True, false=False, all=None),
}
IDS = Parameter(
    "ids",
    _ids,
    {"type": "array", "items": PRODUCT_ID, "minItems": 1, "maxItems": MAX_LIMIT},
    f"Only these products, at most {MAX_LIMIT}, such as PROD-BASIC,PROD-PREMIUM; ids that do not"
    " exist are left out.",
    None,
)
FIELDS = Parameter(
    "fields",
    _fields,
    {"type": "array", "items": choice_of(FIELD_CHOICE), "minItems": 1},
    "Only these fields of each product; productId is always there.",
    ["name", "price"],
)
UPDATED_SINCE = Parameter(
    "since",
    _since,
    TIME,
    "Only products that were stored since this time, such as 2026-03-01T12:00:00Z, in that order,"
    " and the ids of products that left the list since. Go on with the nextUpdatedSince of the"
    " answer: then nothing is skipped.",
    None,
)
FUTURE = Parameter(
    "moment",
    _since,
    TIME,
    "Staff only: the list as plans will make it by this future time. Filters and order apply to"
    " that state.",
    None,
)
CATALOGUE_PARAMETERS: Parameters = {
    **LIST_PARAMETERS,
    "ids": IDS,
    "fields": FIELDS,
    "updatedSince": UPDATED_SINCE,
    "asOf": FUTURE,
}
"""The parameters of the list; those of an export are LIST_PARAMETERS."""
FOLLOW_PARAMETERS: Parameters = {
    **PAGE_PARAMETERS,
    "active": LIST_PARAMETERS["active"],
    "fields": FIELDS,
    "updatedSince": UPDATED_SINCE,
}
AS_OF_PARAMETERS: Parameters = {
    "asOf": Parameter(
        "as_of",
        _version_or_time,
        TEXT,
        "Staff only: a version (3, v3), or an ISO 8601 time, in UTC unless it has an offset. A"
        " future time shows the product as plans will make it.",
        "2026-03-01T12:00:00Z",
    )
}
WRITE_PARAMETERS: Parameters = {
    "dryRun": _choice("dry_run", "true: check everything, write nothing.", true=True, false=False)
}


def read_parameters(query: QueryDict, known: Parameters) -> dict[str, Any]:
    """Return the values of the given parameters.

    Raises: Invalid, which names each parameter that is unknown, repeated or wrong.
    """
    values: dict[str, Any] = {}
    errors: FieldErrors = {}
    for name, texts in query.lists():
        if is_ignored(name):
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


def is_ignored(name: str) -> bool:
    """Whether a parameter says nothing to this API.

    Scripts add a time to get past caches, and links from campaigns and mails carry trackers.
    """
    return name in IGNORED or name.startswith("utm_")


def own_query(query: QueryDict) -> QueryDict:
    """Return a copy of the query without the parameters that say nothing to this API."""
    own = query.copy()
    for name in filter(is_ignored, query):
        del own[name]
    return own


def _read_parameter(name: str, texts: list[str], known: Parameters) -> tuple[str, object]:
    if name not in known:
        raise ValueError("There is no such parameter.")
    parameter = known[name]
    if parameter.is_list:
        return parameter.field, parameter.rule(",".join(texts))
    if len(texts) > 1:
        raise ValueError("Must be given once.")
    return parameter.field, parameter.rule(texts[0])
