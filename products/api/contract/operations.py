"""The operations of the contract, by view and method: what each reads, and how it can answer."""

from collections.abc import Iterable, Mapping

from products.api.contract import examples, headers
from products.api.contract.examples import Examples
from products.api.contract.headers import Headers
from products.api.json_schema import Schema, ref
from products.api.parameters import (
    AS_OF_PARAMETERS,
    LIST_PARAMETERS,
    PAGE_PARAMETERS,
    WRITE_PARAMETERS,
    Parameters,
)
from products.api.parsers import MAX_BATCH_BYTES, MAX_BODY_BYTES
from products.batch import MAX_WRITES

ERRORS = {
    400: "A field, parameter or header is wrong; `errors` names it.",
    401: "The token is missing, expired, revoked or invalid.",
    403: "The caller may not do this.",
    404: "There is no such product or version.",
    406: "Responses are only available as JSON.",
    409: "The id or name is taken, or somebody changed the same field:"
    " `conflicts` has both values.",
    412: "If-Match names another version.",
    413: f"The body is larger than {MAX_BODY_BYTES // 1024} KB"
    f" (a batch: {MAX_BATCH_BYTES // 1024} KB).",
    415: "Bodies are accepted as JSON only.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many calls; see Retry-After.",
    503: "The database does not answer; see Retry-After.",
}
READ_ERRORS = (400, 401, 403, 404, 406, 429, 503)
WRITE_ERRORS = (*READ_ERRORS, 409, 412, 413, 415, 422)
CREATE_ERRORS = tuple(code for code in WRITE_ERRORS if code not in {404, 412})
PUBLIC: list[Schema] = [{}, {"bearer": []}]
STAFF: list[Schema] = [{"bearer": []}, {"cookieAuth": []}]


def _query(parameters: Parameters) -> list[Schema]:
    return [
        {"in": "query", "name": name, "schema": given.schema, "description": given.description}
        for name, given in parameters.items()
    ]


WRITE_OPTIONS = [headers.PREFER, headers.IDEMPOTENT, *_query(WRITE_PARAMETERS)]


def _content(body: str, shown: Examples) -> Schema:
    content: Schema = {"schema": ref(body)}
    if shown:
        content["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {"content": {"application/json": content}}


REQUESTS = {
    "createProduct": _content("NewProduct", {"Product": examples.NEW}) | {"required": True},
    "updateProduct": _content("ProductEdits", {"Edits": examples.EDITS}),
    "patchProduct": _content("PatchedProductEdits", {"Edits": examples.EDITS}),
    "batchProducts": _content("NewBatch", {"Batch": examples.BATCH}) | {"required": True},
}


def _operation(
    operation_id: str, summary: str, parameters: list[Schema], responses: dict[int, Schema]
) -> Schema:
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": [*parameters, headers.REQUEST_ID],
        "tags": ["products"],
        **({"requestBody": REQUESTS[operation_id]} if operation_id in REQUESTS else {}),
        "security": STAFF,
        "responses": {str(code): response for code, response in responses.items()},
    }


def _response(
    description: str, body: str | None, own_headers: Headers, shown: Examples | None = None
) -> Schema:
    content = _content(body, shown or {}) if body else {}
    return {"headers": own_headers | headers.ALWAYS, **content, "description": description}


def _errors(
    codes: Iterable[int], body: str = "Error", shown: Mapping[int, Examples] = examples.REFUSALS
) -> dict[int, Schema]:
    return {
        code: _response(ERRORS[code], body, headers.OF_ERROR.get(code, {}), shown.get(code))
        for code in codes
    }


def _read(
    operation_id: str,
    summary: str,
    body: str,
    shown: Examples,
    parameters: Parameters,
    own_headers: Headers,
) -> Schema:
    found = _response("The requested data.", body, own_headers, shown)
    responses = {200: found, **_errors(READ_ERRORS)}
    return _operation(operation_id, summary, _query(parameters), responses)


