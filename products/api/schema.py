"""The contract as OpenAPI 3, from here into products/api/openapi.yaml. The views know nothing of it."""

from collections.abc import Iterable
from typing import Any, Literal

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)

from products.api import examples, serializers
from products.api.queries import DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT_LENGTH
from products.api.write_options import MAX_WAIT_SECONDS
from products.changes import Effect
from products.currency import CURRENCIES
from products.product import BillingCycle

QUERY: Literal["query"] = "query"
PATH: Literal["path"] = "path"
HEADER: Literal["header"] = "header"
ERRORS = {
    400: "A field, parameter or header is not right; `errors` names it.",
    401: "The token is missing, expired, revoked or wrong.",
    403: "The caller may not do this.",
    404: "There is no such product or version.",
    406: "Only JSON is given.",
    409: "The id or name is taken, or somebody changed the same field: `conflicts` has both values.",
    412: "If-Match names another version.",
    413: "The body is larger than 10 KB (a batch: 1000 KB).",
    415: "Only JSON is taken.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many calls; see Retry-After.",
    503: "The database does not answer; see Retry-After.",
}
READ_ERRORS = (400, 401, 403, 404, 406, 429, 503)
WRITE_ERRORS = (*READ_ERRORS, 409, 412, 413, 415, 422)


def _query(name: str, description: str, type_: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, QUERY, description=description, **more)


def _header(name: str, description: str, type_: Any = str) -> OpenApiParameter:
    return OpenApiParameter(name, type_, HEADER, description=description)


def _sent(name: str, description: str, *codes: int, type_: Any = str) -> OpenApiParameter:
    """A header of the answers with these codes, or of all answers."""
    return OpenApiParameter(
        name, type_, HEADER, description=description, response=list(codes) or True
    )


KEY = {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}
TAG = {"type": "string", "pattern": r'^((W/)?"v[0-9]{1,12}"|\*)$'}
MOMENT_OR_VERSION = {
    "oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "format": "date-time"}]
}
ID = OpenApiParameter("product_id", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, PATH)
VERSION = OpenApiParameter("version", {"type": "integer", "minimum": 1, "maximum": 10**9}, PATH)
PAGING = [
    _query(
        "limit",
        f"{DEFAULT_LIMIT} unless given.",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    ),
    _query(
        "startAt", "The nextStartAt of the page before; it belongs to that order and those filters."
    ),
]
LISTING = [
    *PAGING,
    _query(
        "sortBy", "createdAt unless given; price orders one currency.", enum=["createdAt", "price"]
    ),
    _query("order", "asc unless given.", enum=["asc", "desc"]),
    _query("minPrice", "The least price; 0 bounds nothing.", serializers.AMOUNT),
    _query("maxPrice", "The highest price.", serializers.AMOUNT),
    _query("currency", "ISO 4217; ZAR with sortBy=price unless given.", enum=sorted(CURRENCIES)),
    _query("billingCycle", "Only this cycle.", enum=list(BillingCycle)),
    _query(
        "q",
        "Full text, best first unless sorted.",
        {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH},
    ),
    _query("active", "Staff only.", enum=["true", "false", "all"]),
]
TERMS = [
    _header(
        "Prefer",
        f"`wait=N` (seconds, {MAX_WAIT_SECONDS} at most), `until={'|'.join(Effect)}` (one of them; stored unless given).",
    ),
    _header(
        "Idempotency-Key",
        "Repeated with the same key within 24 hours, a request takes effect once.",
        KEY,
    ),
    _header("If-Match", 'The ETag the product must still have, e.g. `"v3"`.', TAG),
    _query("dryRun", "true: everything is checked and nothing written.", enum=["true", "false"]),
    _sent("Location", "The receipt, where a change was made.", 200, 201, 202, 204),
    _sent("ETag", "The version the product now has.", 200, 201, 202, 204),
    _sent("Retry-After", "Seconds until it is worth looking at the receipt.", 202, 207, type_=int),
    _sent("Preference-Applied", "What was waited for.", 200, 201, 204),
    _sent(
        "Idempotent-Replayed",
        "true: the answer of an earlier request with this key.",
        200,
        201,
        202,
        204,
    ),
]
TERMS_OF_NEW = [
    term for term in TERMS if term.name != "If-Match"
]  # what is yet to be has no version
ALWAYS = [
    _header(
        "X-Request-ID",
        "An id of the caller's own, 8 to 64 letters, digits, dots, hyphens or underscores.",
    ),
    _sent(
        "X-Request-ID",
        "The caller's own id where it sent a sane one; it is in our logs and in the history.",
    ),
    _sent("RateLimit-Limit", "Calls a second.", type_=int),
    _sent("RateLimit-Remaining", "Calls left within this second.", type_=int),
    _sent("RateLimit-Reset", "Seconds until the count starts anew.", type_=int),
    _sent("Retry-After", "Seconds to wait.", 429, 503, type_=int),
    _sent("WWW-Authenticate", "Bearer.", 401),
]
CONDITIONAL = [
    _header("If-None-Match", "ETags already held."),
    _sent("ETag", "What If-None-Match takes.", 200, 304),
    _sent("Cache-Control", "How long the answer may be kept, and by whom.", 200, 304),
]
NEXT_PAGE = _sent("Link", 'The next page: `rel="next"`.', 200)
SAVED = PolymorphicProxySerializer(
    "Saved", [serializers.Product, serializers.DryRun], resource_type_field_name=None
)


