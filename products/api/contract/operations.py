"""The operations of the contract, by view and method: what each reads, and how it can answer."""

from collections.abc import Iterable, Mapping

from products.api.contract import examples, headers
from products.api.contract.examples import Examples
from products.api.contract.headers import Headers
from products.api.json_schema import PRODUCT_ID, VERSION, Schema, ref
from products.api.parameters import (
    AS_OF_PARAMETERS,
    LIST_PARAMETERS,
    PAGE_PARAMETERS,
    WRITE_PARAMETERS,
    Parameters,
)
from products.api.parsers import MAX_BATCH_BYTES, MAX_BODY_BYTES
from products.batch import MAX_WRITES

type Responses = dict[str, Schema]

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


def _in_path(name: str, schema: Schema) -> Schema:
    return {"in": "path", "name": name, "schema": schema, "required": True}


PRODUCT_PATH = [_in_path("product_id", PRODUCT_ID)]
VERSION_PATH = [*PRODUCT_PATH, _in_path("version", VERSION)]
WRITE_OPTIONS = [headers.PREFER, headers.IDEMPOTENT, *_query(WRITE_PARAMETERS)]


def _operation(
    operation_id: str,
    summary: str,
    parameters: Iterable[Schema],
    responses: Responses,
    request: Schema | None = None,
) -> Schema:
    every_parameter = [*parameters, headers.REQUEST_ID]
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": sorted(every_parameter, key=lambda parameter: str(parameter["name"])),
        "tags": ["products"],
        **({"requestBody": request} if request else {}),
        "security": STAFF,
        "responses": responses,
    }


def _content(body: str, shown: Examples) -> Schema:
    content: Schema = {"schema": ref(body)}
    if shown:
        content["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {"content": {"application/json": content}}


def _response(
    description: str, body: str | None, own_headers: Headers, shown: Examples | None = None
) -> Schema:
    content = _content(body, shown or {}) if body else {}
    return {"headers": own_headers | headers.ALWAYS, **content, "description": description}


def _errors(
    codes: Iterable[int],
    body: str = "Error",
    shown: Mapping[int, Examples] = examples.REFUSALS,
) -> Responses:
    return {
        str(code): _response(ERRORS[code], body, headers.OF_ERROR.get(code, {}), shown.get(code))
        for code in codes
    }


def _read(
    operation_id: str,
    summary: str,
    body: str,
    shown: Examples,
    parameters: Iterable[Schema],
    own_headers: Headers | None = None,
) -> Schema:
    response = _response("The requested data.", body, own_headers or {}, shown)
    responses = {"200": response, **_errors(READ_ERRORS)}
    return _operation(operation_id, summary, parameters, responses)


def _public(read: Schema) -> Schema:
    """Return the read as one that needs no token and may be answered with 304."""
    not_modified = _response("Not modified.", None, headers.CACHED)
    responses = read["responses"] | {"304": not_modified}
    return read | {"security": PUBLIC, "responses": responses}


def _write(
    operation_id: str,
    summary: str,
    parameters: Iterable[Schema],
    request: Schema | None = None,
    *,
    done: Responses | None = None,
    errors: Iterable[int] = WRITE_ERRORS,
    shown: Examples = examples.DONE,
) -> Schema:
    """Describe a write of one product. ``done`` is its own response once it was waited for."""
    saved = "Saved and waited for, or unchanged, or a dry run."
    responses = {
        "200": _response(saved, "Saved", headers.DONE, shown),
        "202": _response("Accepted.", "ReceiptSummary", headers.ACCEPTED, examples.ACCEPTED),
        **(done or {}),
        **_errors(errors),
    }
    options = [*parameters, *WRITE_OPTIONS]
    return _operation(operation_id, summary, options, responses, request)


EDITS = {"Edits": examples.EDITS}
OPERATIONS: dict[tuple[str, str], Schema] = {
    ("ProductList", "GET"): _public(
        _read(
            "listProducts",
            "List or search the catalogue",
            "ProductPage",
            {"Page": examples.PAGE},
            [headers.IF_NONE_MATCH, *_query(LIST_PARAMETERS)],
            headers.CACHED | headers.NEXT_PAGE,
        )
    ),
    ("ProductList", "POST"): _write(
        "createProduct",
        "Create a product",
        [],
        _content("NewProduct", {"Product": examples.NEW}) | {"required": True},
        done={
            "201": _response(
                "Created and waited for.", "Product", headers.DONE, examples.WAITED_FOR
            )
        },
        errors=CREATE_ERRORS,
        shown=examples.DRY_RUN,
    ),
    ("ProductDetail", "GET"): _public(
        _read(
            "getProduct",
            "Read a product, now or at an earlier version or time",
            "Product",
            {"Product": examples.PRODUCT},
            [headers.IF_NONE_MATCH, *PRODUCT_PATH, *_query(AS_OF_PARAMETERS)],
            headers.CACHED,
        )
    ),
    ("ProductDetail", "PUT"): _write(
        "updateProduct",
        "Change a product; omitted fields stay unchanged (same as PATCH)",
        [*PRODUCT_PATH, headers.IF_MATCH],
        _content("ProductEdits", EDITS),
    ),
    ("ProductDetail", "PATCH"): _write(
        "patchProduct",
        "Change a product; omitted fields stay unchanged",
        [*PRODUCT_PATH, headers.IF_MATCH],
        _content("PatchedProductEdits", EDITS),
    ),
    ("ProductDetail", "DELETE"): _write(
        "deactivateProduct",
        "Deactivate a product; it can be restored",
        [*PRODUCT_PATH, headers.IF_MATCH],
        done={
            "204": _response("Deactivated and waited for, or already inactive.", None, headers.DONE)
        },
    ),
    ("ProductBatch", "POST"): _operation(
        "batchProducts",
        f"Write up to {MAX_WRITES} products",
        WRITE_OPTIONS,
        {
            "200": _response(
                "All done, or unchanged, or a dry run.", "BatchResults", headers.APPLIED
            ),
            "202": _response(
                "Accepted; some items are pending.",
                "BatchResults",
                headers.PENDING,
                {"Results": examples.BATCH_RESULT},
            ),
            "207": _response(
                "Some items were refused; with mode `each` only.", "BatchResults", headers.PENDING
            ),
            **_errors(WRITE_ERRORS, "BatchError", examples.BATCH_REFUSALS),
        },
        _content("NewBatch", {"Batch": examples.BATCH}) | {"required": True},
    )
    | {"tags": ["products:batch"]},
    ("ChangeList", "GET"): _read(
        "listChanges",
        "List the history of a product, newest change first",
        "Changes",
        {"History": examples.HISTORY},
        [*PRODUCT_PATH, *_query(PAGE_PARAMETERS)],
    ),
    ("ChangeReceipt", "GET"): _read(
        "getReceipt",
        "Read one change: who made it, what it changed, the state of its effects",
        "Change",
        {"Receipt": examples.RECEIPT},
        VERSION_PATH,
        headers.OPEN_RECEIPT,
    ),
    ("RestoreVersion", "POST"): _write(
        "restoreVersion",
        "Restore a product to an earlier version",
        [*VERSION_PATH, headers.IF_MATCH],
    ),
}
