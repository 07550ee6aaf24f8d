"""The form of all error responses, and the status code of each exception."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from products.api.json_types import FieldErrors, JsonObject
from products.api.middleware import request_id
from products.api.permissions import ABOUT_TOKENS
from products.api.plan_fields import PLAN_NAMES
from products.api.product_fields import API_NAMES
from products.api.representation import field_body
from products.errors import (
    Conflict,
    CorruptChange,
    Invalid,
    NameTaken,
    NotAllowed,
    NotFound,
    ProductExists,
    Unavailable,
)
from products.idempotency import IdempotencyKeyReused
from products.merging import Clash, EditConflict, VersionMismatch
from products.plans.plan import PlanVersionMismatch

logger = logging.getLogger(__name__)
RETRY_SECONDS = 5
MAX_NAMED_FIELDS = 8  # in a sentence
NAMES = API_NAMES | PLAN_NAMES
NO_RESOURCE = "There is nothing at this address."
STATUS_OF: list[tuple[type[Exception], HTTPStatus]] = [
    (Invalid, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (VersionMismatch, HTTPStatus.PRECONDITION_FAILED),
    (PlanVersionMismatch, HTTPStatus.PRECONDITION_FAILED),
    (IdempotencyKeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (CorruptChange, HTTPStatus.SERVICE_UNAVAILABLE),
    (OperationalError, HTTPStatus.SERVICE_UNAVAILABLE),
]
"""The first class that fits decides, so a subclass comes before its base class."""


def handle_exception(error: Exception, context: Mapping[str, object]) -> Response | None:
    """Return the response to an exception in a view; None for one that is a bug.

    DRF calls it (``EXCEPTION_HANDLER``).
    """
    id_ = request_id(cast("HttpRequest", context["request"]))
    status = status_of(error)
    if status:
        response = Response(error_body(error, id_), status=status)
    else:
        by_drf = exception_handler(error, dict(context))
        if by_drf is None:
            return None
        response = by_drf
        drf_status = HTTPStatus(response.status_code)
        response.data = body_of_error(drf_status, _drf_sentence(error), id_)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.error("could not serve", extra={"fault": repr(error), "request_id": id_})
        response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def status_of(error: Exception) -> HTTPStatus | None:
    """Return the status of an exception of the catalogue; None for any other."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)


def error_body(error: Exception, request_id: str) -> JsonObject:
    """Return the response body of an exception of the catalogue."""
    status = status_of(error) or HTTPStatus.INTERNAL_SERVER_ERROR
    return body_of_error(
        status, _sentence(error), request_id, errors=field_errors(error), **_details(error)
    )


def body_of_error(
    status: HTTPStatus, message: str, request_id: str, **details: object
) -> JsonObject:
    """Return an error body; ``details`` are added to the fields that all of them have."""
    body: JsonObject = {
        "error": status.phrase,
        "message": message,
        "errors": {},
        "requestId": request_id,
    }
    return body | details


def field_errors(error: Exception) -> FieldErrors:
    """Return the sentences about each field, under the API's names."""
    if isinstance(error, Invalid):
        return {NAMES.get(field, field): texts for field, texts in error.errors.items()}
    if isinstance(error, EditConflict):
        sentence = "Somebody else changed this meanwhile."
        return {API_NAMES[field]: [sentence] for field in error.clashes}
    if isinstance(error, NameTaken):
        return {"name": [str(error)]}
    if isinstance(error, ProductExists):
        return {"productId": [str(error)]}
    return {}


def _details(error: Exception) -> JsonObject:
    """Return what else the caller needs to resolve a conflict."""
    if isinstance(error, EditConflict):
        conflicts = {
            API_NAMES[field]: _clash_body(field, clash, error.product.currency)
            for field, clash in error.clashes.items()
        }
        return {"conflicts": conflicts, "version": error.product.version}
    if isinstance(error, VersionMismatch):
        return {"version": error.product.version}
    if isinstance(error, PlanVersionMismatch):
        return {"version": error.plan.version}
    return {}


def _clash_body(field: str, clash: Clash, currency: str) -> JsonObject:
    values = {"base": clash.base, "yours": clash.yours, "theirs": clash.theirs}
    return {name: field_body(field, value, currency) for name, value in values.items()}


def _sentence(error: Exception) -> str:
    if isinstance(error, OperationalError):
        # The driver's own message may contain the host and the user.
        return "The user database does not answer at the moment."
    if isinstance(error, Invalid):
        return _invalid_sentence(field_errors(error))
    if isinstance(error, NotAllowed):
        return f"{error} {ABOUT_TOKENS}"
    return str(error)


def _invalid_sentence(errors: FieldErrors) -> str:
    """Return a summary for callers that show only the message."""
    if len(errors) == 1:
        [(field, texts)] = errors.items()
        return f"{field}: {' '.join(texts)}"
    named = ", ".join(list(errors)[:MAX_NAMED_FIELDS])
    others = " and others" if len(errors) > MAX_NAMED_FIELDS else ""
    return f"Some fields are not right: {named}{others}."


def _drf_sentence(error: Exception) -> str:
    """Return the message for an exception that Django or DRF raised."""
    if isinstance(error, Http404):
        return NO_RESOURCE
    if isinstance(error, exceptions.NotAuthenticated):
        return "This needs a token, in the header Authorization: Bearer <token>."
    if isinstance(error, exceptions.NotAcceptable):
        return "Answers are application/json, which the Accept header does not allow."
    if isinstance(error, exceptions.UnsupportedMediaType):
        return "Send the body as Content-Type: application/json, without a Content-Encoding."
    if isinstance(error, PermissionDenied):
        return str(exceptions.PermissionDenied.default_detail)
    return str(getattr(error, "detail", error))


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a URL that no view serves (``handler404``)."""
    slash = " Addresses end without a slash." if request.path.endswith("/") else ""
    return _error_page(HTTPStatus.NOT_FOUND, NO_RESOURCE + slash, request)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer a request that Django refuses before any view (``handler400``)."""
    return _error_page(HTTPStatus.BAD_REQUEST, "The request can't be understood.", request)


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer a request that failed because of a bug (``handler500``)."""
    message = "This is our fault; it has been logged."
    return _error_page(HTTPStatus.INTERNAL_SERVER_ERROR, message, request)


def _error_page(status: HTTPStatus, message: str, request: HttpRequest) -> JsonResponse:
    return JsonResponse(body_of_error(status, message, request_id(request)), status=status)