SUMMARIES = {
    "listProducts": "List or search the catalogue",
    "createProduct": "Add a product",
    "getProduct": "Read a product, as it is or was",
    "updateProduct": "Change a product; fields left out stay (as PATCH)",
    "patchProduct": "Change a product; fields left out stay",
    "deactivateProduct": "Take a product out of the catalogue; it can be restored",
    "batchProducts": "Up to a hundred writes at once",
    "listChanges": "A product's history, newest first",
    "getReceipt": "One change: who, what, and how far each of its effects has come",
    "restoreVersion": "Make a product as it was after a version",
}


def _errors(codes: Iterable[int], body: Any = serializers.Error) -> dict[int, OpenApiResponse]:
    return {code: OpenApiResponse(body, ERRORS[code]) for code in codes}


def _reads(
    done: Any, name: str, *parameters: OpenApiParameter, public: bool = False, shown: Any
) -> Any:
    responses: dict[int, Any] = {200: OpenApiResponse(done, "Here it is.")} | _errors(READ_ERRORS)
    if public:
        responses[304] = OpenApiResponse(description="Not modified.")
    auth: Any = [{}, {"bearer": []}] if public else None
    shown = [shown, *examples.refusals({400, 404, 503})]
    return extend_schema(
        operation_id=name,
        summary=SUMMARIES[name],
        parameters=[*parameters, *ALWAYS],
        responses=responses,
        auth=auth,
        examples=shown,
    )


def _writes(
    code: int, name: str, request: Any, *parameters: OpenApiParameter, shown: Any = None
) -> Any:
    responses: dict[int, Any] = {
        200: OpenApiResponse(SAVED, "Saved and waited for, or nothing to save, or a dry run."),
        202: OpenApiResponse(serializers.ReceiptSummary, "Accepted."),
    }
    if code == 201:
        responses[201] = OpenApiResponse(serializers.Product, "Created and waited for.")
    if code == 204:
        responses[204] = OpenApiResponse(
            description="Deactivated and waited for, or inactive already."
        )
    errors = [error for error in WRITE_ERRORS if (code, error) not in {(201, 404), (201, 412)}]
    responses |= _errors(errors)
    return extend_schema(
        operation_id=name,
        summary=SUMMARIES[name],
        request=request,
        parameters=[*parameters, *(TERMS if code != 201 else TERMS_OF_NEW), *ALWAYS],
        responses=responses,
        examples=[*examples.of_write(shown, code), *examples.refusals(WRITE_ERRORS)],
    )


OF_ONE_PRODUCT = {"If-Match", "Location", "ETag", "Idempotent-Replayed"}


def _batch() -> Any:
    responses: dict[int, Any] = {
        200: OpenApiResponse(serializers.BatchResults, "All done, or nothing to do, or a dry run."),
        202: OpenApiResponse(serializers.BatchResults, "Accepted; some are pending."),
        207: OpenApiResponse(serializers.BatchResults, "Some were refused; with mode `each` only."),
    } | _errors(WRITE_ERRORS, serializers.BatchError)
    shown = [
        examples.asked("Batch", examples.BATCH),
        examples.answered("Results", examples.BATCH_RESULT, 202),
    ]
    return extend_schema(
        operation_id="batchProducts",
        summary=SUMMARIES["batchProducts"],
        request=serializers.NewBatch,
        parameters=[*(term for term in TERMS if term.name not in OF_ONE_PRODUCT), *ALWAYS],
        responses=responses,
        examples=[*shown, *examples.refusals({400, 422, 503})],
    )


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # spectacular's registry
    target_class = "products.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(SessionScheme):  # type: ignore[no-untyped-call] # spectacular's registry
    target_class = "products.api.authentication.CookieAuthentication"


def _described(view: str, **operations: Any) -> type[OpenApiViewExtension]:
    """What the contract says of a view's methods, kept apart from the view."""

    def view_replacement(self: Any) -> Any:
        return extend_schema_view(**operations)(type(self.target.__name__, (self.target,), {}))

    name = view.rpartition(".")[2]
    return type(
        f"{name}Schema",
        (OpenApiViewExtension,),
        {"target_class": view, "view_replacement": view_replacement},
    )


_described(
    "products.api.views.ProductList",
    get=_reads(
        serializers.ProductPage,
        "listProducts",
        *LISTING,
        *CONDITIONAL,
        NEXT_PAGE,
        public=True,
        shown=examples.LIST,
    ),
    post=_writes(
        201, "createProduct", serializers.NewProduct, shown=examples.asked("Product", examples.NEW)
    ),
)
_described(
    "products.api.views.ProductDetail",
    get=_reads(
        serializers.Product,
        "getProduct",
        ID,
        _query(
            "asOf",
            "Staff only: a version (3, v3), or a moment in ISO 8601, in UTC unless it has an offset.",
            MOMENT_OR_VERSION,
        ),
        *CONDITIONAL,
        public=True,
        shown=examples.PRODUCT,
    ),
    put=_writes(
        200,
        "updateProduct",
        serializers.ProductEdits,
        ID,
        shown=examples.asked("Edits", examples.EDITS),
    ),
    patch=_writes(
        200,
        "patchProduct",
        serializers.ProductEdits,
        ID,
        shown=examples.asked("Edits", examples.EDITS),
    ),
    delete=_writes(204, "deactivateProduct", None, ID),
)
_described("products.api.batch.ProductBatch", post=_batch())
_described(
    "products.api.history.ChangeList",
    get=_reads(serializers.Changes, "listChanges", ID, *PAGING, shown=examples.HISTORY),
)
PENDING = _sent(
    "Retry-After",
    "Seconds until it is worth looking again, while an effect is open.",
    200,
    type_=int,
)
_described(
    "products.api.history.ChangeReceipt",
    get=_reads(serializers.Change, "getReceipt", ID, VERSION, PENDING, shown=examples.RECEIPT),
)
_described(
    "products.api.history.RestoreVersion", post=_writes(200, "restoreVersion", None, ID, VERSION)
)