def _public(read: Schema) -> Schema:
    """Return the read as one that needs no token and takes If-None-Match."""
    not_modified = _response("Not modified.", None, headers.CACHED)
    return read | {
        "parameters": [*read["parameters"], headers.IF_NONE_MATCH],
        "security": PUBLIC,
        "responses": read["responses"] | {"304": not_modified},
    }


def _write(
    operation_id: str, summary: str, *, creates: bool = False, done: dict[int, Schema] | None = None
) -> Schema:
    """Describe a write of one product. ``done`` is its own response once it was waited for."""
    saved = "Saved and waited for, or unchanged, or a dry run."
    shown = examples.DRY_RUN if creates else examples.DONE
    responses = {
        200: _response(saved, "Saved", headers.DONE, shown),
        202: _response("Accepted.", "ReceiptSummary", headers.ACCEPTED, examples.ACCEPTED),
        **(done or {}),
        **_errors(CREATE_ERRORS if creates else WRITE_ERRORS),
    }
    options = WRITE_OPTIONS if creates else [*WRITE_OPTIONS, headers.IF_MATCH]
    return _operation(operation_id, summary, options, responses)


def _batch() -> Schema:
    summary = f"Write up to {MAX_WRITES} products"
    done = "All done, or unchanged, or a dry run."
    refused = "Some items were refused; with mode `each` only."
    shown = {"Results": examples.BATCH_RESULT}
    responses = {
        200: _response(done, "BatchResults", headers.APPLIED),
        202: _response("Accepted; some items are pending.", "BatchResults", headers.PENDING, shown),
        207: _response(refused, "BatchResults", headers.PENDING),
        **_errors(WRITE_ERRORS, "BatchError", examples.BATCH_REFUSALS),
    }
    return _operation("batchProducts", summary, WRITE_OPTIONS, responses) | {
        "tags": ["products:batch"]
    }


CREATED = _response("Created and waited for.", "Product", headers.DONE, examples.WAITED_FOR)
DEACTIVATED = _response("Deactivated and waited for, or already inactive.", None, headers.DONE)
OPERATIONS: dict[tuple[str, str], Schema] = {
    ("ProductList", "GET"): _public(
        _read(
            "listProducts",
            "List or search the catalogue",
            "ProductPage",
            {"Page": examples.PAGE},
            LIST_PARAMETERS,
            headers.CACHED | headers.NEXT_PAGE,
        )
    ),
    ("ProductList", "POST"): _write(
        "createProduct", "Create a product", creates=True, done={201: CREATED}
    ),
    ("ProductDetail", "GET"): _public(
        _read(
            "getProduct",
            "Read a product, now or at an earlier version or time",
            "Product",
            {"Product": examples.PRODUCT},
            AS_OF_PARAMETERS,
            headers.CACHED,
        )
    ),
    ("ProductDetail", "PUT"): _write(
        "updateProduct", "Change a product; omitted fields stay unchanged (same as PATCH)"
    ),
    ("ProductDetail", "PATCH"): _write(
        "patchProduct", "Change a product; omitted fields stay unchanged"
    ),
    ("ProductDetail", "DELETE"): _write(
        "deactivateProduct", "Deactivate a product; it can be restored", done={204: DEACTIVATED}
    ),
    ("ProductBatch", "POST"): _batch(),
    ("ChangeList", "GET"): _read(
        "listChanges",
        "List the history of a product, newest change first",
        "Changes",
        {"History": examples.HISTORY},
        PAGE_PARAMETERS,
        {},
    ),
    ("ChangeReceipt", "GET"): _read(
        "getReceipt",
        "Read one change: who made it, what it changed, the state of its effects",
        "Change",
        {"Receipt": examples.RECEIPT},
        {},
        headers.OPEN_RECEIPT,
    ),
    ("RestoreVersion", "POST"): _write("restoreVersion", "Restore a product to an earlier version"),
}
