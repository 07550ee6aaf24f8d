"""Responses to batches: the result of each item, or why all of them were refused."""

from collections.abc import Sequence
from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from products.api.batch_items import item_errors
from products.api.errors import body_of_error, error_body, field_errors, status_of
from products.api.json_types import FieldErrors, JsonObject
from products.api.middleware import request_id
from products.api.representation import batch_result
from products.api.write_options import WriteOptions
from products.api.write_responses import PRIVATE, RETRY_SECONDS
from products.errors import CatalogueError, CorruptChange
from products.writes import Accepted, Write, WritesRefused

DEPENDENT_ITEM = "Nothing is wrong with this one, but another of the batch was refused."
Result = Accepted | CatalogueError | CorruptChange
"""What became of one write: an exception when it was refused."""


def results_response(
    request: Request,
    options: WriteOptions,
    asked: Sequence[tuple[str, Write]],
    results: Sequence[Result],
) -> Response:
    """Return 207 if an item was refused, 202 if one is pending, else 200."""
    items = [
        _item_body(options, action, result)
        if isinstance(result, Accepted)
        else _refused_item(result, write, request)
        for (action, write), result in zip(asked, results, strict=True)
    ]
    counts = _counts(results)
    is_pending = any(item["code"] == HTTPStatus.ACCEPTED for item in items)
    headers = {"Cache-Control": PRIVATE}
    if is_pending:
        headers["Retry-After"] = str(RETRY_SECONDS)
    elif options.wait and not options.dry_run:
        headers["Preference-Applied"] = options.wait.applied
    status = HTTPStatus.ACCEPTED if is_pending else HTTPStatus.OK
    if counts["refused"]:
        status = HTTPStatus.MULTI_STATUS
    return Response({"results": items} | counts, status=status, headers=headers)


def _item_body(options: WriteOptions, action: str, result: Accepted) -> JsonObject:
    until = options.wait.until if options.wait else None
    return batch_result(result, action, dry_run=options.dry_run, until=until)


def _refused_item(error: Exception, write: Write, request: Request) -> JsonObject:
    """Return the code and the body that a single request would have been refused with."""
    code = int(_status_or_500(error))
    return {"code": code, **_id_of(write), **error_body(error, request_id(request))}


def _id_of(write: Write) -> JsonObject:
    """Return the id of the product that a write is about, if the caller named one."""
    return {} if write.product_id is None else {"productId": write.product_id}


def _counts(results: Sequence[Result]) -> dict[str, int]:
    accepted = [result for result in results if isinstance(result, Accepted)]
    unchanged = sum(result.change is None for result in accepted)
    return {
        "accepted": len(accepted) - unchanged,
        "unchanged": unchanged,
        "refused": len(results) - len(accepted),
    }


def refused_batch_response(
    refused: WritesRefused, writes: Sequence[Write], request: Request
) -> Response:
    """Return the refusal of a whole batch, with the cause at each item."""
    id_ = request_id(request)
    dependent = HTTPStatus.FAILED_DEPENDENCY
    other_item = {"code": int(dependent), **body_of_error(dependent, DEPENDENT_ITEM, id_)}
    results = [other_item | _id_of(write) for write in writes]
    errors: FieldErrors = {}
    for position, error in refused.refusals.items():
        item = _refused_item(error, writes[position], request)
        results[position] = item
        errors |= item_errors(position, field_errors(error) or {"": [str(item["message"])]})
    status = min(_status_or_500(error) for error in refused.refusals.values())
    body = body_of_error(
        status,
        str(refused),
        id_,
        errors=errors,
        results=results,
        accepted=0,
        unchanged=0,
        refused=len(refused.refusals),
    )
    return Response(body, status=status, headers={"Cache-Control": "no-store"})


def _status_or_500(error: Exception) -> HTTPStatus:
    return status_of(error) or HTTPStatus.INTERNAL_SERVER_ERROR
