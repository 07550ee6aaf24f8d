"""The parameters and headers of the API, for its OpenAPI contract."""

from collections.abc import Sequence
from typing import Any, Literal

from drf_spectacular.utils import OpenApiParameter

from products.api.queries import DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT_LENGTH
from products.api.serializers import AMOUNT
from products.api.write_options import MAX_WAIT_SECONDS
from products.changes import Effect
from products.currency import CURRENCIES
from products.product import BillingCycle

type JsonSchema = dict[str, Any]
type ParameterType = type[str] | type[int] | JsonSchema

QUERY: Literal["query"] = "query"
PATH: Literal["path"] = "path"
HEADER: Literal["header"] = "header"


def query(
    name: str,
    description: str,
    type_: ParameterType = str,
    *,
    enum: Sequence[str] | None = None,
) -> OpenApiParameter:
    """Return a query parameter."""
    return OpenApiParameter(name, type_, QUERY, description=description, enum=enum)


def request_header(name: str, description: str, type_: ParameterType = str) -> OpenApiParameter:
    """Return a header that clients may send."""
    return OpenApiParameter(name, type_, HEADER, description=description)


def response_header(
    name: str, description: str, *codes: int, type_: ParameterType = str
) -> OpenApiParameter:
    """Return a header of the responses with these codes, or of all responses."""
    return OpenApiParameter(
        name, type_, HEADER, description=description, response=list(codes) or True
    )


KEY: JsonSchema = {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}
TAG: JsonSchema = {"type": "string", "pattern": r'^((W/)?"v[0-9]{1,12}"|\*)$'}
ID_SCHEMA: JsonSchema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
VERSION_SCHEMA: JsonSchema = {"type": "integer", "minimum": 1, "maximum": 10**9}
LIMIT: JsonSchema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
SEARCH_TEXT: JsonSchema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH}
VERSION_OR_TIME: JsonSchema = {
    "oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "format": "date-time"}]
}

ID = OpenApiParameter("product_id", ID_SCHEMA, PATH)
VERSION = OpenApiParameter("version", VERSION_SCHEMA, PATH)
AS_OF = query(
    "asOf",
    "Staff only: a version (3, v3), or an ISO 8601 time, in UTC unless it has an offset.",
    VERSION_OR_TIME,
)

PAGE = [
    query("limit", f"The size of a page; {DEFAULT_LIMIT} by default.", LIMIT),
    query(
        "startAt",
        "The nextStartAt of the previous page. It is valid for the same order and filters only.",
    ),
]
LIST = [
    *PAGE,
    query(
        "sortBy",
        "createdAt by default; price orders the products of one currency.",
        enum=["createdAt", "price"],
    ),
    query("order", "asc by default.", enum=["asc", "desc"]),
    query("minPrice", "The lowest price; 0 means no limit.", AMOUNT),
    query("maxPrice", "The highest price.", AMOUNT),
    query("currency", "ISO 4217; ZAR by default with sortBy=price.", enum=sorted(CURRENCIES)),
    query("billingCycle", "Only products with this cycle.", enum=list(BillingCycle)),
    query("q", "Full-text search; best matches first unless sorted.", SEARCH_TEXT),
    query("active", "Staff only.", enum=["true", "false", "all"]),
]
CONDITIONAL = [
    request_header("If-None-Match", "ETags that the client already has."),
    response_header("ETag", "A value for If-None-Match.", 200, 304),
    response_header("Cache-Control", "Who may cache the response, and for how long.", 200, 304),
]
NEXT_PAGE = response_header("Link", 'The next page: `rel="next"`.', 200)

EFFECTS = "|".join(Effect)
WRITE = [
    request_header(
        "Prefer",
        f"`wait=N` (at most {MAX_WAIT_SECONDS} seconds),"
        f" `until={EFFECTS}` (one of them; stored by default).",
    ),
    request_header(
        "Idempotency-Key",
        "A request repeated with the same key within 24 hours takes effect once.",
        KEY,
    ),
    request_header("If-Match", 'The ETag the product must still have, e.g. `"v3"`.', TAG),
    query("dryRun", "true: check everything, write nothing.", enum=["true", "false"]),
    response_header("Location", "The receipt, if there was a change.", 200, 201, 202, 204),
    response_header("ETag", "The current version of the product.", 200, 201, 202, 204),
    response_header(
        "Retry-After", "Seconds until the receipt may have changed.", 202, 207, type_=int
    ),
    response_header("Preference-Applied", "What was waited for.", 200, 201, 204),
    response_header(
        "Idempotent-Replayed",
        "true: this is the answer to an earlier request with the same key.",
        200,
        201,
        202,
        204,
    ),
]
ONE_PRODUCT_ONLY = {"If-Match", "Location", "ETag", "Idempotent-Replayed"}
CREATE = [parameter for parameter in WRITE if parameter.name != "If-Match"]
BATCH = [parameter for parameter in WRITE if parameter.name not in ONE_PRODUCT_ONLY]

ALWAYS = [
    request_header(
        "X-Request-ID",
        "The caller's own id: 8 to 64 letters, digits, dots, hyphens or underscores.",
    ),
    response_header(
        "X-Request-ID",
        "The caller's id if it was valid, else a new one; also in our logs and in the history.",
    ),
    response_header("RateLimit-Limit", "Calls per second.", type_=int),
    response_header("RateLimit-Remaining", "Calls left in this second.", type_=int),
    response_header("RateLimit-Reset", "Seconds until the count starts again.", type_=int),
    response_header("Retry-After", "Seconds to wait.", 429, 503, type_=int),
    response_header("WWW-Authenticate", "Bearer.", 401),
]
OPEN_RECEIPT = response_header(
    "Retry-After",
    "Seconds until the receipt may have changed, while an effect is open.",
    200,
    type_=int,
)
