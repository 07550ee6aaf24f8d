"""The headers of the contract."""

from products.api.json_schema import NUMBER, TEXT, Schema
from products.api.middleware import MAX_ID_LENGTH, MIN_ID_LENGTH
from products.api.write_options import IDEMPOTENCY_KEY, MAX_WAIT_SECONDS
from products.changes import Effect
from products.idempotency import RETENTION
from products.identifiers import MAX_VERSION_DIGITS

type Headers = dict[str, Schema]
"""Response headers by their names."""

RETENTION_HOURS = int(RETENTION.total_seconds()) // 3600
TAG: Schema = {"type": "string", "pattern": rf'^((W/)?"v[0-9]{{1,{MAX_VERSION_DIGITS}}}"|\*)$'}
_DIGITS = rf"[0-9]{{1,{MAX_VERSION_DIGITS}}}"
PLAN_TAG: Schema = {
    "type": "string",
    "pattern": rf'^((W/)?"v{_DIGITS}(\.{_DIGITS})?"|\*)$',
}
KEY: Schema = {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"}


def _of_request(name: str, description: str, example: str, schema: Schema = TEXT) -> Schema:
    return {
        "in": "header",
        "name": name,
        "schema": schema,
        "description": description,
        "example": example,
    }


def _of_response(description: str, schema: Schema = TEXT) -> Schema:
    return {"schema": schema, "description": description}


REQUEST_HEADERS: dict[str, Schema] = {
    "IfNoneMatch": _of_request("If-None-Match", "ETags that the client already has.", '"v3"'),
    "IfMatch": _of_request("If-Match", "The ETag that the product must still have.", '"v3"', TAG),
    "IfMatchPlan": _of_request(
        "If-Match",
        "The ETag that the plan must still have; its part after the dot does not count.",
        '"v2.5"',
        PLAN_TAG,
    ),
    "Prefer": _of_request(
        "Prefer",
        f"`wait=N` (at most {MAX_WAIT_SECONDS} seconds),"
        f" `until={'|'.join(Effect)}` (one of them; stored by default).",
        "wait=5, until=stored",
    ),
    "IdempotencyKey": _of_request(
        "Idempotency-Key",
        f"A request repeated with the same key within {RETENTION_HOURS} hours takes effect once.",
        "6f1c0f52-9a35-4b0e-9c0b-5d1c4a7f3e21",
        KEY,
    ),
    "RequestId": _of_request(
        "X-Request-ID",
        f"The caller's own id: {MIN_ID_LENGTH} to {MAX_ID_LENGTH}"
        " letters, digits, dots, hyphens or underscores.",
        "order-4711-retry-1",
    ),
}
"""The headers of requests, as components of the contract."""
RESPONSE_HEADERS: dict[str, Schema] = {
    "Cache-Control": _of_response("Who may cache the response, and for how long."),
    "Content-Disposition": _of_response("The name of the file."),
    "ETag": _of_response("The version, for If-None-Match and If-Match."),
    "Idempotent-Replayed": _of_response(
        "true: this is the answer to an earlier request with the same key."
    ),
    "Link": _of_response('The next page: `rel="next"`.'),
    "Location": _of_response("The receipt of the change, the job, or the plan."),
    "Preference-Applied": _of_response("What was waited for."),
    "RateLimit-Limit": _of_response("Calls per second.", NUMBER),
    "RateLimit-Remaining": _of_response("Calls left in this second.", NUMBER),
    "RateLimit-Reset": _of_response("Seconds until the count starts again.", NUMBER),
    "Retry-After": _of_response(
        "Seconds to wait before the next call: for a retry, or until there may be news.", NUMBER
    ),
    "WWW-Authenticate": _of_response("Bearer."),
    "X-Request-ID": _of_response(
        "The caller's id if it was valid, else a new one; also in our logs and in the history."
    ),
}
"""The headers of responses, as components of the contract."""


def named(*names: str) -> Headers:
    """Return references to these headers of responses."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def sent(name: str) -> Schema:
    """Return a reference to a header of requests."""
    return {"$ref": f"#/components/parameters/{name}"}


CACHED = named("ETag", "Cache-Control")
NEXT_PAGE = named("Link")
PENDING = named("Retry-After")
OPEN_RECEIPT = PENDING
APPLIED = named("Preference-Applied")
FILE = named("Content-Disposition")
JOB = named("Location", "Retry-After")
PLAN = named("Location", "ETag")
NEW_PLAN = named("Location", "ETag", "Idempotent-Replayed")
DONE = named("Location", "ETag", "Preference-Applied", "Idempotent-Replayed")
ACCEPTED = named("Location", "ETag", "Retry-After", "Idempotent-Replayed")
ALWAYS = named("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_ERROR: dict[int, Headers] = {
    401: named("WWW-Authenticate"),
    429: named("Retry-After"),
    503: named("Retry-After"),
}
