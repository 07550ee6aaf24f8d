"""Django's error handlers: JSON for clients of the API, pages of the admin for people."""

import sys

from django.http import HttpRequest, HttpResponse

from products.admin import error_pages
from products.admin.sql_unavailable import sql_unavailable
from products.api import errors as api_errors

API_PREFIX = "/v1.0/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses before any view (``handler400``)."""
    if request.path.startswith(API_PREFIX):
        return api_errors.bad_request(request, exception)
    return error_pages.bad_request(request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that no view serves (``handler404``)."""
    if request.path.startswith(API_PREFIX):
        return api_errors.not_found(request, exception)
    return error_pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed because of a bug, or without SQL (``handler500``)."""
    error = sys.exception()  # Django calls this while it handles the exception
    if request.path.startswith(API_PREFIX):
        return api_errors.server_error(request)
    return sql_unavailable(request, error) or error_pages.server_error(request)
