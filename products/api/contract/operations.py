"""The operations of the contract, by view and method: what each reads, and how it can answer."""

from products.api.contract import examples, headers
from products.api.contract.examples import Examples
from products.api.contract.headers import Headers
from products.api.contract.job_operations import JOB_OPERATIONS
from products.api.contract.operation import (
    JSON,
    READ_ERRORS,
    errors,
    operation,
    query,
    request_body,
    response,
)
from products.api.contract.plan_operations import PLAN_OPERATIONS
from products.api.json_schema import Schema
from products.api.parameters import (
    AS_OF_PARAMETERS,
    CATALOGUE_PARAMETERS,
    PAGE_PARAMETERS,
    WRITE_PARAMETERS,
    Parameters,
)
from products.api.parsers import MERGE_PATCH
from products.batch import MAX_WRITES

WRITE_ERRORS = (*READ_ERRORS, 409, 412, 413, 415, 422)
CREATE_ERRORS = tuple(code for code in WRITE_ERRORS if code not in {404, 412})
PUBLIC: list[Schema] = [{}, {"bearer": []}]

WRITE_OPTIONS = [
    headers.sent("Prefer"),
    headers.sent("IdempotencyKey"),
    *query(WRITE_PARAMETERS),
]
REQUESTS = {
    "createProduct": request_body("ProductCreation", {"Product": examples.NEW}),
    "updateProduct": request_body("ProductEdits", {"Edits": examples.EDITS}),
    "patchProduct": request_body(
        "PatchedProductEdits", {"Edits": examples.EDITS}, (JSON, MERGE_PATCH)
    ),
    "batchProducts": request_body("NewBatch", {"Batch": examples.BATCH}),
}


def _described(
    operation_id: str, summary: str, parameters: list[Schema], responses: dict[int, Schema]
) -> Schema:
    described = operation(operation_id, summary, parameters, responses)
    if operation_id in REQUESTS:
        described["requestBody"] = REQUESTS[operation_id]
    return described


def _read(
    operation_id: str,
    summary: str,
    body: str,
    shown: Examples,
    parameters: Parameters,
    own_headers: Headers,
) -> Schema:
    found = response("The requested data.", body, own_headers, shown)
    responses = {200: found, **errors(READ_ERRORS)}
    return _described(operation_id, summary, query(parameters), responses)


def _public(read: Schema) -> Schema:
    """Return the read as one that needs no token and takes If-None-Match."""
    not_modified = response("Not modified.", None, headers.CACHED)
    return read | {
        "parameters": [*read["parameters"], headers.sent("IfNoneMatch")],
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
        200: response(saved, "SavedProduct", headers.DONE, shown),
        202: response("Accepted.", "ReceiptSummary", headers.ACCEPTED, examples.ACCEPTED),
        **(done or {}),
        **errors(CREATE_ERRORS if creates else WRITE_ERRORS),
    }
    options = WRITE_OPTIONS if creates else [*WRITE_OPTIONS, headers.sent("IfMatch")]
    return _described(operation_id, summary, options, responses)


def _batch() -> Schema:
    summary = f"Write up to {MAX_WRITES} products"
    done = "All done, or unchanged, or a dry run."
    refused = "Some items were refused; with mode `each` only."
    shown = {"Results": examples.BATCH_RESULT}
    responses = {
        200: response(done, "BatchResults", headers.APPLIED),
        202: response("Accepted; some items are pending.", "BatchResults", headers.PENDING, shown),
        207: response(refused, "BatchResults", headers.PENDING),
        **errors(WRITE_ERRORS, "BatchError"),
    }
    return _described("batchProducts", summary, WRITE_OPTIONS, responses)


CREATED = response("Created and waited for.", "Product", headers.DONE, examples.WAITED_FOR)
DEACTIVATED = response("Deactivated and waited for, or already inactive.", None, headers.DONE)
OPERATIONS: dict[tuple[str, str], Schema] = {
    **JOB_OPERATIONS,
    **PLAN_OPERATIONS,
    ("ProductList", "GET"): _public(
        _read(
            "listProducts",
            "List or search the catalogue",
            "ProductPage",
            {"Page": examples.PAGE},
            CATALOGUE_PARAMETERS,
            headers.CACHED | headers.NEXT_PAGE,
        )
    ),
    ("ProductList", "POST"): _write(
        "createProduct", "Create a product", creates=True, done={201: CREATED}
    ),
    ("ProductDetail", "GET"): _public(
        _read(
            "getProduct",
            "Read a product, now, at an earlier version or time, or as plans will make it",
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
        "ChangePage",
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
