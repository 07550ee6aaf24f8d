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

from products.acceptance import KeyReused
from products.api.representation import plain
from products.api.requests import request_id
from products.changes import CorruptChange, EditConflict, VersionMismatch
from products.product import Conflict, Invalid, Missing, TryLater, wire_name

logger = logging.getLogger(__name__)
RETRY_SECONDS = 5
STATUS_OF: list[tuple[type[Exception], HTTPStatus]] = [
    (Invalid, HTTPStatus.BAD_REQUEST),
    (Missing, HTTPStatus.NOT_FOUND),
    (VersionMismatch, HTTPStatus.PRECONDITION_FAILED),
    (KeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (TryLater, HTTPStatus.SERVICE_UNAVAILABLE),
    (CorruptChange, HTTPStatus.SERVICE_UNAVAILABLE),
    (OperationalError, HTTPStatus.SERVICE_UNAVAILABLE),
]


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every answer that is no success has this one form."""
    request = context["request"]
    for kind, status in STATUS_OF:
        if isinstance(error, kind):
            response = Response(_body(status, _sentence(error), request, **_details(error)), status=status)
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                logger.error("could not serve", extra={"fault": repr(error), "request_id": request_id(request)})
                response["Retry-After"] = str(RETRY_SECONDS)
            response["Cache-Control"] = "no-store"
            return response
    standard = exception_handler(error, dict(context))
    if standard is None:
        return None
    standard.data = _body(HTTPStatus(standard.status_code), _standard_sentence(error), request)
    standard["Cache-Control"] = "no-store"
    return standard


def _body(status: HTTPStatus, message: str, request: Any, **details: Any) -> dict[str, Any]:
    body = {"error": status.phrase, "message": message, "errors": {}, "requestId": request_id(request)}
    return body | details


def _sentence(error: Exception) -> str:
    if isinstance(error, OperationalError):
        return "The user database does not answer at the moment."  # its own words may tell too much
    return "Some fields are not right." if isinstance(error, Invalid) else str(error)


def _details(error: Exception) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"errors": {wire_name(field): texts for field, texts in error.errors.items()}}
    if isinstance(error, EditConflict):
        clashes = {wire_name(name): clash for name, clash in error.clashes.items()}
        return {
            "errors": {name: ["Somebody else changed this meanwhile."] for name in clashes},
            "conflicts": {
                name: {"base": plain(clash.base), "yours": plain(clash.yours), "theirs": plain(clash.theirs)}
                for name, clash in clashes.items()
            },
            "version": error.product.version,
        }
    return {"version": error.product.version} if isinstance(error, VersionMismatch) else {}


def _standard_sentence(error: Exception) -> str:
    if isinstance(error, Http404):
        return "There is nothing at this address."
    if isinstance(error, PermissionDenied):
        return str(exceptions.PermissionDenied.default_detail)
    return str(getattr(error, "detail", error))


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """The same form for addresses no view answers."""
    return _page(HTTPStatus.NOT_FOUND, "There is nothing at this address.", request)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page(HTTPStatus.BAD_REQUEST, "The request can't be understood.", request)


def server_error(request: HttpRequest) -> JsonResponse:
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, "This is our fault; it has been logged.", request)


def _page(status: HTTPStatus, message: str, request: HttpRequest) -> JsonResponse:
    return JsonResponse(_body(status, message, request), status=status)
