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
KEY: Schema = {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"}


def _of_request(name: str, description: str, schema: Schema = TEXT) -> Schema:
    return {"in": "header", "name": name, "schema": schema, "description": description}


def _of_response(description: str, schema: Schema = TEXT) -> Schema:
    return {"schema": schema, "description": description}


IF_NONE_MATCH = _of_request("If-None-Match", "ETags that the client already has.")
IF_MATCH = _of_request("If-Match", 'The ETag the product must still have, e.g. `"v3"`.', TAG)
PREFER = _of_request(
    "Prefer",
    f"`wait=N` (at most {MAX_WAIT_SECONDS} seconds),"
    f" `until={'|'.join(Effect)}` (one of them; stored by default).",
)
IDEMPOTENT = _of_request(
    "Idempotency-Key",
    f"A request repeated with the same key within {RETENTION_HOURS} hours takes effect once.",
    KEY,
)
REQUEST_ID = _of_request(
    "X-Request-ID",
    f"The caller's own id: {MIN_ID_LENGTH} to {MAX_ID_LENGTH}"
    " letters, digits, dots, hyphens or underscores.",
)

CACHED: Headers = {
    "ETag": _of_response("A value for If-None-Match."),
    "Cache-Control": _of_response("Who may cache the response, and for how long."),
}
NEXT_PAGE: Headers = {"Link": _of_response('The next page: `rel="next"`.')}
OPEN_RECEIPT: Headers = {
    "Retry-After": _of_response(
        "Seconds until the receipt may have changed, while an effect is open.", NUMBER
    )
}
PENDING: Headers = {
    "Retry-After": _of_response("Seconds until the receipt may have changed.", NUMBER)
}
APPLIED: Headers = {"Preference-Applied": _of_response("What was waited for.")}
_RECEIPT: Headers = {
    "Location": _of_response("The receipt, if there was a change."),
    "ETag": _of_response("The current version of the product."),
}
_REPLAYED: Headers = {
    "Idempotent-Replayed": _of_response(
        "true: this is the answer to an earlier request with the same key."
    ),
}
JOB: Headers = {
    "Location": _of_response("The job."),
    "Retry-After": _of_response("Seconds until a running job may have moved on.", NUMBER),
}
FILE_NAME = _of_response("The name of the file.")
DONE = _RECEIPT | APPLIED | _REPLAYED
ACCEPTED = _RECEIPT | PENDING | _REPLAYED
ALWAYS: Headers = {
    "X-Request-ID": _of_response(
        "The caller's id if it was valid, else a new one; also in our logs and in the history."
    ),
    "RateLimit-Limit": _of_response("Calls per second.", NUMBER),
    "RateLimit-Remaining": _of_response("Calls left in this second.", NUMBER),
    "RateLimit-Reset": _of_response("Seconds until the count starts again.", NUMBER),
}
_RETRY: Headers = {"Retry-After": _of_response("Seconds to wait.", NUMBER)}
OF_ERROR: dict[int, Headers] = {
    401: ALWAYS | {"WWW-Authenticate": _of_response("Bearer.")},
    429: ALWAYS | _RETRY,
    503: ALWAYS | _RETRY,
}
