"""The operations of the API for its OpenAPI contract: reads, writes and batches."""

from collections.abc import Callable, Iterable, Sequence

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.serializers import Serializer

from products.api import batch_serializers, examples, schema_parameters, serializers

type Operation = Callable[[Callable[..., object]], Callable[..., object]]
"""A decorator that describes one method of a view."""

type Body = type[Serializer] | PolymorphicProxySerializer
type Responses = dict[int, OpenApiResponse]

ERRORS = {
    400: "A field, parameter or header is wrong; `errors` names it.",
    401: "The token is missing, expired, revoked or invalid.",
    403: "The caller may not do this.",
    404: "There is no such product or version.",
    406: "Responses are only available as JSON.",
    409: "The id or name is taken, or somebody changed the same field:"
    " `conflicts` has both values.",
    412: "If-Match names another version.",
    413: "The body is larger than 10 KB (a batch: 1000 KB).",
    415: "Bodies are accepted as JSON only.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many calls; see Retry-After.",
    503: "The database does not answer; see Retry-After.",
}
READ_ERRORS = (400, 401, 403, 404, 406, 429, 503)
WRITE_ERRORS = (*READ_ERRORS, 409, 412, 413, 415, 422)
NOT_WHEN_CREATING = {404, 412}
SUMMARIES = {
    "listProducts": "List or search the catalogue",
    "createProduct": "Create a product",
    "getProduct": "Read a product, now or at an earlier version or time",
    "updateProduct": "Change a product; omitted fields stay unchanged (same as PATCH)",
    "patchProduct": "Change a product; omitted fields stay unchanged",
    "deactivateProduct": "Deactivate a product; it can be restored",
    "batchProducts": "Write up to a hundred products",
    "listChanges": "List the history of a product, newest change first",
    "getReceipt": "Read one change: who made it, what it changed, the state of its effects",
    "restoreVersion": "Restore a product to an earlier version",
}
SAVED = PolymorphicProxySerializer(
    "Saved", [serializers.Product, serializers.DryRun], resource_type_field_name=None
)


def _errors(codes: Iterable[int], body: Body = serializers.Error) -> Responses:
    return {code: OpenApiResponse(body, ERRORS[code]) for code in codes}


def read(
    operation_id: str,
    body: Body,
    *parameters: OpenApiParameter,
    public: bool = False,
    example: OpenApiExample,
) -> Operation:
    """Describe a read. A ``public`` one needs no token and takes If-None-Match."""
    responses = {200: OpenApiResponse(body, "The requested data.")} | _errors(READ_ERRORS)
    if public:
        responses[304] = OpenApiResponse(description="Not modified.")
    return extend_schema(
        operation_id=operation_id,
        summary=SUMMARIES[operation_id],
        parameters=[*parameters, *schema_parameters.ALWAYS],
        responses=responses,
        auth=[{}, {"bearer": []}] if public else None,  # type: ignore[list-item] # typed as str
        examples=[example, *examples.refusals({400, 404, 503})],
    )


def write(
    operation_id: str,
    body: Body | None,
    *parameters: OpenApiParameter,
    done_status: int = 200,
    example: OpenApiExample | None = None,
) -> Operation:
    """Describe a write of one product. ``done_status`` is its status once it was waited for."""
    is_create = done_status == 201
    options = schema_parameters.CREATE if is_create else schema_parameters.WRITE
    return extend_schema(
        operation_id=operation_id,
        summary=SUMMARIES[operation_id],
        request=body,
        parameters=[*parameters, *options, *schema_parameters.ALWAYS],
        responses=_write_responses(done_status),
        examples=[*examples.of_write(example, done_status), *examples.refusals(WRITE_ERRORS)],
    )


def _write_responses(done_status: int) -> Responses:
    responses = {
        200: OpenApiResponse(SAVED, "Saved and waited for, or unchanged, or a dry run."),
        202: OpenApiResponse(serializers.ReceiptSummary, "Accepted."),
    }
    if done_status == 201:
        responses[201] = OpenApiResponse(serializers.Product, "Created and waited for.")
    if done_status == 204:
        responses[204] = OpenApiResponse(
            description="Deactivated and waited for, or already inactive."
        )
    impossible = NOT_WHEN_CREATING if done_status == 201 else set()
    return responses | _errors(code for code in WRITE_ERRORS if code not in impossible)


def batch() -> Operation:
    """Describe the batch."""
    responses = {
        200: OpenApiResponse(
            batch_serializers.BatchResults, "All done, or unchanged, or a dry run."
        ),
        202: OpenApiResponse(batch_serializers.BatchResults, "Accepted; some items are pending."),
        207: OpenApiResponse(
            batch_serializers.BatchResults, "Some items were refused; with mode `each` only."
        ),
    } | _errors(WRITE_ERRORS, batch_serializers.BatchError)
    shown: Sequence[OpenApiExample] = [
        examples.request_example("Batch", examples.BATCH),
        examples.response_example("Results", examples.BATCH_RESULT, 202),
        *examples.refusals({400, 422, 503}),
    ]
    return extend_schema(
        operation_id="batchProducts",
        summary=SUMMARIES["batchProducts"],
        request=batch_serializers.NewBatch,
        parameters=[*schema_parameters.BATCH, *schema_parameters.ALWAYS],
        responses=responses,
        examples=shown,
    )
