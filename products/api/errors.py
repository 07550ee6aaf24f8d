"""The one table from what went wrong to what an API caller is told."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from products.api.middleware import request_id
from products.api.representation import plain
from products.documents import FIELD_NAMES
from products.errors import (
    Conflict,
    CorruptChange,
    Invalid,
    NameTaken,
    NotFound,
    ProductExists,
    Unavailable,
)
from products.idempotency import IdempotencyKeyReused
from products.merging import EditConflict, VersionMismatch
from products.writes import WritesRefused

logger = logging.getLogger(__name__)
RETRY_SECONDS = 5
MAX_NAMED = 8  # fields that the sentence names
WIRE = {field: wire for wire, field in FIELD_NAMES.items()} | {"image": "imageUrl"}
NOTHING = "There is nothing at this address."
INNOCENT = "Nothing is wrong with this one, but another of the batch was refused."
STATUS_OF: list[tuple[type[Exception], HTTPStatus]] = [
    (Invalid, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (VersionMismatch, HTTPStatus.PRECONDITION_FAILED),
    (IdempotencyKeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (CorruptChange, HTTPStatus.SERVICE_UNAVAILABLE),
    (OperationalError, HTTPStatus.SERVICE_UNAVAILABLE),
]


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every answer that is no success has this one form."""
    request = context["request"]
    status = _status_of(error)
    if status:
        response = Response(error_body(error, request_id(request)), status=status)
    else:
        standard = exception_handler(error, dict(context))
        if standard is None:
            return None
        response = standard
        response.data = _body(
            HTTPStatus(response.status_code), _standard_sentence(error), request_id(request)
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.error(
            "could not serve", extra={"fault": repr(error), "request_id": request_id(request)}
        )
        response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _status_of(error: Exception) -> HTTPStatus | None:
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)


def error_body(error: Exception, request_id: str) -> dict[str, Any]:
    """What a caller is told of an error of the catalogue's."""
    status = _status_of(error) or HTTPStatus.INTERNAL_SERVER_ERROR
    return _body(status, _sentence(error), request_id, **_details(error))


def refusal_body(error: Exception, request: Any) -> dict[str, Any]:
    """One refused write of a batch: the code and the body it would have had as a request of its own."""
    status = _status_of(error) or HTTPStatus.INTERNAL_SERVER_ERROR
    return {"code": int(status), **error_body(error, request_id(request))}


def refusals_answer(refused: WritesRefused, count: int, request: Any) -> Response:
    """A batch of all or none that is none: which items refused it; the others only depended on them."""
    bodies = {
        position: refusal_body(error, request) for position, error in refused.refusals.items()
    }
    dependent = HTTPStatus.FAILED_DEPENDENCY
    innocent = {"code": int(dependent), **_body(dependent, INNOCENT, request_id(request))}
    status = HTTPStatus(min(body["code"] for body in bodies.values()))
    errors = {
        f"items[{position}]{f'.{field}' if field else ''}": texts
        for position, body in bodies.items()
        for field, texts in (body["errors"] or {"": [body["message"]]}).items()
    }
    results = [bodies.get(position, innocent) for position in range(count)]
    counts = {"accepted": 0, "unchanged": 0, "refused": len(bodies)}
    body = _body(
        status, str(refused), request_id(request), errors=errors, results=results, **counts
    )
    return Response(body, status=status, headers={"Cache-Control": "no-store"})


def _body(status: HTTPStatus, message: str, of_request: str, **details: Any) -> dict[str, Any]:
    body = {"error": status.phrase, "message": message, "errors": {}, "requestId": of_request}
    return body | details


def _sentence(error: Exception) -> str:
    if isinstance(error, OperationalError):
        return "The user database does not answer at the moment."  # its own words may tell too much
    return _invalid_sentence(error.errors) if isinstance(error, Invalid) else str(error)


def _invalid_sentence(errors: Mapping[str, list[str]]) -> str:
    """What is wrong, for whoever reads nothing but the message."""
    wrong = [(WIRE.get(field, field), texts) for field, texts in errors.items()]
    if len(wrong) == 1:
        return f"{wrong[0][0]}: {' '.join(wrong[0][1])}"
    named = ", ".join(field for field, _ in wrong[:MAX_NAMED])
    return f"Some fields are not right: {named}{' and others' if len(wrong) > MAX_NAMED else ''}."


def _details(error: Exception) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"errors": {WIRE.get(field, field): texts for field, texts in error.errors.items()}}
    if isinstance(error, EditConflict):
        clashes = {WIRE[name]: clash for name, clash in error.clashes.items()}
        return {
            "errors": {name: ["Somebody else changed this meanwhile."] for name in clashes},
            "conflicts": {
                name: {
                    "base": plain(clash.base),
                    "yours": plain(clash.yours),
                    "theirs": plain(clash.theirs),
                }
                for name, clash in clashes.items()
            },
            "version": error.product.version,
        }
    if isinstance(error, NameTaken | ProductExists):
        return {"errors": {"name" if isinstance(error, NameTaken) else "productId": [str(error)]}}
    return {"version": error.product.version} if isinstance(error, VersionMismatch) else {}


def _standard_sentence(error: Exception) -> str:
    if isinstance(error, Http404):
        return NOTHING
    if isinstance(error, exceptions.NotAuthenticated):
        return "This needs a token, in the header Authorization: Bearer <token>."
    if isinstance(error, exceptions.NotAcceptable):
        return "Answers are application/json, which the Accept header does not allow."
    if isinstance(error, exceptions.UnsupportedMediaType):
        return "Send the body as Content-Type: application/json."
    if isinstance(error, PermissionDenied):
        return str(exceptions.PermissionDenied.default_detail)
    return str(getattr(error, "detail", error))


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """The same form for addresses no view answers."""
    slash = " Addresses end without a slash." if request.path.endswith("/") else ""
    return _page(HTTPStatus.NOT_FOUND, NOTHING + slash, request)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page(HTTPStatus.BAD_REQUEST, "The request can't be understood.", request)


def server_error(request: HttpRequest) -> JsonResponse:
    return _page(
        HTTPStatus.INTERNAL_SERVER_ERROR, "This is our fault; it has been logged.", request
    )


def _page(status: HTTPStatus, message: str, request: HttpRequest) -> JsonResponse:
    return JsonResponse(_body(status, message, request_id(request)), status=status)
